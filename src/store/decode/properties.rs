//! The row decoder: what can be read of a row can be judged and shown at any moment, and shows
//! nothing that it should not.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::{facts, observation};
use crate::generators::mutations::bent_text;
use crate::generators::notations::{Planted, planted};
use crate::generators::rows::{FACTS, ROW, WORDS, a_number, a_row};
use crate::generators::worlds::{WORLDS, a_configuration, a_moment, can_be_shown, misleading};
use crate::generators::{Volume, fuzz};
use crate::model::{Observation, Snapshot};

const ROWS: Volume = Volume {
    sampled: 500,
    whole: 200_000,
};
const ROWS_SEEDS: &[&str] = &[
    ROW,
    r#"{"state":null,"outcomes":[],"runs":[],"earlier":[],"measures":[],"errors":[]}"#,
    r#"{"state":{"status":null,"last_sync_time":null,"updated_at":null,"error":null,"error_length":null},"outcomes":[],"runs":[],"earlier":[],"measures":[],"errors":[]}"#,
];

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
