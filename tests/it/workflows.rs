//! The steps of the workflows, run as GitHub runs them: with the same shell, the real rsync and a real SSH server.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::cluster::{free_port, is_root};
use crate::folders::{files, mode, tree, world};
use crate::golden::{self, Told};
use crate::sandbox::{Ended, SYNCMON, Sandbox};
use crate::wrapped::{ended, shell, until};

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
    let (own, _) = rest.split_once("\n      - ").unwrap_or((rest, ""));
    let (_, run) = own.split_once("        run: ").expect("it runs something");
    let Some(lines) = run.strip_prefix("|\n") else {
        return run.lines().next().unwrap().to_owned();
    };
    let of_it = |line: &&str| line.is_empty() || line.starts_with("          ");
    let lines = lines.lines().take_while(of_it);
    lines
        .flat_map(|line| [line.get(10..).unwrap_or_default(), "\n"])
        .collect()
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
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("syncmon-ssh-").tempdir().unwrap();
        let port = free_port().to_string();
        let path = |name: &str| folder.path().join(name);
        for key in ["host_key", "deploy_key", "other_key"] {
            let mut make = Command::new("ssh-keygen");
            make.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]);
            ended(make.arg(path(key))).exits(0);
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
            .arg("-c")
            .arg("/usr/sbin/sshd -D -e -f sshd_config & cat; kill $!; wait")
            .current_dir(folder.path())
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
        until("the server listens", || {
            host.log().contains("Server listening")
        });
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

    fn status(&self) -> serde_json::Value {
        serde_json::from_slice(&self.site()["status.json"]).unwrap()
    }

    /// "[127.0.0.1]:22022 ssh-ed25519 AAAA…"
    fn known_hosts(&self, key: &str) -> String {
        let public = fs::read_to_string(self.path(key)).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    /// How a client asks that does not ask for what the workflow does.
    fn client(&self) -> String {
        let known = self.path("known_hosts");
        fs::write(&known, self.known_hosts("host_key.pub")).unwrap();
        let (port, key) = (&self.port, self.path("deploy_key"));
        let options = "-o BatchMode=yes -o UserKnownHostsFile";
        let (key, known) = (key.display(), known.display());
        format!("ssh -F none -p {port} -i {key} {options}={known}")
    }

    fn ssh(&self, arguments: &[&str]) -> Ended {
        let client = self.client();
        let mut words = client.split(' ').chain(arguments.iter().copied());
        let mut ssh = Command::new(words.next().unwrap());
        ended(ssh.args(words).stdin(Stdio::null()))
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
        let user = ended(Command::new("id").arg("-un")).stdout;
        let target = format!("{}@127.0.0.1", user.trim_end());
        let key = ("DEPLOY_KEY", &*self.deploy_key);
        let database = ("DATABASE_URL", self.world.url());
        let (authority, config) = (("DATABASE_CA", ""), ("SYNCMON_CONFIG", ""));
        let (port, known) = (
            ("PORT", &*self.host.port),
            ("KNOWN_HOSTS", &*self.known_hosts),
        );
        let mut said = String::new();
        let mut failed = None;
        let mut step = |name, variables: &[(&str, &str)]| {
            if failed.is_none() {
                let ended = run(&script(PUBLISH, name), folder, variables);
                said += &ended.told();
                failed = (ended.code != 0).then_some(name);
            }
        };
        step(OPEN, &[key]);
        step(BUILD, &[database, authority, config]);
        step(SEAL, &[key]);
        if folder.join("state.sealed").exists() {
            fs::copy(folder.join("state.sealed"), self.cached_state()).unwrap();
        }
        step(SEND, &[("TARGET", &target), port, key, known]);
        let output = fs::read_to_string(folder.join("output")).unwrap_or_default();
        if output.contains("code=75") {
            step(FAIL, &[]);
        }
        assert!(!folder.join("deploy_key").exists(), "the key is taken away");
        said.lacks("PRIVATE KEY");
        Run { failed, said }
    }

    #[track_caller]
    fn succeeds(&self) {
        let run = self.run();
        assert_eq!(run.failed, None, "{}\n{}", run.said, self.host.log());
    }

    /// At this step, which says why.
    #[track_caller]
    fn fails(&self, step: &str, why: &str) -> Run {
        let run = self.run();
        assert_eq!(run.failed, Some(step), "{}\n{}", run.said, self.host.log());
        run.said.has(why);
        run
    }

    fn database_goes_away(&self) {
        shell(&self.world, "mv sync.sqlite away");
    }
}

