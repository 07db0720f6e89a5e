//! The command that sets the password, as an operator uses it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

use crate::cluster::is_root;
use crate::folders::names;
use crate::golden::{self, Told};
use crate::nginx::built;
use crate::sandbox::{Ended, Sandbox};
use crate::web::{self, Nginx, USER};
use crate::wrapped::ended;

const PASSWORD: &str = "correct horse \\ $battery 'staple\" ~";

#[test]
fn the_password_counts_from_the_next_request_on() {
    let world = built();
    let nginx = Nginx::serving(&world);
    let status = |password: &str| {
        let key = ("Authorization", &*basic(password));
        nginx.request("GET", "/", &[key]).status
    };
    assert_eq!([PASSWORD, web::PASSWORD].map(status), [401, 200]);
    let set = Setting::new(&world).of(&nginx.passwords());
    set.to(USER, PASSWORD).exits(0);
    // Where root's workers run as nobody, they are not of the group either.
    fs::set_permissions(nginx.passwords(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!([PASSWORD, web::PASSWORD].map(status), [200, 401]);
    let (cut, longer) = (&PASSWORD[..PASSWORD.len() - 1], format!("{PASSWORD} "));
    for wrong in ["", "correct", "correct horse", cut, &longer] {
        assert_eq!(status(wrong), 401, "{wrong:?}");
    }
}

#[test]
fn others_keep_theirs_and_only_nginx_may_read_the_file() {
    let world = Sandbox::bare();
    let set = Setting::new(&world);
    for user in ["cfo", "controller", "cfo.2"] {
        set.to(user, "the first password").exits(0);
    }
    let before = set.lines();
    set.to("cfo", "the second password").exits(0);
    let after = set.lines();
    assert_eq!(after[..2], before[1..], "controller and cfo.2");
    assert!(after[2].starts_with("cfo:$6$"), "{after:?}");
    assert_ne!(after[2], before[0]);
    let found = fs::metadata(&set.file).unwrap();
    assert_eq!(found.mode() & 0o7777, 0o640);
    if is_root() {
        let groups = fs::read_to_string("/etc/group").unwrap();
        let line = format!("\nwww-data:x:{}:", found.gid());
        groups.has(&line);
        assert_eq!(found.uid(), 0);
    }
    let nothing_more = names(world.root());
    assert_eq!(nothing_more, ["htpasswd"], "nothing is left behind");
}

/// Every program that is started, with its arguments and its environment, and every file that is written.
#[test]
fn no_process_list_no_history_and_no_file_shows_the_password() {
    let world = Sandbox::bare();
    let trace = world.path("trace");
    let set = Setting::new(&world);
    let calls = "trace=execve,openat,rename,renameat2";
    let strace = format!("strace -f -v -s 10000 -e {calls} -o {}", trace.display());
    let strace: Vec<String> = strace.split(' ').map(str::to_owned).collect();
    let ended = set.run_by(&strace, &["cfo"], PASSWORD).exits(0);
    let calls = fs::read_to_string(&trace).unwrap();
    assert!(calls.matches("execve(").count() > 5, "{calls}");
    // As strace writes it.
    for shown in ["correct horse", "battery", "staple"] {
        calls.lacks(shown);
        ended.lacks(shown);
        for name in names(world.root()) {
            let text = fs::read_to_string(world.path(&name)).unwrap();
            text.lacks(shown);
        }
    }
    let made = set.run(&["--generate", "cfo"], "").exits(0);
    assert_eq!(made.stdout.trim_end().len(), 24, "{made:?}");
    made.stderr.lacks(made.stdout.trim_end());
    let again = set.run(&["--generate", "cfo"], "");
    assert_ne!(made.stdout, again.stdout);
}

#[test]
fn typed_at_a_terminal_it_is_not_shown() {
    let world = Sandbox::bare();
    let set = Setting::new(&world);
    let typed = set.typed(&[PASSWORD, PASSWORD]).exits(0);
    typed.has("Password for cfo: ").has("The same again: ");
    typed.lacks("battery").has("echo is on");
    let first = set.lines();
    let two = "these were two different passwords; nothing was changed";
    let typed = set.typed(&[PASSWORD, "correct horse"]).exits(1);
    typed.has(two).has("echo is on");
    assert_eq!(set.lines(), first);
    // Control-C instead of an answer.
    set.typed(&["\u{3}"]).exits(130).has("echo is on");
    assert_eq!(set.lines(), first);
}

#[test]
fn what_would_be_no_lock_is_refused_and_changes_nothing() {
    let world = Sandbox::bare();
    let set = Setting::new(&world);
    set.to("cfo", PASSWORD).exits(0);
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
        set.to("cfo", password).exits(1).has(why);
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
        set.run(arguments, PASSWORD).exits(2).lacks("hunter2");
        assert_eq!(set.lines(), before, "{arguments:?}");
    }
    let nowhere = Setting::new(&world).of(&world.path("nowhere/htpasswd"));
    let ended = nowhere.to("cfo", PASSWORD).exits(1);
    ended.has("is not a directory");
    set.to("cfo", "twelve chars").exits(0);
    set.to("cfo", &"a".repeat(128)).exits(0);
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
        let mut command = Command::new(all.next().unwrap());
        command.args(all).current_dir(&self.folder);
        ended(command.stdin(golden::input(input)))
    }

    /// At a terminal, each of these texts in answer to a question.
    fn typed(&self, answers: &[&str]) -> Ended {
        let mut typist = Command::new("python3");
        typist
            .args(["-c", TYPIST, &serde_json::json!(answers).to_string()])
            .args(self.command(&["cfo"]))
            .current_dir(&self.folder);
        ended(&mut typist)
    }

    /// Who is not root is made root of a world of their own, in which there is no other group.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nginx/set-password");
        let file = self.file.display().to_string();
        let mut command = vec![script, "--file", &file];
        if !is_root() {
            command = [vec!["unshare", "-r"], command, vec!["--group", "root"]].concat();
        }
        let all = command.iter().chain(arguments);
        all.map(|&part| part.to_owned()).collect()
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// Prints all that the terminal shows, and at the end whether it would show what is typed.
const TYPIST: &str = include_str!("password/typist.py");

fn basic(password: &str) -> String {
    use base64::Engine;
    let both = base64::prelude::BASE64_STANDARD.encode(format!("{USER}:{password}"));
    format!("Basic {both}")
}
