//! The container without an engine that runs it: its own script and settings, in a folder that holds nothing but what
//! the image would, read-only, as a user without rights and with process number 1.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::{free_port, is_root};
use crate::folders::{mode, names, tree, world};
use crate::golden::Told;
use crate::sandbox::{SYNCMON, Sandbox};
use crate::web::{self, Nginx, RIGHT};
use crate::wrapped::{ended, shell, until};

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
    let start = format!("{name} ");
    let line = joined.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("the image has no {name}"));
    line.trim().to_owned()
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
        let image = Image { world: world() };
        let own = image.path("usr/local/bin");
        let folders = "image/usr/local/bin image/var/lib/syncmon image/run/secrets image/tmp image/dev image/etc \
                       image/database volume database";
        for folder in folders.split_whitespace() {
            fs::create_dir_all(image.world.path(folder)).unwrap();
        }
        fs::write(image.path("dev/null"), "").unwrap();
        let mut files = vec![
            (PathBuf::from(SYNCMON), own.join("syncmon")),
            (busybox(), own.join("busybox")),
            (format!("{CONTAINER}/every").into(), own.join("every")),
        ];
        for library in libraries() {
            let place = image.path(library.to_str().unwrap().trim_start_matches('/'));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            files.push((library, place));
        }
        for (from, to) in files {
            fs::copy(from, to).unwrap();
        }
        // "for command in sh sleep date find; do ln -s busybox …"
        let (_, list) = DOCKERFILE.split_once("for command in ").unwrap();
        for command in list.split(';').next().unwrap().split(' ') {
            symlink("busybox", own.join(command)).unwrap();
        }
        let database = image.world.path("database/sync.sqlite");
        fs::rename(image.world.path("sync.sqlite"), database).unwrap();
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
            let own = ["volume", "database", "image/run/secrets/syncmon.env"];
            let script = format!("chown -R {USER}:{USER} {}", own.join(" "));
            shell(&self.world, &script);
        }
    }

    /// A command in the container. `seconds` lie between two builds.
    fn command(&self, words: &[String], seconds: u32) -> Command {
        let user = is_root().then(|| format!("--userspec={USER}:{USER}"));
        let script = format!(
            "mount --make-rprivate / && mount --bind '{0}' '{0}' && mount --bind '{1}/volume' '{0}/var/lib/syncmon' && \
             mount --bind '{1}/database' '{0}/database' && mount --bind /dev/null '{0}/dev/null' && \
             mount -t tmpfs tmpfs '{0}/tmp' && mount -o remount,bind,ro '{0}' && cd / && \
             exec setpriv --no-new-privs chroot {2} '{0}' \"$@\"",
            self.path("").display().to_string().trim_end_matches('/'),
            self.world.root().display(),
            user.unwrap_or_default(),
        );
        let mut command = Command::new("unshare");
        command
            .args([if is_root() { "-mpf" } else { "-rmpf" }, "--kill-child"])
            .args(["sh", "-c", &script, "sh"])
            .args(words)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
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
        let all = ["ENTRYPOINT", "CMD"].map(|name| words(&instruction(name)));
        let log = fs::File::create(self.world.path("log")).unwrap();
        let mut command = self.command(&all.concat(), seconds);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn();
        let child = child.unwrap();
        Container { image: self, child }
    }

    /// After one build, as the container is started and stopped.
    fn has_a_page(&self) {
        let mut container = self.start(300);
        container.until("the page", |image| image.built().is_some());
        container.stop();
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
        let instruction = instruction("HEALTHCHECK");
        let (_, check) = instruction.split_once("CMD ").unwrap();
        let ended = ended(&mut self.command(&words(check), seconds));
        ended.says_nothing();
        ended.code == 0
    }
}

fn busybox() -> PathBuf {
    let places = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from);
    let found = places.into_iter().find(|path| path.exists());
    found.expect("busybox is missing; ./tests/run installs it")
}

