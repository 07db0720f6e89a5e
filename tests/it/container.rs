//! The container without an engine that runs it: its own script and settings, in a folder that holds nothing but what
//! the image would, read-only, as a user without rights and with process number 1.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::cluster::{free_port, is_root};
use crate::folders::{mode, names, tree};
use crate::sandbox::{SYNCMON, Sandbox};
use crate::wrapped::ended;

const DOCKERFILE: &str = include_str!("../../deploy/container/Dockerfile");
const COMPOSE: &str = include_str!("../../deploy/container/compose.yaml");
const NGINX: &str = include_str!("../../deploy/container/nginx.conf");
const CONTAINER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/container");

/// The user of the image.
const USER: &str = "65532";

/// An instruction of the final image, for example "ENTRYPOINT", with what follows it.
fn instruction(name: &str) -> String {
    let (_, last) = DOCKERFILE.rsplit_once("\nFROM ").unwrap();
    let joined = last.replace("\\\n", " ");
    let line = joined.lines().find_map(|line| {
        line.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(' '))
    });
    line.unwrap_or_else(|| panic!("the image has no {name}"))
        .trim()
        .to_owned()
}

fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap()
}

/// What the image would be, and the volumes beside it.
struct Image {
    world: Sandbox,
}

impl Image {
    fn new() -> Image {
        let world = crate::folders::world();
        let image = Image { world };
        let own = image.path("usr/local/bin");
        for folder in [
            "usr/local/bin",
            "var/lib/syncmon",
            "run/secrets",
            "tmp",
            "dev",
            "etc",
        ] {
            fs::create_dir_all(image.path(folder)).unwrap();
        }
        fs::write(image.path("dev/null"), "").unwrap();
        fs::copy(SYNCMON, own.join("syncmon")).unwrap();
        let busybox = ["/bin/busybox", "/usr/bin/busybox"]
            .iter()
            .find(|path| Path::new(path).exists());
        fs::copy(
            busybox.expect("busybox is missing; ./tests/run installs it"),
            own.join("busybox"),
        )
        .unwrap();
        // "for command in sh sleep date find; do ln -s busybox …"
        let (_, list) = DOCKERFILE.split_once("for command in ").unwrap();
        for command in list.split(';').next().unwrap().split(' ') {
            symlink("busybox", own.join(command)).unwrap();
        }
        fs::copy(format!("{CONTAINER}/every"), own.join("every")).unwrap();
        for library in libraries() {
            let place = image.path(library.to_str().unwrap().trim_start_matches('/'));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(&library, place).unwrap();
        }
        for volume in ["volume", "database"] {
            fs::create_dir(image.world.path(volume)).unwrap();
        }
        fs::rename(
            image.world.path("sync.sqlite"),
            image.world.path("database/sync.sqlite"),
        )
        .unwrap();
        fs::create_dir(image.path("database")).unwrap();
        image.secret("DATABASE_URL='sqlite:/database/sync.sqlite'\n");
        image
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path("image").join(name)
    }

    /// What compose hands over as a secret.
    fn secret(&self, text: &str) {
        let path = self.path("run/secrets/syncmon.env");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        self.give_away();
    }

    /// To the user of the image, where this is root's to give.
    fn give_away(&self) {
        if is_root() {
            let given = Command::new("chown")
                .args(["-R", &format!("{USER}:{USER}")])
                .args([self.world.path("volume"), self.world.path("database")])
                .arg(self.path("run/secrets/syncmon.env"))
                .status()
                .unwrap();
            assert!(given.success());
        }
    }

