//! `feed.xml`, read by the feed parser of Python and checked against what RFC 4287 requires.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::folders::names;
use crate::golden::{self, Told};
use crate::sandbox::{NOW, Sandbox};
use crate::tools::{HOSTILE, URL, WORLD, all_well, failed, hostile, read_by, synced};

const LATER: &str = "2026-11-22T20:10:00Z";

/// Checks what Atom requires, then tells what a feed reader makes of it.
const READER: &str = include_str!("feed.py");

fn read(world: &Sandbox) -> Value {
    read_by("/usr/bin/python3", &["-c", READER], &world.page("feed.xml"))
}

/// This of every entry.
fn each<'a>(feed: &'a Value, key: &str) -> Vec<&'a str> {
    let entries = feed["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry[key].as_str().unwrap()).collect()
}

/// "2026-11-22T10:00:03Z Sale Line Items is failing" of every entry.
fn entries(feed: &Value) -> Vec<String> {
    let all = each(feed, "updated").into_iter().zip(each(feed, "title"));
    all.map(|(updated, title)| format!("{updated} {title}"))
        .collect()
}

fn ids(feed: &Value) -> Vec<String> {
    each(feed, "id").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_feed_reader_finds_each_change_of_verdict_newest_first() {
    let sql = synced("sales", "2026-11-22T02:00:00Z")
        + &failed("sales", "2026-11-22T03:00:00Z")
        + &synced("sales", "2026-11-22T19:00:00Z");
    for world in Sandbox::both() {
        let only = "[[entities]]\nentity_type = \"sales\"\nname = \"Sales <in> the shop\"\n";
        let world = world
            .file("syncmon.toml", &format!("{URL}{only}"))
            .sql(&sql);
        world.build();
        let feed = read(&world);
        assert_eq!(
            entries(&feed),
            [
                "2026-11-22T19:00:04.500Z Sales <in> the shop is up to date",
                "2026-11-22T03:00:04.500Z Sales <in> the shop is failing",
                "2026-11-22T02:00:04.500Z Sales <in> the shop is up to date",
            ]
        );
        let home = "https://status.example.org/sync/";
        for (key, value) in [
            ("self", &*format!("{home}feed.xml")),
            ("id", &format!("{home}feed.xml")),
            ("home", home),
            ("updated", "2026-11-22T19:00:04.500Z"),
            (
                "subtitle",
                "Read on Sunday 22 November 2026, 12:05 PST. If it is later than Sunday 22 November 2026, 12:20 PST, \
                 do not rely on this.",
            ),
        ] {
            assert_eq!(feed[key], value, "{key}");
        }
        let failing = &feed["entries"][1];
        assert_eq!(failing["link"], format!("{home}entities/sales.html"));
        assert_eq!(failing["terms"], serde_json::json!(["red", "failed"]));
        let content =
            "Sales <in> the shop is failing from Saturday 21 November 2026, 19:00 PST on.";
        assert_eq!(failing["content"], content);
        assert!(failing["id"].as_str().unwrap().starts_with("urn:uuid:"));
    }
}

#[test]
fn an_entry_keeps_its_name_whatever_happens_later() {
    let world = Sandbox::sqlite().sql(WORLD);
    world.build();
    let first = ids(&read(&world));
    let different: BTreeSet<&String> = first.iter().collect();
    assert_eq!(different.len(), first.len());
    world.execute(&failed("customers", "2026-11-22T20:07:00Z"));
    world.build_at(LATER);
    let second = ids(&read(&world));
    assert_eq!(second[1..], first);
    // What the evidence tells has the same name where nothing was kept, and where that is damaged.
    let mut names = names(&world.path("state"));
    names.retain(|name| name.starts_with("changes."));
    let world = world.file(&format!("state/{}", names[0]), "damaged");
    let told = world.build_at(LATER).exits(0).stderr;
    let told = told.replace(&names[0], "changes.NAME.json");
    golden::message("state: damaged changes of verdict", &told);
    let third = ids(&read(&world));
    // What only builds saw, Products stuck and Inventory unconfirmed, has the moment of this one.
    let renamed = third.iter().filter(|id| !second.contains(id)).count();
    assert_eq!((renamed, third.len()), (2, second.len()));
    assert_eq!(world.build_at(LATER).stderr, "");
}

#[test]
fn while_the_database_is_away_an_entry_says_so() {
    let world = Sandbox::sqlite().sql(&all_well());
    world.build();
    fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
    world.build_at(LATER).exits(75);
    let feed = read(&world);
    let away = "The database cannot be read";
    assert_eq!(entries(&feed)[0], format!("2026-11-22T20:10:00Z {away}"));
    feed["subtitle"].as_str().unwrap().has("12:05 PST");
    // Past its time, nothing is up to date any more.
    world.build_at("2026-11-22T20:21:00Z").exits(75);
    let titles = entries(&read(&world));
    assert_eq!(titles[0], "2026-11-22T20:21:00Z Customers is out of date");
    let old = titles
        .iter()
        .filter(|title| title.ends_with("is out of date"));
    assert_eq!(old.count(), 6);
    fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-22T20:25:00Z").exits(0);
    let titles = entries(&read(&world));
    let again = ["The database can be read again", "Customers is up to date"];
    let again = again.map(|what| format!("2026-11-22T20:25:00Z {what}"));
    assert_eq!(titles[..2], again);
}

#[test]
fn a_database_that_was_never_read_makes_a_feed_that_claims_nothing() {
    let world = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    world.build_at(NOW).exits(75);
    let feed = read(&world);
    let away = "2026-11-22T20:05:00Z The database cannot be read";
    assert_eq!(entries(&feed), [away]);
    let subtitle = feed["subtitle"].as_str().unwrap();
    let never = "never read, so nothing is known.";
    assert!(subtitle.ends_with(never), "{subtitle}");
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let world = hostile();
    world.build();
    let feed = read(&world);
    let titles = entries(&feed).join("\n");
    titles.has("<script>alert(1)</script> & \"quoted\"");
    titles.has("A'b=c|d").has("在庫 📦");
    titles.has("\u{2068}מלאי\u{2069}");
    assert_eq!(ids(&feed).len(), 6 + HOSTILE.len());
    // Nobody said where the site is served: its links lead from where the feed lies.
    assert_eq!(feed["self"], "feed.xml");
}

#[test]
fn a_demo_says_so_and_its_feed_has_no_more_entries_than_readers_can_take() {
    let world = Sandbox::bare().arg("--demo");
    world.build();
    let feed = read(&world);
    let subtitle = feed["subtitle"].as_str().unwrap();
    assert!(subtitle.starts_with("Demo: "), "{subtitle}");
    assert!((10..=500).contains(&ids(&feed).len()));
}
