//! The state files: whatever became of one, it is as good as none, or can be judged and shown.

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::{Earlier, Kept};
use crate::config::Config;
use crate::generators::mutations::bent_bytes;
use crate::generators::rows::{FACTS, ROW, WORDS};
use crate::generators::worlds::{WORLDS, a_configuration, a_moment, can_be_shown};
use crate::generators::{Volume, fuzz};
use crate::health::{Reading, Source, assess};
use crate::model::{DatabaseFacts, LATEST, Snapshot};
use crate::store::decode::{facts, observation};

const STATE_FILES: Volume = Volume {
    sampled: 100,
    whole: 200_000,
};

const IDENTITY: &str = "postgres localhost:5432/app";

/// What is kept of a snapshot at the limits of its columns, as text.
fn kept_texts() -> Vec<&'static str> {
    let as_of = DateTime::from_timestamp(1_795_377_900, 0).unwrap();
    let full = Snapshot {
        as_of,
        history_since: as_of,
        database: DatabaseFacts::default(),
        entities: vec![observation("sales", ROW).unwrap()],
    };
    let end = Snapshot {
        as_of: LATEST,
        history_since: as_of,
        database: facts(FACTS[1], Some(as_of)).unwrap(),
        entities: Vec::new(),
    };
    let stored =
        |content: serde_json::Value| String::from_utf8(signed(content.to_string().as_bytes()));
    let changes = json!({
        "entities": {"sales": {"since": 1_795_000_000_000_000_i64, "changes": [
            {"at": 1_795_000_000_000_000_i64, "reason": "fresh"},
            {"at": 1_795_377_800_000_000_i64, "reason": "clock_skew"},
        ]}},
        "database": [{"at": 1_795_377_000_000_000_i64, "readable": false}],
    });
    [json!(full), json!(end), json!(as_of), changes]
        .into_iter()
        .map(|content| &*stored(content).unwrap().leak())
        .collect()
}

/// A state file with this content, as if it had been written so.
fn signed(content: &[u8]) -> Vec<u8> {
    let fingerprint = crate::text::fingerprint(content);
    let head = format!(
        "{{\"format\":4,\"database\":\"{IDENTITY}\",\"fingerprint\":{fingerprint},\"content\":"
    );
    [head.as_bytes(), content, b"}"].concat()
}

/// What stands in the seeds where the content does.
fn content_of(text: &str) -> &str {
    let (_, content) = text.split_once("\"content\":").unwrap();
    &content[..content.len() - 1]
}

#[test]
fn any_state_file_is_as_good_as_none_or_can_be_shown() {
    let directory = tempfile::tempdir().unwrap();
    let kept = || Kept::new(directory.path().to_owned(), IDENTITY.to_owned());
    let now = DateTime::from_timestamp(1_795_377_900, 0).unwrap();
    let path = |kind: &str| {
        let stem = crate::text::file_stem(IDENTITY);
        directory.path().join(format!("{kind}.{stem}.json"))
    };
    let seeds: &'static [&'static str] = kept_texts().leak();
    fuzz(
        "state files, loaded",
        STATE_FILES,
        &bent_bytes(seeds, WORDS),
        |bytes| {
            std::fs::write(path("snapshot"), &bytes).unwrap();
            std::fs::write(path("outage"), &bytes).unwrap();
            let text = String::from_utf8_lossy(&bytes).replacen("\"format\":4", "\"format\":1", 1);
            std::fs::write(path("changes"), text).unwrap();
            prop_assert!(kept().outage_since(now).unwrap() <= now);
            if let Earlier::Known(journal) = kept().journal() {
                prop_assert!(journal.is_within_the_calendar());
                let reading = Reading {
                    snapshot: None,
                    source: Source::Read,
                };
                let config = Config::parse("", std::path::Path::new("syncmon.toml")).unwrap();
                // Only a panic would be a finding.
                let _ = journal.with(&assess(reading, &config.policy, now));
            }
            match kept().snapshot() {
                Earlier::Known(snapshot) => prop_assert!(snapshot.is_within_the_calendar()),
                Earlier::Unusable(why) => prop_assert!(!why.contains(char::is_control)),
                Earlier::Nothing => prop_assert!(false, "a file is there"),
            }
            Ok(())
        },
    );
    let contents: Vec<&str> = seeds[..2].iter().map(|text| content_of(text)).collect();
    let inputs = (
        bent_bytes(contents.leak(), WORDS),
        a_configuration(),
        a_moment(),
    );
    fuzz(
        "forged state files, judged and rendered",
        WORLDS,
        &inputs,
        |(bytes, config, now)| {
            std::fs::write(path("snapshot"), signed(&bytes)).unwrap();
            if let Earlier::Known(snapshot) = kept().snapshot() {
                // Its texts are those of whoever forged it: only a panic would be a finding.
                let _ = can_be_shown(snapshot, &config, now, true);
            }
            Ok(())
        },
    );
}
