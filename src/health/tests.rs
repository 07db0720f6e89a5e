//! Every row of the verdict table, just before, at and just after its boundary.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Health, Policy, Reading, Reason, Source, Thresholds, assess};
use crate::model::{DatabaseFacts, Observation, Outcomes, Snapshot, Status};

/// The moment at which these tests take place.
fn now() -> DateTime<Utc> {
    "2026-11-22T20:05:00Z".parse().unwrap()
}

fn policy() -> Policy {
    Policy {
        entities: Vec::new(),
        thresholds: Thresholds::default(),
        interval: TimeDelta::minutes(5),
    }
}

/// An entity whose only record is a successful run that finished `age` ago.
fn synced(age: TimeDelta) -> Observation {
    Observation {
        outcomes: vec![Outcomes {
            status: Status::Completed,
            action: "incremental_sync".to_owned(),
            before: None,
            finishes: [now() - age].into_iter().collect(),
            untimed: 0,
            odd_durations: 0,
        }],
        ..Observation::empty("sales")
    }
}

fn reason(observation: Observation) -> Reason {
    let snapshot = Snapshot {
        as_of: now(),
        database: DatabaseFacts::default(),
        entities: vec![observation],
    };
    let reading = Reading {
        snapshot: Some(snapshot),
        source: Source::Read,
    };
    assess(reading, &policy(), now()).entities[0].reason
}

#[test]
fn age_decides_to_the_microsecond() {
    let micro = TimeDelta::microseconds(1);
    let (late, overdue) = (TimeDelta::hours(2), TimeDelta::hours(12));
    for (age, expected) in [
        (TimeDelta::zero(), Reason::Fresh),
        (late - micro, Reason::Fresh),
        (late, Reason::Late),
        (late + micro, Reason::Late),
        (overdue - micro, Reason::Late),
        (overdue, Reason::Late),
        (overdue + micro, Reason::Overdue),
        (TimeDelta::days(4000), Reason::Overdue),
    ] {
        assert_eq!(reason(synced(age)), expected, "{age}");
    }
    assert!(Health::Green < Health::Yellow && Health::Yellow < Health::Red);
}
