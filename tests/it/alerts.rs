//! Who is told what, and that nothing is forgotten: webhooks and commands, and what is kept in between.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::alerted::{
    SECRET_PATH, built, fails, hook, hooked, kept, lasting, quietly_built, run, succeeds, world,
};
use crate::campaign::Campaign;
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::receivers::{Receiver, is_in_no_file};
use crate::sandbox::{Ended, NOW, Sandbox};

/// "problem Sales is failing", in the order in which they arrived and were accepted.
fn told(receiver: &Receiver) -> Vec<String> {
    let accepted = |line: &Value| line["manner"] == "200" && line["method"] == "POST";
    receiver
        .received()
        .iter()
        .filter(|line| accepted(line))
        .map(|line| {
            let body = &line["body"];
            format!(
                "{} {}",
                body["event"].as_str().unwrap(),
                body["subject"].as_str().unwrap()
            )
        })
        .collect()
}

#[track_caller]
fn complaint(title: &str, ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
    golden::section("messages.txt", title, ended.stderr.trim_end());
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn one_message_for_a_problem_one_when_it_gets_worse_and_one_when_it_is_over() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    quietly_built(&world, "20:05:00");
    fails(&world, "sales", "20:06:00");
    quietly_built(&world, "20:10:00");
    quietly_built(&world, "20:15:00");
    fails(&world, "inventory", "20:16:00");
    quietly_built(&world, "20:20:00");
    succeeds(&world, "sales", "20:21:00");
    quietly_built(&world, "20:25:00");
    succeeds(&world, "inventory", "20:26:00");
    quietly_built(&world, "20:30:00");
    assert_eq!(
        told(&receiver),
        [
            "problem Sales is failing",
            "worse Worse: Sales is failing, Inventory is failing",
            "recovery All 2 syncs are up to date again",
        ]
    );
    let first = receiver.received().remove(0);
    assert_eq!(first["key"], first["body"]["key"]);
    assert_eq!(first["kind"], "application/json");
    let mut body = first["body"].clone();
    let text = body["text"].take();
    assert!(text.as_str().unwrap().starts_with("Sales is failing.\n\n"));
    assert_eq!(
        body,
        json!({
            "schema_version": 1,
            "key": first["key"],
            "event": "problem",
            "about": "syncs",
            "at": "2026-11-22T20:10:00Z",
            "since": "2026-11-22T20:10:00Z",
            "until": null,
            "lasted_seconds": null,
            "site": "Sync status",
            "url": "https://status.example.org/sync/",
            "subject": "Sales is failing",
            "text": null,
            "entities": [{
                "entity_type": "sales",
                "name": "Sales",
                "health": "red",
                "reason": "failed",
                "grounds": "The sync failed on Sunday 22 November, 12:06. There was no space left to store the \
                            records (disk full).",
                "consequence": "Sales are complete up to Sunday 22 November, 12:00; later sales are missing from \
                                Supabase reports.",
                "ask": "Ana Ruiz, ana@example.org",
            }],
        })
    );
    assert_eq!(receiver.received()[2]["body"]["lasted_seconds"], 1200);
}

#[test]
fn people_are_reminded_as_often_as_they_want() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "remind = \"1h\"");
    fails(&world, "sales", "20:04:00");
    for at in [
        "20:05:00", "20:30:00", "21:04:00", "21:05:00", "21:10:00", "22:05:00",
    ] {
        quietly_built(&world, at);
    }
    let still = "reminder Still: Sales is failing";
    // Inventory was read last at 12:00 and is late from 14:00 on.
    let worse = "worse Worse: Sales is failing, Inventory is late";
    assert_eq!(told(&receiver), ["problem Sales is failing", still, worse]);
}

#[test]
fn a_database_that_is_away_is_one_problem_and_not_two_more() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    quietly_built(&world, "20:05:00");
    fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
    for at in ["20:10:00", "20:30:00", "23:00:00"] {
        assert_eq!(world.build_at(&format!("2026-11-22T{at}Z")).code, 75);
    }
    assert_eq!(world.verdict("sales"), "yellow late");
    assert_eq!(told(&receiver), ["problem The database cannot be read"]);
    let text = receiver.received()[0]["body"]["text"].to_string();
    for part in [
        "The database file could not be opened.",
        "The page shows what was read on Sunday 22 November 2026, 12:05 PST",
    ] {
        assert!(text.contains(part), "{text}");
    }
    fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
    fails(&world, "sales", "23:01:00");
    quietly_built(&world, "23:05:00");
    assert_eq!(
        told(&receiver)[1..],
        [
            "recovery The database can be read again",
            "problem Sales is failing, Inventory is late"
        ]
    );
}

