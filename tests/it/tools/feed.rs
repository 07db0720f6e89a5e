//! `feed.xml`, read by the feed parser of Python and checked against what RFC 4287 requires.

use std::fs;

use serde_json::Value;

use crate::golden;
use crate::sandbox::{NOW, Sandbox};
use crate::tools::{HOSTILE, URL, WORLD, all_well, failed, hostile, read_by, synced};

const LATER: &str = "2026-11-22T20:10:00Z";

/// Checks what Atom requires, then tells what a feed reader makes of it.
const READER: &str = "
import sys, json, re
import xml.etree.ElementTree as tree
import feedparser

atom = '{http://www.w3.org/2005/Atom}'
text = sys.stdin.buffer.read()
root = tree.fromstring(text)
assert root.tag == atom + 'feed', root.tag
moment = re.compile(r'\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z')
for of in [root] + root.findall(atom + 'entry'):
    for name in ['id', 'title', 'updated']:
        assert len(of.findall(atom + name)) == 1, (of.tag, name)
        assert of.find(atom + name).text.strip(), (of.tag, name)
    assert moment.fullmatch(of.find(atom + 'updated').text), of.find(atom + 'updated').text
    assert len([l for l in of.findall(atom + 'link') if l.get('rel') == 'alternate']) == 1
assert root.find(atom + 'author/' + atom + 'name').text
own = [l.get('href') for l in root.findall(atom + 'link') if l.get('rel') == 'self']
assert len(own) == 1
known = {'id', 'title', 'updated', 'published', 'link', 'category', 'content', 'entry', 'author', 'name',
         'generator', 'subtitle', 'feed'}
for element in root.iter():
    assert element.tag.startswith(atom) and element.tag[len(atom):] in known, element.tag
read = feedparser.parse(text)
assert not read.bozo, read.bozo_exception
assert read.version == 'atom10', read.version
json.dump({
    'id': read.feed.id, 'title': read.feed.title, 'subtitle': read.feed.subtitle, 'updated': read.feed.updated,
    'self': own[0], 'home': read.feed.link,
    'entries': [{'id': e.id, 'title': e.title, 'updated': e.updated, 'link': e.link,
                 'terms': [t.term for t in e.tags], 'content': e.content[0].value} for e in read.entries],
}, sys.stdout)
";

fn read(world: &Sandbox) -> Value {
    read_by("/usr/bin/python3", &["-c", READER], &world.page("feed.xml"))
}

/// "2026-11-22T10:00:03Z Sale Line Items is failing" of every entry.
fn entries(feed: &Value) -> Vec<String> {
    let entries = feed["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let updated = entry["updated"].as_str().unwrap();
            format!("{updated} {}", entry["title"].as_str().unwrap())
        })
        .collect()
}

