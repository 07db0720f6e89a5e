//! The steps of the workflows, run as GitHub runs them: with the same shell, the real rsync and a real SSH server.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cluster::{free_port, is_root};
use crate::folders::{files, mode, tree, world};
use crate::golden;
use crate::sandbox::{Ended, SYNCMON, Sandbox};
use crate::wrapped::ended;

const PUBLISH: &str = include_str!("../../.github/workflows/publish.yml");
const RELEASE: &str = include_str!("../../.github/workflows/release.yml");
const RECEIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/github/receive");

const OPEN: &str = "Open the state";
const BUILD: &str = "Build the page";
const SEAL: &str = "Seal the state";
const SEND: &str = "Send the page to the server, and have it published";
const FAIL: &str = "Fail if the database could not be read";

/// What stands after "run:" of the step with this name.
fn script(workflow: &str, step: &str) -> String {
    let name = format!("      - name: {step}\n");
    assert_eq!(workflow.matches(&name).count(), 1, "{step}");
    let (_, rest) = workflow.split_once(&name).unwrap();
    let own: Vec<&str> = rest
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("        "))
        .collect();
    let run = own
        .iter()
        .position(|line| line.starts_with("        run: "));
    let run = run.unwrap_or_else(|| panic!("{step} runs nothing"));
    match own[run].trim_start().strip_prefix("run: ").unwrap() {
        "|" => own[run + 1..]
            .iter()
            .flat_map(|line| [line.strip_prefix("          ").unwrap_or(""), "\n"])
            .collect(),
        line => line.to_owned(),
    }
}

/// Runs it as GitHub does where a job names bash as its shell.
fn run(script: &str, folder: &Path, variables: &[(&str, &str)]) -> Ended {
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", folder)
        .env("RUNNER_TEMP", folder)
        .env("GITHUB_OUTPUT", folder.join("output"))
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    ended(&mut bash)
}

// ---- the server ----

/// A web server's host that lets the workflow's key in.
struct Host {
    folder: TempDir,
    port: String,
    /// Its standard input is the leash: when this value or this process ends, the server stops.
    leash: Child,
}