    /// A command in the container. `seconds` lie between two builds.
    fn command(&self, words: &[String], seconds: u32) -> Command {
        let script = format!(
            "mount --make-rprivate / && mount --bind '{0}' '{0}' && mount --bind '{1}/volume' '{0}/var/lib/syncmon' && \
             mount --bind '{1}/database' '{0}/database' && mount --bind /dev/null '{0}/dev/null' && \
             mount -t tmpfs tmpfs '{0}/tmp' && mount -o remount,bind,ro '{0}' && cd / && \
             exec setpriv --no-new-privs chroot {2} '{0}' \"$@\"",
            self.path("").display().to_string().trim_end_matches('/'),
            self.world.root().display(),
            if is_root() {
                format!("--userspec={USER}:{USER}")
            } else {
                String::new()
            },
        );
        let mut command = Command::new("unshare");
        command
            .args(if is_root() {
                vec!["-mpf"]
            } else {
                vec!["-rmpf"]
            })
            .args(["--kill-child", "sh", "-c", &script, "sh"])
            .args(words)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .stdin(Stdio::null());
        for setting in instruction("ENV").split_whitespace() {
            let (name, value) = setting.split_once('=').unwrap();
            command.env(name, value);
        }
        command.env("SYNCMON_EVERY", seconds.to_string());
        command
    }

    /// As "docker run" starts it.
    fn start(&self, seconds: u32) -> Container<'_> {
        let all = [
            words(&instruction("ENTRYPOINT")),
            words(&instruction("CMD")),
        ]
        .concat();
        let log = fs::File::create(self.world.path("log")).unwrap();
        let child = self
            .command(&all, seconds)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Container { image: self, child }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.world.path("log")).unwrap()
    }

    /// When the published page was built; nothing if there is none.
    fn built(&self) -> Option<String> {
        let text = fs::read(self.world.path("volume/site/status.json")).ok()?;
        let status: serde_json::Value = serde_json::from_slice(&text).ok()?;
        status["generated_at"].as_str().map(str::to_owned)
    }

    /// What the health check comes to.
    fn is_healthy(&self, seconds: u32) -> bool {
        let (_, check) = instruction("HEALTHCHECK")
            .split_once("CMD ")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let ended = ended(&mut self.command(&words(&check), seconds));
        assert_eq!((&*ended.stdout, &*ended.stderr), ("", ""), "{ended:?}");
        ended.code == 0
    }
}

/// What the program is linked with: in the image these are those of Debian 12.
fn libraries() -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(SYNCMON).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    paths.map(PathBuf::from).collect()
}

struct Container<'a> {
    image: &'a Image,
    child: Child,
}

