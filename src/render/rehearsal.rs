//! Worlds in which each part of a template has something to show. A template of one's own is tried on
//! all of them, so that it does not fail for the first time on the day on which something is wrong.

use chrono::{DateTime, TimeDelta, Utc};

use crate::health::{Assessment, Policy, Reading, Source, assess};
use crate::model::{DatabaseFacts, Observation, Outcomes, Run, Snapshot, Status, SyncState};

/// How many entities of the policy take part.
const ENTITIES: usize = 3;

/// All is well; much is wrong; the same while the database is away; the database was never read.
pub fn worlds(policy: &Policy, now: DateTime<Utc>) -> Vec<Assessment> {
    let mut policy = policy.clone();
    policy.entities.truncate(ENTITIES);
    let read = policy.validity() * 2;
    let away = || Source::Unreachable {
        since: now - read,
        message: "The database did not answer.".to_owned(),
    };
    let troubled = |as_of| Some(snapshot(as_of, troubled(&policy, as_of)));
    let well = Some(snapshot(now, well(&policy, now)));
    [
        (well, Source::Read),
        (troubled(now), Source::Read),
        (troubled(now - read), away()),
        (None, away()),
    ]
    .into_iter()
    .map(|(snapshot, source)| assess(Reading { snapshot, source }, &policy, now))
    .collect()
}

fn snapshot(as_of: DateTime<Utc>, entities: Vec<Observation>) -> Snapshot {
    Snapshot {
        as_of,
        history_since: as_of - TimeDelta::days(7),
        database: DatabaseFacts::default(),
        entities,
    }
}

fn well(policy: &Policy, now: DateTime<Utc>) -> Vec<Observation> {
    let entities = policy.entities.iter();
    entities
        .map(|entity| synced(&entity.entity_type, now))
        .collect()
}

/// The first entity fails, the last is not configured, nothing is known of those between.
fn troubled(policy: &Policy, now: DateTime<Utc>) -> Vec<Observation> {
    let failing = policy
        .entities
        .first()
        .map(|entity| failing(&entity.entity_type, now));
    let unexpected = synced("an entity that nobody configured", now);
    failing.into_iter().chain([unexpected]).collect()
}

fn synced(entity_type: &str, now: DateTime<Utc>) -> Observation {
    let run = run(1, now - TimeDelta::minutes(1), Status::Completed);
    Observation {
        outcomes: vec![outcomes(&run)],
        runs: vec![run],
        ..Observation::empty(entity_type)
    }
}

fn failing(entity_type: &str, now: DateTime<Utc>) -> Observation {
    let before = |hours| now - TimeDelta::hours(hours);
    let failed = Run {
        error: Some("HTTPError: 401 Client Error".to_owned()),
        ..run(4, before(1), Status::Failed)
    };
    let completed = run(1, before(30), Status::Completed);
    let unfinished = |id, at| Run {
        duration_seconds: None,
        records_processed: None,
        ..run(id, at, Status::Started)
    };
    Observation {
        state: Some(SyncState {
            status: Status::Failed,
            last_sync_time: Some(before(29)),
            updated_at: Some(before(1)),
            error: failed.error.clone(),
        }),
        outcomes: vec![outcomes(&failed), outcomes(&completed)],
        errors: vec![failed.clone()],
        runs: vec![
            unfinished(5, now - TimeDelta::minutes(1)),
            failed,
            unfinished(3, before(9)),
            run(2, before(10), Status::Other("paused".to_owned())),
            completed,
        ],
        runs_cut: true,
        ..Observation::empty(entity_type)
    }
}

fn run(id: i64, started_at: DateTime<Utc>, status: Status) -> Run {
    Run {
        id,
        started_at,
        action: "incremental_sync".to_owned(),
        status,
        duration_seconds: Some(12.5),
        records_processed: Some(1086),
        error: None,
    }
}

fn outcomes(run: &Run) -> Outcomes {
    Outcomes {
        status: run.status.clone(),
        action: run.action.clone(),
        before: None,
        finishes: run.finished_at().into_iter().collect(),
        untimed: 0,
        odd_durations: 1,
    }
}
