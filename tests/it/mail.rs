//! Alerts by e-mail, through a real server that insists on encryption and a password.

use std::time::Duration;

use crate::alerted::{built, fails, lasting, quietly_built, succeeds, world};
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::receivers::{PASSWORD, Receiver};
use crate::sandbox::{Ended, Sandbox};

/// A world whose alerts go to two people through this port.
fn mailed(server: &Receiver, port: u16) -> Sandbox {
    world(&format!(
        "[alerts]
         timeout = \"3s\"
         [alerts.email]
         to = [\"ana@example.org\", \"Bo Li <bo@example.org>\"]
         from = \"Sync status <syncmon@example.org>\"
         host = \"localhost\"
         port = {port}
         ca_file = \"{}\"",
        server.authority().display()
    ))
    .env("SYNCMON_SMTP_USER", "mailer")
    .env("SYNCMON_SMTP_PASSWORD", PASSWORD)
}

/// The only line of a build that could not tell people, without what differs from run to run.
#[track_caller]
fn complaint(ended: &Ended, port: u16) -> String {
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains(PASSWORD), "{}", ended.stderr);
    ended.stderr.trim_end().replace(&port.to_string(), "PORT")
}

fn messages(title: &str, line: &str) {
    golden::section("messages.txt", title, line);
}

#[test]
fn a_mail_says_in_the_words_of_the_page_what_is_wrong_and_that_it_is_over() {
    let server = Receiver::of_mail();
    let world = mailed(&server, server.port);
    quietly_built(&world, "20:05:00");
    assert_eq!(server.heard("subject"), [""; 0]);

    fails(&world, "sales", "20:08:00");
    quietly_built(&world, "20:10:00");
    // Both get the same mail, each for itself.
    assert_eq!(
        server.heard("recipients"),
        ["[\"ana@example.org\"]", "[\"bo@example.org\"]"]
    );
    let mail = server.received().remove(0);
    assert_eq!(mail["subject"], "Sync status: Sales is failing");
    assert_eq!(mail["to"], "ana@example.org, Bo Li <bo@example.org>");
    assert_eq!(mail["from"], "Sync status <syncmon@example.org>");
    assert_eq!(mail["auto_submitted"], "auto-generated");
    assert_eq!(mail["date"], "Sun, 22 Nov 2026 20:10:00 +0000");
    golden::file(
        "mail.txt",
        &mail["text"].as_str().unwrap().replace("\r\n", "\n"),
    );

    quietly_built(&world, "20:15:00");
    succeeds(&world, "sales", "20:16:00");
    quietly_built(&world, "20:20:00");
    assert_eq!(
        server.heard("subject")[2..],
        ["Sync status: All 2 syncs are up to date again"; 2]
    );
    let mail = server.received().remove(2);
    let lasted =
        "The problem lasted 10 min: from Sunday 22 November, 12:10 to Sunday 22 November, 12:20.";
    assert!(mail["text"].as_str().unwrap().contains(lasted), "{mail}");
    let ids = server.heard("message_id");
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert!(ids[0].starts_with("<syncmon-") && ids[0].ends_with("@example.org>"));
}

#[test]
fn a_server_that_is_encrypted_from_the_beginning_gets_mail_too() {
    let server = Receiver::of_mail_over_tls();
    let world = mailed(&server, server.port);
    let configuration = std::fs::read_to_string(world.path("syncmon.toml")).unwrap();
    let world = world.file("syncmon.toml", &format!("{configuration}\ntls = \"tls\""));
    fails(&world, "sales", "20:04:00");
    quietly_built(&world, "20:05:00");
    assert_eq!(
        server.heard("subject"),
        ["Sync status: Sales is failing"; 2]
    );
}

