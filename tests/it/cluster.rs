//! A real PostgreSQL server, started once for all tests of this program and stopped with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const TEMPLATE: &str = "syncmon_template";

/// A running server that trusts local connections, except those of roles in the group
/// `password_required`, which a test may create.
pub struct Cluster {
    pub port: u16,
    pub directory: PathBuf,
    binaries: PathBuf,
    /// Its standard input is the leash: when this process ends, the server stops.
    _leash: Option<Child>,
}

impl Cluster {
    /// Debian's PostgreSQL, shared by all tests: the one whose directory is named by
    /// `SYNCMON_TEST_POSTGRES`, which `./tests/run` starts, or else one for this process.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var_os("SYNCMON_TEST_POSTGRES") {
            Some(directory) => Cluster::running(directory.into()),
            None => Cluster::start(&debian_binaries(), &[]),
        })
    }

    /// A server that is there already. Its port is the end of the directory's name.
    fn running(directory: PathBuf) -> Cluster {
        let name = directory.to_string_lossy();
        let port = name.rsplit('-').next().unwrap().parse().unwrap();
        Cluster {
            port,
            directory,
            binaries: debian_binaries(),
            _leash: None,
        }
    }

    /// A server of its own from these binaries, with additional settings such as `ssl=on`.
    pub fn start(binaries: &Path, settings: &[&str]) -> Cluster {
        let port = free_port();
        let directory = PathBuf::from(format!("/tmp/syncmon-pg-{}-{port}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let leash = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres"))
            .args([binaries, &directory])
            .arg(port.to_string())
            .args(settings)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cluster = Cluster {
            port,
            directory,
            binaries: binaries.to_owned(),
            _leash: Some(leash),
        };
        cluster.wait_until_ready();
        cluster
    }

    /// The name of a database with the schema in it, and nothing else, to copy from, which is
    /// cheaper than `init-db`. `make` fills it: once a server, whichever processes ask.
    pub fn template(&self, make: impl FnOnce(&str)) -> &'static str {
        let done = self.directory.join("template");
        let lock = File::create(self.directory.join("template.lock")).unwrap();
        lock.lock().unwrap();
        if !done.exists() {
            make(TEMPLATE);
            File::create(done).unwrap();
        }
        TEMPLATE
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
