//! Who is told what, and that nothing is forgotten: webhooks and commands, and what is kept in between.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::alerted::{
    SECRET_PATH, built, complains, fails, happens, hook, hooked, kept, lasting, quietly_built,
    succeeds, world,
};
use crate::campaign::Campaign;
use crate::folders::build_into;
use crate::golden::{self, Told};
use crate::receivers::{Receiver, is_in_no_file};
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{end_of, ended, shell, spawned, until};

/// "problem Sales is failing", in the order in which they arrived and were accepted, is all that was told.
#[track_caller]
fn is_told(receiver: &Receiver, expected: &[&str]) {
    let requests = receiver.received();
    let accepted = |line: &&Value| line["manner"] == "200" && line["method"] == "POST";
    let bodies = requests.iter().filter(accepted).map(|line| &line["body"]);
    let told = bodies.map(|body| format!("{} {}", body["event"], body["subject"]).replace('"', ""));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

const FAILING: &str = "problem Sales is failing";
const WORSE: &str = "worse Worse: Sales is failing, Inventory is failing";
const RECOVERED: &str = "recovery All 2 syncs are up to date again";

#[test]
fn one_message_for_a_problem_one_when_it_gets_worse_and_one_when_it_is_over() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "remind = \"1h\"");
    let events = "20:05 builds, 20:06 sales fails, 20:10 builds, 20:15 builds, 21:09 builds, 21:10 builds, \
        21:15 builds, 21:16 inventory fails, 21:20 builds, 21:21 sales succeeds, 21:25 builds, \
        21:26 inventory succeeds, 21:30 builds";
    happens(&world, events);
    let still = "reminder Still: Sales is failing";
    is_told(&receiver, &[FAILING, still, WORSE, RECOVERED]);
    let first = receiver.received().remove(0);
    assert_eq!(first["key"], first["body"]["key"]);
    assert_eq!(first["kind"], "application/json");
    let mut body = first["body"].clone();
    let text = body["text"].take();
    assert!(text.as_str().unwrap().starts_with("Sales is failing.\n\n"));
    body["key"].take();
    let body = serde_json::to_string_pretty(&body).unwrap();
    golden::file("webhook.json", &(body + "\n"));
    assert_eq!(receiver.received()[3]["body"]["lasted_seconds"], 4800);
}

#[test]
fn a_database_that_is_away_is_one_problem_and_not_two_more() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    quietly_built(&world, "20:05:00");
    shell(&world, "mv sync.sqlite elsewhere");
    for at in ["20:10:00", "20:30:00", "23:00:00"] {
        assert_eq!(world.build_at(&format!("2026-11-22T{at}Z")).code, 75);
    }
    assert_eq!(world.verdict("sales"), "yellow late");
    let away = "problem The database cannot be read";
    is_told(&receiver, &[away]);
    let text = receiver.received()[0]["body"]["text"].to_string();
    text.has("The database file could not be opened.");
    text.has("The page shows what was read on Sunday 22 November 2026, 12:05 PST");
    shell(&world, "mv elsewhere sync.sqlite");
    happens(&world, "23:01 sales fails, 23:05 builds");
    let back = "recovery The database can be read again";
    let late = "problem Sales is failing, Inventory is late";
    is_told(&receiver, &[away, back, late]);
}

#[test]
fn what_comes_and_goes_is_told_only_when_it_stays() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "after = 2");
    happens(
        &world,
        "20:10 sales fails, 20:10 builds, 20:20 sales succeeds, 20:20 builds",
    );
    happens(
        &world,
        "20:30 sales fails, 20:30 builds, 20:40 sales succeeds, 20:40 builds",
    );
    is_told(&receiver, &[]);
    happens(&world, "20:50 sales fails, 20:50 builds, 20:55 builds");
    is_told(&receiver, &[FAILING]);
    let since = &receiver.received()[0]["body"]["since"];
    assert_eq!(*since, "2026-11-22T20:50:00Z");
}