#[test]
fn a_password_that_is_refused_is_said_on_the_page_and_nowhere_shown() {
    let server = Receiver::of_mail();
    let wrong = "wr0ng S3cret & more";
    let world = mailed(&server, server.port).env("SYNCMON_SMTP_PASSWORD", wrong);
    fails(&world, "sales", "20:04:00");
    let ended = built(&world, "20:05:00");
    messages(
        "alerts: the mail server refuses the password",
        &complaint(&ended, server.port),
    );
    let ended = world.run(&[
        "build",
        "--out",
        "site",
        "--state-dir",
        "state",
        "--now",
        "2026-11-22T20:10:00Z",
        "-v",
    ]);
    for text in [wrong, "wr0ng", "AG1haWxlcg"] {
        assert!(!ended.stderr.contains(text), "{}", ended.stderr);
        assert!(!ended.stdout.contains(text), "{}", ended.stdout);
        crate::receivers::is_in_no_file(&world, text);
    }
    let page = world.page("index.html");
    let said = "Alerts are not getting out by e-mail to ana@example.org since Sunday 22 November, 12:05. The mail \
                server did not accept the user or the password. 1 message waits; each build tries again.";
    assert!(page.contains(said), "{page}");
    let undelivered = &world.status()["alerts"]["undelivered"];
    assert_eq!(undelivered[0]["channel"], "e-mail to ana@example.org");
    assert_eq!(undelivered[0]["since"], "2026-11-22T20:05:00Z");
    assert_eq!(undelivered[1]["waiting"], 1);

    let world = world.env("SYNCMON_SMTP_PASSWORD", PASSWORD);
    quietly_built(&world, "20:15:00");
    assert_eq!(
        server.heard("subject"),
        ["Sync status: Sales is failing"; 2]
    );
    // What the page says was so when it was built.
    assert!(
        world
            .page("index.html")
            .contains("Alerts are not getting out")
    );
    quietly_built(&world, "20:20:00");
    assert!(
        !world
            .page("index.html")
            .contains("Alerts are not getting out")
    );
    assert_eq!(
        world.status()["alerts"]["undelivered"],
        serde_json::json!([])
    );
    assert_eq!(server.received().len(), 2, "nothing is sent twice");
}

#[test]
fn mail_that_is_greylisted_is_sent_again_by_the_next_build_as_the_same_mail() {
    let server = Receiver::of_mail();
    let world = mailed(&server, server.port);
    fails(&world, "sales", "20:04:00");
    server.turn("greylists");
    let ended = built(&world, "20:05:00");
    messages(
        "alerts: the mail server greylists",
        &complaint(&ended, server.port),
    );
    server.turn("open");
    quietly_built(&world, "20:10:00");
    quietly_built(&world, "20:15:00");
    assert_eq!(
        server.heard("outcome"),
        ["later", "later", "taken", "taken"]
    );
    let ids = server.heard("message_id");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let dates = server.heard("date");
    assert_eq!(
        dates[3], "Sun, 22 Nov 2026 20:05:00 +0000",
        "when it was decided"
    );
}

#[test]
fn a_mailbox_that_is_gone_keeps_nobody_else_from_being_told() {
    let server = Receiver::of_mail();
    let world = mailed(&server, server.port);
    fails(&world, "sales", "20:04:00");
    server.turn("refuses ana@example.org");
    let ended = built(&world, "20:05:00");
    messages(
        "alerts: the mail server refuses a mailbox",
        &complaint(&ended, server.port),
    );
    assert_eq!(server.heard("recipients"), ["[\"bo@example.org\"]"]);
    // Later messages are tried, too.
    fails(&world, "inventory", "20:08:00");
    built(&world, "20:10:00");
    server.turn("open");
    quietly_built(&world, "20:15:00");
    assert_eq!(
        server.heard("recipients"),
        ["bo", "bo", "ana", "ana"].map(|who| format!("[\"{who}@example.org\"]"))
    );
    assert_eq!(
        server.heard("subject")[2..],
        [
            "Sync status: Sales is failing",
            "Sync status: Worse: Sales is failing, Inventory is failing"
        ]
    );
}