#[test]
fn the_workflow_builds_sends_and_publishes() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    let orders = "insert into sync_state (entity_type, status) values ('orders', 'new')";
    repository.world.execute(orders);
    repository.succeeds();
    let site = host.site();
    assert!(site.contains_key("index.html"));
    assert!(site.contains_key("entities/orders.html"));
    assert_eq!(mode(&host.path("incoming")), 0o700, "not for web servers");
    assert_eq!(mode(&host.path("site/index.html")), 0o644);

    fs::create_dir(host.path("site/.well-known")).unwrap();
    fs::write(host.path("site/.well-known/token"), "proof").unwrap();
    repository.world.execute("delete from sync_state");
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
    let read = host.status();
    let sealed = fs::read(repository.cached_state()).unwrap();
    String::from_utf8_lossy(&sealed).lacks("sales");

    repository.database_goes_away();
    repository.fails(FAIL, "the page on the server now says so");
    let shown = host.status();
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
    run.said.has("::error::The server did not publish");
    assert_eq!(host.site(), good);

    // The state is sealed with the key: with another one it cannot be opened.
    fs::write(repository.cached_state(), state).unwrap();
    let other = fs::read_to_string(host.path("other_key")).unwrap();
    let own = std::mem::replace(&mut repository.deploy_key, other);
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
    // Nor does any where the build fails.
    repository.world = Sandbox::bare().with_url("mysql://localhost/app");
    repository.fails(BUILD, "nothing was sent");
    assert!(!host.path("incoming").exists() && !host.path("site").exists());
    host.log().lacks("Accepted");
}

/// Sending was cut off, somebody else publishes what is there: the host refuses.
#[test]
fn what_is_half_sent_is_not_published() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    repository.succeeds();
    let good = host.site();
    fs::write(host.path("incoming/sent/index.html"), "half").unwrap();
    let ended = host.ssh(&["127.0.0.1", "publish"]).exits(1);
    ended.has("is not whole: index.html");
    assert_eq!(host.site(), good);
    repository.succeeds();
}