impl Host {
    fn start() -> Host {
        let folder = tempfile::Builder::new()
            .prefix("syncmon-ssh-")
            .tempdir()
            .unwrap();
        let port = free_port().to_string();
        let path = |name: &str| folder.path().join(name);
        for key in ["host_key", "deploy_key", "other_key"] {
            let mut make = Command::new("ssh-keygen");
            make.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]);
            assert!(make.arg(path(key)).status().unwrap().success());
        }
        let public = fs::read_to_string(path("deploy_key.pub")).unwrap();
        let forced = format!(
            "restrict,command=\"{RECEIVE} {} {}\" {public}",
            path("incoming").display(),
            path("site").display()
        );
        fs::write(path("authorized_keys"), forced).unwrap();
        fs::create_dir(path("bin")).unwrap();
        symlink(SYNCMON, path("bin/syncmon")).unwrap();
        let settings = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {0}/host_key\nAuthorizedKeysFile {0}/authorized_keys\n\
             SetEnv PATH={0}/bin:/usr/bin:/bin\nPermitRootLogin forced-commands-only\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nLogLevel VERBOSE\n\
             Subsystem sftp internal-sftp\n",
            folder.path().display()
        );
        fs::write(path("sshd_config"), settings).unwrap();
        if is_root() {
            // Debian's service makes it before it starts the server.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let log = fs::File::create(path("sshd.log")).unwrap();
        let leash = Command::new("sh")
            .args([
                "-c",
                "/usr/sbin/sshd -D -e -f \"$1\" & cat; kill $!; wait",
                "sh",
            ])
            .arg(path("sshd_config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let host = Host {
            folder,
            port,
            leash,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !host.log().contains("Server listening") {
            assert!(Instant::now() < deadline, "{}", host.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("sshd.log")).unwrap()
    }

    fn site(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("site"))
    }

    /// "[127.0.0.1]:22022 ssh-ed25519 AAAA…"
    fn known_hosts(&self, key: &str) -> String {
        let public = fs::read_to_string(self.path(key)).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    /// A client that asks for something else than the workflow does.
    fn client(&self, program: &str) -> Command {
        let known = self.path("known_hosts");
        fs::write(&known, self.known_hosts("host_key.pub")).unwrap();
        let mut client = Command::new(program);
        client
            .args(["-F", "none", "-o", "BatchMode=yes", "-i"])
            .arg(self.path("deploy_key"))
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .stdin(Stdio::null());
        client
    }

    fn ssh(&self, arguments: &[&str]) -> Ended {
        let mut ssh = self.client("ssh");
        ssh.args(["-p", &self.port]).args(arguments);
        ended(&mut ssh)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

// ---- the workflow that publishes ----

/// A repository in which the workflow runs, each time on a new machine.
struct Repository<'a> {
    world: Sandbox,
    host: &'a Host,
    deploy_key: String,
    known_hosts: String,
}

/// How a run of the workflow ended.
struct Run {
    /// The name of the step that failed.
    failed: Option<&'static str>,
    said: String,
}

impl Repository<'_> {
    fn deploying_to(host: &Host) -> Repository<'_> {
        Repository {
            world: world(),
            host,
            deploy_key: fs::read_to_string(host.path("deploy_key")).unwrap(),
            known_hosts: host.known_hosts("host_key.pub"),
        }
    }

    /// What GitHub's cache keeps between two runs.
    fn cached_state(&self) -> PathBuf {
        self.world.path("cache.sealed")
    }

    /// One run of the job, from the step after the program was built on.
    fn run(&self) -> Run {
        let machine = TempDir::new().unwrap();
        let folder = machine.path();
        fs::create_dir_all(folder.join("target/release")).unwrap();
        symlink(SYNCMON, folder.join("target/release/syncmon")).unwrap();
        if self.cached_state().exists() {
            fs::copy(self.cached_state(), folder.join("state.sealed")).unwrap();
        }
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout);
        let target = format!("{}@127.0.0.1", user.unwrap().trim_end());
        let key = [("DEPLOY_KEY", &*self.deploy_key)];
        let building = [
            ("DATABASE_URL", self.world.url()),
            ("DATABASE_CA", ""),
            ("SYNCMON_CONFIG", ""),
        ];
        let sending = [
            key[0],
            ("TARGET", &target),
            ("PORT", &self.host.port),
            ("KNOWN_HOSTS", &self.known_hosts),
        ];
        let mut said = String::new();
        let mut failed = None;
        let mut step = |name, variables: &[(&str, &str)]| {
            if failed.is_some() {
                return;
            }
            let ended = run(&script(PUBLISH, name), folder, variables);
            said.push_str(&ended.stdout);
            said.push_str(&ended.stderr);
            if ended.code != 0 {
                failed = Some(name);
            }
        };
        step(OPEN, &key);
        step(BUILD, &building);
        step(SEAL, &key);
        if folder.join("state.sealed").exists() {
            fs::copy(folder.join("state.sealed"), self.cached_state()).unwrap();
        }
        step(SEND, &sending);
        let output = fs::read_to_string(folder.join("output")).unwrap_or_default();
        if output.contains("code=75") {
            step(FAIL, &[]);
        }
        assert!(!folder.join("deploy_key").exists(), "the key is taken away");
        assert!(!said.contains("PRIVATE KEY"), "{said}");
        Run { failed, said }
    }

    #[track_caller]
    fn succeeds(&self) -> Run {
        let run = self.run();
        assert_eq!(run.failed, None, "{}\n{}", run.said, self.host.log());
        run
    }

    #[track_caller]
    fn fails(&self, step: &str, why: &str) -> Run {
        let run = self.run();
        assert_eq!(run.failed, Some(step), "{}\n{}", run.said, self.host.log());
        assert!(run.said.contains(why), "{}", run.said);
        run
    }

    fn database_goes_away(&self) {
        fs::rename(self.world.path("sync.sqlite"), self.world.path("away")).unwrap();
    }
}

#[test]
fn the_workflow_builds_sends_and_publishes() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    repository
        .world
        .execute("insert into sync_state (entity_type, status) values ('orders', 'never_synced')");
    repository.succeeds();
    let site = host.site();
    assert!(site.contains_key("index.html"));
    assert!(site.contains_key("entities/orders.html"));
    assert_eq!(mode(&host.path("incoming")), 0o700, "not for web servers");
    assert_eq!(mode(&host.path("site/index.html")), 0o644);

    fs::create_dir(host.path("site/.well-known")).unwrap();
    fs::write(host.path("site/.well-known/token"), "proof").unwrap();
    repository
        .world
        .execute("delete from sync_state where entity_type = 'orders'");
    repository.succeeds();
    let later = host.site();
    assert_ne!(later["index.html"], site["index.html"]);
    assert_eq!(later[".well-known/token"], b"proof");
    for folder in ["site", "incoming/sent"] {
        let page = host.path(folder).join("entities/orders.html");
        assert!(!page.exists(), "{folder}");
    }
}

#[test]
fn while_the_database_is_away_the_workflow_shows_what_was_read_before() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    repository.succeeds();
    let read: serde_json::Value = serde_json::from_slice(&host.site()["status.json"]).unwrap();
    let sealed = fs::read(repository.cached_state()).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("sales"));

    repository.database_goes_away();
    repository.fails(FAIL, "the page on the server now says so");
    let shown: serde_json::Value = serde_json::from_slice(&host.site()["status.json"]).unwrap();
    assert_eq!(shown["source"]["state"], "unreachable");
    assert_eq!(shown["as_of"], read["as_of"]);
}

