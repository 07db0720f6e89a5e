//! A configuration that is none: refused in one line, in little time and memory, or shown harmlessly.

use std::fs;
use std::os::unix::net::UnixListener;

use crate::campaign::Campaign;
use crate::folders::build_into;
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{ended, shell, through};

/// Half a gigabyte of addresses and some seconds of a slow processor are all that a build may ask for.
const LITTLE: [&str; 4] = ["sh", "-c", LIMITS, "sh"];
const LIMITS: &str = "ulimit -v 524288; ulimit -t 20; exec \"$@\"";

fn published() -> Sandbox {
    let world = Sandbox::sqlite();
    succeeds(&world);
    world
}

fn succeeds(world: &Sandbox) {
    world.succeeds(&build_into("site", NOW));
}

fn build(world: &Sandbox) -> Ended {
    let build = world.command(&build_into("site", NOW));
    ended(&mut through(&LITTLE, &build))
}

fn is_refused(world: &Sandbox, title: &str) {
    let title = format!("configuration: {title}");
    let said = crate::wrapped::is_refused(world, &title, || build(world));
    assert!(!said.contains("S3cretPw"), "{title}: {said}");
}

/// Each "title: configuration" is refused.
fn are_refused(configurations: &str) {
    let world = published();
    for line in configurations.trim().lines() {
        let (title, text) = line.split_once(": ").unwrap();
        write(&world, text);
        is_refused(&world, title);
    }
}

fn write(world: &Sandbox, content: impl AsRef<[u8]>) {
    fs::write(world.path("syncmon.toml"), content).unwrap();
}

/// As many entities, each with something more in its table.
fn entities(number: usize, more: &str) -> String {
    let tables = (0..number).map(|index| table(&format!("e{index}")) + more);
    tables.collect()
}

fn table(entity_type: &str) -> String {
    format!("[[entities]]\nentity_type = \"{entity_type}\"\n")
}

#[test]
fn what_is_no_file_is_never_read_from() {
    let world = published();
    for (title, make) in [
        ("it is a directory", "mkdir"),
        ("it is a device", "ln -s /dev/zero"),
        ("it is a link to nowhere", "ln -s nowhere.toml"),
        ("it is a link to itself", "ln -s syncmon.toml"),
        ("it is a pipe that nobody writes to", "mkfifo"),
    ] {
        shell(&world, &format!("rm -rf syncmon.toml; {make} syncmon.toml"));
        is_refused(&world, title);
    }
    shell(&world, "rm syncmon.toml");
    let bound = UnixListener::bind(world.path("syncmon.toml")).unwrap();
    is_refused(&world, "it is a socket");
    drop(bound);

    let link = "echo 'title = \"Linked\"' > mine.toml; ln -sf mine.toml syncmon.toml";
    shell(&world, link);
    succeeds(&world);
    assert!(world.page("index.html").contains("Linked"));
}

#[test]
fn what_is_too_large_is_not_read_to_its_end() {
    let world = published();
    shell(&world, "truncate -s 100M syncmon.toml");
    is_refused(&world, "it has 100 MB");
    write(&world, "# comment\n".repeat(104_858));
    is_refused(&world, "it has a few bytes more than 1 MiB");
    write(&world, format!("{}\n", "#".repeat(1024 * 1024 - 1)));
    succeeds(&world);
    let keys = (0..115_000).map(|index| format!("k{index}=1\n"));
    let keys: String = keys.collect();
    assert!((900_000..1024 * 1024).contains(&keys.len()));
    write(&world, keys);
    is_refused(&world, "it has as many keys as fit");
    write(&world, entities(25_000, ""));
    is_refused(&world, "it has 25,000 entities");
    write(&world, entities(1001, ""));
    is_refused(&world, "it has 1,001 entities");
}

#[test]
fn as_many_entities_as_are_allowed_can_be_shown() {
    let world = published();
    let campaign = Campaign::named("configuration", "as many entities as are allowed");
    let number = campaign.size(50, 1000);
    write(&world, entities(number, "overdue_after = \"1day\"\n"));
    let ended = world.succeeds(&build_into("site", NOW));
    assert_eq!(ended.stderr, "");
    let shown = world.status()["entities"].as_array().unwrap().len();
    assert_eq!(shown, number);
    let last = world.page(&format!("entities/e{}.html", number - 1));
    assert!(last.contains(&format!("E{}", number - 1)));
    campaign.ends(&format!("{number} entities"));
}

#[test]
fn what_is_no_text_is_refused_with_the_line() {
    let world = published();
    let texts: [(&str, &[u8]); 7] = [
        ("it is not UTF-8", b"title = \"x\"\nname = \"caf\xe9\""),
        ("it is UTF-16", b"\xff\xfet\0i\0t\0l\0e\0=\0"),
        ("it holds NUL bytes", b"title = \"x\"\n\0\0\0\0"),
        ("a value holds a NUL byte", b"title = \"a\0b\""),
        ("a line is nothing but an escape sequence", b"\n\x1b[2J"),
        ("it is a program", b"\x7fELF\x02\x01\x01\0\0\x03\0>\0\x80"),
        (
            "lines end in nothing but CR",
            b"title = \"x\"\rinterval = \r",
        ),
    ];
    for (title, content) in texts {
        write(&world, content);
        is_refused(&world, title);
    }
}

