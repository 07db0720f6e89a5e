//! Those who are told: a mail server and a receiver of webhooks, each a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Debian's, for which Debian has the mail server.
const PYTHON: &str = "/usr/bin/python3";

/// What the mail server asks for.
pub const PASSWORD: &str = "S3cret pa$$w%rd/&";

/// A server that changes its manner when it is told to.
pub struct Receiver {
    folder: TempDir,
    child: Child,
    pub port: u16,
}

impl Receiver {
    /// For mail of the user "mailer", with STARTTLS; or encrypted "at once", or "in the clear".
    pub fn of_mail(encryption: &str) -> Receiver {
        Receiver::start("mail.py", "open", encryption)
    }

    /// For webhooks and pings; everything is fine.
    pub fn of_http() -> Receiver {
        Receiver::start("hooks.py", "200", "")
    }

    fn start(program: &str, manner: &str, more: &str) -> Receiver {
        let folder = tempfile::Builder::new()
            .prefix("syncmon-test-")
            .tempdir()
            .unwrap();
        fs::write(folder.path().join("manner"), manner).unwrap();
        fs::write(folder.path().join("password"), PASSWORD).unwrap();
        if program == "mail.py" {
            make_certificates(folder.path());
        }
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/receivers");
        let mut child = Command::new(PYTHON)
            .arg(programs.join(program))
            .arg(folder.path())
            .args((!more.is_empty()).then_some(more))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .expect("python3 is missing; ./tests/run installs it");
        let mut port = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap_or_else(|_| {
            let log = fs::read_to_string(folder.path().join("log")).unwrap();
            panic!("{program} did not start; ./tests/run installs what it needs: {log}")
        });
        Receiver {
            folder,
            child,
            port,
        }
    }

    /// How it answers from now on.
    pub fn turn(&self, manner: &str) {
        let beside = self.folder.path().join("manner.new");
        fs::write(&beside, manner).unwrap();
        fs::rename(beside, self.folder.path().join("manner")).unwrap();
    }

    /// Everything that has arrived.
    pub fn received(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("received")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Of everything that has arrived, this.
    pub fn heard(&self, key: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.received()
            .iter()
            .map(|line| text(&line[key]))
            .collect()
    }

    /// The authority behind its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ours.crt")
    }

    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

fn make_certificates(directory: &Path) {
    let script = r"set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -subj /CN=ours -keyout ours.key -out ours.crt
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
            -keyout server.key -out server.csr
        openssl x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 \
            -extfile <(echo subjectAltName=DNS:localhost) -out server.crt";
    let made = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// A text is in no file of a world, neither in the site nor in the state directory.
pub fn is_in_no_file(world: &crate::sandbox::Sandbox, text: &str) {
    for entry in walkdir::WalkDir::new(world.root()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            let mut parts = bytes.windows(text.len());
            let found = parts.any(|part| part == text.as_bytes());
            assert!(!found, "{text} is in {}", entry.path().display());
        }
    }
}