#[test]
fn a_server_that_is_slow_silent_or_gone_costs_no_more_than_the_configured_time() {
    let server = Receiver::of_mail();
    let gate = Gate::before(server.port);
    let world = mailed(&server, gate.port);
    let ((), usual) = lasting(|| quietly_built(&world, "20:05:00"));
    fails(&world, "sales", "20:06:00");
    for (minute, title, manner) in [
        (10, "refuses connections", Manner::Refusing),
        (15, "says nothing", Manner::Silent),
        (20, "says a byte a second", Manner::TrickleAfter(10)),
        (25, "ends the connection", Manner::CutAfter(100)),
    ] {
        gate.turn(manner);
        let (ended, time) = lasting(|| built(&world, &format!("20:{minute}:00")));
        let line = complaint(&ended, gate.port);
        messages(&format!("alerts: the mail server {title}"), &line);
        let bound = usual + Duration::from_secs(3) + Duration::from_secs(2);
        assert!(time < bound, "{title}: {time:?}, usually {usual:?}");
    }
    gate.turn(Manner::Open);
    server.turn("slow");
    let (ended, time) = lasting(|| built(&world, "20:35:00"));
    messages(
        "alerts: the mail server is slow",
        &complaint(&ended, gate.port),
    );
    assert!(time < usual + Duration::from_secs(5), "{time:?}");
    server.turn("open");
    quietly_built(&world, "20:40:00");
    assert_eq!(
        server.heard("subject"),
        ["Sync status: Sales is failing"; 2]
    );
}

#[test]
fn nothing_is_said_to_a_server_that_is_not_the_right_one_or_does_not_encrypt() {
    let server = Receiver::of_mail();
    let another = Receiver::of_mail();
    let world = mailed(&another, server.port);
    fails(&world, "sales", "20:04:00");
    let ended = built(&world, "20:05:00");
    messages(
        "alerts: the mail server is not trusted",
        &complaint(&ended, server.port),
    );
    let naked = Receiver::of_mail_in_the_clear();
    let plain = Gate::before(naked.port);
    let world = mailed(&naked, plain.port);
    fails(&world, "sales", "20:04:00");
    let ended = built(&world, "20:05:00");
    messages(
        "alerts: the mail server does not encrypt",
        &complaint(&ended, plain.port),
    );
    let heard = String::from_utf8_lossy(&plain.heard()).into_owned();
    assert!(heard.contains("EHLO"), "{heard}");
    assert!(
        !heard.contains("AUTH") && !heard.contains("MAIL"),
        "{heard}"
    );
    assert_eq!(server.heard("subject"), [""; 0]);
    assert_eq!(naked.heard("subject"), [""; 0]);
}

#[test]
fn a_password_that_the_server_repeats_is_masked() {
    let server = Receiver::of_mail();
    let world = mailed(&server, server.port);
    fails(&world, "sales", "20:04:00");
    server.turn("repeats the password");
    let ended = built(&world, "20:05:00");
    messages(
        "alerts: the mail server repeats the password",
        &complaint(&ended, server.port),
    );
    crate::receivers::is_in_no_file(&world, PASSWORD);
}

#[test]
fn a_test_goes_to_everybody_and_says_of_each_how_it_went() {
    let server = Receiver::of_mail();
    let world = mailed(&server, server.port);
    let ended = world.succeeds(&["notify", "--test"]);
    assert_eq!(
        ended.stdout,
        "e-mail to ana@example.org: ok\ne-mail to bo@example.org: ok\n"
    );
    assert_eq!(
        server.heard("subject"),
        ["Sync status: This is a test; nothing is wrong"; 2]
    );
    server.turn("refuses bo@example.org");
    let ended = world.run(&["notify", "--test"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("ana@example.org: ok\n"), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("bo@example.org: the mail server localhost"),
        "{ended:?}"
    );
    let world = Sandbox::bare();
    let ended = world.run(&["notify", "--test"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    messages("alerts: a test without a channel", ended.stderr.trim_end());
}
