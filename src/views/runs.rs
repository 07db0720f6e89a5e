//! A run as the pages list it: on an entity's page and in the history.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::times::{Speaker, lasting};
use super::turns::later;
use super::unusual::unusual;
use super::words;
use crate::health::{Activity, EntityAssessment};
use crate::model::{Run, Status};
use crate::text::{excerpt, grouped};

#[derive(Debug, Serialize)]
pub struct RunRow {
    /// As in `sync_log`.
    pub id: i64,
    pub started: Started,
    pub action: String,
    pub status: String,
    /// "completed", "failed" or "other": how the row is marked.
    pub mark: &'static str,
    pub duration: Option<String>,
    pub records: Option<String>,
    /// "12 records; usually 4,900 to 5,000"; empty for most runs.
    pub unusual: Vec<String>,
    pub error: Option<String>,
}

/// When a run started, in words and for programs.
#[derive(Debug, Serialize)]
pub struct Started {
    pub iso: String,
    /// "Sun 22 Nov 2026, 02:00:07 PST"
    pub exact: String,
}

impl Started {
    /// "02:00:07 PST": where the day stands above.
    pub fn time(&self) -> &str {
        self.exact.split_once(", ").map_or("", |(_, time)| time)
    }
}

/// What a run came to, as a kind that can be listed by itself. Every word of a writer's own is of
/// one kind, so that there are never more than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunResult {
    Failed,
    /// Expected, and no run was recorded.
    NothingRecorded,
    Stuck,
    Unfinished,
    Unclosed,
    Running,
    Pending,
    NeverSynced,
    Unrecorded,
    Other,
    /// Completed, and listed among those as well.
    Unusual,
    Completed,
}

/// The run that stands at this place of an entity's runs, newest first.
pub fn run_row(entity: &EntityAssessment, place: usize, run: &Run, speaker: Speaker) -> RunRow {
    RunRow {
        id: run.id,
        started: started(run.started_at, speaker),
        action: run.action.clone(),
        status: status(entity, place, run, speaker.now),
        mark: mark(run),
        duration: run.duration_seconds.map(lasting),
        records: run.records_processed.map(grouped),
        unusual: entity.unusual_at(place).iter().map(unusual).collect(),
        error: run.error.as_deref().map(excerpt),
    }
}

fn started(at: DateTime<Utc>, speaker: Speaker) -> Started {
    Started {
        iso: at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        exact: speaker.exactly(at),
    }
}

/// The row of a run that was expected then, of which nothing is recorded.
pub fn expected_row(due: DateTime<Utc>, speaker: Speaker) -> RunRow {
    RunRow {
        id: 0,
        started: started(due, speaker),
        action: String::new(),
        status: "expected, nothing recorded".to_owned(),
        mark: "other",
        duration: None,
        records: None,
        unusual: Vec::new(),
        error: None,
    }
}

/// How a run is marked: "completed", "failed" or "other".
pub fn mark(run: &Run) -> &'static str {
    match run.status {
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Started
        | Status::Pending
        | Status::NeverSynced
        | Status::Unrecorded
        | Status::Other(_) => "other",
    }
}

/// What a run came to, in the word that the pages show.
pub fn status(entity: &EntityAssessment, place: usize, run: &Run, now: DateTime<Utc>) -> String {
    if place == 0 {
        words::newest_run_status(entity, run, now)
    } else {
        words::run_status(run, false).to_owned()
    }
}

/// What the status of an entity's newest run will be later, as JSON.
pub fn newest_status_later(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    speaker: Speaker,
) -> Option<String> {
    let run = entity.observation.runs.first()?;
    later(entity, valid_until, speaker, |speaker| {
        Some(words::newest_run_status(entity, run, speaker.now))
    })
}

impl RunResult {
    pub fn of(entity: &EntityAssessment, place: usize, run: &Run) -> RunResult {
        match &run.status {
            Status::Completed => RunResult::Completed,
            Status::Failed => RunResult::Failed,
            Status::Started if place > 0 => RunResult::Unfinished,
            Status::Started => match entity.activity {
                Activity::Running { .. } => RunResult::Running,
                Activity::Stuck { .. } => RunResult::Stuck,
                Activity::Unclosed { .. } => RunResult::Unclosed,
                Activity::Idle => RunResult::Unfinished,
            },
            Status::Pending => RunResult::Pending,
            Status::NeverSynced => RunResult::NeverSynced,
            Status::Unrecorded => RunResult::Unrecorded,
            Status::Other(_) => RunResult::Other,
        }
    }

    /// The word in the rows; "other" for those with a word of their own.
    pub fn word(self) -> &'static str {
        match self {
            RunResult::Failed => "failed",
            RunResult::NothingRecorded => "nothing recorded",
            RunResult::Stuck => "stuck",
            RunResult::Unfinished => "unfinished",
            RunResult::Unclosed => "not closed",
            RunResult::Running => "running",
            RunResult::Pending => "pending",
            RunResult::NeverSynced => "never_synced",
            RunResult::Unrecorded => "unrecorded",
            RunResult::Other => "other",
            RunResult::Unusual => "unusual",
            RunResult::Completed => "completed",
        }
    }

    /// The name of its file, and what the script knows it by.
    pub fn key(self) -> &'static str {
        match self {
            RunResult::Unclosed => "not_closed",
            RunResult::NothingRecorded => "nothing_recorded",
            RunResult::Failed
            | RunResult::Stuck
            | RunResult::Unfinished
            | RunResult::Running
            | RunResult::Pending
            | RunResult::NeverSynced
            | RunResult::Unrecorded
            | RunResult::Other
            | RunResult::Unusual
            | RunResult::Completed => self.word(),
        }
    }

    /// "Runs that failed"
    pub fn heading(self) -> &'static str {
        match self {
            RunResult::Failed => "Runs that failed",
            RunResult::NothingRecorded => "Runs that were expected and left no trace",
            RunResult::Stuck => "Runs that are stuck",
            RunResult::Unfinished => "Runs that never finished",
            RunResult::Unclosed => "Runs that were not closed in the log",
            RunResult::Running => "Runs that are going on",
            RunResult::Pending => "Runs recorded as pending",
            RunResult::NeverSynced => "Runs recorded as never_synced",
            RunResult::Unrecorded => "Runs without a status",
            RunResult::Other => "Runs with a status that is not known to syncmon",
            RunResult::Unusual => "Runs that are unusual",
            RunResult::Completed => "Runs that completed",
        }
    }
}
