//! A configuration that is no file, no text or no configuration: refused in one line, in little
//! time and memory, with the old site left as it was; or else shown harmlessly.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::campaign::Campaign;
use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{ended, through};

const BUILD: [&str; 7] = [
    "build",
    "--out",
    "site",
    "--state-dir",
    "state",
    "--now",
    NOW,
];

/// Half a gigabyte of addresses and two seconds of a processor are all that a build may ask for.
const LITTLE: [&str; 4] = [
    "sh",
    "-c",
    "ulimit -v 524288; ulimit -t 2; exec \"$@\"",
    "sh",
];

fn published() -> Sandbox {
    let world = Sandbox::sqlite();
    world.succeeds(&BUILD);
    world
}

fn build(world: &Sandbox) -> Ended {
    ended(&mut through(&LITTLE, &world.command(&BUILD)))
}

/// What `syncmon.toml` is replaced with is refused as the golden file says; the site stays.
fn is_refused(world: &Sandbox, title: &str) -> Ended {
    let before = world.site();
    let started = Instant::now();
    let ended = build(world);
    let elapsed = started.elapsed();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (2, ""),
        "{title}: {ended:?}"
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{title}: {ended:?}");
    let shown = |c: char| !c.is_control() || c == '\n';
    assert!(ended.stderr.chars().all(shown), "{title}: {ended:?}");
    assert!(ended.stderr.len() < 1000, "{title}: {ended:?}");
    assert!(elapsed < Duration::from_secs(20), "{title}: {elapsed:?}");
    assert!(world.site() == before, "{title}: the site has changed");
    golden::section(
        "messages.txt",
        &format!("configuration: {title}"),
        ended.stderr.trim_end(),
    );
    ended
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
    let path = world.path("syncmon.toml");

    fs::create_dir(&path).unwrap();
    is_refused(&world, "it is a directory");
    fs::remove_dir(&path).unwrap();

    symlink("/dev/zero", &path).unwrap();
    is_refused(&world, "it is a device");
    fs::remove_file(&path).unwrap();

    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    is_refused(&world, "it is a pipe that nobody writes to");
    fs::remove_file(&path).unwrap();

    symlink("nowhere.toml", &path).unwrap();
    is_refused(&world, "it is a link to nowhere");
    fs::remove_file(&path).unwrap();

    symlink("syncmon.toml", &path).unwrap();
    is_refused(&world, "it is a link to itself");
    fs::remove_file(&path).unwrap();

    let bound = std::os::unix::net::UnixListener::bind(&path).unwrap();
    is_refused(&world, "it is a socket");
    drop(bound);
    fs::remove_file(&path).unwrap();

    fs::write(world.path("mine.toml"), "title = \"Linked\"").unwrap();
    symlink("mine.toml", &path).unwrap();
    world.succeeds(&BUILD);
    assert!(world.page("index.html").contains("Linked"));
}

