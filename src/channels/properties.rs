//! Alerts: whatever strangers have written into the tables, a message stays one message.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use super::{Email, Encryption, written};
use crate::alerts::{About, Kind, Message, Occasion};
use crate::config::Config;
use crate::generators::rows::a_row;
use crate::generators::{Volume, fuzz};
use crate::health::{Assessment, Reading, Source, assess};
use crate::model::{DatabaseFacts, Snapshot};
use crate::store::decode::observation;
use crate::text::misleads;
use crate::views::{Site, Speaker, alert};

const VOLUME: Volume = Volume {
    sampled: 200,
    whole: 20_000,
};

/// The headers of a mail, in their order; a stranger's text adds none.
const HEADERS: [&str; 8] = [
    "From",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "To",
    "Content-Transfer-Encoding",
];

/// What an entity may be called, by the database or by the configuration.
const NAMES: &[&str] = &[
    "sales",
    "x\r\nBcc: everybody@example.org\r\n\r\nAll is well",
    "<!channel> <https://evil.example|click> & *bold*",
    "=?utf-8?q?Subject?=",
    "\u{202e}\u{2028}\u{85}",
    "\u{1f469}\u{200d}\u{1f680} Grüße",
];

fn settings() -> Email {
    Email {
        to: vec!["Ana <ana@example.org>".parse().unwrap()],
        from: "syncmon@example.org".parse().unwrap(),
        host: "localhost".to_owned(),
        port: 25,
        encryption: Encryption::None,
        ca_file: None,
    }
}

fn message(assessment: &Assessment, config: &Config, kind: Kind, now: DateTime<Utc>) -> Message {
    let occasion = Occasion {
        about: About::Syncs,
        kind,
        since: now,
        until: (kind == Kind::Recovery).then_some(now),
        at: now,
        affected: assessment
            .entities
            .iter()
            .map(|entity| entity.policy.entity_type.clone())
            .collect(),
    };
    let site = Site {
        title: &config.title,
        footer: None,
        demo: false,
        speaker: Speaker {
            zone: config.time_zone,
            now,
        },
        policy: &config.policy,
        undelivered: None,
        url: None,
        feed: true,
    };
    alert(
        &occasion,
        occasion.key("a database"),
        assessment,
        site,
        None,
    )
}

fn is_one_mail(message: &Message) -> TestCaseResult {
    let mail = written::as_mail(message, &settings()).map(|mail| mail.formatted());
    let mail = mail.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(mail.is_ascii());
    let mail = String::from_utf8(mail).unwrap();
    prop_assert!(
        mail.split("\r\n")
            .all(|line| !line.contains(['\r', '\n']) && line.len() <= 998)
    );
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let names = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(": ").unwrap_or((line, "")).0);
    let (mut names, mut expected): (Vec<_>, _) = (names.collect(), HEADERS.to_vec());
    names.sort_unstable();
    names.retain(|name| *name != "MIME-Version");
    expected.sort_unstable();
    prop_assert_eq!(names, expected, "{}", head);
    Ok(())
}

fn is_one_text(message: &Message) -> TestCaseResult {
    let text = written::for_slack(message);
    prop_assert!(!text.contains(['<', '>']), "{}", text);
    let told = written::as_json(message);
    prop_assert_eq!(&told["text"], &Value::from(message.text.as_str()));
    prop_assert!(
        !message.subject.contains(char::is_control),
        "{:?}",
        message.subject
    );
    let hidden = |c: char| (c.is_control() && c != '\n') || misleads(c);
    let shown = message.text.replace(['\u{2068}', '\u{2069}'], "");
    prop_assert!(!shown.contains(hidden), "{:?}", message.text);
    Ok(())
}

#[test]
fn whatever_stands_in_the_tables_a_message_is_one_message() {
    let kinds = vec![
        Kind::Problem,
        Kind::Worse,
        Kind::Reminder,
        Kind::Recovery,
        Kind::Afresh,
    ];
    let inputs = (vec((select(NAMES), a_row()), 1..4), select(kinds));
    let config = Config::parse("", Path::new("syncmon.toml")).unwrap();
    let now = DateTime::from_timestamp(1_795_377_900, 0).unwrap();
    fuzz("alerts", VOLUME, &inputs, |(rows, kind)| {
        let seen = rows
            .iter()
            .map(|(name, row)| observation(name, &row.to_string()).unwrap());
        let snapshot = Snapshot {
            as_of: now,
            history_since: now,
            database: DatabaseFacts::default(),
            entities: seen.collect(),
        };
        let reading = Reading {
            snapshot: Some(snapshot),
            source: Source::Read,
        };
        let assessment = assess(reading, &config.policy, now);
        let message = message(&assessment, &config, kind, now);
        is_one_mail(&message)?;
        is_one_text(&message)
    });
}