#[test]
fn the_key_of_the_workflow_can_do_nothing_else() {
    let host = Host::start();
    let repository = Repository::deploying_to(&host);
    repository.succeeds();
    fs::write(host.path("secret"), "s3cret").unwrap();
    let mut before = tree(host.folder.path());
    let refused = "may copy a site here with rsync and say \"publish\", nothing else";
    let commands = "|id|sh|publish; id|publish --out /tmp| publish|PUBLISH|rsync --daemon --config=/tmp/x .|\
                    /usr/bin/rsync --server . /|rsync --server; id|scp -t /tmp|syncmon build --demo";
    for command in commands.split('|') {
        let ended = host.ssh(&["127.0.0.1", command]);
        assert_ne!(ended.code, 0, "{command}: {ended:?}");
        assert_eq!(ended.stdout, "", "{command}");
        let why = ended.stderr.contains(refused) || ended.stderr.contains("rrsync error");
        assert!(why, "{command}: {ended:?}");
    }
    let told = host.ssh(&["127.0.0.1", "id"]).stderr;
    golden::message("the workflow's key asks for something else", &told);
    // Nothing is read, and nothing written elsewhere.
    let own = host.path("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("file"), "planted").unwrap();
    let client = format!("--rsh={}", host.client());
    let rsync = |arguments: &[&str]| {
        let mut rsync = Command::new("rsync");
        rsync.arg(&client).args(arguments).current_dir(&own);
        ended(rsync.stdin(Stdio::null())).code
    };
    let at_host = |name: &str| format!("127.0.0.1:{}", host.path(name).display());
    for from in [
        "127.0.0.1:/index.html",
        "127.0.0.1:../secret",
        &at_host("secret"),
    ] {
        assert_ne!(rsync(&[from, "taken"]), 0);
        assert!(!own.join("taken").exists());
    }
    // rrsync takes every path for one below its folder, and refuses what leads out of it.
    assert_ne!(rsync(&["file", "127.0.0.1:../site/file"]), 0);
    rsync(&["file", &at_host("site/file")]);
    rsync(&["--remote-option=--log-file=/tmp/x", "file", "127.0.0.1:/"]);
    // Neither tunnels nor a terminal.
    let forward = format!("{}:127.0.0.1:{}", free_port(), host.port);
    let fails = "ExitOnForwardFailure=yes";
    let ended = host.ssh(&["-o", fails, "-R", &forward, "127.0.0.1"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    let mut after = tree(host.folder.path());
    let kept = ["site", "secret"].map(|name| host.path(name));
    for within in [&mut before, &mut after] {
        within.retain(|path, _| kept.iter().any(|own| path.starts_with(own)));
    }
    assert_eq!(after, before);
}

// ---- the workflow that releases ----

/// The command line tool of GitHub's cannot be asked here: a program in its place writes down what it is asked for.
fn created(folder: &Path) -> (Ended, String) {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = "#!/bin/sh\nprintf '%s\\n' \"$@\" > ../asked\n";
    fs::write(bin.join("gh"), program).unwrap();
    fs::set_permissions(bin.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = script(RELEASE, "Create the release");
    let ended = run(
        &script,
        folder,
        &[("PATH", &path), ("GITHUB_REF_NAME", "v1.2.3")],
    );
    let asked = fs::read_to_string(folder.join("asked")).unwrap_or_default();
    (ended, asked)
}

#[test]
fn a_release_has_every_file_with_its_checksum_or_is_none() {
    let machine = TempDir::new().unwrap();
    let packed = machine.path().join("packed");
    fs::create_dir(&packed).unwrap();
    let names = "syncmon-1.2.3-linux-x86_64.tar.gz syncmon-1.2.3-linux-aarch64.tar.gz \
        syncmon_1.2.3-1_amd64.deb syncmon_1.2.3-1_arm64.deb";
    let names: Vec<&str> = names.split(' ').collect();
    let pack = |name: &str| {
        fs::write(packed.join(name), name).unwrap();
        let sum = format!("sha256sum '{name}' > '{name}.sha256'");
        assert_eq!(run(&sum, &packed, &[]).code, 0);
    };
    for name in &names[..3] {
        pack(name);
    }
    let is_none = |why: &str| {
        let (ended, asked) = created(machine.path());
        assert!(ended.code != 0 && asked.is_empty(), "{why}: {ended:?}");
    };
    is_none("a package is missing");
    pack(names[3]);
    fs::write(packed.join(names[0]), "changed on the way").unwrap();
    is_none("a file is another");

    pack(names[0]);
    let (ended, asked) = created(machine.path());
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked: Vec<&str> = asked.lines().collect();
    let first = ["release", "create", "v1.2.3", "--verify-tag", "--title"];
    assert_eq!(asked[..5], first);
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
    let job = regex::Regex::new("(?m)^  [^ ]+:$").unwrap();
    for entry in fs::read_dir(workflows).unwrap() {
        let path = entry.unwrap().path();
        let workflow = fs::read_to_string(&path).unwrap();
        let (_, jobs) = workflow.split_once("\njobs:\n").unwrap();
        for job in job.split(jobs).filter(|job| job.contains("        run: ")) {
            job.has("        shell: bash\n");
        }
        workflow.has("\npermissions: {}\n");
    }
}
