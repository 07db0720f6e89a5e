//! Result files: whatever a command says of its run, the run's end survives the way to the database.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::Value;

use super::{End, Report, RunResult};
use crate::generators::mutations::bent_text;
use crate::generators::{Volume, fuzz};

const VOLUME: Volume = Volume {
    sampled: 1_000,
    whole: 200_000,
};

const SEEDS: &[&str] = &[
    r#"{"records_processed": 10738, "last_version": 42, "metadata": {"pages": 3}}"#,
    r#"{"records_processed": null, "metadata": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}"#,
    r#"{"metadata": {"a\u0000": ["\ud83d\ude00", "\u202e", 0.1, 1e308, -0], "b": {"c": {"d": true}}}}"#,
    r#"{"last_version": 9223372036854775807, "metadata": "'); drop table sync_log; --"}"#,
];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "\\", "'", "\\'", "\\u0000", "\\ud800", "\\udc00", "null", "true", "\"records_processed\":",
    "\"last_version\":", "\"metadata\":", "\"duration\":", "\"succeeded\":", "\"error\":", "\"key\":", "\"end\":", "{\"a\":", "\u{0}", "\u{feff}", "\u{202e}",
];

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
    }
}

#[test]
fn any_result_file_is_refused_in_one_line_or_survives_being_kept() {
    fuzz("result files", VOLUME, &bent_text(SEEDS, WORDS), |text| {
        let result = match RunResult::parse(&text) {
            Ok(result) => result,
            Err(why) => {
                prop_assert!(!why.contains(char::is_control), "{:?}", why);
                return Ok(());
            }
        };
        let metadata = result.metadata.clone().unwrap_or_default();
        prop_assert!(!holds_nul(&metadata), "{}", metadata);
        let mut report = Report::begun("sales", "sync", DateTime::<Utc>::UNIX_EPOCH);
        report.end = Some(End {
            succeeded: true,
            duration: Some(0.1),
            error: None,
            result,
        });
        let kept = serde_json::to_vec(&report).unwrap();
        let read = serde_json::from_slice::<Report>(&kept);
        prop_assert_eq!(read.map_err(|error| error.to_string()), Ok(report));
        Ok(())
    });
}