/// What the program is linked with: in the image these are those of Debian 12.
fn libraries() -> Vec<PathBuf> {
    let told = ended(Command::new("ldd").arg(SYNCMON)).stdout;
    let paths = told.split_whitespace().filter(|word| word.starts_with('/'));
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

    /// As "docker stop" ends it: by itself, without waiting for the next build or the end of this one.
    fn stop(mut self) {
        kill_process(self.first_process(), Signal::TERM).unwrap();
        let mut ended = None;
        until("it ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        assert_eq!(ended.unwrap().code(), Some(0), "{}", self.image.log());
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
    let process = container.first_process().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let status = status.replace('\t', " ");
    status.has("\nNoNewPrivs: 1\n");
    if is_root() {
        status.has(&format!("\nUid: {USER} {USER} {USER} {USER}\n"));
        status.has("\nCapEff: 0000000000000000\n");
    }
    container.stop();
    assert_eq!(image.log(), "", "all is well");
    assert_eq!(tree(&image.path("")), before);
    // nginx, as another user, may read the one and not the others.
    let volume = image.world.path("volume");
    let found = names(&volume);
    assert_eq!(found, [".site.syncmon", "site", "state"]);
    let modes: Vec<u32> = found.iter().map(|name| mode(&volume.join(name))).collect();
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
    let url = format!("postgres://ro:s3cret@127.0.0.1:{port}/app");
    image.secret(&format!("DATABASE_URL='{url}'\n"));
    let container = image.start(300);
    let _waiting = silent.accept().unwrap();
    container.stop();
    // The build did not go on until it had something to say.
    assert_eq!((image.log(), image.built()), (String::new(), None));
}

#[test]
fn the_container_is_healthy_as_long_as_pages_come() {
    let image = Image::new();
    assert!(!image.is_healthy(300), "there is no page yet");
    image.has_a_page();
    assert!(image.is_healthy(300));
    let page = image.world.path("volume/site/status.json");
    let page = fs::File::options().write(true).open(page).unwrap();
    for (minutes, healthy) in [(13, true), (16, false)] {
        let then = SystemTime::now() - Duration::from_mins(minutes);
        page.set_modified(then).unwrap();
        assert_eq!(image.is_healthy(300), healthy, "{minutes} minutes");
    }
}

/// The nginx of the compose file, with its port and its paths where this machine has them.
fn nginx_before(image: &Image) -> Nginx {
    let folder = web::folder();
    let port = free_port();
    let password = folder.path().join("htpasswd");
    let hashed = format!("{}:{}\n", web::USER, web::hashed(web::PASSWORD));
    fs::write(&password, hashed).unwrap();
    for public in [folder.path(), image.world.root()] {
        fs::set_permissions(public, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let site = image.world.path("volume/site");
    let here = [
        ("8080;", &*format!("127.0.0.1:{port};")),
        ("/var/lib/syncmon/site", &site.to_string_lossy()),
        ("/run/secrets/htpasswd", &password.to_string_lossy()),
        ("10.0.0.0/8;", "127.0.0.1;"),
    ];
    let server = web::replaced(NGINX, 1, &here);
    Nginx::of(folder, port, &server, &[])
}

#[test]
fn the_containers_nginx_serves_the_site_behind_the_password() {
    let image = Image::new();
    image.has_a_page();
    let nginx = nginx_before(&image);
    let page = nginx.get("/");
    assert_eq!(page.status, 200, "{page:?}");
    page.has("Sync status");
    let policy = page.header("content-security-policy").unwrap();
    policy.has("frame-ancestors 'none'");
    let statuses = |paths: &[&str], headers: &[_]| -> Vec<u16> {
        let asked = paths.iter().map(|path| nginx.request("GET", path, headers));
        asked.map(|answer| answer.status).collect()
    };
    let hidden = ["/.syncmon-manifest.json", "/state/", "/index.html.gz"];
    assert_eq!(statuses(&hidden, &[RIGHT]), [404; 3]);
    assert_eq!(statuses(&["/../state/snapshot"], &[RIGHT]), [400]);
    let there = ["/", "/status.json", "/feed.xml", "/nothing"];
    assert_eq!(statuses(&[&hidden[..], &there].concat(), &[]), [401; 7]);
    // Guessing is counted by the address that the proxy names, not by the proxy's own.
    let by = |address| ("X-Forwarded-For", address);
    let guess = [by("203.0.113.7"), ("Authorization", "Basic Y2ZvOng=")];
    let guesses = statuses(&["/"; 60], &guess);
    assert!(guesses.contains(&429), "{guesses:?}");
    assert_eq!(statuses(&["/"], &[by("198.51.100.4"), RIGHT]), [200]);
}

/// What the image and the compose file promise, in words that an engine understands.
#[test]
fn nothing_in_the_compose_file_runs_with_more_rights_than_it_needs() {
    let (_, services) = COMPOSE.split_once("\nservices:\n").unwrap();
    let (services, _) = services.split_once("\nnetworks:\n").unwrap();
    let (syncmon, nginx) = services.split_once("\n  nginx:\n").unwrap();
    for service in [syncmon, nginx] {
        service.has("read_only: true").has("cap_drop: [ALL]");
        service.has("security_opt: [\"no-new-privileges:true\"]");
        service.has("pids_limit: ").has("mem_limit: ");
    }
    syncmon.has(&format!("user: \"{}\"", instruction("USER")));
    nginx.has("site:/var/lib/syncmon:ro");
    nginx.has("'127.0.0.1:8080:8080'");
    let fixed = regex::Regex::new("(?m)^ *(FROM|image:) [^ @]+@sha256:[0-9a-f]{64}( |$)").unwrap();
    let images = fixed.find_iter(DOCKERFILE).chain(fixed.find_iter(COMPOSE));
    assert_eq!(images.count(), 3, "the two of the Dockerfile, and nginx");
}