#[test]
fn what_is_too_large_is_not_read_to_its_end() {
    let world = published();
    let file = fs::File::create(world.path("syncmon.toml")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    is_refused(&world, "it has 100 MB");

    write(&world, "# comment\n".repeat(104_858));
    is_refused(&world, "it has a few bytes more than 1 MiB");

    let comment = format!("{}\n", "#".repeat(1024 * 1024 - 1));
    write(&world, &comment);
    world.succeeds(&BUILD);

    let keys: Vec<String> = (0..1_000_000)
        .map(|index| {
            format!(
                "k{index}=1
"
            )
        })
        .collect();
    let keys = keys.concat();
    write(&world, &keys);
    is_refused(&world, "it has a million keys");
    write(&world, &keys[..keys[..1_000_000].rfind('\n').unwrap()]);
    is_refused(&world, "it has as many keys as fit");

    write(&world, entities(1_000_000, ""));
    is_refused(&world, "it has a million entities");
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
    let ended = world.succeeds(&BUILD);
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
    for (title, content) in [
        (
            "it is not UTF-8",
            b"title = \"x\"\nname = \"caf\xe9\"".as_slice(),
        ),
        ("it is UTF-16", b"\xff\xfet\0i\0t\0l\0e\0=\0"),
        ("it holds NUL bytes", b"title = \"x\"\n\0\0\0\0"),
        ("a value holds a NUL byte", b"title = \"a\0b\""),
        (
            "a line is nothing but an escape sequence",
            b"\n\x1b[2J\x1b[31m",
        ),
        (
            "it is a program",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0\x80",
        ),
        (
            "lines end in nothing but CR",
            b"title = \"x\"\rinterval = \"5min\"\r",
        ),
    ] {
        write(&world, content);
        is_refused(&world, title);
    }
}

#[test]
fn what_editors_leave_behind_is_read_all_the_same() {
    let world = published();
    write(
        &world,
        "\u{feff}title = \"Marked\"\r\n\r\n[[entities]]\r\nentity_type = \"sales\"\r\n",
    );
    let ended = build(&world);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(world.page("index.html").contains("Marked"));
    assert_eq!(world.entity("sales")["name"], "Sales");

    write(
        &world,
        "\u{feff}title = \"Marked\"\r\n\r\ninterval = \"soon\"\r\n",
    );
    is_refused(&world, "a mistake after a byte order mark and CRLF");
}

#[test]
fn depth_does_not_overflow_the_stack() {
    let world = published();
    for (title, text) in [
        (
            "arrays in arrays",
            format!("x = {}1{}", "[".repeat(200_000), "]".repeat(200_000)),
        ),
        (
            "arrays without an end",
            format!("x = {}", "[".repeat(900_000)),
        ),
        (
            "tables in tables",
            format!("x = {}1{}", "{a=".repeat(200_000), "}".repeat(200_000)),
        ),
        (
            "a key of many parts",
            format!("{}a = 1", "a.".repeat(400_000)),
        ),
        (
            "a header of many parts",
            format!("[{}a]", "a.".repeat(400_000)),
        ),
    ] {
        write(&world, text);
        is_refused(&world, title);
    }
}

#[test]
fn names_that_mislead_or_have_no_end_are_refused() {
    let world = published();
    let megabyte = "x".repeat(1_000_000);
    let in_an_entity = |line: &str| format!("[[entities]]\nentity_type = \"sales\"\n{line}");
    for (title, text) in [
        ("a title of 1 MB", format!("title = \"{megabyte}\"")),
        ("an empty title", "title = \" \"".to_owned()),
        (
            "a title with an escape sequence",
            r#"title = "\u001b[31mred""#.to_owned(),
        ),
        ("a title of two lines", r#"title = "one\ntwo""#.to_owned()),
        (
            "a title that turns the writing round",
            "title = \"a\u{202e}b\"".to_owned(),
        ),
        (
            "a name of 201 characters",
            in_an_entity(&format!("name = \"{}\"", "é".repeat(201))),
        ),
        (
            "a name with a mark of direction",
            in_an_entity("name = \"\u{200f}Sales\""),
        ),
        (
            "a name with a control character",
            in_an_entity(r#"name = "Sales\u0007""#),
        ),
        (
            "a table with a line end",
            in_an_entity("table = \"\"\"\na\nb\"\"\""),
        ),
        (
            "an entity_type of 1 MB",
            format!("[[entities]]\nentity_type = \"{megabyte}\""),
        ),
        (
            "an entity_type with a NUL",
            "[[entities]]\nentity_type = \"a\\u0000\"".to_owned(),
        ),
        ("an unknown key of 1 MB", format!("{megabyte} = 1")),
        (
            "an unknown key with an escape sequence",
            r#""\u001b[2J" = 1"#.to_owned(),
        ),
        ("a line of 1 MB", megabyte.clone()),
        (
            "a connection string",
            "postgres://ro:S3cretPw@db.example.org/app".to_owned(),
        ),
        (
            "a connection string as a key",
            "url = \"postgres://ro:S3cretPw@h/app\"".to_owned(),
        ),
        (
            "a password for a number",
            "interval = { password = \"S3cretPw\" }".to_owned(),
        ),
        ("a time zone of 1 MB", format!("time_zone = \"{megabyte}\"")),
        (
            "a time zone that is a path",
            "time_zone = \"../../etc/passwd\"".to_owned(),
        ),
    ] {
        write(&world, text);
        let said = is_refused(&world, title).stderr;
        assert!(!said.contains("S3cretPw"), "{title}: {said}");
    }
}

#[test]
fn durations_beyond_all_bounds_are_refused() {
    let world = published();
    for (title, text) in [
        (
            "an interval of eternity",
            "interval = \"9223372036854775807 years\"",
        ),
        (
            "an interval that adds up to too much",
            "interval = \"18446744073709551615s 1s\"",
        ),
        ("an interval of no time", "interval = \"999ms\""),
        ("an interval that is negative", "interval = \"-5min\""),
        (
            "an interval of more than ten years",
            "interval = \"3661days\"",
        ),
        ("a threshold without a unit", "late_after = \"2\""),
        ("a threshold in other digits", "late_after = \"２h\""),
        ("a threshold that is no number", "late_after = \"NaN h\""),
        ("a threshold that is a number", "late_after = 1e308"),
        ("a timeout of a month", "connect_timeout = \"30days\""),
        ("a build of a month", "build_timeout = \"30days\""),
    ] {
        write(&world, text);
        is_refused(&world, title);
    }
    write(&world, format!("interval = \"{}\"", "1y ".repeat(300_000)));
    is_refused(&world, "an interval of 300,000 years, one by one");
}

#[test]
fn the_longest_of_everything_works_on_both_databases() {
    for world in Sandbox::both() {
        let world = world.file(
            "syncmon.toml",
            "interval = \"3660days\"\nlate_after = \"3660days\"\noverdue_after = \"3660days\"\n\
             stuck_after = \"3660days\"\nconnect_timeout = \"1day\"\nbuild_timeout = \"1day\"\n",
        );
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
    write(
        &world,
        format!(
            "title = '{attack}'\n[[entities]]\nentity_type = '{attack}'\nname = '{attack}'\n\
             table = '{attack}'\n"
        ),
    );
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
    assert_eq!(
        pages, 11,
        "the overview, the one entity, and the history of seven days"
    );
}

#[test]
fn names_that_only_look_alike_stay_apart() {
    // To the databases, these are four different words.
    let alike = ["caf\u{e9}", "cafe\u{301}", "Cafe\u{301}", "caf\u{435}"];
    let tables: String = alike.map(table).concat();
    let world = published();
    write(&world, &tables);
    world.succeeds(&BUILD);
    for entity_type in alike {
        assert_eq!(world.verdict(entity_type), "red never_synced");
    }
    let pages = world.site();
    let pages = pages.keys().filter(|path| path.starts_with("entities/"));
    assert_eq!(pages.count(), alike.len());

    write(&world, tables.repeat(2));
    is_refused(&world, "an entity is configured twice");
}
