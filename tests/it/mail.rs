//! Alerts by e-mail, through a real server that insists on encryption and a password.

use crate::alerted::{built, complains, fails, happens, quietly_built, world};
use crate::folders::build_into;
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::receivers::{PASSWORD, Receiver, is_in_no_file};
use crate::sandbox::{NOW, Sandbox};

const FAILING: &str = "Sync status: Sales is failing";

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

/// The same, with something to tell.
fn failing(server: &Receiver, port: u16) -> Sandbox {
    let world = mailed(server, port);
    fails(&world, "sales", "20:04:00");
    world
}

#[test]
fn a_mail_says_in_the_words_of_the_page_what_is_wrong_and_that_it_is_over() {
    let server = Receiver::of_mail("");
    let world = mailed(&server, server.port);
    quietly_built(&world, "20:05:00");
    assert_eq!(server.heard("subject"), [""; 0]);

    happens(&world, "20:08 sales fails, 20:10 builds");
    // Both get the same mail, each for itself.
    let both = ["ana", "bo"].map(|who| format!("[\"{who}@example.org\"]"));
    assert_eq!(server.heard("recipients"), both);
    let mail = server.received().remove(0);
    for (header, expected) in [
        ("subject", FAILING),
        ("to", "ana@example.org, Bo Li <bo@example.org>"),
        ("from", "Sync status <syncmon@example.org>"),
        ("auto_submitted", "auto-generated"),
        ("date", "Sun, 22 Nov 2026 20:10:00 +0000"),
    ] {
        assert_eq!(mail[header], expected);
    }
    let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
    golden::file("mail.txt", &text);

    happens(&world, "20:15 builds, 20:16 sales succeeds, 20:20 builds");
    let over = "Sync status: All 2 syncs are up to date again";
    assert_eq!(server.heard("subject")[2..], [over; 2]);
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
    let server = Receiver::of_mail("at once");
    let world = failing(&server, server.port);
    let configuration = std::fs::read_to_string(world.path("syncmon.toml")).unwrap();
    let world = world.file("syncmon.toml", &format!("{configuration}\ntls = \"tls\""));
    quietly_built(&world, "20:05:00");
    assert_eq!(server.heard("subject"), [FAILING; 2]);
}