#[test]
fn what_comes_and_goes_is_told_only_when_it_stays() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "after = 2");
    for minute in (5..25).step_by(10) {
        fails(&world, "sales", &format!("20:{minute:02}:00"));
        quietly_built(&world, &format!("20:{minute:02}:01"));
        succeeds(&world, "sales", &format!("20:{:02}:00", minute + 5));
        quietly_built(&world, &format!("20:{:02}:01", minute + 5));
    }
    assert_eq!(told(&receiver), [""; 0]);
    fails(&world, "sales", "20:30:00");
    quietly_built(&world, "20:30:01");
    quietly_built(&world, "20:35:01");
    assert_eq!(told(&receiver), ["problem Sales is failing"]);
    assert_eq!(
        receiver.received()[0]["body"]["since"],
        "2026-11-22T20:30:01Z"
    );
}

#[test]
fn a_receiver_that_fails_is_told_later_in_order_under_the_same_keys() {
    let mut receiver = Receiver::of_http();
    let world = hooked(&receiver, "timeout = \"2s\"");
    quietly_built(&world, "20:05:00");
    fails(&world, "sales", "20:06:00");
    receiver.turn("500");
    complaint("alerts: the receiver fails", &built(&world, "20:10:00"));
    receiver.turn("hangs");
    let (ended, time) = lasting(|| built(&world, "20:15:00"));
    complaint("alerts: the receiver hangs", &ended);
    assert!(time < Duration::from_secs(6), "{time:?}");
    fails(&world, "inventory", "20:16:00");
    receiver.turn("404");
    complaint(
        "alerts: the receiver is elsewhere",
        &built(&world, "20:20:00"),
    );
    receiver.turn("302");
    complaint(
        "alerts: the receiver leads elsewhere",
        &built(&world, "20:25:00"),
    );
    let page = world.page("index.html");
    let said = "Alerts are not getting out by webhook since Sunday 22 November, 12:10. The receiver answered with an \
                error (404). 2 messages wait; each build tries again.";
    assert!(page.contains(said), "{page}");
    receiver.turn("200");
    quietly_built(&world, "20:30:00");
    assert_eq!(
        told(&receiver),
        [
            "problem Sales is failing",
            "worse Worse: Sales is failing, Inventory is failing"
        ]
    );
    let keys = receiver.heard("key");
    assert_eq!(keys.len(), 6);
    assert!(keys[..5].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_ne!(keys[5], keys[0]);
    quietly_built(&world, "20:35:00");
    assert!(!world.page("index.html").contains("not getting out"));

    receiver.stop();
    succeeds(&world, "sales", "20:36:00");
    succeeds(&world, "inventory", "20:36:00");
    complaint("alerts: the receiver is gone", &built(&world, "20:40:00"));
    assert_eq!(receiver.received().len(), 6);
}

#[test]
fn a_message_that_is_refused_for_itself_does_not_hold_up_the_others() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    fails(&world, "sales", "20:04:00");
    receiver.turn("422");
    complaint(
        "alerts: the receiver refuses the message",
        &built(&world, "20:05:00"),
    );
    fails(&world, "inventory", "20:06:00");
    complaint(
        "alerts: the receiver refuses the message",
        &built(&world, "20:10:00"),
    );
    assert_eq!(receiver.received().len(), 3, "each is tried at each build");
}

#[test]
fn slack_gets_a_text_in_which_nothing_is_markup() {
    let receiver = Receiver::of_http();
    let world =
        world("[[entities]]\nentity_type = \"a<b>&*c*\"\n[alerts.webhook]\nformat = \"slack\"")
            .env("SYNCMON_WEBHOOK_URL", &hook(&receiver));
    quietly_built(&world, "20:05:00");
    let request = receiver.received().remove(0);
    let text = request["body"]["text"].as_str().unwrap();
    assert!(
        text.starts_with(
            "*Sync status: A&lt;b&gt;&amp;∗c∗ has never synced*\nSeen first on Sunday"
        ),
        "{text}"
    );
    assert!(text.contains("https://status.example.org/sync/"), "{text}");
    assert_eq!(request["body"].as_object().unwrap().len(), 1);
}

