//! The real nginx with the configuration that is shipped, and a client that takes no shortcuts.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cluster::{free_port, is_root};
use crate::hidden::faketime;
use crate::sandbox::Sandbox;

pub const USER: &str = "cfo";
pub const PASSWORD: &str = "long random password";

/// "cfo:long random password" as basic authentication sends it.
pub const RIGHT: (&str, &str) = ("Authorization", "Basic Y2ZvOmxvbmcgcmFuZG9tIHBhc3N3b3Jk");

const SHIPPED: &str = include_str!("../../deploy/nginx/syncmon.conf");

/// A running nginx. As root, its workers run as somebody who owns nothing.
pub struct Nginx {
    pub port: u16,
    folder: TempDir,
    /// Its standard input is the leash: when this value or this process ends, the server stops.
    leash: Child,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Nginx {
    /// Serves `site` of the sandbox.
    pub fn serving(world: &Sandbox) -> Nginx {
        Nginx::serving_folder(world, "site")
    }

    pub fn serving_folder(world: &Sandbox, site: &str) -> Nginx {
        Nginx::start(folder(), world, site, &[], &[])
    }

    /// Serves `site` by the shipped configuration with these parts of it changed.
    pub fn serving_with(world: &Sandbox, changes: &[(&str, &str)]) -> Nginx {
        Nginx::start(folder(), world, "site", &[], changes)
    }

    /// Serves `site` by a clock that stands still until it is set: see [`Nginx::clock`].
    pub fn with_its_own_clock(world: &Sandbox) -> Nginx {
        let folder = folder();
        let (library, clock) = (faketime(), folder.path().join("clock"));
        fs::write(&clock, "2026-11-22 20:05:00").unwrap();
        let clock = clock.display().to_string();
        let variables = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", clock.as_str()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("TZ", "UTC"),
        ];
        Nginx::start(folder, world, "site", &variables, &[])
    }

    /// `variables` are for nginx and its workers.
    fn start(
        folder: TempDir,
        world: &Sandbox,
        site: &str,
        variables: &[(&str, &str)],
        changes: &[(&str, &str)],
    ) -> Nginx {
        for public in [folder.path(), world.root()] {
            fs::set_permissions(public, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let port = free_port();
        let passwords = folder.path().join("htpasswd");
        fs::write(&passwords, format!("{USER}:{}\n", hashed(PASSWORD))).unwrap();
        let mut server = SHIPPED.to_owned();
        for (shipped, here) in [
            ("listen 80;", format!("listen 127.0.0.1:{port};")),
            ("listen [::]:80;", String::new()),
            (
                "server_name status.example.org;",
                "server_name localhost;".to_owned(),
            ),
            (
                "root /var/lib/syncmon/site;",
                format!("root {};", world.path(site).display()),
            ),
            (
                "auth_basic_user_file /etc/nginx/syncmon.htpasswd;",
                format!("auth_basic_user_file {};", passwords.display()),
            ),
        ] {
            assert_eq!(server.matches(shipped).count(), 1, "{shipped}");
            server = server.replace(shipped, &here);
        }
        for (part, changed) in changes {
            assert_eq!(server.matches(part).count(), 1, "{part}");
            server = server.replace(part, changed);
        }
        fs::write(folder.path().join("server.conf"), server).unwrap();
        let user = if is_root() {
            "user nobody nogroup;"
        } else {
            ""
        };
        let inherited: Vec<String> = variables
            .iter()
            .map(|(name, _)| format!("env {name};"))
            .collect();
        let inherited = inherited.join(" ");
        let log = if variables.is_empty() {
            "off"
        } else {
            "access.log brief"
        };
        let main = format!(
            "{user} {inherited} worker_processes 2; daemon off; pid nginx.pid; error_log error.log;
             events {{ worker_connections 256; }}
             http {{
                 include /etc/nginx/mime.types; default_type application/octet-stream;
                 log_format brief '$status $uri'; access_log {log};
                 client_body_temp_path body; proxy_temp_path proxy;
                 fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                 include server.conf;
             }}"
        );
        fs::write(folder.path().join("nginx.conf"), main).unwrap();
        let script = "nginx -p \"$PREFIX\" -c nginx.conf -e error.log & server=$!
                      cat > /dev/null; kill $server; wait $server";
        let leash = Command::new("sh")
            .args(["-c", script])
            .env("PREFIX", folder.path())
            .envs(variables.iter().copied())
            .env(
                "PATH",
                format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()),
            )
            .stdin(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let nginx = Nginx {
            port,
            folder,
            leash,
        };
        nginx.wait_until_ready();
        nginx
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[RIGHT])
    }

    /// One request on a connection of its own; the answer is read to its very end.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n",
            headers.concat()
        );
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        Response::parse(&answer, method)
    }

    /// As `nginx -s reload` does it: new workers take over, the old ones finish what they began.
    pub fn reload(&self) {
        let process = fs::read_to_string(self.folder.path().join("nginx.pid")).unwrap();
        let process = rustix::process::Pid::from_raw(process.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
    }

    /// The file with the server's clock, "2026-11-22 20:05:00" in UTC.
    pub fn clock(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    /// The file with the password.
    pub fn passwords(&self) -> PathBuf {
        self.folder.path().join("htpasswd")
    }

    /// The file with a line "STATUS PATH" for each request; only with a clock of its own.
    pub fn access_log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// What nginx had to say.
    pub fn errors(&self) -> String {
        ["stderr", "error.log"]
            .map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
            .join("")
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "nginx did not start (./tests/run installs it if it is missing): {}",
                self.errors()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("syncmon-nginx-")
        .tempdir()
        .unwrap()
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

impl Response {
    pub fn parse(answer: &[u8], method: &str) -> Response {
        let end = position(answer, b"\r\n\r\n").expect("an answer has headers");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap()["HTTP/1.1 ".len()..][..3]
            .parse()
            .unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response {
            status,
            headers,
            body: answer[end + 4..].to_vec(),
        };
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = unchunked(&response.body);
        } else if let (Some(length), true) = (response.header("content-length"), method != "HEAD") {
            assert_eq!(length, response.body.len().to_string(), "cut short");
        }
        response
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

fn unchunked(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = position(chunks, b"\r\n").expect("cut short");
        let size = std::str::from_utf8(&chunks[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunks[end + 2..][..size]);
        chunks = &chunks[end + 2 + size + 2..];
    }
}

/// As the comments of the shipped configuration say.
fn hashed(password: &str) -> String {
    let output = Command::new("openssl")
        .args(["passwd", "-6", password])
        .output()
        .expect("openssl is missing; ./tests/run installs it");
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(hash.starts_with("$6$"), "{hash}");
    hash.trim().to_owned()
}