#[test]
fn a_receiver_that_fails_is_told_later_in_order_under_the_same_keys() {
    let mut receiver = Receiver::of_http();
    let world = hooked(&receiver, "timeout = \"2s\"");
    happens(&world, "20:05 builds, 20:06 sales fails");
    for (manner, at, title) in [
        ("500", "20:10:00", "the receiver fails"),
        ("hangs", "20:15:00", "the receiver hangs"),
        ("404", "20:20:00", "the receiver is elsewhere"),
        ("302", "20:25:00", "the receiver leads elsewhere"),
    ] {
        receiver.turn(manner);
        complains(&world, at, title);
        fails(&world, "inventory", "20:16:00");
    }
    let said = "Alerts are not getting out by webhook since Sunday 22 November, 12:10. The receiver answered with an \
                error (404). 2 messages wait; each build tries again.";
    world.page("index.html").has(said);
    receiver.turn("200");
    quietly_built(&world, "20:30:00");
    is_told(&receiver, &[FAILING, WORSE]);
    let keys = receiver.heard("key");
    assert_eq!(keys.len(), 6);
    assert!(keys[..5].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_ne!(keys[5], keys[0]);
    quietly_built(&world, "20:35:00");
    world.page("index.html").lacks("not getting out");

    receiver.stop();
    happens(&world, "20:36 sales succeeds, 20:36 inventory succeeds");
    complains(&world, "20:40:00", "the receiver is gone");
    assert_eq!(receiver.received().len(), 6);
}

#[test]
fn a_message_that_is_refused_for_itself_does_not_hold_up_the_others() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    receiver.turn("422");
    let title = "the receiver refuses the message";
    for (entity, at) in [("sales", "20:05:00"), ("inventory", "20:10:00")] {
        fails(&world, entity, "20:04:00");
        complains(&world, at, title);
    }
    assert_eq!(receiver.received().len(), 3, "each is tried at each build");
}

#[test]
fn slack_gets_a_text_in_which_nothing_is_markup() {
    let receiver = Receiver::of_http();
    let slack = "[[entities]]\nentity_type = \"a<b>&*c*\"\n[alerts.webhook]\nformat = \"slack\"";
    let world = world(slack).env("SYNCMON_WEBHOOK_URL", &hook(&receiver));
    quietly_built(&world, "20:05:00");
    let request = receiver.received().remove(0);
    let text = request["body"]["text"].as_str().unwrap();
    let said = "*Sync status: A&lt;b&gt;&amp;∗c∗ has never synced*\nSeen first on Sunday";
    assert!(text.starts_with(said), "{text}");
    text.has("https://status.example.org/sync/");
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
    let alerts = "timeout = \"2s\"\n[alerts.command]\nprogram = \"./tell\"\nargs = [\"a b\"]";
    let world = world(&format!("[alerts]\n{alerts}"));
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
    let given = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    let message: Value = serde_json::from_str(&given("given.json")).unwrap();
    assert_eq!(message["subject"], "Sales is failing");
    assert_eq!(given("given.args"), "a b");
    let environment = given("given.env");
    for part in ["EVENT=problem", "SUBJECT=Sales is failing", "TEXT="] {
        environment.has(&format!("SYNCMON_ALERT_{part}"));
    }
    for secret in ["S3cret", "DATABASE_URL"] {
        environment.lacks(secret);
    }
    built(&world, "20:10:00");
    assert_eq!(given("runs"), "once\n");
}

