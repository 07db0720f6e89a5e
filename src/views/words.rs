//! The one vocabulary of the pages: reasons, healths and runs in a CFO's words.

use chrono::{DateTime, Utc};

use super::turns::activity_at;
use crate::health::{Activity, EntityAssessment, Health, Reason};
use crate::model::{Run, Status};

/// "Up to date", "Late", …: the word beside the icon.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Fresh => "Up to date",
        Reason::Late => "Late",
        Reason::Missed => "Missed a run",
        Reason::Overdue => "Overdue",
        Reason::Failed => "Failing",
        Reason::NeverSynced => "Never synced",
        Reason::Unconfirmed => "Unconfirmed",
        Reason::Stuck => "Stuck",
        Reason::ClockSkew => "Clock problem",
        Reason::Hidden => "Not readable",
        Reason::OutOfDate => "Out of date",
    }
}

/// The name that style sheet and script know a health by; also in the JSON.
pub fn health(health: Health) -> &'static str {
    match health {
        Health::Green => "green",
        Health::Yellow => "yellow",
        Health::Red => "red",
    }
}

/// The status of a state row, in the words of `sync_state`.
pub fn state_status(status: &Status) -> &str {
    match status {
        Status::Completed => "success",
        Status::Started => "running",
        Status::Failed
        | Status::Pending
        | Status::NeverSynced
        | Status::Unrecorded
        | Status::Other(_) => status.word(),
    }
}

/// What a run came to, as the pages and the JSON call it. A started run that a newer one has
/// superseded is "unfinished".
pub fn run_status(run: &Run, is_newest: bool) -> &str {
    match &run.status {
        Status::Started if !is_newest => "unfinished",
        Status::Completed
        | Status::Failed
        | Status::Started
        | Status::Pending
        | Status::NeverSynced
        | Status::Unrecorded
        | Status::Other(_) => run.status.word(),
    }
}

/// The newest run of an entity, as a page speaks of it at a moment: "running", "stuck", "not closed".
pub fn newest_run_status(entity: &EntityAssessment, run: &Run, now: DateTime<Utc>) -> String {
    match activity_at(entity, now) {
        Activity::Running { .. } => "running".to_owned(),
        Activity::Stuck { .. } => "stuck".to_owned(),
        Activity::Unclosed { .. } => "not closed".to_owned(),
        Activity::Idle => run_status(run, true).to_owned(),
    }
}
