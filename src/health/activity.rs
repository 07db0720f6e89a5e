//! What an entity's newest run is doing (`docs/verdict.md`, "Runs that have not ended").

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Observation, Status};

/// The state of the newest run, if it was recorded as started and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nothing is going on.
    Idle,
    Running {
        since: DateTime<Utc>,
    },
    /// Going for longer than `stuck_after`.
    Stuck {
        since: DateTime<Utc>,
    },
    /// The log row was not closed, but `sync_state` reports a success after its start.
    Unclosed {
        since: DateTime<Utc>,
    },
}

impl Activity {
    pub fn observe(
        observation: &Observation,
        stuck_after: TimeDelta,
        now: DateTime<Utc>,
    ) -> Activity {
        let Some(newest) = observation.runs.first() else {
            return Activity::Idle;
        };
        match newest.status {
            Status::Started => {}
            Status::Completed
            | Status::Failed
            | Status::Pending
            | Status::NeverSynced
            | Status::Unrecorded
            | Status::Other(_) => return Activity::Idle,
        }
        let since = newest.started_at;
        let closed_by_state = observation.state.as_ref().is_some_and(|state| {
            state.status == Status::Completed
                && state.last_sync_time.is_some_and(|time| time > since)
        });
        if closed_by_state {
            Activity::Unclosed { since }
        } else if now - since > stuck_after {
            Activity::Stuck { since }
        } else {
            Activity::Running { since }
        }
    }

    pub fn is_running(self) -> bool {
        matches!(self, Activity::Running { .. })
    }

    pub fn is_stuck(self) -> bool {
        matches!(self, Activity::Stuck { .. })
    }
}
