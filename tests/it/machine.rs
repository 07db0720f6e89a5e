//! A machine that Debian was just installed on, booted with its own systemd, without a network but its own.
//! PostgreSQL and nginx are installed and run as Debian starts them; syncmon is not.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::is_root;
use crate::sandbox::Ended;
use crate::wrapped::ended;

/// Boots from `$BASE`, which stays as it is: what is written goes to memory. Standard input is the leash: at its end
/// the machine is switched off and nothing is left of it.
const BOOT: &str = include_str!("machine/boot");

pub struct Machine {
    leader: String,
    leash: Child,
}

impl Machine {
    pub fn booted() -> Machine {
        let mut leash = as_root("bash")
            .args(["-c", BOOT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answer = String::new();
        BufReader::new(leash.stdout.take().unwrap())
            .read_line(&mut answer)
            .unwrap();
        let leader = answer.trim().to_owned();
        assert!(
            leader.parse::<u32>().is_ok(),
            "no machine can be booted here; that takes root, and a system that is no container itself: {leader}"
        );
        let machine = Machine { leader, leash };
        machine.waits_until("the machine is up", "systemctl is-system-running");
        machine
    }

    /// Runs a script as root, with nothing in its environment. Both its outputs are standard output.
    pub fn run(&self, script: &str) -> Ended {
        let leader = &self.leader;
        let enter = format!("--target {leader} --mount --uts --ipc --net --pid --root --wd");
        let clean = "env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
                     DEBIAN_FRONTEND=noninteractive sh -c";
        let script = format!("exec 2>&1; cd /packages && cd / || exit; {script}");
        let mut command = as_root("nsenter");
        command.args(enter.split(' ')).args(clean.split(' '));
        ended(command.arg(script).stdin(Stdio::null()))
    }

    /// The same; insists on exit code 0.
    #[track_caller]
    pub fn succeeds(&self, script: &str) -> String {
        let said = self.run(&format!("set -e; {script}"));
        assert_eq!(said.code, 0, "{script}\n{said:?}\n{}", self.journal());
        said.stdout
    }

    #[track_caller]
    pub fn waits_until(&self, what: &str, script: &str) {
        let deadline = Instant::now() + Duration::from_mins(5);
        while self.run(script).code != 0 {
            let in_time = Instant::now() < deadline;
            assert!(in_time, "never came: {what}\n{}", self.journal());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The end of the system's log.
    pub fn journal(&self) -> String {
        self.run("journalctl --no-pager --lines=60").stdout
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

/// The package that is tried.
pub fn package() -> PathBuf {
    told("SYNCMON_TEST_PACKAGE")
}

fn told(name: &str) -> PathBuf {
    let path = std::env::var_os(name);
    let path = path.unwrap_or_else(|| panic!("{name} is not set; ./tests/run --help tells of it"));
    let path = PathBuf::from(path);
    assert!(
        path.exists(),
        "{} is not there; run ./tests/run package",
        path.display()
    );
    path
}

fn as_root(program: &str) -> Command {
    let sudo = "sudo --non-interactive --preserve-env=BASE,PACKAGES";
    let mut words = if is_root() {
        vec![]
    } else {
        sudo.split(' ').collect()
    };
    words.push(program);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    let package = package();
    command
        .env("BASE", told("SYNCMON_TEST_DEBIAN_ROOT"))
        .env("PACKAGES", package.parent().unwrap_or(Path::new("/")));
    command
}
