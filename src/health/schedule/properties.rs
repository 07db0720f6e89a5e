//! Schedules: any text is refused with its place, or comes due in order and within sensible time.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use crate::config::Config;
use crate::config::properties::is_a_refusal;
use crate::generators::mutations::bent_text;
use crate::generators::rows::a_row;
use crate::generators::worlds::{WORLDS, a_moment, can_be_shown};
use crate::generators::{Volume, fuzz};
use crate::health::EntityPolicy;
use crate::model::{DatabaseFacts, Snapshot};
use crate::store::decode::observation;

const VOLUME: Volume = Volume {
    sampled: 500,
    whole: 100_000,
};

/// Generous: what is meant is an expression that keeps a build busy for ever.
const PATIENCE: Duration = Duration::from_secs(20);

const SEEDS: &[&str] = &[
    "0 2 * * *",
    "*/30 9-18 * * *",
    "15,45 0-6/2 1,15 * 1-5",
    "0 0 29 2 *",
    "0 0 31 * *",
    "59 23 L * *",
    "0 3 * * 5L",
    "0 12 15W * *",
    "30 1 * * SUN#2",
    "0 0 * JAN-MAR MON",
    "* * * * *",
    "0 0 30 2 *",
];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "*", "/", "-", ",", "#", "L", "W", "?", "+", "@daily", "@reboot", "SUN", "DEC", "7", "0", "60", "24", "32", "13", " ", "  ", "\t",
    "1-0", "*/0", "*/99999999999999999999", "-1", "0/1", "5#6", "LW", "é", "\u{202e}", "\u{0}", "* * * * *",
];

const ZONES: &[&str] = &[
    "UTC",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
];

/// A configuration that says so and nothing else.
fn configured(schedule: &str, zone: &str) -> Result<Config, String> {
    let schedule = serde_json::Value::from(schedule);
    let text = format!(
        "time_zone = \"{zone}\"\nschedule = {schedule}\nexcept = [2026-11-22]\n\
         [[maintenance]]\nfrom = 2026-03-08T01:00:00\nto = 2026-03-09T04:00:00\nwhy = \"a reason\"\n"
    );
    Config::parse(&text, Path::new("syncmon.toml"))
        .map_err(|refusal| refusal.to_string())
        .inspect_err(|message| is_a_refusal(message, &text).unwrap())
}

fn comes_due_in_order(policy: &EntityPolicy, from: DateTime<Utc>) -> TestCaseResult {
    let began = Instant::now();
    let mut before = from;
    for due in policy.expected_after(from).take(10) {
        prop_assert!(due > before, "{} after {}", due, before);
        prop_assert_eq!(due.second(), 0);
        prop_assert!(policy.pauses.at(due).is_none(), "{} lies in a pause", due);
        let [yellow, red] = policy.limits_after(due);
        prop_assert!(
            yellow.is_none_or(|age| age > TimeDelta::zero()),
            "{:?}",
            yellow
        );
        prop_assert!(red.is_none_or(|red| yellow.is_some_and(|yellow| red > yellow)));
        before = due;
    }
    prop_assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    Ok(())
}

#[test]
fn any_schedule_is_refused_with_its_place_or_comes_due_in_order() {
    let inputs = (bent_text(SEEDS, WORDS), select(ZONES), a_moment());
    fuzz(
        "schedules",
        VOLUME,
        &inputs,
        |(schedule, zone, from)| match configured(&schedule, zone) {
            Ok(config) => comes_due_in_order(&config.policy.entities[0], from),
            Err(_) => Ok(()),
        },
    );
}

#[test]
fn whatever_is_scheduled_can_be_judged_and_shown() {
    let inputs = (
        select(SEEDS),
        select(ZONES),
        a_row(),
        a_moment(),
        any::<bool>(),
    );
    fuzz(
        "schedules, judged and rendered",
        WORLDS,
        &inputs,
        |(schedule, zone, row, now, away)| {
            let Ok(config) = configured(schedule, zone) else {
                return Ok(());
            };
            let snapshot = Snapshot {
                as_of: now,
                history_since: now - TimeDelta::days(7),
                database: DatabaseFacts::default(),
                entities: vec![observation("sales", &row.to_string()).unwrap()],
            };
            can_be_shown(snapshot, &config, now, away)
        },
    );
}
