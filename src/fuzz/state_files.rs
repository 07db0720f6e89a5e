//! The state files: whatever became of one, it is as good as none, or can be judged and shown.

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::changes::bent_bytes;
use super::decoding::{FACTS, ROW, WORDS, WORLDS, a_configuration, a_moment, can_be_shown};
use super::{Volume, fuzz};
use crate::kept::{Earlier, Kept};
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
        database: DatabaseFacts::default(),
        entities: vec![observation("sales", ROW).unwrap()],
    };
    let end = Snapshot {
        as_of: LATEST,
        database: facts(FACTS[1], Some(as_of)).unwrap(),
        entities: Vec::new(),
    };
    let stored = |snapshot: &Snapshot| {
        json!({ "format": 1, "database": IDENTITY, "content": snapshot }).to_string()
    };
    let outage = json!({ "format": 1, "database": IDENTITY, "content": as_of }).to_string();
    [stored(&full), stored(&end), outage]
        .into_iter()
        .map(|text| &*text.leak())
        .collect()
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
            prop_assert!(kept().outage_since(now).unwrap() <= now);
            match kept().snapshot() {
                Earlier::Known(snapshot) => prop_assert!(snapshot.is_within_the_calendar()),
                Earlier::Unusable(why) => prop_assert!(!why.contains(char::is_control)),
                Earlier::Nothing => prop_assert!(false, "a file is there"),
            }
            Ok(())
        },
    );
    let inputs = (
        bent_bytes(&seeds[..2], WORDS),
        a_configuration(),
        a_moment(),
    );
    fuzz(
        "state files, judged and rendered",
        WORLDS,
        &inputs,
        |(bytes, config, now)| {
            std::fs::write(path("snapshot"), &bytes).unwrap();
            match kept().snapshot() {
                Earlier::Known(snapshot) => can_be_shown(snapshot, &config, now, true),
                Earlier::Unusable(_) | Earlier::Nothing => Ok(()),
            }
        },
    );
}
