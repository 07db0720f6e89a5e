//! The real nginx with the configuration that is shipped, and a client that takes no shortcuts.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
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

pub const SHIPPED: &str = include_str!("../../deploy/nginx/syncmon.conf");

const UNAUTHORIZED: &str = include_str!("../../deploy/nginx/errors/401.html");
const NOT_FOUND: &str = include_str!("../../deploy/nginx/errors/404.html");
const TOO_MANY: &str = include_str!("../../deploy/nginx/errors/429.html");
const UNWELL: &str = include_str!("../../deploy/nginx/errors/50x.html");

/// The error documents.
pub const DOCUMENTS: [(&str, &str); 4] = [
    ("401.html", UNAUTHORIZED),
    ("404.html", NOT_FOUND),
    ("429.html", TOO_MANY),
    ("50x.html", UNWELL),
];

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

/// How the shipped configuration says that requests with a password are counted.
const LIMIT: &str = "limit_req zone=syncmon burst=40 nodelay;";

/// Without TLS, at a port of its own, and without a limit: tests read faster than people do.
impl Nginx {
    /// Serves `site` of the sandbox.
    pub fn serving(world: &Sandbox) -> Nginx {
        Nginx::serving_folder(world, "site")
    }

    pub fn serving_folder(world: &Sandbox, site: &str) -> Nginx {
        Nginx::start(folder(), world, site, &[], &[(LIMIT, "")])
    }

    /// Serves `site` by the shipped configuration with these parts of it changed.
    pub fn serving_with(world: &Sandbox, changes: &[(&str, &str)]) -> Nginx {
        let changes: Vec<_> = [(LIMIT, "")].iter().chain(changes).copied().collect();
        Nginx::start(folder(), world, "site", &[], &changes)
    }

    /// With the limit, as it is shipped.
    pub fn that_counts_guesses(world: &Sandbox) -> Nginx {
        Nginx::start(folder(), world, "site", &[], &[])
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
        let log = (
            "access_log syncmon.access.log combined if=$syncmon_logged;",
            "access_log access.log brief;",
        );
        Nginx::start(folder, world, "site", &variables, &[(LIMIT, ""), log])
    }

    fn start(
        folder: TempDir,
        world: &Sandbox,
        site: &str,
        variables: &[(&str, &str)],
        changes: &[(&str, &str)],
    ) -> Nginx {
        let port = free_port();
        let server = at_home(folder.path(), world, site);
        let certificates = "server_name status.example.org;\n
    ssl_certificate     /etc/letsencrypt/live/status.example.org/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/status.example.org/privkey.pem;";
        let redirecting = format!("listen 127.0.0.1:{};", free_port());
        let serving = format!("listen 127.0.0.1:{port};");
        let here = [
            ("listen 80;", &*redirecting),
            ("listen [::]:80;", ""),
            ("listen 443 ssl http2;", &serving),
            ("listen [::]:443 ssl http2;", ""),
            (certificates, "server_name localhost;"),
        ];
        let server = replaced(&server, 1, here.iter().chain(changes));
        Nginx::of(folder, port, &server, variables)
    }

    /// Serves at this port by this configuration. `variables` are for nginx and its workers.
    pub fn of(folder: TempDir, port: u16, server: &str, variables: &[(&str, &str)]) -> Nginx {
        fs::write(folder.path().join("server.conf"), server).unwrap();
        let user = is_root().then_some("user nobody nogroup;");
        let inherited = variables.iter().map(|(name, _)| format!("env {name};"));
        let first = format!(
            "{} {}",
            user.unwrap_or_default(),
            inherited.collect::<String>()
        );
        let leash = begin(&mut Command::new("sh"), folder.path(), &first, variables);
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
        Response::parse(&self.answers(request.as_bytes()), method)
    }

    /// All that comes back for these bytes. The server may well end the connection before it has read them all.
    pub fn answers(&self, bytes: &[u8]) -> Vec<u8> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let _ = connection.write_all(bytes);
        let mut answer = Vec::new();
        let mut piece = [0; 16384];
        loop {
            match connection.read(&mut piece) {
                Ok(0) => return answer,
                Ok(read) => answer.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return answer,
                Err(error) => panic!("no end of the answer: {error}"),
            }
        }
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

