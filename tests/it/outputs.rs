//! Standard output and standard error that are full, closed or read by somebody who leaves.

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use crate::golden;
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{ended, through};

fn full() -> Stdio {
    Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap())
}

fn build(world: &Sandbox, more: &[&str]) -> Command {
    let mut arguments = vec!["build", "--out", "site", "--state-dir", "state", "--demo"];
    arguments.extend(["--now", NOW]);
    arguments.extend(more);
    world.command(&arguments)
}

/// Of a command with one output that takes nothing: exit code and what came out of the other.
fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure_after_a_whole_site() {
    let world = Sandbox::bare();
    let mut command = build(&world, &[]);
    command.stdout(full());
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    golden::section(
        "messages.txt",
        "output: standard output is full",
        told.trim_end(),
    );
    let site = world.site();
    assert_eq!(ended(&mut build(&world, &["-q"])).code, 0);
    assert_eq!(
        world.site(),
        site,
        "what was published is the whole new site"
    );
}

#[test]
fn a_reader_who_leaves_ends_nothing_early() {
    let world = Sandbox::bare();
    let mut child = build(&world, &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("standard output cannot be written to"),
        "{told}"
    );
    assert!(world.page("index.html").contains("</html>"));
}

#[test]
fn a_full_standard_error_never_keeps_a_page_from_being_published() {
    let world = Sandbox::bare();
    let mut verbose = build(&world, &["-v"]);
    verbose.stderr(full());
    let child = verbose.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    assert!(world.page("index.html").contains("</html>"));

    let away = Sandbox::bare().with_url("sqlite:missing.db");
    let mut command = away.command(&["build", "--out", "site", "--state-dir", "state"]);
    let child = command
        .stderr(full())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert_ne!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(away.status()["source"]["state"], "unreachable");
}

#[test]
fn closed_outputs_are_no_reason_to_fail() {
    let world = Sandbox::bare();
    let command = build(&world, &["-v"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec \"$@\" >&- 2>&- <&-", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(world.root())
        .env("HOME", world.root());
    assert!(shell.status().unwrap().success());
    for (name, bytes) in world.site() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(" ms  "), "{name} was taken for an output");
    }
}

#[test]
fn help_and_schema_that_cannot_be_written_are_failures_too() {
    let world = Sandbox::bare();
    for arguments in [
        vec!["--help"],
        vec!["--version"],
        vec!["build", "--help"],
        vec!["init-db", "--print"],
    ] {
        let mut command = world.command(&arguments);
        command.stdout(full());
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains("No space left on device"), "{told}");
    }
}

/// Whoever puts a connection string where another value belongs must not find it in a log.
#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let url = "postgres://ro:S3cret%2Fpw@db.example.org/app";
    let bare = "ro:S3cret/pw@db.example.org/app";
    let world = Sandbox::bare();
    for secret in [url, bare] {
        let equals = format!("--out={secret}");
        for arguments in [
            vec!["build", secret],
            vec![secret],
            vec!["build", "--demo", "--now", secret],
            vec!["build", "--demo", "--config", secret],
            vec!["build", "--demo", "--templates", secret],
            vec!["build", "--demo", "--state-dir", secret, "--out", "/"],
            vec!["build", "--demo", secret, equals.as_str()],
            vec!["init-db", secret],
        ] {
            let (code, stdout, stderr) = run(world.command(&arguments));
            assert_eq!(code, 2, "{arguments:?}: {stderr}");
            for text in [stdout, stderr] {
                assert!(!text.contains("S3cret"), "{arguments:?}: {text}");
            }
        }
        for variable in [
            "SYNCMON_NOW",
            "SYNCMON_CONFIG",
            "SYNCMON_TEMPLATES",
            "SYNCMON_OUT",
        ] {
            for arguments in [vec!["build", "--help"], vec!["build", "--nonsense"]] {
                let mut command = world.command(&arguments);
                command.env(variable, secret);
                let (_, stdout, stderr) = run(command);
                for text in [stdout, stderr] {
                    assert!(!text.contains("S3cret"), "{variable}: {text}");
                }
            }
        }
        let (_, _, stderr) = run(world.command(&["build", "--demo", "--config", secret]));
        let title = if secret == url {
            "secret: a connection string in the place of a file"
        } else {
            "secret: the same without its scheme"
        };
        golden::section("messages.txt", title, stderr.trim_end());
    }
    assert!(
        !world.path("public").exists(),
        "none of these builds came to anything"
    );
}

#[test]
fn no_process_list_shows_the_password() {
    let gate = crate::gate::Gate::before(crate::cluster::free_port());
    gate.turn(crate::gate::Manner::Silent);
    let url = format!("postgres://ro:S3cretPw@127.0.0.1:{}/app", gate.port);
    let world = Sandbox::bare().with_url(&url);
    let mut child = world
        .command(&["build", "--out", "site", "--state-dir", "state"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while gate.heard().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for name in ["cmdline", "comm", "stat", "status"] {
        let shown = fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
        let shown = String::from_utf8_lossy(&shown);
        assert!(!shown.contains("S3cretPw"), "{name}: {shown}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What a terminal has shown of a command, and what stands there in the end.
fn on_a_terminal(world: &Sandbox, arguments: &[&str]) -> (String, String) {
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut program = world.command(arguments);
    program.env("TERM", "xterm");
    let ended = ended(&mut through(&["python3", "-c", spawn], &program));
    assert_eq!(ended.code, 0, "{ended:?}");
    let lines = ended.stdout.replace("\r\n", "\n");
    let stays = |line: &str| line.rsplit("\r\u{1b}[K").next().unwrap().to_owned();
    let stays = lines.split('\n').map(stays).collect::<Vec<_>>().join("\n");
    (lines, stays)
}

#[test]
fn a_terminal_shows_what_a_command_is_at_until_it_is_done() {
    let world = Sandbox::sqlite().file("syncmon.toml", "[alerts.command]\nprogram = \"true\"");
    let site = ["--out", "site", "--state-dir", "state"];
    for (command, steps) in [
        (&["init-db"][..], &["creating tables"][..]),
        (
            &["build", "--demo"],
            &[
                "inventing 90 days",
                "reading sqlite",
                "rendering",
                "publishing",
            ],
        ),
        (
            &["publish", "--from", "site", "--out", "live"],
            &["reading site", "publishing"],
        ),
        (
            &["record", "sales", "completed"],
            &["recording a run of sales"],
        ),
        (
            &["run", "sales", "--", "true"],
            &["recording a run of sales"],
        ),
        (&["check", "sales"], &["reading sqlite"]),
        (
            &["prune", "--keep", "2d"],
            &["looking for old runs", "0 runs deleted so far"],
        ),
        (&["notify", "--test"], &["sending a message by command"]),
    ] {
        let mut arguments = command.to_vec();
        if command[0] == "build" {
            arguments.extend(site);
        }
        let (shown, stays) = on_a_terminal(&world, &arguments);
        for step in steps {
            assert!(shown.contains(step), "{command:?}: no {step} in {shown:?}");
            assert!(
                !stays.contains(step),
                "{command:?}: {step} stays in {stays:?}"
            );
        }
    }
    let mut quiet = vec!["build", "-q", "--demo"];
    quiet.extend(site);
    assert_eq!(on_a_terminal(&world, &quiet).0, "");
}
