//! The command that sets the password, as an operator uses it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cluster::is_root;
use crate::nginx::world;
use crate::sandbox::{Ended, Sandbox};
use crate::web::{Nginx, USER};

const PASSWORD: &str = "correct horse \\ $battery 'staple\" ~";

#[test]
fn the_password_counts_from_the_next_request_on() {
    let world = world();
    world.build();
    let nginx = Nginx::serving(&world);
    let status = |password: &str| {
        nginx
            .request("GET", "/", &[("Authorization", &basic(password))])
            .status
    };
    assert_eq!(
        (status(PASSWORD), status("long random password")),
        (401, 200)
    );
    let set = Setting::new(&world).of(&nginx.passwords());
    assert_eq!(set.to(USER, PASSWORD).code, 0);
    // Where root's workers run as nobody, they are not of the group either.
    fs::set_permissions(nginx.passwords(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        (status(PASSWORD), status("long random password")),
        (200, 401)
    );
    for wrong in [
        "",
        "correct",
        "correct horse",
        &PASSWORD[..PASSWORD.len() - 1],
        &format!("{PASSWORD} "),
    ] {
        assert_eq!(status(wrong), 401, "{wrong:?}");
    }
}

#[test]
fn others_keep_theirs_and_only_nginx_may_read_the_file() {
    let world = Sandbox::bare();
    let set = Setting::new(&world);
    for (user, password) in [
        ("cfo", "the first password"),
        ("controller", "another password"),
        ("cfo.2", "a third password"),
    ] {
        assert_eq!(set.to(user, password).code, 0, "{user}");
    }
    let before = set.lines();
    let ended = set.to("cfo", "the second password");
    assert_eq!(ended.code, 0, "{ended:?}");
    let after = set.lines();
    let names: Vec<&str> = after
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(names, ["controller", "cfo.2", "cfo"]);
    assert_eq!(after[..2], before[1..]);
    assert!(
        after[2].starts_with("cfo:$6$") && after[2] != before[0],
        "{after:?}"
    );
    let found = fs::metadata(&set.file).unwrap();
    assert_eq!(found.mode() & 0o7777, 0o640);
    let www_data = fs::read_to_string("/etc/group").unwrap();
    let www_data = www_data
        .lines()
        .find_map(|line| line.strip_prefix("www-data:x:"))
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    if is_root() {
        assert_eq!((found.uid(), found.gid().to_string()), (0, www_data));
    }
    let within: Vec<_> = fs::read_dir(world.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(within, ["htpasswd"], "nothing is left behind");
}

/// Every program that is started, with its arguments and its environment, and every file that is written.
#[test]
fn no_process_list_no_history_and_no_file_shows_the_password() {
    let world = Sandbox::bare();
    let trace = world.path("trace");
    let traced = |set: &Setting, input: &str| {
        let wrapper = [
            "strace",
            "-f",
            "-v",
            "-s",
            "10000",
            "-e",
            "trace=execve,openat,rename,renameat2",
            "-o",
            &trace.display().to_string(),
        ]
        .map(str::to_owned);
        set.run_by(&wrapper, &["cfo"], input)
    };
    let set = Setting::new(&world);
    let ended = traced(&set, PASSWORD);
    assert_eq!(ended.code, 0, "{ended:?}");
    let calls = fs::read_to_string(&trace).unwrap();
    assert!(calls.matches("execve(").count() > 5, "{calls}");
    // As strace writes it.
    for shown in ["correct horse", "battery", "staple"] {
        assert!(!calls.contains(shown), "{calls}");
        assert!(!format!("{ended:?}").contains(shown), "{ended:?}");
        for entry in fs::read_dir(world.root()).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains(shown), "{text}");
        }
    }
    let made = set.run(&["--generate", "cfo"], "");
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(made.stdout.trim_end().len(), 24, "{made:?}");
    assert!(!made.stderr.contains(made.stdout.trim_end()), "{made:?}");
    let again = set.run(&["--generate", "cfo"], "");
    assert_ne!(made.stdout, again.stdout);
}

#[test]
fn typed_at_a_terminal_it_is_not_shown() {
    let world = Sandbox::bare();
    let set = Setting::new(&world);
    let typed = set.typed(&[PASSWORD, PASSWORD]);
    assert_eq!(typed.code, 0, "{typed:?}");
    assert!(
        typed.stdout.contains("Password for cfo: ") && typed.stdout.contains("The same again: "),
        "{typed:?}"
    );
    assert!(!typed.stdout.contains("battery"), "{typed:?}");
    assert!(typed.stdout.contains("echo is on"), "{typed:?}");
    let first = set.lines();
    let typed = set.typed(&[PASSWORD, "correct horse"]);
    assert_eq!(typed.code, 1, "{typed:?}");
    assert!(
        typed
            .stdout
            .contains("these were two different passwords; nothing was changed"),
        "{typed:?}"
    );
    assert!(typed.stdout.contains("echo is on"), "{typed:?}");
    assert_eq!(set.lines(), first);
    // Control-C instead of an answer.
    let typed = set.typed(&["\u{3}"]);
    assert_eq!(typed.code, 130, "{typed:?}");
    assert!(typed.stdout.contains("echo is on"), "{typed:?}");
    assert_eq!(set.lines(), first);
}

