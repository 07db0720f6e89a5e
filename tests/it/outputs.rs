//! Standard output and standard error that are full, closed or read by somebody who leaves.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::cluster::free_port;
use crate::folders::{build_into, world};
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{end_of, ended, spawned, through, until};

fn full() -> Stdio {
    Stdio::from(File::options().write(true).open("/dev/full").unwrap())
}

fn build(world: &Sandbox, more: &[&str]) -> Command {
    world.command(&[&build_into("site", NOW)[..], more].concat())
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure_after_a_whole_site() {
    let world = world();
    let told = ended(build(&world, &[]).stdout(full()));
    assert_eq!(told.code, 1);
    golden::message("output: standard output is full", &told.stderr);
    let site = world.site();
    assert_eq!(ended(&mut build(&world, &["-q"])).code, 0);
    assert!(world.site() == site, "it was not the whole new site");
}

#[test]
fn a_reader_who_leaves_ends_nothing_early() {
    let world = world();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let told = ended(build(&world, &[]).stdout(writer));
    assert_eq!((told.code, told.stderr.lines().count()), (1, 1), "{told:?}");
    let said = "standard output cannot be written to";
    assert!(told.stderr.contains(said), "{told:?}");
    assert!(world.page("index.html").contains("</html>"));
}

#[test]
fn a_full_standard_error_never_keeps_a_page_from_being_published() {
    let world = world();
    assert_eq!(ended(build(&world, &["-v"]).stderr(full())).code, 1);
    assert!(world.page("index.html").contains("</html>"));
    let away = Sandbox::bare().with_url("sqlite:missing.db");
    assert_ne!(ended(build(&away, &[]).stderr(full())).code, 0);
    assert_eq!(away.status()["source"]["state"], "unreachable");
}

#[test]
fn closed_outputs_are_no_reason_to_fail() {
    let world = world();
    let closed = ["sh", "-c", "exec \"$@\" >&- 2>&- <&-", "sh"];
    let ended = ended(&mut through(&closed, &build(&world, &["-v"])));
    assert_eq!(ended.code, 0);
    for (name, bytes) in world.site() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(" ms  "), "{name} was taken for an output");
    }
}

#[test]
fn help_and_schema_that_cannot_be_written_are_failures_too() {
    let world = Sandbox::bare();
    for line in ["--help", "--version", "build --help", "init-db --print"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let told = ended(world.command(&arguments).stdout(full()));
        assert_eq!((told.code, told.stderr.lines().count()), (1, 1), "{line}");
        let said = "No space left on device";
        assert!(told.stderr.contains(said), "{line}: {told:?}");
    }
}

/// Whoever puts a connection string where another value belongs must not find it in a log.
#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let url = "postgres://ro:S3cret%2Fpw@db.example.org/app";
    let bare = "ro:S3cret/pw@db.example.org/app";
    let world = Sandbox::bare();
    for secret in [url, bare] {
        for line in [
            "build @",
            "@",
            "build --demo --now @",
            "build --demo --config @",
            "build --demo --templates @",
            "build --demo --state-dir @ --out /",
            "build --demo @ --out=@",
            "init-db @",
        ] {
            let line = line.replace('@', secret);
            let arguments: Vec<&str> = line.split(' ').collect();
            let refused = world.run(&arguments);
            assert_eq!(refused.code, 2, "{arguments:?}: {refused:?}");
            let said = refused.stdout + &refused.stderr;
            assert!(!said.contains("S3cret"), "{arguments:?}: {said}");
        }
        for variable in ["NOW", "CONFIG", "TEMPLATES", "OUT"] {
            for more in ["--help", "--nonsense"] {
                let mut command = world.command(&["build", more]);
                let told = ended(command.env(format!("SYNCMON_{variable}"), secret));
                let said = told.stdout + &told.stderr;
                assert!(!said.contains("S3cret"), "{variable}: {said}");
            }
        }
        let told = world.run(&["build", "--demo", "--config", secret]);
        let title = if secret == url {
            "secret: a connection string in the place of a file"
        } else {
            "secret: the same without its scheme"
        };
        golden::message(title, &told.stderr);
    }
    let published = world.path("public").exists();
    assert!(!published, "one of these builds came to something");
}

#[test]
fn no_process_list_shows_the_password() {
    let gate = Gate::before(free_port());
    gate.turn(Manner::Silent);
    let url = format!("postgres://ro:S3cretPw@127.0.0.1:{}/app", gate.port);
    let world = Sandbox::bare().with_url(&url);
    let mut child = spawned(&mut build(&world, &[]));
    until("it asks the database", || !gate.heard().is_empty());
    for name in ["cmdline", "comm", "stat", "status"] {
        let shown = fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
        let shown = String::from_utf8_lossy(&shown);
        assert!(!shown.contains("S3cretPw"), "{name}: {shown}");
    }
    child.kill().unwrap();
    end_of(child);
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