#[test]
fn what_editors_leave_behind_is_read_all_the_same() {
    let world = published();
    let marked = "\u{feff}title = \"Marked\"\r\n\r\n";
    let text = format!("{marked}[[entities]]\r\nentity_type = \"sales\"\r\n");
    write(&world, text);
    let ended = build(&world);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(world.page("index.html").contains("Marked"));
    assert_eq!(world.entity("sales")["name"], "Sales");
    write(&world, format!("{marked}interval = \"soon\"\r\n"));
    is_refused(&world, "a mistake after a byte order mark and CRLF");
}

#[test]
fn depth_does_not_overflow_the_stack() {
    let world = published();
    let many = 200_000;
    let nested =
        |open: &str, close: &str| format!("x = {}1{}", open.repeat(many), close.repeat(many));
    let endless = format!("x = {}", "[".repeat(900_000));
    let parts = "a.".repeat(400_000);
    let (key, header) = (format!("{parts}a = 1"), format!("[{parts}a]"));
    for (title, text) in [
        ("arrays in arrays", nested("[", "]")),
        ("arrays without an end", endless),
        ("tables in tables", nested("{a=", "}")),
        ("a key of many parts", key),
        ("a header of many parts", header),
    ] {
        write(&world, text);
        is_refused(&world, title);
    }
}

#[test]
fn names_that_mislead_or_have_no_end_are_refused() {
    are_refused(
        r#"
an empty title: title = " "
a title with an escape sequence: title = "\u001b[31mred"
a title of two lines: title = "one\ntwo"
a title that turns the writing round: title = "a\u202eb"
a name with a mark of direction: entities = [{ entity_type = "sales", name = "\u200fSales" }]
a name with a control character: entities = [{ entity_type = "sales", name = "Sales\u0007" }]
a table with a line end: entities = [{ entity_type = "sales", table = "a\nb" }]
an entity_type with a NUL: entities = [{ entity_type = "a\u0000" }]
an unknown key with an escape sequence: "\u001b[2J" = 1
a connection string: postgres://ro:S3cretPw@db.example.org/app
a connection string as a key: url = "postgres://ro:S3cretPw@h/app"
a password for a number: interval = { password = "S3cretPw" }
a time zone that is a path: time_zone = "../../etc/passwd""#,
    );
    let world = published();
    let megabyte = "x".repeat(1_000_000);
    let long_name = table("sales") + &format!("name = \"{}\"", "é".repeat(201));
    for (title, text) in [
        ("a title of 1 MB", format!("title = \"{megabyte}\"")),
        ("a name of 201 characters", long_name),
        ("an entity_type of 1 MB", table(&megabyte)),
        ("an unknown key of 1 MB", format!("{megabyte} = 1")),
        ("a time zone of 1 MB", format!("time_zone = \"{megabyte}\"")),
        ("a line of 1 MB", megabyte),
    ] {
        write(&world, text);
        is_refused(&world, title);
    }
}

/// Whatever else a duration may say is tried where it is read.
#[test]
fn durations_beyond_all_bounds_are_refused() {
    are_refused(
        r#"
an interval of eternity: interval = "9223372036854775807 years"
an interval that adds up to too much: interval = "18446744073709551615s 1s"
an interval of no time: interval = "999ms"
a threshold in other digits: late_after = "２h"
a threshold that is a number: late_after = 1e308
a build of a month: build_timeout = "30days""#,
    );
    let world = published();
    write(&world, format!("interval = \"{}\"", "1y ".repeat(300_000)));
    is_refused(&world, "an interval of 300,000 years, one by one");
}

#[test]
fn the_longest_of_everything_works_on_both_databases() {
    for world in Sandbox::both() {
        let thresholds = ["interval", "late_after", "overdue_after", "stuck_after"];
        let thresholds = thresholds.map(|name| format!("{name} = \"3660days\"\n"));
        let timeouts = "connect_timeout = \"1day\"\nbuild_timeout = \"1day\"\n";
        write(&world, thresholds.concat() + timeouts);
        for now in [NOW, "1970-01-01T00:00:00Z", "9998-12-30T00:00:00Z"] {
            let ended = world.build_at(now);
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{now}");
        }
    }
}

#[test]
fn markup_in_names_is_shown_and_never_followed() {
    let world = published();
    let attack = r#"<script>alert(1)</script>"><img src=x> {{ 7*7 }} {% include "x" %} &amp;"#;
    let entity = ["entity_type", "name", "table"].map(|key| format!("{key} = '{attack}'\n"));
    let text = format!("title = '{attack}'\n[[entities]]\n{}", entity.concat());
    write(&world, text);
    let ended = build(&world);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(world.entity(attack)["name"], attack);
    let mut pages = 0;
    for (path, bytes) in world.site() {
        let page = String::from_utf8(bytes).unwrap();
        if page.starts_with("<!DOCTYPE html>") {
            let own = page.matches("<script src=\"").count();
            assert_eq!(page.matches("<script").count(), own, "{path}: our own");
            assert!(!page.contains("<img") && !page.contains(" 49 "), "{path}");
            assert!(page.contains("&lt;script&gt;alert(1)"), "{path}");
            assert!(page.contains("{{ 7*7 }}"), "{path}");
            pages += 1;
        }
    }
    // The overview, the one entity, and the history of seven days.
    assert_eq!(pages, 11);
}
