//! The program run by way of another one: with another umask, as another user, where something is
//! mounted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::is_root;
use crate::golden;
use crate::sandbox::{Ended, Sandbox};

/// Who owns nothing.
const NOBODY: &str = "65534";

pub const UMASK_077: [&str; 4] = ["sh", "-c", "umask 077; exec \"$@\"", "sh"];

/// Runs to the end what `sandbox.command` made.
pub fn ended(command: &mut Command) -> Ended {
    told(&command.output().unwrap())
}

/// Starts what `sandbox.command` made; what it says on standard error is kept.
pub fn spawned(command: &mut Command) -> Child {
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What it comes to.
pub fn end_of(child: Child) -> Ended {
    told(&child.wait_with_output().unwrap())
}

fn told(output: &Output) -> Ended {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// Waits until something is so, for as long as a machine that is ten times slower needs.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_mins(2), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Exit code 2, one legible line that is the message of this title, the old site as it was, and no waiting for ever.
#[track_caller]
pub fn is_refused(world: &Sandbox, title: &str, build: impl FnOnce() -> Ended) -> String {
    let (before, begun) = (world.site(), Instant::now());
    let Ended {
        code,
        stdout,
        stderr,
    } = build();
    assert!(begun.elapsed() < Duration::from_mins(1), "{title}");
    assert_eq!((code, stdout.as_str()), (2, ""), "{title}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{title}: {stderr}");
    assert!(!stderr.trim_end().contains(char::is_control), "{title}");
    assert!(stderr.len() < 1500, "{title}: {} bytes", stderr.len());
    assert!(world.site() == before, "{title}: the site has changed");
    golden::message(title, &stderr);
    stderr
}

/// What a shell does in the sandbox.
#[track_caller]
pub fn shell(sandbox: &Sandbox, script: &str) {
    let mut shell = Command::new("sh");
    let done = ended(shell.args(["-ec", script]).current_dir(sandbox.root()));
    assert_eq!(done.code, 0, "{script}: {done:?}");
}

/// The same command, run by `wrapper`.
pub fn through<S: AsRef<std::ffi::OsStr>>(wrapper: &[S], command: &Command) -> Command {
    let mut outer = Command::new(&wrapper[0]);
    outer
        .args(&wrapper[1..])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null());
    if let Some(directory) = command.get_current_dir() {
        outer.current_dir(directory);
    }
    outer
}

/// The command, run by somebody whom permissions hold back: root runs it as another user, who gets
/// the sandbox and a copy of the program, for root's own may lie where nobody else can reach it.
pub fn unprivileged(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let command = sandbox.command(arguments);
    if !is_root() {
        return command;
    }
    let program = sandbox.path("syncmon");
    if !program.exists() {
        fs::copy(command.get_program(), &program).unwrap();
        let given = Command::new("chown")
            .args(["-R", &format!("{NOBODY}:{NOBODY}")])
            .arg(sandbox.root())
            .status()
            .unwrap();
        assert!(given.success());
    }
    let mut own = Command::new(program);
    own.args(command.get_args())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(sandbox.root());
    let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
    through(&["setpriv", &user, &group, "--clear-groups"], &own)
}

/// A mount namespace of its own, in which something is mounted; gone when dropped.
pub struct Mounted {
    keeper: Child,
    _leash: ChildStdin,
}

impl Mounted {
    /// Runs `mount` with these arguments in a new namespace that nobody else sees.
    pub fn new(sandbox: &Sandbox, arguments: &str) -> Mounted {
        let ready = sandbox.path("mounted");
        let script = format!("mount {arguments} && touch '{}' && cat", ready.display());
        let mut keeper = Command::new("unshare")
            .arg(if is_root() { "-m" } else { "-rm" })
            .args(["sh", "-c", &script])
            .current_dir(sandbox.root())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        while !ready.exists() {
            let died = keeper.try_wait().unwrap();
            assert!(died.is_none(), "mount {arguments}: {died:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let leash = keeper.stdin.take().unwrap();
        Mounted {
            keeper,
            _leash: leash,
        }
    }

    /// The command, run in that namespace.
    pub fn wrap(&self, command: &Command) -> Command {
        let process = self.keeper.id().to_string();
        let directory = command.get_current_dir().unwrap().display();
        let mut enter = vec![
            "nsenter".to_owned(),
            "-t".to_owned(),
            process,
            "-m".to_owned(),
            format!("--wd={directory}"),
        ];
        if !is_root() {
            enter.extend(["-U".to_owned(), "--preserve-credentials".to_owned()]);
        }
        through(&enter, command)
    }

    /// Where a path of that namespace can be looked at from outside.
    pub fn path(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(path.strip_prefix("/").unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The shell waits for `cat`: both go with the whole namespace once nobody is in it.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