fn ids(feed: &Value) -> Vec<String> {
    let entries = feed["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_feed_reader_finds_each_change_of_verdict_newest_first() {
    let sql = synced("sales", "2026-11-22T02:00:00Z")
        + &failed("sales", "2026-11-22T03:00:00Z")
        + &synced("sales", "2026-11-22T19:00:00Z");
    for world in Sandbox::both() {
        let only = "[[entities]]\nentity_type = \"sales\"\nname = \"Sales <in> the shop\"\n";
        let world = world
            .sql(&sql)
            .file("syncmon.toml", &format!("{URL}{only}"));
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
        assert_eq!(feed["self"], "https://status.example.org/sync/feed.xml");
        assert_eq!(feed["id"], "https://status.example.org/sync/feed.xml");
        assert_eq!(feed["home"], "https://status.example.org/sync/");
        assert_eq!(feed["updated"], "2026-11-22T19:00:04.500Z");
        assert_eq!(
            feed["subtitle"],
            "Read on Sunday 22 November 2026, 12:05 PST. If it is later than Sunday 22 November 2026, 12:20 PST, \
             do not rely on this."
        );
        let failing = &feed["entries"][1];
        assert_eq!(
            failing["link"],
            "https://status.example.org/sync/entities/sales.html"
        );
        assert_eq!(failing["terms"], serde_json::json!(["red", "failed"]));
        assert_eq!(
            failing["content"],
            "Sales <in> the shop is failing from Saturday 21 November 2026, 19:00 PST on."
        );
        assert!(failing["id"].as_str().unwrap().starts_with("urn:uuid:"));
    }
}

#[test]
fn an_entry_keeps_its_name_whatever_happens_later() {
    let world = Sandbox::sqlite().sql(WORLD);
    world.build();
    let first = ids(&read(&world));
    assert_eq!(first.len(), {
        let mut different = first.clone();
        different.sort();
        different.dedup();
        different.len()
    });
    world.execute(&failed("customers", "2026-11-22T20:07:00Z"));
    world.build_at(LATER);
    let second = ids(&read(&world));
    assert_eq!(second[1..], first);
    // What the evidence tells has the same name where nothing was kept, and where that is damaged.
    let state = fs::read_dir(world.path("state")).unwrap();
    let changes = state
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("changes.")
        })
        .unwrap();
    fs::write(&changes, "damaged").unwrap();
    let ended = world.build_at(LATER);
    assert_eq!(ended.code, 0);
    let name = changes.file_name().unwrap().to_str().unwrap();
    golden::section(
        "messages.txt",
        "state: damaged changes of verdict",
        ended.stderr.replace(name, "changes.NAME.json").trim_end(),
    );
    let third = ids(&read(&world));
    // What only builds saw, Products stuck and Inventory unconfirmed, has the moment of this one.
    let renamed = third.iter().filter(|id| !second.contains(id)).count();
    assert_eq!((renamed, third.len()), (2, second.len()));
    assert_eq!(world.build_at(LATER).stderr, "");
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    let world = Sandbox::sqlite().sql(&all_well());
    world.build();
    let before = ids(&read(&world));
    world.build_at("2027-03-01T00:00:00Z");
    world.build_at("2026-11-22T20:06:00Z");
    assert_eq!(ids(&read(&world)), before);
}

#[test]
fn while_the_database_is_away_an_entry_says_so() {
    let world = Sandbox::sqlite().sql(&all_well());
    world.build();
    fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
    assert_eq!(world.build_at(LATER).code, 75);
    let feed = read(&world);
    assert_eq!(
        entries(&feed)[0],
        "2026-11-22T20:10:00Z The database cannot be read"
    );
    assert!(
        feed["subtitle"].as_str().unwrap().contains("12:05 PST"),
        "{feed}"
    );
    // Past its time, nothing is up to date any more.
    assert_eq!(world.build_at("2026-11-22T20:21:00Z").code, 75);
    let titles = entries(&read(&world));
    assert_eq!(titles[0], "2026-11-22T20:21:00Z Customers is out of date");
    assert_eq!(
        titles
            .iter()
            .filter(|title| title.ends_with("is out of date"))
            .count(),
        6
    );
    fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
    assert_eq!(world.build_at("2026-11-22T20:25:00Z").code, 0);
    let titles = entries(&read(&world));
    assert_eq!(
        titles[0],
        "2026-11-22T20:25:00Z The database can be read again"
    );
    assert_eq!(titles[1], "2026-11-22T20:25:00Z Customers is up to date");
}

#[test]
fn a_database_that_was_never_read_makes_a_feed_that_claims_nothing() {
    let world = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    assert_eq!(world.build_at(NOW).code, 75);
    let feed = read(&world);
    assert_eq!(
        entries(&feed),
        ["2026-11-22T20:05:00Z The database cannot be read"]
    );
    let subtitle = feed["subtitle"].as_str().unwrap();
    assert!(
        subtitle.ends_with("never read, so nothing is known."),
        "{subtitle}"
    );
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let world = hostile();
    world.build();
    let feed = read(&world);
    let titles = entries(&feed).join("\n");
    for part in [
        "<script>alert(1)</script> & \"quoted\"",
        "A'b=c|d",
        "在庫 📦",
        "\u{2068}מלאי\u{2069}",
    ] {
        assert!(titles.contains(part), "{part}: {titles}");
    }
    assert_eq!(ids(&feed).len(), 6 + HOSTILE.len());
    // Nobody said where the site is served: its links lead from where the feed lies.
    assert_eq!(feed["self"], "feed.xml");
}

#[test]
fn a_demo_says_so_and_its_feed_has_no_more_entries_than_readers_can_take() {
    let world = Sandbox::bare().arg("--demo");
    world.build();
    let feed = read(&world);
    assert!(
        feed["subtitle"].as_str().unwrap().starts_with("Demo: "),
        "{}",
        feed["subtitle"]
    );
    assert!((10..=500).contains(&ids(&feed).len()));
}