#[test]
fn what_would_be_no_lock_is_refused_and_changes_nothing() {
    let world = Sandbox::bare();
    let set = Setting::new(&world);
    assert_eq!(set.to("cfo", PASSWORD).code, 0);
    let before = set.lines();
    let long = "a".repeat(129);
    for (password, why) in [
        ("", "standard input holds no password"),
        ("\n", "needs 12 characters at least"),
        ("elevenchars", "needs 12 characters at least"),
        ("twelve chärs", "is not of ASCII"),
        ("twelve chars\t", "is not of ASCII"),
        (&long, "has 128 characters at most"),
    ] {
        let ended = set.to("cfo", password);
        assert_eq!(ended.code, 1, "{password:?}: {ended:?}");
        assert!(ended.stderr.contains(why), "{password:?}: {ended:?}");
        assert_eq!(set.lines(), before, "{password:?}");
    }
    for arguments in [
        &[][..],
        &["cfo:x"],
        &["c f o"],
        &["cfo\n"],
        &["cfo", "hunter2hunter2"],
        &["-hunter2hunter2"],
        &["--file"],
    ] {
        let ended = set.run(arguments, PASSWORD);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
        assert_eq!(set.lines(), before, "{arguments:?}");
    }
    let nowhere = Setting::new(&world).of(&world.path("nowhere/htpasswd"));
    let ended = nowhere.to("cfo", PASSWORD);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("is not a directory"), "{ended:?}");
    assert_eq!(set.to("cfo", "twelve chars").code, 0);
    assert_eq!(set.to("cfo", &"a".repeat(128)).code, 0);
}

// ---- helpers ----

/// The command, with a password file in the sandbox.
struct Setting {
    file: PathBuf,
    folder: PathBuf,
}

impl Setting {
    fn new(world: &Sandbox) -> Setting {
        Setting {
            file: world.path("htpasswd"),
            folder: world.root().to_owned(),
        }
    }

    fn of(self, file: &std::path::Path) -> Setting {
        Setting {
            file: file.to_owned(),
            ..self
        }
    }

    fn to(&self, user: &str, password: &str) -> Ended {
        self.run(&[user], password)
    }

    fn run(&self, arguments: &[&str], input: &str) -> Ended {
        self.run_by(&[], arguments, input)
    }

    fn run_by(&self, wrapper: &[String], arguments: &[&str], input: &str) -> Ended {
        let own = self.command(arguments);
        let mut all = wrapper.iter().chain(&own);
        let mut child = Command::new(all.next().unwrap())
            .args(all)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        ended(&child.wait_with_output().unwrap())
    }

    /// At a terminal, each of these texts in answer to a question.
    fn typed(&self, answers: &[&str]) -> Ended {
        let output = Command::new("python3")
            .args(["-c", TYPIST, &serde_json::json!(answers).to_string()])
            .args(self.command(&["cfo"]))
            .current_dir(&self.folder)
            .output()
            .unwrap();
        ended(&output)
    }

    /// Who is not root is made root of a world of their own, in which there is no other group.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nginx/set-password");
        let file = self.file.display().to_string();
        let mut command = vec![script, "--file", &file];
        if !is_root() {
            command = [vec!["unshare", "-r"], command, vec!["--group", "root"]].concat();
        }
        command
            .iter()
            .chain(arguments)
            .map(|&part| part.to_owned())
            .collect()
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// Prints all that the terminal shows, and at the end whether it would show what is typed.
const TYPIST: &str = r#"
import json, os, pty, signal, sys, termios

answers, command = json.loads(sys.argv[1]), sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    # As in a terminal, also where the tests run in the background of a shell.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(command[0], command)
shown = b""
while True:
    try:
        piece = os.read(terminal, 1000)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if shown.endswith(b": ") and answers:
        os.write(terminal, (answers.pop(0) + "\n").encode())
_, status = os.waitpid(process, 0)
echo = termios.tcgetattr(terminal)[3] & termios.ECHO
print(shown.decode(), "echo is on" if echo else "echo is off")
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn ended(output: &std::process::Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

fn basic(password: &str) -> String {
    use base64::Engine;
    let both = base64::prelude::BASE64_STANDARD.encode(format!("{USER}:{password}"));
    format!("Basic {both}")
}
