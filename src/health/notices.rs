//! What a reader should know besides the verdict: contradictions, odd rows, clocks, hidden tables.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Activity, Evidence, Unusual};
use crate::model::{DatabaseFacts, Observation, Outcomes, Status, SyncState};

/// The two records of one run may be this far apart.
const SAME_RUN: TimeDelta = TimeDelta::seconds(60);

/// One of the two tables that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    State,
    Log,
}

/// One thing worth saying about an entity; [`crate::views`] finds the sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The log ends with a failure that the state row does not know of.
    FailureOnlyInLog {
        at: DateTime<Utc>,
    },
    /// The state row reports a failure that the log does not show.
    FailureOnlyInState {
        at: DateTime<Utc>,
    },
    /// The log ends with a success that the state row does not know of.
    SuccessOnlyInLog {
        at: DateTime<Utc>,
    },
    /// The state row reports a success that the log does not show.
    SuccessOnlyInState {
        at: DateTime<Utc>,
    },
    /// The state row still says failed after a later success in the log.
    StateStillFailed {
        at: DateTime<Utc>,
    },
    /// The state row's success time is that of a failed run.
    OwnTimestamp {
        at: DateTime<Utc>,
    },
    /// The state row says success or failed, but has no time to go with it.
    WordWithoutTime {
        status: Status,
    },
    /// The newest run was not closed in the log although it ended.
    RunNotClosed {
        since: DateTime<Utc>,
    },
    /// Nothing is expected at present.
    Paused {
        until: DateTime<Utc>,
        /// As it was configured; `None` for a closing day.
        why: Option<String>,
    },
    RunStuck {
        since: DateTime<Utc>,
    },
    SuccessInFuture {
        at: DateTime<Utc>,
    },
    FailureInFuture {
        at: DateTime<Utc>,
    },
    /// Positive: the database's clock is ahead of the builder's.
    DatabaseClock {
        ahead: TimeDelta,
    },
    /// What is shown was read at a moment that lies ahead by this machine's clock.
    ReadAhead {
        at: DateTime<Utc>,
    },
    /// The newest run completed, but not as usual.
    NewestUnusual(Unusual),
    UntimedRuns {
        count: u64,
    },
    OddDurations {
        count: u64,
    },
    UnknownWord {
        table: Table,
        word: String,
    },
    /// A policy for `role` is missing.
    HiddenTable {
        table: String,
        role: String,
    },
}

/// Everything worth saying, gravest first.
pub fn notices(
    observation: &Observation,
    evidence: &Evidence,
    activity: Activity,
    unusual: &[Unusual],
    facts: &DatabaseFacts,
) -> Vec<Notice> {
    let hidden = |table: &String| Notice::HiddenTable {
        table: table.clone(),
        role: facts.role_name().to_owned(),
    };
    let mut notices: Vec<Notice> = facts.hidden_tables.iter().map(hidden).collect();
    if let Some(ahead) = clock_difference(facts) {
        notices.push(Notice::DatabaseClock { ahead });
    }
    if let Some(at) = evidence.future_success {
        notices.push(Notice::SuccessInFuture { at });
    }
    if let Some(at) = evidence.future_failure {
        notices.push(Notice::FailureInFuture { at });
    }
    match activity {
        Activity::Stuck { since } => notices.push(Notice::RunStuck { since }),
        Activity::Unclosed { since } => notices.push(Notice::RunNotClosed { since }),
        Activity::Idle | Activity::Running { .. } => {}
    }
    if let Some(state) = &observation.state {
        contradictions(observation, state, evidence, activity, &mut notices);
    }
    notices.extend(unusual.iter().copied().map(Notice::NewestUnusual));
    odd_rows(observation, &mut notices);
    notices
}