/// A program that notes what it is given, and then does `more`.
fn noting(world: &Sandbox, more: &str) {
    let program = world.path("tell");
    let script = format!(
        "#!/bin/sh\ncat > given.json\nenv | grep -E '^(SYNCMON|DATABASE)' | sort > given.env\necho once >> runs\n{more}\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn commanded(more: &str) -> Sandbox {
    let world = world(
        "[alerts]\ntimeout = \"2s\"\n[alerts.command]\nprogram = \"./tell\"\nargs = [\"a b\"]",
    );
    noting(&world, more);
    fails(&world, "sales", "20:04:00");
    world
}

#[test]
fn a_command_is_given_the_message_and_no_secret() {
    let world = commanded("printf %s \"$1\" > given.args")
        .env("SYNCMON_PING_URL", "http://127.0.0.1:9/S3cret-ping")
        .env("SYNCMON_SMTP_USER", "mailer")
        .env("SYNCMON_SMTP_PASSWORD", "S3cret");
    built(&world, "20:05:00");
    let given: Value =
        serde_json::from_slice(&fs::read(world.path("given.json")).unwrap()).unwrap();
    assert_eq!(given["subject"], "Sales is failing");
    assert_eq!(fs::read_to_string(world.path("given.args")).unwrap(), "a b");
    let environment = fs::read_to_string(world.path("given.env")).unwrap();
    for part in [
        "SYNCMON_ALERT_EVENT=problem",
        "SYNCMON_ALERT_SUBJECT=Sales is failing",
        "SYNCMON_ALERT_TEXT=",
    ] {
        assert!(environment.contains(part), "{environment}");
    }
    assert!(
        !environment.contains("S3cret") && !environment.contains("DATABASE_URL"),
        "{environment}"
    );
    built(&world, "20:10:00");
    assert_eq!(fs::read_to_string(world.path("runs")).unwrap(), "once\n");
}

#[test]
fn a_command_that_fails_is_run_again_by_the_next_build() {
    let world = commanded("echo 'no line to the pager' >&2; exit 3");
    complaint("alerts: the command fails", &built(&world, "20:05:00"));
    noting(&world, "kill -9 $$");
    complaint("alerts: the command is killed", &built(&world, "20:10:00"));
    fs::remove_file(world.path("tell")).unwrap();
    complaint("alerts: the command is gone", &built(&world, "20:15:00"));
    let page = world.page("index.html");
    assert!(
        page.contains("Alerts are not getting out by command since"),
        "{page}"
    );
    noting(&world, "");
    quietly_built(&world, "20:20:00");
    quietly_built(&world, "20:25:00");
    assert_eq!(
        fs::read_to_string(world.path("runs")).unwrap(),
        "once\n".repeat(3)
    );
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_has_started() {
    let world = commanded("sleep 61.5 & sleep 61.5");
    let (ended, time) = lasting(|| built(&world, "20:05:00"));
    complaint("alerts: the command hangs", &ended);
    assert!(time < Duration::from_secs(6), "{time:?}");
    let sleeping = processes().into_iter().filter(|line| line == "sleep 61.5");
    assert_eq!(sleeping.count(), 0);
}

/// The command lines of all processes.
fn processes() -> Vec<String> {
    let folders = fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter_map(|folder| fs::read(folder.path().join("cmdline")).ok())
        .map(|line| {
            String::from_utf8_lossy(&line)
                .replace('\0', " ")
                .trim()
                .to_owned()
        })
        .collect()
}

#[test]
fn all_channels_together_take_no_longer_than_the_configured_time() {
    let receiver = Receiver::of_http();
    receiver.turn("hangs");
    let gate = Gate::before(receiver.port);
    gate.turn(Manner::Silent);
    let world = world(&format!(
        "[alerts]
         timeout = \"2s\"
         [alerts.webhook]
         [alerts.command]
         program = \"sleep\"
         args = [\"62.5\"]
         [alerts.email]
         to = [\"ana@example.org\"]
         from = \"syncmon@example.org\"
         host = \"127.0.0.1\"
         port = {}
         tls = \"none\"",
        gate.port
    ))
    .env("SYNCMON_WEBHOOK_URL", &hook(&receiver))
    .env("SYNCMON_PING_URL", &hook(&receiver));
    let (_, usual) = lasting(|| world.build_at("2026-11-22T20:03:00Z"));
    fails(&world, "sales", "20:04:00");
    let (ended, time) = lasting(|| built(&world, "20:05:00"));
    assert_eq!(ended.stderr.lines().count(), 3, "{}", ended.stderr);
    // The first build waited for the ping as long.
    assert!(
        time < usual + Duration::from_millis(1500),
        "{time:?}, {usual:?}"
    );
    assert!(usual < Duration::from_secs(6), "{usual:?}");
    assert_eq!(world.verdict("sales"), "red failed");
}

/// Waits until something is so.
fn until(so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it never is");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn begun(world: &Sandbox, at: &str) -> Child {
    let moment = format!("2026-11-22T{at}Z");
    let mut command = world.command(&[
        "build",
        "--out",
        "site",
        "--state-dir",
        "state",
        "-q",
        "--now",
        &moment,
    ]);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_build_that_is_killed_after_it_has_decided_loses_nothing() {
    let receiver = Receiver::of_http();
    receiver.turn("hangs");
    let world = hooked(&receiver, "timeout = \"50s\"");
    fails(&world, "sales", "20:04:00");
    let mut child = begun(&world, "20:05:00");
    until(|| !receiver.received().is_empty());
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    receiver.turn("200");
    quietly_built(&world, "20:10:00");
    assert_eq!(told(&receiver), ["problem Sales is failing"]);
    let keys = receiver.heard("key");
    assert_eq!(
        keys[0], keys[1],
        "whoever got the first can tell that it is the same"
    );
    quietly_built(&world, "20:15:00");
    assert_eq!(receiver.received().len(), 2);
}

/// Whenever it dies: the message is delivered by this build or the next, under one key.
#[test]
fn a_build_that_is_killed_at_any_moment_loses_nothing() {
    let campaign = Campaign::named("alerts", "builds killed around an alert");
    let receiver = Receiver::of_http();
    for step in campaign.steps(12, 300) {
        let world = hooked(&receiver, "");
        let ((), usual) = lasting(|| quietly_built(&world, "20:04:00"));
        fails(&world, "sales", "20:04:30");
        let before = receiver.received().len();
        let mut child = begun(&world, "20:05:00");
        // Publishing and telling are at the end.
        std::thread::sleep(usual.mul_f64(0.5 + step.random().f64() * 0.7));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        step.count("kills", usize::from(!child.wait().unwrap().success()));
        // The same moment, so that also what was never decided gets the same key.
        quietly_built(&world, "20:05:00");
        quietly_built(&world, "20:10:00");
        let mut keys = receiver.heard("key").split_off(before);
        assert!(!keys.is_empty(), "it is lost");
        keys.dedup();
        assert_eq!(keys.len(), 1);
    }
    campaign.ends(&format!("{} kills", campaign.tally("kills")));
}

#[test]
fn a_file_that_is_damaged_means_that_what_is_wrong_is_told_once_more() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    fails(&world, "sales", "20:04:00");
    quietly_built(&world, "20:05:00");
    let damage = || {
        let files = kept(&world);
        let file = files
            .iter()
            .find(|file| file.extension().unwrap() == "json")
            .unwrap();
        let text = fs::read_to_string(file).unwrap();
        fs::write(
            file,
            text.replacen("red", "rid", 1).replacen("2026", "2062", 1),
        )
        .unwrap();
    };
    damage();
    let ended = built(&world, "20:10:00");
    let said = &ended.stderr;
    assert!(
        said.starts_with("syncmon: what people were told is not known any more: "),
        "{said}"
    );
    assert!(
        said.ends_with("is damaged: it is begun anew, and what is wrong now is told again\n"),
        "{said}"
    );
    quietly_built(&world, "20:15:00");
    succeeds(&world, "sales", "20:16:00");
    quietly_built(&world, "20:20:00");
    assert_eq!(
        told(&receiver),
        [
            "problem Sales is failing",
            "problem Sales is failing",
            "recovery All 2 syncs are up to date again"
        ]
    );
    // Where all is well by then, that is told instead.
    fails(&world, "sales", "20:21:00");
    quietly_built(&world, "20:25:00");
    damage();
    succeeds(&world, "sales", "20:26:00");
    built(&world, "20:30:00");
    quietly_built(&world, "20:35:00");
    assert_eq!(told(&receiver)[4..], ["afresh All 2 syncs are up to date"]);
}

#[test]
fn a_state_directory_that_takes_nothing_delays_alerts_and_fails_as_without_them() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    quietly_built(&world, "20:03:00");
    fails(&world, "sales", "20:04:00");
    // Root may write everywhere, but not over a folder.
    let place = kept(&world)
        .into_iter()
        .find(|file| file.extension().unwrap() == "lock");
    let lock = place.unwrap();
    let file = lock.with_extension("json");
    fs::create_dir(&file).unwrap();
    let ended = built(&world, "20:05:00");
    assert!(
        ended.stderr.contains("nobody is alerted by this build: "),
        "{}",
        ended.stderr
    );
    assert_eq!(told(&receiver), [""; 0]);
    fs::remove_dir(&file).unwrap();
    quietly_built(&world, "20:10:00");
    assert_eq!(told(&receiver), ["problem Sales is failing"]);
}

#[test]
fn each_database_has_its_own_alerts() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    fails(&world, "sales", "20:04:00");
    quietly_built(&world, "20:05:00");
    let another = format!("sqlite:{}", world.path("another.sqlite").display());
    fs::copy(world.path("sync.sqlite"), world.path("another.sqlite")).unwrap();
    let world = world.with_url(&another);
    quietly_built(&world, "20:05:00");
    assert_eq!(told(&receiver), ["problem Sales is failing"; 2]);
    let keys = receiver.heard("key");
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn two_builds_at_once_tell_people_once() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    quietly_built(&world, "20:03:00");
    fails(&world, "sales", "20:04:00");
    let build = |out: &str| {
        world
            .command(&[
                "build",
                "--out",
                out,
                "--state-dir",
                "state",
                "-q",
                "--now",
                NOW,
            ])
            .spawn()
            .unwrap()
    };
    let builds: Vec<_> = ["site", "second", "third"].map(build).into();
    for mut child in builds {
        assert!(child.wait().unwrap().success());
    }
    quietly_built(&world, "20:10:00");
    assert_eq!(told(&receiver), ["problem Sales is failing"]);
}

#[test]
fn nobody_is_told_of_a_demo_and_nothing_is_kept_where_nothing_is_configured() {
    let receiver = Receiver::of_http();
    let demo = hooked(&receiver, "")
        .env("SYNCMON_PING_URL", &hook(&receiver))
        .arg("--demo");
    demo.build();
    assert_eq!(receiver.received(), [] as [Value; 0]);
    assert_eq!(kept(&demo).len(), 0);
    let world = world("");
    fails(&world, "sales", "20:04:00");
    quietly_built(&world, "20:05:00");
    assert_eq!(kept(&world).len(), 0);
    assert_eq!(world.status().get("alerts"), None);
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_touched() {
    let hook = "[alerts.webhook]";
    let mail = "[alerts.email]\nto = [\"a@b.org\"]\nfrom = \"a@b.org\"\nhost = \"localhost\"\n";
    for (title, alerts, variables) in [
        ("alerts: a webhook without an address", hook, vec![]),
        (
            "alerts: an address that is not encrypted",
            hook,
            vec![("SYNCMON_WEBHOOK_URL", "http://example.org/S3cret")],
        ),
        (
            "alerts: a ping that is no address",
            "",
            vec![("SYNCMON_PING_URL", "S3cret")],
        ),
        (
            "alerts: a password without a user",
            mail,
            vec![("SYNCMON_SMTP_PASSWORD", "S3cret")],
        ),
        (
            "alerts: no file of authorities",
            &format!("{mail}ca_file = \"missing.pem\""),
            vec![],
        ),
        (
            "alerts: a file of authorities without one",
            &format!("{mail}ca_file = \"syncmon.toml\""),
            vec![],
        ),
    ] {
        let mut world = world(alerts);
        for (name, value) in variables {
            world = world.env(name, value);
        }
        let ended = world.build_at(NOW);
        assert_eq!(ended.code, 2, "{title}: {ended:?}");
        assert!(!ended.stderr.contains("S3cret"), "{}", ended.stderr);
        assert!(!world.path("site").exists());
        golden::section("messages.txt", title, ended.stderr.trim_end());
    }
}

#[test]
fn the_address_of_the_webhook_is_shown_nowhere() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "timeout = \"2s\"").env("SYNCMON_PING_URL", &hook(&receiver));
    fails(&world, "sales", "20:04:00");
    let mut shown = String::new();
    for manner in ["500", "hangs", "302", "200"] {
        receiver.turn(manner);
        let arguments = [
            "build",
            "--out",
            "site",
            "--state-dir",
            "state",
            "-v",
            "--now",
            NOW,
        ];
        let ended = world.run(&arguments);
        shown += &ended.stdout;
        shown += &ended.stderr;
        shown += &world.run(&["notify", "--test"]).stdout;
        for secret in SECRET_PATH.split('/') {
            is_in_no_file(&world, secret);
        }
    }
    for secret in SECRET_PATH.split('/') {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("webhook: ok"), "{shown}");
}

#[test]
fn no_secret_is_in_the_list_of_processes() {
    let receiver = Receiver::of_http();
    receiver.turn("hangs");
    let world = hooked(&receiver, "timeout = \"50s\"");
    fails(&world, "sales", "20:04:00");
    let mut child = begun(&world, "20:05:00");
    until(|| !receiver.received().is_empty());
    let shown = processes().join("\n");
    assert!(shown.contains("syncmon build"), "{shown}");
    assert!(!shown.contains("b0SECRETb0"), "{shown}");
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
}

#[test]
fn a_sign_of_life_follows_each_build() {
    let receiver = Receiver::of_http();
    let address = format!("http://127.0.0.1:{}/S3cret-check?rid=7", receiver.port);
    let world = world("[alerts]\ntimeout = \"2s\"").env("SYNCMON_PING_URL", &address);
    fails(&world, "sales", "20:04:00");
    quietly_built(&world, "20:05:00");
    fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
    assert_eq!(world.build_at(NOW).code, 75);
    fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
    // A directory of somebody else's is a usage error: nothing was built, and that will be noticed.
    fs::create_dir(world.path("other")).unwrap();
    fs::write(world.path("other/file"), "").unwrap();
    let refused = world.run(&["build", "--out", "other", "--state-dir", "state"]);
    assert_eq!(refused.code, 2);
    // A report that cannot be printed is a failure.
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = world.command(&[
        "build",
        "--out",
        "site",
        "--state-dir",
        "state",
        "--now",
        NOW,
    ]);
    assert_eq!(
        command.stdout(full).output().unwrap().status.code(),
        Some(1)
    );
    assert_eq!(
        receiver.heard("path"),
        [
            "/S3cret-check?rid=7",
            "/S3cret-check/fail?rid=7",
            "/S3cret-check/fail?rid=7"
        ]
    );
    assert_eq!(kept(&world).len(), 0);

    receiver.turn("500");
    complaint(
        "alerts: the sign of life is refused",
        &built(&world, "20:10:00"),
    );
    receiver.turn("hangs");
    let (ended, time) = lasting(|| built(&world, "20:15:00"));
    complaint("alerts: the sign of life hangs", &ended);
    assert!(time < Duration::from_secs(6), "{time:?}");
    assert!(!ended.stderr.contains("S3cret"));
}

#[test]
fn both_databases_tell_the_same() {
    let receiver = Receiver::of_http();
    for world in Sandbox::both() {
        let alerts = "[[entities]]\nentity_type = \"sales\"\n[alerts.webhook]\n";
        let world = world
            .file("syncmon.toml", alerts)
            .env("SYNCMON_WEBHOOK_URL", &hook(&receiver));
        world.execute(&run("sales", "failed", "2026-11-22 20:00:00"));
        quietly_built(&world, "20:05:00");
    }
    let bodies = receiver.heard("body");
    let without_key = |body: &str| {
        let mut body: Value = serde_json::from_str(body).unwrap();
        body["key"].take();
        body
    };
    assert_eq!(without_key(&bodies[0]), without_key(&bodies[1]));
}