impl Container<'_> {
    #[track_caller]
    fn until(&mut self, what: &str, mut is: impl FnMut(&Image) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !is(self.image) {
            let over = self.child.try_wait().unwrap();
            assert_eq!(over, None, "{what}: {}", self.image.log());
            assert!(Instant::now() < deadline, "{what}: {}", self.image.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The process that is number 1 within.
    fn first_process(&self) -> Pid {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        Pid::from_raw(children.split_whitespace().next().unwrap().parse().unwrap()).unwrap()
    }

    /// As "docker stop" ends it; how long that takes.
    fn stop(mut self) -> Duration {
        let begun = Instant::now();
        kill_process(self.first_process(), Signal::TERM).unwrap();
        let ended = self.child.wait().unwrap();
        assert_eq!(ended.code(), Some(0), "{}", self.image.log());
        begun.elapsed()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_container_builds_again_and_again_and_writes_nowhere_but_into_its_volume() {
    let image = Image::new();
    let before = tree(&image.path(""));
    let mut container = image.start(1);
    container.until("the first page", |image| image.built().is_some());
    let first = image.built();
    container.until("the second page", |image| {
        image.built().is_some_and(|built| Some(built) != first)
    });
    let status = fs::read_to_string(format!(
        "/proc/{}/status",
        container.first_process().as_raw_nonzero()
    ))
    .unwrap();
    let says = |line: &str| status.lines().any(|found| found.replace('\t', " ") == line);
    assert!(says("NoNewPrivs: 1"), "{status}");
    if is_root() {
        assert!(
            says(&format!("Uid: {USER} {USER} {USER} {USER}")),
            "{status}"
        );
        assert!(says("CapEff: 0000000000000000"), "{status}");
    }
    assert!(container.stop() < Duration::from_secs(5));
    assert_eq!(image.log(), "", "all is well");
    assert_eq!(tree(&image.path("")), before);
    assert_eq!(
        names(&image.world.path("volume")),
        [".site.syncmon", "site", "state"]
    );
    // nginx, as another user, may read the one and not the others.
    let modes =
        [".site.syncmon", "site", "state"].map(|name| mode(&image.world.path("volume").join(name)));
    assert_eq!(modes, [0o700, 0o755, 0o700]);
}

#[test]
fn a_build_that_fails_is_said_and_the_next_one_tries_again() {
    let image = Image::new();
    let away = image.world.path("database/away");
    let database = image.world.path("database/sync.sqlite");
    fs::rename(&database, &away).unwrap();
    let mut container = image.start(1);
    let line = "syncmon: the database could not be read";
    container.until("two failures", |image| {
        image.log().matches(line).count() >= 2
    });
    fs::rename(&away, &database).unwrap();
    container.until("data", |image| {
        fs::read_to_string(image.world.path("volume/site/index.html"))
            .is_ok_and(|page| page.contains("1,086 records"))
    });
    container.stop();
}

#[test]
fn the_container_stops_at_once_while_a_build_waits_for_the_database() {
    let image = Image::new();
    // It answers, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    fs::remove_file(image.path("run/secrets/syncmon.env")).unwrap();
    image.secret(&format!(
        "DATABASE_URL='postgres://ro:s3cret@127.0.0.1:{port}/app'\n"
    ));
    let container = image.start(300);
    let _waiting = silent.accept().unwrap();
    assert!(container.stop() < Duration::from_secs(5));
    assert!(!image.log().contains("s3cret"));
}

#[test]
fn the_container_is_healthy_as_long_as_pages_come() {
    let image = Image::new();
    assert!(!image.is_healthy(300), "there is no page yet");
    let mut container = image.start(300);
    container.until("the page", |image| image.built().is_some());
    container.stop();
    assert!(image.is_healthy(300));
    let page = fs::File::options()
        .write(true)
        .open(image.world.path("volume/site/status.json"))
        .unwrap();
    let minutes_ago = |minutes: u64| {
        page.set_modified(std::time::SystemTime::now() - Duration::from_secs(60 * minutes))
            .unwrap();
    };
    minutes_ago(13);
    assert!(image.is_healthy(300));
    minutes_ago(16);
    assert!(!image.is_healthy(300));
}

/// The nginx of the compose file, with its port and its paths where this machine has them. It ends with this.
struct Nginx {
    leash: Child,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    fn before(image: &Image) -> Nginx {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path("htpasswd"),
            format!("cfo:{}\n", crate::web::hashed("long random password")),
        )
        .unwrap();
        let mut server = NGINX.to_owned();
        for (shipped, here) in [
            ("listen 8080;", format!("listen 127.0.0.1:{port};")),
            (
                "root /var/lib/syncmon/site;",
                format!("root {}/volume/site;", image.world.root().display()),
            ),
            (
                "/run/secrets/htpasswd",
                path("htpasswd").display().to_string(),
            ),
            (
                "set_real_ip_from 10.0.0.0/8;",
                "set_real_ip_from 127.0.0.1;".to_owned(),
            ),
        ] {
            assert_eq!(server.matches(shipped).count(), 1, "{shipped}");
            server = server.replace(shipped, &here);
        }
        fs::write(path("server.conf"), server).unwrap();
        let user = if is_root() {
            "user nobody nogroup;"
        } else {
            ""
        };
        let main = format!(
            "{user} daemon off; pid {0}/pid; error_log {0}/error.log; events {{ }}\n\
             http {{ include /etc/nginx/mime.types; access_log {0}/access.log; client_body_temp_path {0}/body;\n\
             proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi; uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;\n\
             include {0}/server.conf; }}",
            folder.path().display()
        );
        fs::write(path("nginx.conf"), main).unwrap();
        for public in [folder.path(), image.world.root()] {
            fs::set_permissions(public, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let leash = Command::new("sh")
            .args(["-c", "nginx -e stderr -c \"$1\" & cat; kill $!; wait", "sh"])
            .arg(path("nginx.conf"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "nginx does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Nginx {
            leash,
            port,
            _folder: folder,
        }
    }

    /// The whole answer to a request with more header lines.
    fn get(&self, path: &str, more: &str) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

#[test]
fn the_containers_nginx_serves_the_site_behind_the_password() {
    let image = Image::new();
    let mut container = image.start(300);
    container.until("the page", |image| image.built().is_some());
    container.stop();
    let nginx = Nginx::before(&image);
    let get = |path: &str, more: &str| nginx.get(path, more);
    let right = format!("{}: {}\r\n", crate::web::RIGHT.0, crate::web::RIGHT.1);
    let status = |answer: &str| answer[9..12].to_owned();
    let page = get("/", &right);
    assert_eq!(status(&page), "200", "{page}");
    assert!(
        page.contains("Sync status") && page.contains("frame-ancestors 'none'"),
        "{page}"
    );
    for wanted in [
        "/",
        "/status.json",
        "/feed.xml",
        "/nothing",
        "/.syncmon-manifest.json",
    ] {
        assert_eq!(status(&get(wanted, "")), "401", "{wanted}");
    }
    let hidden = [
        "/.syncmon-manifest.json",
        "/state/",
        "/../state/snapshot",
        "/index.html.gz",
    ];
    let answers = hidden.map(|path| status(&get(path, &right)));
    assert_eq!(answers, ["404", "404", "400", "404"]);
    // Guessing is counted by the address that the proxy names, not by the proxy's own.
    let guess = |from: &str| {
        get(
            "/",
            &format!("X-Forwarded-For: {from}\r\nAuthorization: Basic Y2ZvOng=\r\n"),
        )
    };
    let guesses: Vec<String> = (0..60).map(|_| status(&guess("203.0.113.7"))).collect();
    assert!(guesses.contains(&"429".to_owned()), "{guesses:?}");
    assert_eq!(
        status(&get(
            "/",
            &format!("X-Forwarded-For: 198.51.100.4\r\n{right}")
        )),
        "200"
    );
}

/// What the image and the compose file promise, in words that an engine understands.
#[test]
fn nothing_in_the_compose_file_runs_with_more_rights_than_it_needs() {
    let (_, services) = COMPOSE.split_once("\nservices:\n").unwrap();
    let (services, _) = services.split_once("\nnetworks:\n").unwrap();
    let (syncmon, nginx) = services.split_once("\n  nginx:\n").unwrap();
    for service in [syncmon, nginx] {
        for promise in [
            "read_only: true",
            "cap_drop: [ALL]",
            "security_opt: [\"no-new-privileges:true\"]",
            "pids_limit: ",
            "mem_limit: ",
        ] {
            assert!(service.contains(promise), "{promise}: {service}");
        }
    }
    assert!(syncmon.contains(&format!("user: \"{}\"", instruction("USER"))));
    assert!(nginx.contains("site:/var/lib/syncmon:ro") && nginx.contains("'127.0.0.1:8080:8080'"));
    let images: BTreeMap<&str, &str> = DOCKERFILE
        .lines()
        .chain(COMPOSE.lines())
        .filter_map(|line| {
            line.trim()
                .strip_prefix("FROM ")
                .or(line.trim().strip_prefix("image: "))
        })
        .filter_map(|image| image.split(' ').next()?.split_once('@'))
        .collect();
    assert_eq!(images.len(), 3, "{images:?}");
    assert!(
        images
            .values()
            .all(|digest| digest.len() == "sha256:".len() + 64)
    );
}