    /// In the open: where readers ask without a pause, the checks of a hashed one take most of the machine.
    pub fn asks_for_a_password_that_is_cheap_to_check(&self) {
        fs::write(self.passwords(), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).unwrap();
    }

    /// The file with a line "STATUS PATH" for each request as it came; only with a clock of its own.
    pub fn access_log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// What nginx had to say.
    pub fn errors(&self) -> String {
        ["stderr", "error.log", "syncmon.error.log"]
            .map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
            .join("")
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
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

pub fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("syncmon-nginx-")
        .tempdir()
        .unwrap()
}

/// The shipped configuration, in a folder where all lies that it needs but certificates. The site, and a folder with
/// `challenges` for the certificate's authority, lie in the sandbox.
pub fn at_home(folder: &Path, world: &Sandbox, site: &str) -> String {
    for public in [folder, world.root()] {
        fs::set_permissions(public, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let passwords = folder.join("htpasswd");
    fs::write(&passwords, format!("{USER}:{}\n", hashed(PASSWORD))).unwrap();
    let documents = folder.join("errors");
    fs::create_dir(&documents).unwrap();
    fs::set_permissions(&documents, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, text) in DOCUMENTS {
        fs::write(documents.join(name), text).unwrap();
    }
    let [site, challenges] = [site, "challenges"].map(|name| world.path(name));
    let root = |place: &Path| format!("root {};", place.display());
    let own = [
        ("root /var/lib/syncmon/site;", &*root(&site)),
        ("root /var/www/html;", &root(&challenges)),
        ("/etc/nginx/syncmon.htpasswd", &passwords.to_string_lossy()),
    ];
    let server = replaced(SHIPPED, 1, &own);
    let twice = [
        ("root /usr/share/syncmon;", &*root(folder)),
        ("/var/log/nginx/", ""),
    ];
    replaced(&server, 2, &twice)
}

/// A configuration with these parts replaced, each of which stands in it so many times.
pub fn replaced<'a>(
    server: &str,
    times: usize,
    parts: impl IntoIterator<Item = &'a (&'a str, &'a str)>,
) -> String {
    let replace = |server: String, (shipped, here): &(&str, &str)| {
        assert_eq!(server.matches(shipped).count(), times, "{shipped}");
        server.replace(shipped, here)
    };
    parts.into_iter().fold(server.to_owned(), replace)
}

/// Starts nginx with `server.conf` of its folder by a shell, whose standard input is the leash. `first` stands at
/// the beginning of the main configuration; `variables` are for nginx and its workers.
pub fn begin(shell: &mut Command, folder: &Path, first: &str, variables: &[(&str, &str)]) -> Child {
    let main = format!(
        "{first} worker_processes 2; daemon off; pid nginx.pid; error_log error.log;
         events {{ worker_connections 256; }}
         http {{
             include /etc/nginx/mime.types; default_type application/octet-stream;
             log_format brief '$status $request_uri'; access_log off;
             client_body_temp_path body; proxy_temp_path proxy;
             fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
             include server.conf;
         }}"
    );
    fs::write(folder.join("nginx.conf"), main).unwrap();
    let script = "nginx -p \"$PREFIX\" -c nginx.conf -e error.log & server=$!
                  cat > /dev/null; kill $server; wait $server";
    let path = std::env::var("PATH").unwrap_or_default();
    shell
        .args(["-c", script])
        .env("PREFIX", folder)
        .envs(variables.iter().copied())
        .env("PATH", path + ":/usr/sbin")
        .stdin(Stdio::piped())
        .stderr(fs::File::create(folder.join("stderr")).unwrap())
        .spawn()
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
pub fn hashed(password: &str) -> String {
    let output = Command::new("openssl")
        .args(["passwd", "-6", password])
        .output()
        .expect("openssl is missing; ./tests/run installs it");
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(hash.starts_with("$6$"), "{hash}");
    hash.trim().to_owned()
}
