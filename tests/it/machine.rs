//! A machine that Debian was just installed on, booted with its own systemd, without a network but its own.
//! PostgreSQL and nginx are installed and run as Debian starts them; syncmon is not.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::is_root;

/// Boots from `$BASE`, which stays as it is: what is written goes to memory. Standard input is the leash: at its end
/// the machine is switched off and nothing is left of it.
const BOOT: &str = r#"
    # Whatever ends the tests, this clears up.
    trap : HUP INT TERM
    folder=$(mktemp -d --tmpdir syncmon-machine-XXXXXX)
    mount -t tmpfs -o mode=755 tmpfs "$folder"
    mkdir "$folder/upper" "$folder/work" "$folder/root"
    mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
    # Where systemd runs here too, it is asked for a place for the machine's processes; elsewhere this is one.
    if [ ! -d /run/systemd/system ]; then
        keep=--keep-unit
        for groups in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
            if [ -e "$groups/cgroup.procs" ]; then
                mkdir "$groups/syncmon-test-$$" && echo $$ > "$groups/syncmon-test-$$/cgroup.procs"
            fi
        done
    fi
    systemd-nspawn --quiet --boot --register=no ${keep:-} --private-network --console=pipe \
        --machine="syncmon-test-$$" --directory="$folder/root" --bind-ro="$PACKAGES:/packages" \
        < /dev/null > "$folder/console" 2>&1 &
    machine=$!
    # Its first process, once that is its systemd: what is run before would be run here.
    for attempt in $(seq 600); do
        for child in $(cat "/proc/$machine/task/$machine/children" 2> /dev/null); do
            if [ "$(cat "/proc/$child/comm")" = systemd ] && grep -qP '^NSpid:(\t\d+)+\t1$' "/proc/$child/status"; then
                leader=$child
                break 2
            fi
        done 2> /dev/null
        sleep 0.1
    done
    echo "${leader:-none: $(tail -n 3 "$folder/console" | tr '\n' ' ')}"
    cat > /dev/null
    exec > /dev/null 2>&1
    # With the first process end all others of the machine, and with them what holds it.
    kill -KILL "${leader:-$machine}"
    wait "$machine"
    for groups in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        if [ -e "$groups/syncmon-test-$$" ]; then echo $$ > "$groups/cgroup.procs"; fi
    done
    for attempt in $(seq 100); do
        umount -R "$folder"
        find /sys/fs/cgroup/syncmon-test-$$ /sys/fs/cgroup/*/syncmon-test-$$ -depth -type d -delete
        mountpoint "$folder" || find /sys/fs/cgroup -maxdepth 2 -name "syncmon-test-$$" | grep -q . || break
        sleep 0.1
    done
    rmdir "$folder"
    rm -rf "/run/systemd/nspawn/propagate/syncmon-test-$$""#;

pub struct Machine {
    leader: String,
    leash: Child,
}

/// What a script came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    /// Both outputs, and what kept the script from being run.
    pub text: String,
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

    /// Runs a script as root, with nothing in its environment.
    pub fn run(&self, script: &str) -> Said {
        let output = as_root("nsenter")
            .args(["--target", &self.leader, "--mount", "--uts", "--ipc"])
            .args(["--net", "--pid", "--root", "--wd"])
            .args([
                "env",
                "-i",
                "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ])
            .args([
                "HOME=/root",
                "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive",
            ])
            .args([
                "sh",
                "-c",
                &format!("exec 2>&1; cd /packages && cd / || exit; {script}"),
            ])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            text: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        }
    }

    /// The same; insists on exit code 0.
    #[track_caller]
    pub fn succeeds(&self, script: &str) -> String {
        let said = self.run(&format!("set -e; {script}"));
        assert_eq!(said.code, 0, "{script}\n{}\n{}", said.text, self.journal());
        said.text
    }

    #[track_caller]
    pub fn waits_until(&self, what: &str, script: &str) {
        let deadline = Instant::now() + Duration::from_mins(3);
        while self.run(script).code != 0 {
            assert!(
                Instant::now() < deadline,
                "never came: {what}\n{}",
                self.journal()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The end of the system's log.
    pub fn journal(&self) -> String {
        self.run("journalctl --no-pager --lines=60").text
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
    let path = std::env::var_os(name)
        .unwrap_or_else(|| panic!("{name} is not set; ./tests/run --help tells of it"));
    let path = PathBuf::from(path);
    assert!(
        path.exists(),
        "{} is not there; run ./tests/run package",
        path.display()
    );
    path
}

fn as_root(program: &str) -> Command {
    let mut command = if is_root() {
        Command::new(program)
    } else {
        let mut command = Command::new("sudo");
        command.args(["--non-interactive", "--preserve-env=BASE,PACKAGES", program]);
        command
    };
    let package = package();
    command
        .env("BASE", told("SYNCMON_TEST_DEBIAN_ROOT"))
        .env("PACKAGES", package.parent().unwrap_or(Path::new("/")));
    command
}
