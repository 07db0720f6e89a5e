//! The row decoder: what can be read of a row can be judged and shown at any moment, and shows
//! nothing that it should not.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use serde_json::json;

use super::changes::bent_text;
use super::columns::{a_number, a_row};
use super::notations::{Planted, planted};
use super::{Volume, fuzz};
use crate::changes::Journal;
use crate::config::Config;
use crate::health::{Reading, Source, assess};
use crate::model::{Observation, Snapshot};
use crate::render::Look;
use crate::store::decode::{facts, observation};
use crate::text::misleads;
use crate::views::programs::{self, Report};
use crate::views::{self, Site, Speaker};

const ROWS: Volume = Volume {
    sampled: 500,
    whole: 200_000,
};
/// Each with a whole assessment, its pages and files.
pub const WORLDS: Volume = Volume {
    sampled: 60,
    whole: 20_000,
};

pub const FACTS: &[&str] = &[
    r#"{"clock":1795377900000000,"role":"syncmon_ro","hidden":[]}"#,
    r#"{"clock":-9223372036854775808,"role":null,"hidden":["sync_log","sync_state"]}"#,
];

pub const ROW: &str = r#"{"state":{"status":"failed","last_sync_time":1795375320000000,"updated_at":1795375320000000,
"error":"boom","error_length":4},"outcomes":[{"status":"completed","action":"incremental_sync","untimed":0,
"odd_durations":1,"before":1780000000000000,"finishes":"1795370000000000 1795375320000000"},{"status":"failed",
"action":null,"untimed":3,"odd_durations":0,"before":null,"finishes":"1795360000000000"}],"runs":[{"id":7,
"started":1795375320000000,"action":"incremental_sync","status":"started","duration":null,"records":null,
"error":null,"error_length":null},{"id":6,"started":1795370000000000,"action":"historical_import",
"status":"completed","duration":"68.25","records":10738,"error":null,"error_length":null}],"earlier":[],
"measures":[{"status":"completed","action":"incremental_sync","runs":"1795000000000000 10738 68.25 1794913600000000 - -"}],"errors":[{"id":5,
"started":1795360000000000,"action":"x","status":"failed","duration":"NaN","records":0,"error":"password=S3",
"error_length":99999}]}"#;

const ROWS_SEEDS: &[&str] = &[
    ROW,
    r#"{"state":null,"outcomes":[],"runs":[],"earlier":[],"measures":[],"errors":[]}"#,
    r#"{"state":{"status":null,"last_sync_time":null,"updated_at":null,"error":null,"error_length":null},"outcomes":[],"runs":[],"earlier":[],"measures":[],"errors":[]}"#,
];

#[rustfmt::skip]
pub const WORDS: &[&str] = &[
    "null", "true", "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\u202e", "\\ud800", "\\n", " ", "\"success\"",
    "\"failed\"", "\"started\"", "\"pending\"", "\"never_synced\"", "\"\"", "\"x\"", "\"Infinity\"", "\"-Infinity\"",
    "\"1e400\"", "\"1e-400\"", "\"-1\"", "\"NaN\"", "\"9223372036854775807 -9223372036854775808\"", "\"state\":", "\"runs\":",
    "\"outcomes\":", "\"measures\":", "\"- 5 -\"", "\"finishes\":", "\"before\":", "\"duration\":", "\"clock\":", "\"as_of\":", "\"format\":", "\"content\":",
    "\"-262143-01-01T00:00:00Z\"", "\"+262142-12-31T23:59:59.999999999Z\"", "\"2026-11-22T23:59:60Z\"", "\"0001-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
];

/// When a build can take place: `--now` reaches from 1970 to 9998.
pub fn a_moment() -> impl Strategy<Value = DateTime<Utc>> {
    let last = DateTime::from_timestamp(253_370_764_799, 0).unwrap();
    let usual = DateTime::from_timestamp(1_795_377_900, 0).unwrap();
    select(vec![
        DateTime::UNIX_EPOCH,
        usual,
        usual - TimeDelta::days(90),
        last,
    ])
}

