//! Evidence first: which moments prove a success, which a failure (`docs/verdict.md`, "Evidence").

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Observation, Outcomes, Status, SyncState};

/// Clocks may differ by this much before syncmon says so.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// What the log and the state say of moments this close to each other, they say of the same run.
pub const SAME_RUN: TimeDelta = TimeDelta::seconds(60);

/// Where a failure was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureRecord {
    Log,
    State,
}

/// The newest failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// When it happened; a failure that claims to lie in the future counts as now.
    pub at: DateTime<Utc>,
    pub record: FailureRecord,
}

/// The moments that count for one entity, and those that were looked at and set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Newest success from either table, however old.
    pub last_success: Option<DateTime<Utc>>,
    pub newest_failure: Option<Failure>,
    /// Newest successful run's finish in the log, not in the future.
    pub log_success: Option<DateTime<Utc>>,
    /// Newest failed run's finish in the log, as recorded.
    pub log_failure: Option<DateTime<Utc>>,
    /// The time in `sync_state` that counts as a success.
    pub state_success: Option<DateTime<Utc>>,
    /// The time in `sync_state` that counts as a failure, as recorded.
    pub state_failure: Option<DateTime<Utc>>,
    /// A state time that belongs to a failed run and is therefore no success.
    pub own_timestamp: Option<DateTime<Utc>>,
    /// The newest success claimed for more than five minutes from now.
    pub future_success: Option<DateTime<Utc>>,
    /// The newest failure claimed for a moment after now.
    pub future_failure: Option<DateTime<Utc>>,
}

impl Evidence {
    /// Weighs what is recorded of one entity, as seen at `now`.
    pub fn weigh(observation: &Observation, now: DateTime<Utc>) -> Evidence {
        let horizon = now + CLOCK_TOLERANCE;
        let log_success = newest_until(&observation.outcomes, &Status::Completed, horizon);
        let log_failure = newest(&observation.outcomes, &Status::Failed);

        let claimed = observation.state.as_ref().and_then(claimed_success);
        let own_timestamp =
            claimed.filter(|&time| belongs_to_failure(time, log_failure, log_success));
        let state_claim = claimed.filter(|_| own_timestamp.is_none());
        let state_success = state_claim.filter(|&time| time <= horizon);

        let state_failure = observation.state.as_ref().and_then(claimed_failure);
        let newest_failure = [
            log_failure.map(|at| (at, FailureRecord::Log)),
            state_failure.map(|at| (at, FailureRecord::State)),
        ]
        .into_iter()
        .flatten()
        .rev()
        .max_by_key(|&(at, _)| at.min(now))
        .map(|(at, record)| Failure {
            at: at.min(now),
            record,
        });

        Evidence {
            last_success: log_success.max(state_success),
            newest_failure,
            log_success,
            log_failure,
            state_success,
            state_failure,
            own_timestamp,
            future_success: newest(&observation.outcomes, &Status::Completed)
                .max(state_claim)
                .filter(|&time| time > horizon),
            future_failure: log_failure.max(state_failure).filter(|&time| time > now),
        }
    }

    /// Whether the state tells of the failure at this moment.
    pub fn state_tells_of(&self, failure: DateTime<Utc>) -> bool {
        let told = self.state_failure;
        told.is_some_and(|at| (at - failure).abs() <= SAME_RUN)
    }

    /// Whether a failure is newer than every success.
    pub fn is_failing(&self) -> bool {
        match (self.newest_failure, self.last_success) {
            (Some(failure), Some(success)) => failure.at > success,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// The time at which the state row claims a success, if its word allows it to.
fn claimed_success(state: &SyncState) -> Option<DateTime<Utc>> {
    match state.status {
        Status::Completed | Status::Started | Status::Pending => state.last_sync_time,
        Status::Failed | Status::NeverSynced | Status::Unrecorded | Status::Other(_) => None,
    }
}

/// The time at which the state row claims a failure.
fn claimed_failure(state: &SyncState) -> Option<DateTime<Utc>> {
    match state.status {
        Status::Failed => state.last_sync_time.max(state.updated_at),
        Status::Completed
        | Status::Started
        | Status::Pending
        | Status::NeverSynced
        | Status::Unrecorded
        | Status::Other(_) => None,
    }
}

/// A failure's own timestamp is no success: the writers set `last_sync_time` after failures too.
fn belongs_to_failure(
    time: DateTime<Utc>,
    log_failure: Option<DateTime<Utc>>,
    log_success: Option<DateTime<Utc>>,
) -> bool {
    let Some(failure) = log_failure else {
        return false;
    };
    let recovered = log_success.is_some_and(|success| success > failure);
    let distance = time - failure;
    !recovered && distance >= TimeDelta::zero() && distance <= SAME_RUN
}

fn newest(outcomes: &[Outcomes], status: &Status) -> Option<DateTime<Utc>> {
    newest_until(outcomes, status, DateTime::<Utc>::MAX_UTC)
}

/// The newest finish of runs with this status that does not lie after `horizon`.
fn newest_until(
    outcomes: &[Outcomes],
    status: &Status,
    horizon: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    outcomes
        .iter()
        .filter(|outcome| outcome.status == *status)
        .filter_map(|outcome| {
            let earlier = outcome.before.filter(|&before| before <= horizon);
            outcome.finishes.newest_until(horizon).or(earlier)
        })
        .max()
}
