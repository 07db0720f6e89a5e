//! A real PgBouncer before the shared PostgreSQL, as strict as it comes.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::{free_port, is_root};

/// Pools transactions over a single connection; ends with the test.
pub struct Pooler {
    pub port: u16,
    pub directory: PathBuf,
    /// Its standard input is the leash, as with [`crate::cluster::Cluster`].
    leash: Child,
}

impl Pooler {
    pub fn before(server: u16) -> Pooler {
        Pooler::with(server, "*", "")
    }

    /// Knows these databases (`*` is any), with additional settings such as `query_wait_timeout = 1`.
    pub fn with(server: u16, databases: &str, settings: &str) -> Pooler {
        Pooler::on(free_port(), server, databases, settings)
    }

    /// The same port, another process, and possibly other settings.
    pub fn restart(mut self, server: u16, databases: &str, settings: &str) -> Pooler {
        drop(self.leash.stdin.take());
        self.leash.wait().unwrap();
        Pooler::on(self.port, server, databases, settings)
    }

    fn on(port: u16, server: u16, databases: &str, settings: &str) -> Pooler {
        let directory = PathBuf::from(format!(
            "/tmp/syncmon-pgbouncer-{}-{port}",
            std::process::id()
        ));
        std::fs::create_dir(&directory).unwrap();
        let settings = format!(
            "[databases]\n\
             {databases} = host=127.0.0.1 port={server}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             pool_mode = transaction\n\
             default_pool_size = 1\n\
             ignore_startup_parameters =\n\
             auth_type = trust\n\
             auth_file = users.txt\n\
             {settings}\n"
        );
        std::fs::write(directory.join("pgbouncer.ini"), settings).unwrap();
        std::fs::write(directory.join("users.txt"), "\"syncmon_ro\" \"\"\n").unwrap();
        let script = r#"cd "$DIRECTORY"
            PATH="$PATH:/usr/sbin" pgbouncer pgbouncer.ini > log 2>&1 &
            pooler=$!
            cat > /dev/null
            kill -INT $pooler
            wait $pooler || true
            rm -rf "$DIRECTORY""#;
        let mut command = if is_root() {
            // PgBouncer refuses to run as root.
            let chown = Command::new("chown")
                .args(["-R", "postgres"])
                .arg(&directory)
                .status();
            assert!(chown.unwrap().success());
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "bash", "-c", script]);
            command
        } else {
            let mut command = Command::new("bash");
            command.args(["-c", script]);
            command
        };
        let leash = command
            .env("DIRECTORY", &directory)
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pooler = Pooler {
            port,
            directory,
            leash,
        };
        pooler.wait_until_ready();
        pooler
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                panic!("PgBouncer did not start (./tests/run installs it): {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
