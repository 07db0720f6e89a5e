//! The verdict, clause by clause: every boundary at, just before and just after it.
//!
//! An entity is built as its writers left it ([`Recorded`]), with times given as how long ago they
//! were; negative ones lie in the future.

mod cause;
mod clocks;
mod contradictions;
mod evidence;
mod hidden_and_unread;
mod problems;
mod properties;
mod runs;
mod schedule;
mod strip;
mod table;
mod time_in_state;
mod unusual;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Assessment, EntityAssessment, EntityPolicy, Notice, Pauses, Policy, Reading, Reason, Source,
    Thresholds, assess,
};
use crate::model::{
    DatabaseFacts, Moments, Observation, Outcomes, Run, Snapshot, Status, SyncState,
};

const MICRO: TimeDelta = TimeDelta::microseconds(1);
const ZERO: TimeDelta = TimeDelta::zero();

const fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

const fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

const fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

/// The moment at which these tests take place.
fn now() -> DateTime<Utc> {
    "2026-11-22T20:05:00Z".parse().unwrap()
}

/// No entity is configured, and the thresholds are the built-in ones.
fn policy() -> Policy {
    Policy {
        entities: Vec::new(),
        thresholds: Thresholds::default(),
        schedule: None,
        pauses: Pauses::default(),
        actions: None,
        owner: None,
        zone: chrono_tz::America::Los_Angeles,
        interval: minutes(5),
        history_days: 7,
    }
}

/// What the writers left of one entity.
#[derive(Debug, Clone)]
struct Recorded(Observation);

impl Recorded {
    fn nothing() -> Recorded {
        Recorded::nothing_of("sales")
    }

    fn nothing_of(entity_type: &str) -> Recorded {
        Recorded(Observation::empty(entity_type))
    }

    /// A run that was recorded as completed and took no time.
    fn completed(self, ago: TimeDelta) -> Recorded {
        self.run("completed", ago, None)
    }

    /// A run that was recorded as failed and took no time.
    fn failed(self, ago: TimeDelta) -> Recorded {
        self.run("failed", ago, None)
    }

    /// A run that was started and not closed.
    fn started(self, ago: TimeDelta) -> Recorded {
        self.run("started", ago, None)
    }

    /// A row of `sync_log` as the statement would report it; later calls get greater ids.
    fn run(self, status: &str, started_ago: TimeDelta, seconds: Option<f64>) -> Recorded {
        let Recorded(mut observation) = self;
        let run = Run {
            id: i64::try_from(observation.runs.len()).unwrap() + 1,
            started_at: now() - started_ago,
            action: "incremental_sync".to_owned(),
            status: Status::parse(Some(status)),
            duration_seconds: seconds.filter(|seconds| !seconds.is_nan()),
            records_processed: Some(1086),
            error: None,
        };
        let outcome = outcomes_of(&mut observation, &run.status);
        let finish = run
            .finished_at()
            .unwrap_or(run.started_at)
            .timestamp_micros();
        outcome.finishes = [outcome.finishes.micros(), &[finish]].concat().into();
        outcome.odd_durations += u64::from(seconds.is_some_and(|s| s.is_nan() || s < 0.0));
        observation.runs.push(run);
        observation
            .runs
            .sort_by_key(|run| std::cmp::Reverse((run.started_at, run.id)));
        Recorded(observation)
    }

    /// A row of `sync_log` without a timestamp.
    fn untimed_run(self, status: &str) -> Recorded {
        let Recorded(mut observation) = self;
        outcomes_of(&mut observation, &Status::parse(Some(status))).untimed += 1;
        Recorded(observation)
    }

    /// The row of `sync_state`, without `updated_at`.
    fn state(self, status: &str, ago: impl Into<Option<TimeDelta>>) -> Recorded {
        self.state_row(Some(status), ago.into(), None)
    }

    /// The row of `sync_state`.
    fn state_row(
        self,
        status: Option<&str>,
        synced_ago: Option<TimeDelta>,
        updated_ago: Option<TimeDelta>,
    ) -> Recorded {
        let Recorded(mut observation) = self;
        observation.state = Some(SyncState {
            status: Status::parse(status),
            last_sync_time: synced_ago.map(|ago| now() - ago),
            updated_at: updated_ago.map(|ago| now() - ago),
            error: None,
        });
        Recorded(observation)
    }

    fn judged(&self) -> EntityAssessment {
        self.judged_with(DatabaseFacts::default())
    }

    fn judged_with(&self, database: DatabaseFacts) -> EntityAssessment {
        let mut assessment = assess(read(vec![self.clone()], database), &policy(), now());
        assessment.entities.remove(0)
    }

    fn reason(&self) -> Reason {
        self.judged().reason
    }

    fn notices(&self) -> Vec<Notice> {
        self.judged().notices
    }
}

fn outcomes_of<'a>(observation: &'a mut Observation, status: &Status) -> &'a mut Outcomes {
    let outcomes = &mut observation.outcomes;
    let index = outcomes
        .iter()
        .position(|outcome| outcome.status == *status)
        .unwrap_or(outcomes.len());
    if index == outcomes.len() {
        outcomes.push(Outcomes {
            status: status.clone(),
            action: "incremental_sync".to_owned(),
            before: None,
            finishes: Moments::default(),
            untimed: 0,
            odd_durations: 0,
        });
    }
    &mut outcomes[index]
}

fn snapshot(entities: Vec<Recorded>, database: DatabaseFacts) -> Snapshot {
    Snapshot {
        as_of: now(),
        history_since: now() - TimeDelta::days(7),
        database,
        entities: entities.into_iter().map(|recorded| recorded.0).collect(),
    }
}

/// A reading of just now.
fn read(entities: Vec<Recorded>, database: DatabaseFacts) -> Reading {
    Reading {
        snapshot: Some(snapshot(entities, database)),
        source: Source::Read,
    }
}

/// Each entity's name and reason, in their order.
fn verdicts(assessment: &Assessment) -> Vec<(&str, Reason)> {
    assessment
        .entities
        .iter()
        .map(|entity| (entity.policy.entity_type.as_str(), entity.reason))
        .collect()
}

fn configured(entity_type: &str, thresholds: Thresholds) -> EntityPolicy {
    EntityPolicy {
        entity_type: entity_type.to_owned(),
        name: entity_type.to_uppercase(),
        table: None,
        thresholds,
        schedule: None,
        pauses: Pauses::default(),
        actions: None,
        owner: None,
    }
}