#[test]
fn a_page_without_any_snapshot_never_replaces_a_good_one() {
    let host = Host::start();
    let mut repository = Repository::deploying_to(&host);
    repository.succeeds();
    let good = host.site();
    repository.database_goes_away();
    let state = fs::read(repository.cached_state()).unwrap();
    fs::remove_file(repository.cached_state()).unwrap();
    let run = repository.fails(SEND, "shows no data, for its builder has never read");
    assert!(run.said.contains("::error::The server did not publish"));
    assert_eq!(host.site(), good);

    // The state is sealed with the key: with another one it cannot be opened.
    fs::write(repository.cached_state(), state).unwrap();
    let own = std::mem::replace(
        &mut repository.deploy_key,
        fs::read_to_string(host.path("other_key")).unwrap(),
    );
    repository.fails(SEND, "The saved state cannot be opened");
    assert_eq!(host.site(), good);
    repository.deploy_key = own;
    fs::write(repository.cached_state(), "garbage").unwrap();
    repository.fails(SEND, "starting afresh");
    assert_eq!(host.site(), good);
}

#[test]
fn a_host_that_is_another_gets_neither_page_nor_key() {
    let host = Host::start();
    let mut repository = Repository::deploying_to(&host);
    repository.known_hosts = host.known_hosts("other_key.pub");
    repository.fails(SEND, "HOST IDENTIFICATION HAS CHANGED");
    repository.known_hosts = String::new();
    repository.fails(SEND, "Host key verification failed");
    assert!(!host.path("incoming").exists() && !host.path("site").exists());
    assert!(!host.log().contains("Accepted"), "{}", host.log());
}

#[test]
fn a_build_that_fails_sends_nothing() {
    let host = Host::start();
    let mut repository = Repository::deploying_to(&host);
    repository.world = Sandbox::bare().with_url("mysql://localhost/app");
    repository.fails(BUILD, "nothing was sent");
    assert!(!host.path("incoming").exists());
}

/// Sending was cut off, somebody else publishes what is there: the host refuses.
#[test]
fn what_is_half_sent_is_not_published() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    repository.succeeds();
    let good = host.site();
    fs::write(host.path("incoming/sent/index.html"), "half").unwrap();
    let ended = host.ssh(&["127.0.0.1", "publish"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("is not whole: index.html"),
        "{ended:?}"
    );
    assert_eq!(host.site(), good);
    repository.succeeds();
}

#[test]
fn the_key_of_the_workflow_can_do_nothing_else() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    repository.succeeds();
    fs::write(host.path("secret"), "s3cret").unwrap();
    let before = tree(host.folder.path());
    let refused = "may copy a site here with rsync and say \"publish\", nothing else";
    for command in [
        "",
        "id",
        "sh",
        "publish; id",
        "publish --out /tmp",
        " publish",
        "PUBLISH",
        "rsync --daemon --config=/tmp/x .",
        "/usr/bin/rsync --server . /",
        "rsync --server; id",
        "scp -t /tmp",
        "syncmon build --demo",
    ] {
        let ended = host.ssh(&["127.0.0.1", command]);
        assert_ne!(ended.code, 0, "{command}: {ended:?}");
        assert_eq!(ended.stdout, "", "{command}");
        assert!(
            ended.stderr.contains(refused) || ended.stderr.contains("rrsync error"),
            "{command}: {ended:?}"
        );
    }
    let ended = host.ssh(&["127.0.0.1", "id"]);
    golden::section(
        "messages.txt",
        "the workflow's key asks for something else",
        ended.stderr.trim_end(),
    );
    // Nothing is read, and nothing written elsewhere.
    let own = host.path("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("file"), "planted").unwrap();
    let known = host.path("known_hosts");
    let ssh = format!(
        "ssh -F none -p {} -i {} -o BatchMode=yes -o UserKnownHostsFile={}",
        host.port,
        host.path("deploy_key").display(),
        known.display()
    );
    let rsync = |arguments: &[&str]| {
        let mut rsync = Command::new("rsync");
        rsync
            .arg(format!("--rsh={ssh}"))
            .args(arguments)
            .current_dir(&own)
            .stdin(Stdio::null());
        ended_quietly(&mut rsync)
    };
    let away = host.path("secret").display().to_string();
    assert_ne!(rsync(&["127.0.0.1:/index.html", "taken"]), 0);
    assert_ne!(rsync(&["127.0.0.1:../secret", "taken"]), 0);
    assert_ne!(rsync(&[&format!("127.0.0.1:{away}"), "taken"]), 0);
    assert!(!own.join("taken").exists());
    // rrsync takes every path for one below its folder, and refuses what leads out of it.
    assert_ne!(rsync(&["file", "127.0.0.1:../site/file"]), 0);
    rsync(&[
        "file",
        &format!("127.0.0.1:{}/file", host.path("site").display()),
    ]);
    rsync(&["--remote-option=--log-file=/tmp/x", "file", "127.0.0.1:/"]);
    // Neither tunnels nor a terminal.
    let forward = format!("{}:127.0.0.1:{}", free_port(), host.port);
    let ended = host.ssh(&[
        "-o",
        "ExitOnForwardFailure=yes",
        "-R",
        &forward,
        "127.0.0.1",
    ]);
    assert_ne!(ended.code, 0, "{ended:?}");
    for (path, found) in before {
        let within = path.strip_prefix(host.folder.path()).unwrap();
        if within.starts_with("site") || within == Path::new("secret") {
            assert_eq!(
                tree(host.folder.path()).get(&path),
                Some(&found),
                "{path:?}"
            );
        }
    }
    assert!(!host.path("site/file").exists());
}