pub fn a_configuration() -> impl Strategy<Value = Config> {
    let texts = vec![
        "",
        "time_zone = \"UTC\"\ninterval = \"3660days\"\nlate_after = \"3660days\"\noverdue_after = \"3660days\"",
        "time_zone = \"Pacific/Apia\"\nlate_after = \"1s\"\noverdue_after = \"1s\"\nstuck_after = \"1s\"",
        "[[entities]]\nentity_type = \"sales\"\nstuck_after = \"3660days\"",
    ];
    select(texts).prop_map(|text| Config::parse(text, Path::new("syncmon.toml")).unwrap())
}

fn misleading(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || misleads(c)
}

/// Without the pairs of marks that set names apart (see `text::apart`); one that stands alone or within
/// another pair misleads.
fn without_pairs(shown: &str) -> String {
    let mut left = String::new();
    let mut rest = shown;
    while let Some((before, within)) = rest.split_once('\u{2068}') {
        left.push_str(before);
        let Some((name, after)) = within.split_once('\u{2069}') else {
            break;
        };
        left.push_str(name);
        rest = after;
    }
    left + rest
}

/// Judged, put into words and rendered, it overflows nowhere and misleads nobody.
pub fn can_be_shown(
    snapshot: Snapshot,
    config: &Config,
    now: DateTime<Utc>,
    away: bool,
) -> TestCaseResult {
    let source = if away {
        Source::Unreachable {
            since: snapshot.as_of.min(now),
            message: "The database is busy.".to_owned(),
        }
    } else {
        Source::Read
    };
    let reading = Reading {
        snapshot: Some(snapshot),
        source,
    };
    let assessment = assess(reading, &config.policy, now);
    let site = Site {
        title: &config.title,
        footer: config.brand.footer.as_deref(),
        demo: false,
        speaker: Speaker {
            zone: config.time_zone,
            now,
        },
        policy: &config.policy,
        undelivered: None,
        url: config.url.as_ref(),
        feed: true,
    };
    let terminal = views::terminal(&assessment, site);
    prop_assert!(
        !without_pairs(&terminal).contains(misleading),
        "{:?}",
        terminal
    );
    let journal = Journal::default().with(&assessment);
    let again = journal.clone().with(&assessment);
    prop_assert_eq!(&again, &journal);
    prop_assert!(journal.is_within_the_calendar());
    let report = Report {
        assessment: &assessment,
        journal: &journal,
        site,
    };
    monitors_understand(report)?;
    let files =
        Look::load(None, &config.brand).and_then(|look| look.render_all(report, config.outputs));
    for file in files.map_err(|error| TestCaseError::fail(format!("{error:#}")))? {
        // Compressed copies say the same once more.
        if file.path.strip_suffix(".gz").is_some() {
            continue;
        }
        let text = String::from_utf8(file.bytes).unwrap();
        // In a file for spreadsheets lines end in CR LF, and a mark at its beginning says the encoding.
        let shown = match file.path.rsplit_once('.') {
            Some((_, "csv")) => text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
            _ => text.clone(),
        };
        prop_assert!(
            !without_pairs(&shown).contains(misleading),
            "{}: {:?}",
            file.path,
            text
        );
    }
    Ok(())
}

fn monitors_understand(report: Report) -> TestCaseResult {
    let build = programs::Build {
        took: std::time::Duration::ZERO,
        demo: false,
    };
    let metrics = programs::metrics(report.assessment, build);
    prop_assert!(
        metrics
            .lines()
            .all(|line| line.starts_with("syncmon_") || line.starts_with("# "))
    );
    let line = programs::plugin(report.assessment, report.site.speaker);
    prop_assert_eq!(line.matches('|').count(), 1, "{}", line);
    Ok(())
}

/// Every text of it that is not as the database spells it.
fn texts(seen: &Observation) -> String {
    let mut shown = seen.clone();
    shown.entity_type.clear();
    serde_json::to_string(&shown).unwrap()
}

