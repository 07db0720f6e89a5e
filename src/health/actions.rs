//! Which records count where only some actions do (`docs/verdict.md`, "Actions").

use super::evidence::SAME_RUN;
use crate::model::{Observation, SyncState};

/// What is recorded of an entity as far as it tells of runs of these actions.
pub fn of_actions(observation: &Observation, actions: &[String]) -> Observation {
    let counts = |action: &str| actions.iter().any(|counted| counted == action);
    let mut counted = observation.clone();
    counted.outcomes.retain(|outcomes| counts(&outcomes.action));
    counted.runs.retain(|run| counts(&run.action));
    counted.errors.retain(|run| counts(&run.action));
    counted.state = observation
        .state
        .clone()
        .filter(|state| !tells_of_another(state, observation, counts));
    counted
}

/// The state row names no action: what it says within a minute of the end of a run of another action, it says of
/// that run.
fn tells_of_another(
    state: &SyncState,
    observation: &Observation,
    counts: impl Fn(&str) -> bool,
) -> bool {
    let Some(told) = state.last_sync_time.or(state.updated_at) else {
        return false;
    };
    observation
        .outcomes
        .iter()
        .filter(|outcomes| outcomes.status.is_an_end() && !counts(&outcomes.action))
        .filter_map(|outcomes| {
            outcomes
                .finishes
                .newest_until(told + SAME_RUN)
                .max(outcomes.before)
        })
        .any(|ended| (told - ended).abs() <= SAME_RUN)
}
