//! A real PostgreSQL server, started once for all tests of this program and stopped with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A running server that trusts local connections, except those of roles in the group
/// `password_required`, which a test may create.
pub struct Cluster {
    pub port: u16,
    pub directory: PathBuf,
    binaries: PathBuf,
    /// Its standard input is the leash: when this process ends, the server stops.
    _leash: Child,
}

impl Cluster {
    /// Debian's PostgreSQL, shared by all tests.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Cluster::start(&debian_binaries(), &[]))
    }

    /// A server of its own from these binaries, with additional settings such as `ssl=on`.
    pub fn start(binaries: &Path, settings: &[&str]) -> Cluster {
        let port = free_port();
        let directory = PathBuf::from(format!("/tmp/syncmon-pg-{}-{port}", std::process::id()));
        let settings: String = settings
            .iter()
            .map(|setting| ["echo \"", setting, "\" >> data/postgresql.conf\n"].concat())
            .collect();
        let script = format!(
            r#"set -e
            cd "$DIRECTORY"
            "$BIN/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync > initdb.log 2>&1
            sed -i '1i host all +password_required 127.0.0.1/32 scram-sha-256' data/pg_hba.conf
            cat >> data/postgresql.conf <<END
port = $PORT
unix_socket_directories = '$DIRECTORY'
listen_addresses = '127.0.0.1'
fsync = off
log_statement = all
log_line_prefix = '%d %u %a: '
END
            {settings}
            "$BIN/postgres" -D data > server.log 2>&1 &
            cat > /dev/null
            # A test may have stopped it, or started it again.
            if [ -e data/postmaster.pid ]; then "$BIN/pg_ctl" -D data -m fast stop > stop.log; fi
            rm -rf "$DIRECTORY""#
        );
        std::fs::create_dir(&directory).unwrap();
        let mut command = if is_root() {
            // PostgreSQL refuses to run as root.
            let chown = Command::new("chown")
                .arg("postgres")
                .arg(&directory)
                .status()
                .unwrap();
            assert!(chown.success());
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "bash", "-c", &script]);
            command
        } else {
            let mut command = Command::new("bash");
            command.args(["-c", &script]);
            command
        };
        let leash = command
            .env("BIN", binaries)
            .env("DIRECTORY", &directory)
            .env("PORT", port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let cluster = Cluster {
            port,
            directory,
            binaries: binaries.to_owned(),
            _leash: leash,
        };
        cluster.wait_until_ready();
        cluster
    }

    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// The server's log of statements; each line begins "database role application: ".
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.directory.join("server.log")).unwrap())
            .into_owned()
    }

    /// What `pg_ctl` does with these arguments, such as "-m fast restart".
    pub fn control(&self, arguments: &str) {
        let script =
            format!("\"$BIN/pg_ctl\" -D data -l server.log {arguments} > control.log 2>&1");
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "bash", "-c", &script]);
            command
        } else {
            let mut command = Command::new("bash");
            command.args(["-c", &script]);
            command
        };
        let ended = command
            .env("BIN", &self.binaries)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .status()
            .unwrap();
        let log = std::fs::read_to_string(self.directory.join("control.log")).unwrap_or_default();
        assert!(ended.success(), "pg_ctl {arguments}: {log}");
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while Instant::now() < deadline {
            let log =
                std::fs::read_to_string(self.directory.join("server.log")).unwrap_or_default();
            if log.contains("ready to accept connections") {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start; see {}", self.directory.display());
    }
}

/// The newest of Debian's installed server versions.
pub fn debian_binaries() -> PathBuf {
    let mut versions: Vec<u32> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is not installed; ./tests/run installs it")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    let version = versions
        .last()
        .expect("no PostgreSQL server in /usr/lib/postgresql");
    PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A TCP port that nobody listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
