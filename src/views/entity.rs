//! An entity's page: the evidence behind its verdict, its days and its runs.

use serde::Serialize;

use super::charts::{Chart, charts};
use super::meaning::{Why, newest_error};
use super::notices::notice;
use super::parts::{Frame, Moment, Verdict, frame, moment, verdict};
use super::runs::{RunRow, newest_status_later, run_row};
use super::strip::Strip;
use super::times::Speaker;
use super::{Site, history_path, shares, words};
use crate::health::{Assessment, EntityAssessment, FailureRecord};
use crate::model::SyncState;
use crate::text::word;

/// How many runs an entity's page lists.
const LISTED_RUNS: usize = 50;

/// `entities/<entity>.html`.
#[derive(Debug, Serialize)]
pub struct EntityPage {
    pub frame: Frame,
    pub verdict: Verdict,
    pub entity_type: String,
    pub table: Option<String>,
    pub notices: Vec<String>,
    pub newest_success: Option<Success>,
    pub newest_failure: Option<Failure>,
    pub state: Option<State>,
    pub strip: Strip,
    pub shares: Vec<shares::Row>,
    pub charts: Vec<Chart>,
    pub runs: Vec<RunRow>,
    /// What the status of the newest run will be later, as JSON.
    pub newest_status_later: Option<String>,
    /// The page of all its runs of the last days.
    pub history: String,
}

#[derive(Debug, Serialize)]
pub struct Success {
    pub moment: Moment,
    /// "the log", "sync_state" or both.
    pub recorded_in: &'static str,
}

#[derive(Debug, Serialize)]
pub struct Failure {
    pub moment: Moment,
    /// "the log" or "sync_state".
    pub recorded_in: &'static str,
    pub why: Option<Why>,
}

/// The row of `sync_state`, as recorded.
#[derive(Debug, Serialize)]
pub struct State {
    pub status: String,
    pub last_sync_time: Option<Moment>,
    pub updated_at: Option<Moment>,
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
        newest_success: newest_success(entity, speaker),
        newest_failure: newest_failure(entity, speaker),
        state: entity
            .observation
            .state
            .as_ref()
            .map(|state| state_row(state, speaker)),
        strip,
        shares: shares::rows(entity, speaker),
        charts: charts(entity, LISTED_RUNS, speaker),
        newest_status_later: newest_status_later(entity, assessment.valid_until, speaker),
        runs: runs
            .iter()
            .take(LISTED_RUNS)
            .enumerate()
            .map(|(place, run)| run_row(entity, place, run, speaker))
            .collect(),
        history: history_path(&entity.policy.entity_type),
    }
}

fn newest_success(entity: &EntityAssessment, speaker: Speaker) -> Option<Success> {
    let evidence = &entity.evidence;
    let at = evidence.last_success?;
    let (in_log, in_state) = (
        evidence.log_success == Some(at),
        evidence.state_success == Some(at),
    );
    Some(Success {
        moment: moment(at, speaker),
        recorded_in: match (in_log, in_state) {
            (true, true) => "the log and sync_state",
            (true, false) => "the log",
            (false, _) => "sync_state",
        },
    })
}

fn newest_failure(entity: &EntityAssessment, speaker: Speaker) -> Option<Failure> {
    let failure = entity.evidence.newest_failure?;
    let recorded_in = match failure.record {
        FailureRecord::State => "sync_state",
        FailureRecord::Log => "the log",
    };
    Some(Failure {
        moment: moment(failure.at, speaker),
        recorded_in,
        why: newest_error(entity).map(Why::of),
    })
}

fn state_row(state: &SyncState, speaker: Speaker) -> State {
    State {
        status: words::state_status(&state.status).to_owned(),
        last_sync_time: state.last_sync_time.map(|at| moment(at, speaker)),
        updated_at: state.updated_at.map(|at| moment(at, speaker)),
        error: state.error.clone(),
    }
}