#[test]
fn a_command_that_fails_is_run_again_by_the_next_build() {
    let world = commanded("echo 'no line to the pager' >&2; exit 3");
    complains(&world, "20:05:00", "the command fails");
    noting(&world, "kill -9 $$");
    complains(&world, "20:10:00", "the command is killed");
    fs::remove_file(world.path("tell")).unwrap();
    complains(&world, "20:15:00", "the command is gone");
    let said = "Alerts are not getting out by command since";
    world.page("index.html").has(said);
    noting(&world, "");
    happens(&world, "20:20 builds, 20:25 builds");
    let runs = fs::read_to_string(world.path("runs")).unwrap();
    assert_eq!(runs, "once\n".repeat(3));
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_has_started() {
    let world = commanded("sleep 610.5 & sleep 610.5");
    complains(&world, "20:05:00", "the command hangs");
    processes().lacks("sleep 610.5");
}

/// The command lines of all processes.
fn processes() -> String {
    let folders = fs::read_dir("/proc").unwrap().flatten();
    let lines = folders.filter_map(|folder| fs::read(folder.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whatever takes its time, the others are being told meanwhile, and the page is there before any of them.
#[test]
fn all_channels_together_take_no_longer_than_the_configured_time() {
    let receiver = Receiver::of_http();
    receiver.turn("hangs");
    let mail_server = TcpListener::bind("127.0.0.1:0").unwrap();
    mail_server.set_nonblocking(true).unwrap();
    let world = world(&format!(
        "[alerts]
         timeout = \"1h\"
         [alerts.webhook]
         [alerts.command]
         program = \"./tell\"
         [alerts.email]
         to = [\"ana@example.org\"]
         from = \"syncmon@example.org\"
         host = \"127.0.0.1\"
         port = {}
         tls = \"none\"",
        mail_server.local_addr().unwrap().port()
    ))
    .env("SYNCMON_WEBHOOK_URL", &hook(&receiver));
    noting(&world, "tail --pid=$PPID -f /dev/null");
    fails(&world, "sales", "20:04:00");
    let mut build = begun(&world, "20:05:00");
    until("all are being told", || {
        let others = !receiver.received().is_empty() && world.path("runs").exists();
        // The connection stays open.
        others && mail_server.accept().map(std::mem::forget).is_ok()
    });
    assert_eq!(world.verdict("sales"), "red failed");
    assert_eq!(build.try_wait().unwrap(), None);
    build.kill().unwrap();
    build.wait().unwrap();
}

fn begun(world: &Sandbox, at: &str) -> Child {
    let moment = format!("2026-11-22T{at}Z");
    spawned(&mut world.command(&build_into("site", &moment)))
}

#[test]
fn a_build_that_is_killed_after_it_has_decided_loses_nothing() {
    let receiver = Receiver::of_http();
    receiver.turn("hangs");
    let world = hooked(&receiver, "timeout = \"1h\"");
    fails(&world, "sales", "20:04:00");
    let mut child = begun(&world, "20:05:00");
    until("it tells", || !receiver.received().is_empty());
    let shown = processes();
    shown.has("syncmon build");
    shown.lacks("b0SECRETb0");
    child.kill().unwrap();
    child.wait().unwrap();
    receiver.turn("200");
    quietly_built(&world, "20:10:00");
    is_told(&receiver, &[FAILING]);
    let keys = receiver.heard("key");
    // Whoever got the first can tell that it is the same.
    assert_eq!(keys[0], keys[1]);
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
    campaign.ends("{kills} kills");
}

/// The file that keeps what people were told.
fn memory(world: &Sandbox) -> PathBuf {
    kept(world)[0].with_extension("json")
}

#[test]
fn a_file_that_is_damaged_means_that_what_is_wrong_is_told_once_more() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    happens(&world, "20:04 sales fails, 20:05 builds");
    let damage = || {
        let text = fs::read_to_string(memory(&world)).unwrap();
        let text = text.replacen("red", "rid", 1).replacen("2026", "2062", 1);
        fs::write(memory(&world), text).unwrap();
    };
    damage();
    let said = built(&world, "20:10:00").stderr;
    let begins = "syncmon: what people were told is not known any more: ";
    let ends = "is damaged: it is begun anew, and what is wrong now is told again\n";
    assert!(said.starts_with(begins) && said.ends_with(ends), "{said}");
    happens(&world, "20:15 builds, 20:16 sales succeeds, 20:20 builds");
    // Where all is well by then, that is told instead.
    happens(&world, "20:21 sales fails, 20:25 builds");
    damage();
    succeeds(&world, "sales", "20:26:00");
    built(&world, "20:30:00");
    quietly_built(&world, "20:35:00");
    let afresh = "afresh All 2 syncs are up to date";
    is_told(&receiver, &[FAILING, FAILING, RECOVERED, FAILING, afresh]);
}

#[test]
fn a_state_directory_that_takes_nothing_delays_alerts_and_fails_as_without_them() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    happens(&world, "20:03 builds, 20:04 sales fails");
    // Root may write everywhere, but not over a folder.
    let file = memory(&world);
    fs::create_dir(&file).unwrap();
    built(&world, "20:05:00").has("nobody is alerted by this build: ");
    is_told(&receiver, &[]);
    fs::remove_dir(&file).unwrap();
    quietly_built(&world, "20:10:00");
    is_told(&receiver, &[FAILING]);
}

#[test]
fn each_database_has_its_own_alerts() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    happens(&world, "20:04 sales fails, 20:05 builds");
    let another = format!("sqlite:{}", world.path("another.sqlite").display());
    fs::copy(world.path("sync.sqlite"), world.path("another.sqlite")).unwrap();
    quietly_built(&world.with_url(&another), "20:05:00");
    is_told(&receiver, &[FAILING; 2]);
    let keys = receiver.heard("key");
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn two_builds_at_once_tell_people_once() {
    let receiver = Receiver::of_http();
    let world = hooked(&receiver, "");
    happens(&world, "20:03 builds, 20:04 sales fails");
    let build = |out: &str| spawned(&mut world.command(&build_into(out, NOW)));
    for child in ["site", "second", "third"].map(build) {
        assert_eq!(end_of(child).code, 0);
    }
    quietly_built(&world, "20:10:00");
    is_told(&receiver, &[FAILING]);
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
    happens(&world, "20:04 sales fails, 20:05 builds");
    assert_eq!(kept(&world).len(), 0);
    assert_eq!(world.status().get("alerts"), None);
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_touched() {
    let (hook, http) = ("[alerts.webhook]", "http://example.org/S3cret");
    let mail = "[alerts.email]\nto = [\"a@b.org\"]\nfrom = \"a@b.org\"\nhost = \"localhost\"\n";
    let missing = format!("{mail}ca_file = \"missing.pem\"");
    let empty = format!("{mail}ca_file = \"syncmon.toml\"");
    let [url, ping, password] = ["WEBHOOK_URL", "PING_URL", "SMTP_PASSWORD"];
    for (title, alerts, variable, value) in [
        ("a webhook without an address", hook, "X", ""),
        ("an address that is not encrypted", hook, url, http),
        ("a ping that is no address", "", ping, "S3cret"),
        ("a password without a user", mail, password, "S3cret"),
        ("no file of authorities", &missing, "X", ""),
        ("a file of authorities without one", &empty, "X", ""),
    ] {
        let world = world(alerts).env(&format!("SYNCMON_{variable}"), value);
        let ended = world.build_at(NOW);
        assert_eq!(ended.code, 2, "{title}: {ended:?}");
        ended.stderr.lacks("S3cret");
        assert!(!world.path("site").exists());
        golden::message(&format!("alerts: {title}"), &ended.stderr);
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
        let build = world.run(&[&build_into("site", NOW)[..], &["-v"]].concat());
        let test = world.run(&["notify", "--test"]);
        for ended in [build, test] {
            shown += &(ended.stdout + &ended.stderr);
        }
        for secret in SECRET_PATH.split('/') {
            is_in_no_file(&world, secret);
            shown.lacks(secret);
        }
    }
    shown.has("webhook: ok");
}

#[test]
fn a_sign_of_life_follows_each_build() {
    let receiver = Receiver::of_http();
    let address = format!("http://127.0.0.1:{}/S3cret-check?rid=7", receiver.port);
    let world = world("[alerts]\ntimeout = \"2s\"")
        .env("SYNCMON_PING_URL", &address)
        .file("other/file", "");
    happens(&world, "20:04 sales fails, 20:05 builds");
    shell(&world, "mv sync.sqlite elsewhere");
    assert_eq!(world.build_at(NOW).code, 75);
    shell(&world, "mv elsewhere sync.sqlite");
    // A directory of somebody else's is a usage error: nothing was built, and that will be noticed.
    assert_eq!(world.run(&build_into("other", NOW)).code, 2);
    // A report that cannot be printed is a failure.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = world.command(&build_into("site", NOW));
    assert_eq!(ended(command.stdout(full)).code, 1);
    let ends = ["", "/fail", "/fail"].map(|end| format!("/S3cret-check{end}?rid=7"));
    assert_eq!(receiver.heard("path"), ends);
    assert_eq!(kept(&world).len(), 0);

    receiver.turn("500");
    complains(&world, "20:10:00", "the sign of life is refused");
    receiver.turn("hangs");
    complains(&world, "20:15:00", "the sign of life hangs");
}
