//! Rows as a database could return them: as texts to be bent, and with anything in their columns.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub(crate) const FACTS: &[&str] = &[
    r#"{"clock":1795377900000000,"role":"syncmon_ro","hidden":[]}"#,
    r#"{"clock":-9223372036854775808,"role":null,"hidden":["sync_log","sync_state"]}"#,
];

pub(crate) const ROW: &str = r#"{"state":{"status":"failed","last_sync_time":1795375320000000,"updated_at":1795375320000000,
"error":"boom","error_length":4},"outcomes":[{"status":"completed","action":"incremental_sync","untimed":0,
"odd_durations":1,"before":1780000000000000,"finishes":"1795370000000000 1795375320000000"},{"status":"failed",
"action":null,"untimed":3,"odd_durations":0,"before":null,"finishes":"1795360000000000"}],"runs":[{"id":7,
"started":1795375320000000,"action":"incremental_sync","status":"started","duration":null,"records":null,
"error":null,"error_length":null},{"id":6,"started":1795370000000000,"action":"historical_import",
"status":"completed","duration":"68.25","records":10738,"error":null,"error_length":null}],"earlier":[],
"measures":[{"status":"completed","action":"incremental_sync","runs":"1795000000000000 10738 68.25 1794913600000000 - -"}],"errors":[{"id":5,
"started":1795360000000000,"action":"x","status":"failed","duration":"NaN","records":0,"error":"password=S3",
"error_length":99999}]}"#;

/// What stands in a row, and what spoils it.
#[rustfmt::skip]
pub(crate) const WORDS: &[&str] = &[
    "null", "true", "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\u202e", "\\ud800", "\\n", " ", "\"success\"",
    "\"failed\"", "\"started\"", "\"pending\"", "\"never_synced\"", "\"\"", "\"x\"", "\"Infinity\"", "\"-Infinity\"",
    "\"1e400\"", "\"1e-400\"", "\"-1\"", "\"NaN\"", "\"9223372036854775807 -9223372036854775808\"", "\"state\":", "\"runs\":",
    "\"outcomes\":", "\"measures\":", "\"- 5 -\"", "\"finishes\":", "\"before\":", "\"duration\":", "\"clock\":", "\"as_of\":", "\"format\":", "\"content\":",
    "\"-262143-01-01T00:00:00Z\"", "\"+262142-12-31T23:59:59.999999999Z\"", "\"2026-11-22T23:59:60Z\"", "\"0001-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
];

/// Numbers at the limits of what the columns hold.
pub(crate) fn a_number() -> impl Strategy<Value = Value> {
    let now = 1_795_377_900_000_000_i64;
    prop_oneof![
        select(vec![
            0,
            1,
            -1,
            i64::MIN,
            i64::MAX,
            now,
            now - 1,
            now + 300_000_001
        ])
        .prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (now - 10_000_000_000_000..now).prop_map(Value::from),
    ]
}

fn a_word() -> impl Strategy<Value = Value> {
    let known = vec![
        json!("success"),
        json!("FAILED "),
        json!("started"),
        json!("pending"),
        Value::Null,
    ];
    prop_oneof![4 => select(known), 1 => "(?s).{0,200}".prop_map(Value::from)]
}

fn a_run() -> impl Strategy<Value = Value> {
    let duration = prop_oneof![
        select(vec![
            "0",
            "-1",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e308",
            "1e-308",
            "68.25",
            "x"
        ])
        .prop_map(Value::from),
        any::<f64>().prop_map(|seconds| Value::from(seconds.to_string())),
        Just(Value::Null),
    ];
    let error = prop_oneof![Just(Value::Null), "(?s).{0,300}".prop_map(Value::from)];
    (a_number(), a_number(), a_word(), a_word(), duration, a_number(), error, any::<u64>()).prop_map(
        |(id, started, action, status, duration, records, error, length)| {
            json!({
                "id": id, "started": started, "action": action, "status": status,
                "duration": duration, "records": records, "error": error, "error_length": length,
            })
        },
    )
}

/// A row that a database could return, with anything in its columns.
pub(crate) fn a_row() -> impl Strategy<Value = Value> {
    let state = (a_word(), a_number(), a_number()).prop_map(|(status, synced, updated)| {
        json!({ "status": status, "last_sync_time": synced, "updated_at": updated, "error": null, "error_length": null })
    });
    let finishes = vec(a_number(), 0..30).prop_map(|numbers| {
        numbers
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    });
    let outcomes = (
        a_word(),
        a_word(),
        any::<u64>(),
        any::<u64>(),
        a_number(),
        finishes,
    )
        .prop_map(|(status, action, untimed, odd, before, finishes)| {
            json!({
                "status": status, "action": action, "untimed": untimed, "odd_durations": odd,
                "before": before, "finishes": finishes,
            })
        });
    let state = prop_oneof![4 => state, 1 => Just(Value::Null)];
    let runs = || vec(a_run(), 0..5);
    let measures = (a_word(), a_word(), vec(a_run(), 0..30)).prop_map(|(status, action, runs)| {
        let word = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => "-".to_owned(),
        };
        let three = |run: &Value| {
            ["started", "records", "duration"]
                .map(|column| word(&run[column]))
                .join(" ")
        };
        let runs: Vec<String> = runs.iter().map(three).collect();
        json!({ "status": status, "action": action, "runs": runs.join(" ") })
    });
    let lists = (vec(outcomes, 0..4), vec(measures, 0..3));
    (state, lists, runs(), runs(), runs()).prop_map(
        |(state, (outcomes, measures), runs, earlier, errors)| {
            json!({
                "state": state, "outcomes": outcomes, "runs": runs, "earlier": earlier,
                "measures": measures, "errors": errors,
            })
        },
    )
}