#[test]
fn any_first_row_is_decoded_or_refused() {
    let inputs = (bent_text(FACTS, WORDS), a_moment());
    fuzz(
        "the row about the database",
        ROWS,
        &inputs,
        |(json, now)| {
            if let Ok(facts) = facts(&json, Some(now)) {
                let named = facts.hidden_tables.iter().chain(&facts.role);
                prop_assert!(!named.cloned().collect::<String>().contains(misleading));
            }
            Ok(())
        },
    );
}

#[test]
fn any_row_is_decoded_or_refused_and_can_be_shown() {
    fuzz(
        "rows, decoded",
        ROWS,
        &bent_text(ROWS_SEEDS, WORDS),
        |json| {
            if let Ok(seen) = observation("sales", &json) {
                prop_assert!(!texts(&seen).contains(misleading));
            }
            Ok(())
        },
    );
    let rows = vec(
        (
            "(?s).{0,12}|sales|\\PC{100,300}",
            bent_text(ROWS_SEEDS, WORDS),
        ),
        1..4,
    );
    let inputs = (
        rows,
        bent_text(FACTS, WORDS),
        a_configuration(),
        a_moment(),
        any::<bool>(),
    );
    fuzz(
        "rows, judged and rendered",
        WORLDS,
        &inputs,
        |(rows, json, config, now, away)| {
            let entities = rows
                .iter()
                .filter_map(|(name, json)| observation(name, json).ok());
            let snapshot = Snapshot {
                as_of: now,
                history_since: now,
                database: facts(&json, Some(now)).unwrap_or_default(),
                entities: entities.collect(),
            };
            can_be_shown(snapshot, &config, now, away)
        },
    );
}

#[test]
fn whatever_the_columns_hold_can_be_judged_and_shown() {
    fuzz("columns at their limits, decoded", ROWS, &a_row(), |row| {
        let seen = observation("sales", &row.to_string());
        prop_assert!(
            seen.is_ok_and(|seen| !texts(&seen).contains(misleading)),
            "{}",
            row
        );
        Ok(())
    });
    let inputs = (
        vec(a_row(), 1..4),
        a_number(),
        a_configuration(),
        a_moment(),
        any::<bool>(),
    );
    fuzz(
        "columns at their limits, rendered",
        WORLDS,
        &inputs,
        |(rows, clock, config, now, away)| {
            let about = json!({ "clock": clock, "role": "ro", "hidden": [] }).to_string();
            let names = ["sales", "products", "\u{202e}odd\u{0}\n<b>"];
            let entities = rows
                .iter()
                .zip(names)
                .map(|(row, name)| observation(name, &row.to_string()).unwrap());
            let snapshot = Snapshot {
                as_of: now,
                history_since: now,
                database: facts(&about, Some(now)).unwrap(),
                entities: entities.collect(),
            };
            can_be_shown(snapshot, &config, now, away)
        },
    );
}

#[test]
fn nothing_decoded_holds_a_secret() {
    let nothing = Just(String::new()).boxed();
    let inputs = (planted(nothing), any::<u64>());
    fuzz(
        "secrets in rows",
        ROWS,
        &inputs,
        |(Planted { secret, text }, length)| {
            let row = json!({
                "state": { "status": text, "error": text, "error_length": length },
                "outcomes": [{ "status": text, "action": text, "untimed": 0, "odd_durations": 0 }],
                "runs": [{ "id": 1, "started": 0, "action": text, "status": text, "error": text, "error_length": length }],
                "earlier": [],
                "measures": [{ "status": text, "action": text, "runs": "0 1 2" }],
                "errors": [],
            });
            let seen = observation("sales", &row.to_string()).unwrap();
            let decoded = texts(&seen).to_lowercase();
            for part in &secret.parts {
                prop_assert!(!decoded.contains(&part.to_lowercase()), "{}", decoded);
            }
            Ok(())
        },
    );
}
