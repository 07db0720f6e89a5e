//! An entity's page: the evidence behind its verdict, its days and its runs.

use serde::Serialize;

use super::notices::notice;
use super::parts::{Frame, Moment, Strip, Verdict, frame, moment, verdict};
use super::times::{Speaker, lasting};
use super::{Site, words};
use crate::health::{Assessment, EntityAssessment, FailureRecord};
use crate::model::{Run, Status, SyncState};
use crate::text::{excerpt, grouped, word};

/// `entities/<entity>.html`.
#[derive(Debug, Serialize)]
pub struct EntityPage {
    pub frame: Frame,
    pub verdict: Verdict,
    pub entity_type: String,
    pub table: Option<String>,
    pub notices: Vec<String>,
    pub newest_failure: Option<Failure>,
    pub state: Option<State>,
    pub strip: Strip,
    pub runs: Vec<RunRow>,
}

#[derive(Debug, Serialize)]
pub struct Failure {
    pub moment: Moment,
    /// "the log" or "sync_state".
    pub recorded_in: &'static str,
    pub error: Option<String>,
}

/// The row of `sync_state`, as recorded.
#[derive(Debug, Serialize)]
pub struct State {
    pub status: String,
    pub last_sync_time: Option<Moment>,
    pub updated_at: Option<Moment>,
    pub error: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct RunRow {
    pub started: Moment,
    pub action: String,
    pub status: String,
    /// "completed", "failed" or "other": how the row is marked.
    pub mark: &'static str,
    pub duration: Option<String>,
    pub records: Option<String>,
    pub error: Option<String>,
}

pub fn entity_page(
    assessment: &Assessment,
    entity: &EntityAssessment,
    strip: Strip,
    site: Site,
) -> EntityPage {
    let speaker = site.speaker;
    let runs = &entity.observation.runs;
    EntityPage {
        frame: frame(assessment, site),
        verdict: verdict(assessment, entity, speaker),
        entity_type: word(&entity.policy.entity_type),
        table: entity.policy.table.clone(),
        notices: entity.notices.iter().map(|n| notice(n, speaker)).collect(),
        newest_failure: newest_failure(entity, speaker),
        state: entity
            .observation
            .state
            .as_ref()
            .map(|state| state_row(state, speaker)),
        strip,
        runs: runs
            .iter()
            .enumerate()
            .map(|(index, run)| {
                let status = if index == 0 {
                    words::newest_run_status(entity, run)
                } else {
                    words::run_status(run, false).to_owned()
                };
                run_row(run, status, speaker)
            })
            .collect(),
    }
}

fn newest_failure(entity: &EntityAssessment, speaker: Speaker) -> Option<Failure> {
    let failure = entity.evidence.newest_failure?;
    let seen = &entity.observation;
    let (recorded_in, error) = match failure.record {
        FailureRecord::State => (
            "sync_state",
            seen.state.as_ref().and_then(|s| s.error.clone()),
        ),
        FailureRecord::Log => (
            "the log",
            seen.errors
                .iter()
                .find(|run| {
                    run.finished_at() == entity.evidence.log_failure && run.status == Status::Failed
                })
                .and_then(|run| run.error.clone()),
        ),
    };
    Some(Failure {
        moment: moment(failure.at, speaker),
        recorded_in,
        error,
    })
}

fn state_row(state: &SyncState, speaker: Speaker) -> State {
    State {
        status: state.status.word().to_owned(),
        last_sync_time: state.last_sync_time.map(|at| moment(at, speaker)),
        updated_at: state.updated_at.map(|at| moment(at, speaker)),
        error: state.error.clone(),
    }
}

fn run_row(run: &Run, status: String, speaker: Speaker) -> RunRow {
    RunRow {
        started: moment(run.started_at, speaker),
        action: run.action.clone(),
        status,
        mark: match run.status {
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Started
            | Status::Pending
            | Status::NeverSynced
            | Status::Unrecorded
            | Status::Other(_) => "other",
        },
        duration: run.duration_seconds.map(lasting),
        records: run.records_processed.map(grouped),
        error: run.error.as_deref().map(excerpt),
    }
}