fn ended_quietly(command: &mut Command) -> i32 {
    ended(command).code
}

// ---- the workflow that releases ----

/// The command line tool of GitHub's cannot be asked here: a program in its place writes down what it is asked for.
fn created(folder: &Path, tag: &str) -> (Ended, String) {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(
        bin.join("gh"),
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > ../asked\n",
    )
    .unwrap();
    fs::set_permissions(
        bin.join("gh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = script(RELEASE, "Create the release");
    let ended = run(
        &script,
        folder,
        &[("PATH", &path), ("GITHUB_REF_NAME", tag)],
    );
    let asked = fs::read_to_string(folder.join("asked")).unwrap_or_default();
    (ended, asked)
}

#[test]
fn a_release_has_every_file_with_its_checksum_or_is_none() {
    let machine = TempDir::new().unwrap();
    let packed = machine.path().join("packed");
    fs::create_dir(&packed).unwrap();
    let names = [
        "syncmon-1.2.3-linux-x86_64.tar.gz",
        "syncmon-1.2.3-linux-aarch64.tar.gz",
        "syncmon_1.2.3-1_amd64.deb",
        "syncmon_1.2.3-1_arm64.deb",
    ];
    let pack = |name: &str| {
        fs::write(packed.join(name), name).unwrap();
        let sum = format!("sha256sum '{name}' > '{name}.sha256'");
        assert_eq!(run(&sum, &packed, &[]).code, 0);
    };
    for name in &names[..3] {
        pack(name);
    }
    let (ended, asked) = created(machine.path(), "v1.2.3");
    assert_ne!(ended.code, 0, "a package is missing: {ended:?}");
    assert_eq!(asked, "");
    pack(names[3]);
    fs::write(packed.join(names[0]), "changed on the way").unwrap();
    let (ended, asked) = created(machine.path(), "v1.2.3");
    assert_ne!(ended.code, 0, "a file is another: {ended:?}");
    assert_eq!(asked, "");

    pack(names[0]);
    let (ended, asked) = created(machine.path(), "v1.2.3");
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked: Vec<&str> = asked.lines().collect();
    assert_eq!(
        asked[..5],
        ["release", "create", "v1.2.3", "--verify-tag", "--title"]
    );
    for name in names.iter().chain(&["SHA256SUMS"]) {
        assert!(asked.contains(&&*format!("./{name}")), "{name}: {asked:?}");
    }
    let sums = run("sha256sum --check SHA256SUMS", &packed, &[]);
    assert_eq!((sums.code, sums.stdout.lines().count()), (0, 4), "{sums:?}");
}

// ---- all workflows ----

/// Whatever runs in a job is bash with the same strictness, so that the tests above run what GitHub runs.
#[test]
fn every_job_that_runs_something_names_its_shell() {
    let workflows = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    for entry in fs::read_dir(workflows).unwrap() {
        let path = entry.unwrap().path();
        let workflow = fs::read_to_string(&path).unwrap();
        let (_, jobs) = workflow.split_once("\njobs:\n").unwrap();
        let mut job = String::new();
        let begins =
            |line: &str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        for line in jobs.lines().chain(["  end:"]) {
            if begins(line) {
                let runs = job.contains("        run: ");
                assert!(
                    !runs || job.contains("        shell: bash\n"),
                    "{path:?}: {job}"
                );
                job.clear();
            }
            job.push_str(line);
            job.push('\n');
        }
        assert!(workflow.contains("\npermissions: {}\n"), "{path:?}");
    }
}