#[test]
fn a_password_that_is_refused_is_said_on_the_page_and_nowhere_shown() {
    let server = Receiver::of_mail("");
    let wrong = "wr0ng S3cret & more";
    let world = failing(&server, server.port).env("SYNCMON_SMTP_PASSWORD", wrong);
    let title = "the mail server refuses the password";
    complains(&world, "20:05:00", title);
    let ended = world.run(&[&build_into("site", NOW)[..], &["-v"]].concat());
    for text in [wrong, "wr0ng", "AG1haWxlcg"] {
        assert!(!ended.stderr.contains(text), "{}", ended.stderr);
        assert!(!ended.stdout.contains(text), "{}", ended.stdout);
        is_in_no_file(&world, text);
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
    // What the page says was so when it was built.
    for (at, is_said) in [("20:15:00", true), ("20:20:00", false)] {
        quietly_built(&world, at);
        let page = world.page("index.html");
        assert_eq!(page.contains("Alerts are not getting out"), is_said);
        assert_eq!(server.heard("subject"), [FAILING; 2], "nothing twice");
    }
    let undelivered = &world.status()["alerts"]["undelivered"];
    assert_eq!(*undelivered, serde_json::json!([]));
}

#[test]
fn mail_that_is_greylisted_is_sent_again_by_the_next_build_as_the_same_mail() {
    let server = Receiver::of_mail("");
    let world = failing(&server, server.port);
    server.turn("greylists");
    complains(&world, "20:05:00", "the mail server greylists");
    server.turn("open");
    happens(&world, "20:10 builds, 20:15 builds");
    let outcomes = server.heard("outcome");
    assert_eq!(outcomes, ["later", "later", "taken", "taken"]);
    let ids = server.heard("message_id");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let decided = "Sun, 22 Nov 2026 20:05:00 +0000";
    assert_eq!(server.heard("date")[3], decided);
}

#[test]
fn a_mailbox_that_is_gone_keeps_nobody_else_from_being_told() {
    let server = Receiver::of_mail("");
    let world = failing(&server, server.port);
    server.turn("refuses ana@example.org");
    let title = "the mail server refuses a mailbox";
    complains(&world, "20:05:00", title);
    assert_eq!(server.heard("recipients"), ["[\"bo@example.org\"]"]);
    // Later messages are tried, too.
    fails(&world, "inventory", "20:08:00");
    built(&world, "20:10:00");
    server.turn("open");
    quietly_built(&world, "20:15:00");
    let all = ["bo", "bo", "ana", "ana"].map(|who| format!("[\"{who}@example.org\"]"));
    assert_eq!(server.heard("recipients"), all);
    let worse = "Sync status: Worse: Sales is failing, Inventory is failing";
    assert_eq!(server.heard("subject")[2..], [FAILING, worse]);
}

#[test]
fn a_server_that_is_slow_silent_or_gone_costs_no_more_than_the_configured_time() {
    let server = Receiver::of_mail("");
    let gate = Gate::before(server.port);
    let world = failing(&server, gate.port);
    let repeats = "repeats the password";
    for (minute, title, manner, of_server) in [
        (10, "refuses connections", Manner::Refusing, "open"),
        (15, "says nothing", Manner::Silent, "open"),
        (20, "says a byte a second", Manner::TrickleAfter(10), "open"),
        (25, "ends the connection", Manner::CutAfter(100), "open"),
        (35, "is slow", Manner::Open, "slow"),
        (36, repeats, Manner::Open, repeats),
    ] {
        gate.turn(manner);
        server.turn(of_server);
        let title = format!("the mail server {title}");
        complains(&world, &format!("20:{minute}:00"), &title);
    }
    is_in_no_file(&world, PASSWORD);
    server.turn("open");
    let before = server.received().len();
    quietly_built(&world, "20:40:00");
    assert_eq!(server.heard("subject")[before..], [FAILING; 2]);
}

#[test]
fn nothing_is_said_to_a_server_that_is_not_the_right_one_or_does_not_encrypt() {
    let (server, another) = (Receiver::of_mail(""), Receiver::of_mail(""));
    let world = failing(&another, server.port);
    complains(&world, "20:05:00", "the mail server is not trusted");
    let naked = Receiver::of_mail("in the clear");
    let plain = Gate::before(naked.port);
    let world = failing(&naked, plain.port);
    complains(&world, "20:05:00", "the mail server does not encrypt");
    let heard = String::from_utf8_lossy(&plain.heard()).into_owned();
    for (said, expected) in [("EHLO", true), ("AUTH", false), ("MAIL", false)] {
        assert_eq!(heard.contains(said), expected, "{said}: {heard}");
    }
    for server in [server, naked] {
        assert_eq!(server.heard("subject"), [""; 0]);
    }
}

#[test]
fn a_test_goes_to_everybody_and_says_of_each_how_it_went() {
    let server = Receiver::of_mail("");
    let world = mailed(&server, server.port);
    let ended = world.succeeds(&["notify", "--test"]);
    let both = "e-mail to ana@example.org: ok\ne-mail to bo@example.org: ok\n";
    assert_eq!(ended.stdout, both);
    let nothing = "Sync status: This is a test; nothing is wrong";
    assert_eq!(server.heard("subject"), [nothing; 2]);
    server.turn("refuses bo@example.org");
    let ended = world.run(&["notify", "--test"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for said in ["ana@example.org: ok\n", "bo@example.org: the mail server"] {
        assert!(ended.stdout.contains(said), "{ended:?}");
    }
    let ended = Sandbox::bare().run(&["notify", "--test"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    golden::message("alerts: a test without a channel", &ended.stderr);
}