/// By how much the database's clock is off, if that is more than is tolerated.
pub fn clock_difference(facts: &DatabaseFacts) -> Option<TimeDelta> {
    facts
        .clock_ahead_micros
        .map(TimeDelta::microseconds)
        .filter(|ahead| ahead.abs() > super::evidence::CLOCK_TOLERANCE)
}

/// Where state and log contradict each other.
fn contradictions(
    observation: &Observation,
    state: &SyncState,
    evidence: &Evidence,
    activity: Activity,
    notices: &mut Vec<Notice>,
) {
    let logged = observation.outcomes.iter().any(|outcome| {
        matches!(outcome.status, Status::Completed | Status::Failed)
            && (outcome.before.is_some() || !outcome.finishes.is_empty())
    });
    let log_failed = evidence
        .log_failure
        .filter(|&at| evidence.log_success.is_none_or(|s| at > s));
    match &state.status {
        Status::Failed => match evidence.state_failure {
            None => notices.push(Notice::WordWithoutTime {
                status: state.status.clone(),
            }),
            Some(at) => {
                let in_log = evidence
                    .log_failure
                    .is_some_and(|f| (at - f).abs() <= SAME_RUN || f > at);
                if evidence.log_success.is_some_and(|success| success > at) {
                    notices.push(Notice::StateStillFailed { at });
                } else if logged && !in_log {
                    notices.push(Notice::FailureOnlyInState { at });
                }
            }
        },
        Status::Completed | Status::Started | Status::Pending | Status::NeverSynced => {
            if let Some(at) = evidence.own_timestamp {
                notices.push(Notice::OwnTimestamp { at });
            }
            if state.status == Status::Completed && state.last_sync_time.is_none() {
                notices.push(Notice::WordWithoutTime {
                    status: state.status.clone(),
                });
            }
            let newer_in_state = |at| evidence.state_success.is_some_and(|s| s > at);
            // A time that counts as no success still tells what the state row knows of.
            let known = evidence.state_success.max(evidence.own_timestamp);
            if let Some(at) = log_failed.filter(|&at| !newer_in_state(at)) {
                notices.push(Notice::FailureOnlyInLog { at });
            } else if let Some(at) = evidence.log_success
                && known.is_none_or(|known| at - known > SAME_RUN)
                && state.status != Status::Started
            {
                notices.push(Notice::SuccessOnlyInLog { at });
            } else if let Some(at) = evidence.state_success
                && logged
                && state.status == Status::Completed
                && activity == Activity::Idle
                && evidence.log_success.is_none_or(|l| at - l > SAME_RUN)
            {
                notices.push(Notice::SuccessOnlyInState { at });
            }
        }
        Status::Unrecorded | Status::Other(_) => {}
    }
}

/// Rows that could not be taken at their word.
fn odd_rows(observation: &Observation, notices: &mut Vec<Notice>) {
    let all = |count: fn(&Outcomes) -> u64| {
        let counts = observation.outcomes.iter().map(count);
        counts.fold(0, u64::saturating_add)
    };
    let untimed = all(|outcome| outcome.untimed);
    if untimed > 0 {
        notices.push(Notice::UntimedRuns { count: untimed });
    }
    let odd = all(|outcome| outcome.odd_durations);
    if odd > 0 {
        notices.push(Notice::OddDurations { count: odd });
    }
    if let Some(Status::Other(word)) = observation.state.as_ref().map(|state| &state.status) {
        notices.push(Notice::UnknownWord {
            table: Table::State,
            word: word.clone(),
        });
    }
    let mut words: Vec<&String> = observation
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.status {
            Status::Other(word) => Some(word),
            Status::Completed
            | Status::Failed
            | Status::Started
            | Status::Pending
            | Status::NeverSynced
            | Status::Unrecorded => None,
        })
        .collect();
    words.sort();
    words.dedup();
    // A writer gone wild could use a new word per row: name a few.
    for word in words.into_iter().take(5) {
        notices.push(Notice::UnknownWord {
            table: Table::Log,
            word: word.clone(),
        });
    }
}
