//! The rows that can be seen, read by the very statement of a build.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::connection::milliseconds;
use super::{Link, Seen, listed};
use crate::health::Policy;
use crate::model::{DatabaseFacts, Observation, Snapshot};
use crate::store::Unreadable;
use crate::views::{ago, counted, hidden_tables};

/// A statement that takes longer is worth a word.
const SLOW: Duration = Duration::from_secs(5);

pub fn rows(
    read: Result<&Snapshot, &Unreadable>,
    took: Duration,
    policy: &Policy,
    secrets: &[String],
    now: DateTime<Utc>,
) -> Seen {
    let snapshot = match read {
        Ok(snapshot) => snapshot,
        Err(why) => return Seen::broken(Link::Rows, why.what(secrets), why.remedy()),
    };
    if !snapshot.database.hidden_tables.is_empty() {
        return hidden(&snapshot.database);
    }
    if snapshot.entities.is_empty() {
        return nothing(&snapshot.database);
    }
    let mut seen = Seen::new(Link::Rows, summary(snapshot, took, now));
    if took > SLOW {
        seen = seen.advice(
            format!("the statement of a build took {}", milliseconds(took)),
            "look at the server's load and at the index; syncmon prune shortens the log",
        );
    }
    unrecorded(seen, snapshot, policy)
}

/// Silence is no calm: there is always something once a sync has run.
fn nothing(facts: &DatabaseFacts) -> Seen {
    let right = "check that DATABASE_URL names the database that the sync scripts write into, and that they have run";
    match &facts.role {
        Some(role) => Seen::broken(
            Link::Rows,
            format!("{role} sees no row in sync_state and none in sync_log, of any age"),
            format!("{right}; then look at the policies of row security on both tables"),
        ),
        None => Seen::broken(
            Link::Rows,
            "there is no row in sync_state and none in sync_log, of any age",
            right,
        ),
    }
}

fn hidden(facts: &DatabaseFacts) -> Seen {
    let mut seen = Seen::new(Link::Rows, "");
    for table in &facts.hidden_tables {
        let alone = DatabaseFacts {
            hidden_tables: vec![table.clone()],
            ..facts.clone()
        };
        let sentence = hidden_tables(&alone);
        let (says, remedy) = sentence
            .split_once(" To grant it, run: ")
            .unwrap_or((&sentence, "grant it a policy for select"));
        seen = seen.problem(says.trim_end_matches('.'), remedy);
    }
    seen
}

fn summary(snapshot: &Snapshot, took: Duration, now: DateTime<Utc>) -> String {
    let number =
        |count: usize, one, many| counted(i64::try_from(count).unwrap_or(i64::MAX), one, many);
    let runs: usize = snapshot.entities.iter().map(ended_runs).sum();
    let newest = snapshot.entities.iter().filter_map(newest).max();
    let age = newest.map_or_else(String::new, |newest| {
        format!(
            ", the newest {}",
            ago((now - newest).max(TimeDelta::zero()))
        )
    });
    format!(
        "{}, {} in 90 days{age}; read in {}",
        number(snapshot.entities.len(), "entity", "entities"),
        number(runs, "run", "runs"),
        milliseconds(took)
    )
}

fn ended_runs(entity: &Observation) -> usize {
    entity
        .outcomes
        .iter()
        .map(|outcomes| outcomes.finishes.micros().len())
        .sum()
}

/// The newest moment of which anything is recorded.
fn newest(entity: &Observation) -> Option<DateTime<Utc>> {
    let run = entity.runs.first().map(|run| run.started_at);
    let state = entity.state.as_ref();
    let state = state.and_then(|state| state.last_sync_time.max(state.updated_at));
    run.max(state)
}

/// What is expected and has left no trace, ever.
fn unrecorded(seen: Seen, snapshot: &Snapshot, policy: &Policy) -> Seen {
    let known = |entity_type: &str| {
        snapshot
            .entities
            .iter()
            .any(|entity| entity.entity_type == entity_type)
    };
    let missing: Vec<String> = policy
        .entities
        .iter()
        .filter(|entity| !known(&entity.entity_type))
        .map(|entity| entity.name.clone())
        .collect();
    if missing.is_empty() {
        return seen;
    }
    seen.advice(
        format!("nothing was ever recorded of {}", listed(&missing)),
        "correct entity_type in syncmon.toml as the scripts write it, take the entity away there, or run its sync",
    )
}
