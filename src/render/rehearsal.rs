//! Worlds in which each part of a template has something to show. A template of one's own is tried on
//! all of them, so that it does not fail for the first time on the day on which something is wrong.

use chrono::{DateTime, TimeDelta, Utc};

use crate::alerts::Undelivered;
use crate::health::{Assessment, Owner, Pause, Pauses, Policy, Reading, Schedule, Source, assess};
use crate::model::{
    DatabaseFacts, Measured, Measures, Observation, Outcomes, Run, Snapshot, Status, SyncState,
};

/// How many entities of the policy take part.
const ENTITIES: usize = 3;

/// All is well; runs were missed before a pause; much is wrong; the same while the database is away; the database was never read.
pub fn worlds(policy: &Policy, now: DateTime<Utc>) -> Vec<Assessment> {
    let mut policy = policy.clone();
    policy.entities.truncate(ENTITIES);
    for (place, entity) in policy.entities.iter_mut().enumerate() {
        entity.thresholds.late_after = policy.thresholds.late_after / 2;
        entity.owner = Some(Owner {
            name: "Ana Ruiz".to_owned(),
            contact: (place == 0).then(|| "ana@example.org".to_owned()),
        });
    }
    let read = policy.validity() * 2;
    let away = || Source::Unreachable {
        since: now - read,
        message: "The database did not answer.".to_owned(),
    };
    let troubled = |as_of| Some(snapshot(as_of, troubled(&policy, as_of)));
    let well = Some(snapshot(now, well(&policy, now)));
    let missed = Some(snapshot(now, missed(&policy, now)));
    [
        (well, Source::Read, &policy),
        (missed, Source::Read, &scheduled(&policy, now)),
        (troubled(now), Source::Read, &policy),
        (troubled(now - read), away(), &policy),
        (None, away(), &policy),
    ]
    .into_iter()
    .map(|(snapshot, source, policy)| assess(Reading { snapshot, source }, policy, now))
    .collect()
}

/// The same with a run expected every day, but none at present.
fn scheduled(policy: &Policy, now: DateTime<Utc>) -> Policy {
    let schedule = "0 0 * * *".parse().ok().map(|cron| Schedule {
        cron,
        time_zone: chrono_tz::UTC,
        grace: TimeDelta::minutes(5),
        early: TimeDelta::minutes(5),
        since: None,
    });
    let pauses = Pauses::from(vec![Pause {
        from: now - TimeDelta::minutes(30),
        until: now + TimeDelta::hours(1),
        why: Some("The shop moves".to_owned()),
    }]);
    let mut policy = Policy {
        schedule,
        pauses,
        ..policy.clone()
    };
    for entity in &mut policy.entities {
        entity.schedule.clone_from(&policy.schedule);
        entity.pauses.clone_from(&policy.pauses);
    }
    policy
}

/// Alerts that do not get out.
pub fn undelivered(now: DateTime<Utc>) -> [Undelivered; 1] {
    [Undelivered {
        channel: "webhook".to_owned(),
        since: now - TimeDelta::hours(1),
        message: "The receiver did not answer in time.".to_owned(),
        waiting: 2,
    }]
}

fn snapshot(as_of: DateTime<Utc>, entities: Vec<Observation>) -> Snapshot {
    Snapshot {
        as_of,
        history_since: as_of - TimeDelta::days(7),
        database: DatabaseFacts::default(),
        entities,
    }
}

/// With more entities than every page of the history names.
fn well(policy: &Policy, now: DateTime<Utc>) -> Vec<Observation> {
    let configured = policy.entities.iter();
    let others = (0..50).map(|number| format!("another entity {number}"));
    configured
        .map(|entity| entity.entity_type.clone())
        .chain(others)
        .map(|entity_type| synced(&entity_type, now))
        .collect()
}

/// Synced just now, and before that months ago.
fn missed(policy: &Policy, now: DateTime<Utc>) -> Vec<Observation> {
    let configured = policy.entities.iter();
    configured
        .map(|entity| {
            let mut seen = synced(&entity.entity_type, now);
            for outcomes in &mut seen.outcomes {
                outcomes.before = Some(now - TimeDelta::days(100));
            }
            seen
        })
        .collect()
}

/// The first entity fails, as it has often before; a success of the second is known without its time; nothing is
/// known of the third; the last is not configured.
fn troubled(policy: &Policy, now: DateTime<Utc>) -> Vec<Observation> {
    let named = |place: usize| {
        policy
            .entities
            .get(place)
            .map(|entity| &*entity.entity_type)
    };
    let failing = named(0).map(|entity_type| failing(entity_type, now));
    let unconfirmed = named(1).map(|entity_type| Observation {
        state: Some(SyncState {
            status: Status::Completed,
            last_sync_time: None,
            updated_at: None,
            error: None,
        }),
        ..Observation::empty(entity_type)
    });
    let unexpected = synced("an entity that nobody configured", now);
    failing
        .into_iter()
        .chain(unconfirmed)
        .chain([unexpected])
        .collect()
}

/// Its only run is unusual, compared with those before.
fn synced(entity_type: &str, now: DateTime<Utc>) -> Observation {
    let run = run(1, now - TimeDelta::minutes(1), Status::Completed);
    let measured = |days| Measured(now - TimeDelta::days(days), Some(50_000), Some(3600.0));
    Observation {
        outcomes: vec![outcomes(&run)],
        measures: vec![Measures {
            status: Status::Completed,
            action: run.action.clone(),
            runs: (7..60).rev().map(measured).collect(),
        }],
        runs: vec![run],
        ..Observation::empty(entity_type)
    }
}

fn failing(entity_type: &str, now: DateTime<Utc>) -> Observation {
    let before = |hours| now - TimeDelta::hours(hours);
    let failed = Run {
        error: Some(format!(
            "HTTPError: 401 Client Error\n{}",
            "and more ".repeat(50)
        )),
        ..run(4, before(1), Status::Failed)
    };
    let completed = run(1, before(30), Status::Completed);
    let unfinished = |id, at| Run {
        duration_seconds: None,
        records_processed: None,
        ..run(id, at, Status::Started)
    };
    // More problems that are over than the overview has room for.
    let failures = (3..20).map(|n| now - TimeDelta::hours(4 * n + 1)).collect();
    let recoveries = (3..20).map(|n| now - TimeDelta::hours(4 * n)).collect();
    let often = |status, finishes| Outcomes {
        finishes,
        ..outcomes(&run(0, now, status))
    };
    Observation {
        state: Some(SyncState {
            status: Status::Failed,
            last_sync_time: Some(before(29)),
            updated_at: Some(before(1)),
            error: failed.error.clone(),
        }),
        outcomes: vec![
            outcomes(&failed),
            outcomes(&completed),
            often(Status::Failed, failures),
            often(Status::Completed, recoveries),
        ],
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
