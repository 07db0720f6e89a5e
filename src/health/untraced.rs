//! Runs that were expected and left no trace: nothing in the log, nothing in the state
//! (`docs/verdict.md`, "Schedules").

use chrono::{DateTime, Utc};

use super::EntityPolicy;
use crate::model::Observation;

/// The due times since `since` whose grace ended before `until` and around which nothing was recorded, oldest first.
///
/// What was recorded before the oldest record that is known cannot be told from nothing: these due times are left out,
/// unless there is no record at all.
pub fn untraced(
    observation: &Observation,
    policy: &EntityPolicy,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<DateTime<Utc>> {
    let Some(schedule) = &policy.schedule else {
        return Vec::new();
    };
    let mut traces = traces(observation);
    traces.sort_unstable();
    let since = match oldest(observation, &traces) {
        Some(oldest) => oldest.max(since),
        None => since,
    };
    let just_before = since - chrono::TimeDelta::microseconds(1);
    policy
        .expected_after(just_before)
        .take_while(|&due| due + schedule.grace < until)
        .filter(|&due| {
            let window = due - schedule.early..=due + schedule.grace;
            let next = traces.partition_point(|trace| trace < window.start());
            traces.get(next).is_none_or(|trace| !window.contains(trace))
        })
        .collect()
}

/// The moments of which something is recorded.
fn traces(observation: &Observation) -> Vec<DateTime<Utc>> {
    let runs = observation.runs.iter();
    let state = observation.state.iter();
    runs.flat_map(|run| [Some(run.started_at), run.finished_at()])
        .chain(state.flat_map(|state| [state.last_sync_time, state.updated_at]))
        .flatten()
        .collect()
}

/// From when on everything that was recorded is known; `None` where nothing was.
fn oldest(observation: &Observation, traces: &[DateTime<Utc>]) -> Option<DateTime<Utc>> {
    if observation.runs_cut {
        return observation.runs.last().map(|run| run.started_at);
    }
    let goes_back = observation
        .outcomes
        .iter()
        .any(|outcomes| outcomes.before.is_some());
    if goes_back {
        return Some(DateTime::<Utc>::MIN_UTC);
    }
    let logged = observation.outcomes.iter();
    logged
        .filter_map(|outcomes| outcomes.finishes.micros().first().copied())
        .filter_map(DateTime::from_timestamp_micros)
        .min()
        .or_else(|| traces.first().copied())
}
