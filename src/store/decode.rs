//! From the statement's JSON to the model: parsed once, here, with every text made publishable.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::model::{
    DatabaseFacts, Measured, Measures, Observation, Outcomes, Run, Status, SyncState,
};
use crate::text;

/// What the first row says of the database itself.
#[derive(Deserialize)]
struct RawFacts {
    clock: i64,
    role: Option<String>,
    hidden: Vec<String>,
}

#[derive(Deserialize)]
struct RawObservation<'a> {
    state: Option<RawState>,
    #[serde(borrow)]
    outcomes: Vec<RawOutcomes<'a>>,
    runs: Vec<RawRun>,
    /// Of those before the listed days, the newest.
    earlier: Vec<RawRun>,
    #[serde(borrow)]
    measures: Vec<RawMeasures<'a>>,
    errors: Vec<RawRun>,
}

#[derive(Deserialize)]
struct RawState {
    status: Option<String>,
    last_sync_time: Option<i64>,
    updated_at: Option<i64>,
    error: Option<String>,
    error_length: Option<u64>,
}

#[derive(Deserialize)]
struct RawOutcomes<'a> {
    status: Option<String>,
    action: Option<String>,
    untimed: u64,
    odd_durations: u64,
    before: Option<i64>,
    /// Numbers with spaces between them: the bulk of a row, read where it lies.
    finishes: Option<&'a str>,
}

#[derive(Deserialize)]
struct RawMeasures<'a> {
    status: Option<String>,
    action: Option<String>,
    /// Three words a run, "-" for what is not recorded: start, records, duration.
    runs: &'a str,
}

#[derive(Deserialize)]
struct RawRun {
    id: i64,
    started: i64,
    action: Option<String>,
    status: Option<String>,
    duration: Option<String>,
    records: Option<i64>,
    error: Option<String>,
    error_length: Option<u64>,
}

/// Decodes the first row. `now` is the builder's clock, `None` if it was given by hand.
pub fn facts(json: &str, now: Option<DateTime<Utc>>) -> Result<DatabaseFacts> {
    let raw: RawFacts = serde_json::from_str(json).context("the first row is not as expected")?;
    Ok(DatabaseFacts {
        role: raw.role.as_deref().map(text::word),
        hidden_tables: raw.hidden.iter().map(|table| text::word(table)).collect(),
        clock_ahead_micros: now.map(|now| raw.clock.saturating_sub(now.timestamp_micros())),
    })
}

/// How many runs before the listed ones are read of an action, to compare later ones with.
pub const MEASURED_RUNS: usize = 250;

/// Among how many runs of an entity they are looked for: a rare action stands beside a frequent one.
pub const MEASURED_AMONG: usize = 1000;

/// How many runs of an entity are listed at most: a few a minute for a day, or one a minute for three.
pub const MOST_RUNS: usize = 5000;

/// However few runs the listed days have, as many of the newest are kept.
const LEAST_RUNS: usize = 50;

/// Decodes the row of one entity.
pub fn observation(entity_type: &str, json: &str) -> Result<Observation> {
    let raw: RawObservation = serde_json::from_str(json).with_context(|| {
        format!(
            "the row of {:?} is not as expected",
            text::word(entity_type)
        )
    })?;
    let errors: Vec<Run> = raw.errors.into_iter().map(run).collect();
    let missing = LEAST_RUNS.saturating_sub(raw.runs.len());
    let runs_cut = raw.runs.len() >= MOST_RUNS;
    let listed = raw
        .runs
        .into_iter()
        .chain(raw.earlier.into_iter().take(missing));
    Ok(Observation {
        entity_type: entity_type.to_owned(),
        state: raw.state.map(state),
        outcomes: raw.outcomes.iter().map(outcomes).collect::<Result<_>>()?,
        runs: listed
            .map(|listed| with_whole_error(listed, &errors))
            .collect(),
        runs_cut,
        measures: raw.measures.iter().map(measures).collect::<Result<_>>()?,
        errors,
    })
}

/// A run from a list in which errors are cut shorter than in the list of errors.
fn with_whole_error(mut listed: RawRun, errors: &[Run]) -> Run {
    match errors.iter().find(|whole| whole.id == listed.id) {
        Some(whole) => {
            listed.error = None;
            Run {
                error: whole.error.clone(),
                ..run(listed)
            }
        }
        None => run(listed),
    }
}

fn state(raw: RawState) -> SyncState {
    SyncState {
        status: status(raw.status.as_deref()),
        last_sync_time: raw.last_sync_time.map(moment),
        updated_at: raw.updated_at.map(moment),
        error: published_error(raw.error, raw.error_length),
    }
}

fn outcomes(raw: &RawOutcomes) -> Result<Outcomes> {
    let finishes: Vec<i64> = raw
        .finishes
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context("a finish is not a number")?;
    Ok(Outcomes {
        status: status(raw.status.as_deref()),
        action: text::word(raw.action.as_deref().unwrap_or_default()),
        before: raw.before.map(moment),
        finishes: finishes.into(),
        untimed: raw.untimed,
        odd_durations: raw.odd_durations,
    })
}

fn measures(raw: &RawMeasures) -> Result<Measures> {
    let mut words = raw.runs.split_ascii_whitespace();
    let mut runs = Vec::new();
    while let Some(started) = words.next() {
        let started: i64 = started.parse().context("a start is not a number")?;
        let mut recorded = || {
            let word = words.next().context("a run has fewer than three words")?;
            anyhow::Ok((word != "-").then_some(word))
        };
        let records = recorded()?.map(str::parse).transpose();
        runs.push(Measured(
            moment(started),
            records.context("a number of records is not a number")?,
            recorded()?.and_then(seconds),
        ));
    }
    runs.sort_by(|a, b| {
        let of = |&Measured(started, records, _): &Measured| (started, records);
        let duration = |&Measured(_, _, seconds): &Measured| seconds.unwrap_or(0.0);
        of(a).cmp(&of(b)).then(duration(a).total_cmp(&duration(b)))
    });
    Ok(Measures {
        status: status(raw.status.as_deref()),
        action: text::word(raw.action.as_deref().unwrap_or_default()),
        runs,
    })
}

fn run(raw: RawRun) -> Run {
    Run {
        id: raw.id,
        started_at: moment(raw.started),
        action: text::word(raw.action.as_deref().unwrap_or_default()),
        status: status(raw.status.as_deref()),
        duration_seconds: raw.duration.as_deref().and_then(seconds),
        records_processed: raw.records,
        error: published_error(raw.error, raw.error_length),
    }
}

/// A recorded word; one that means nothing to syncmon is made publishable.
fn status(recorded: Option<&str>) -> Status {
    match Status::parse(recorded) {
        Status::Other(word) => Status::Other(text::word(&word)),
        known @ (Status::Completed
        | Status::Failed
        | Status::Started
        | Status::Pending
        | Status::NeverSynced
        | Status::Unrecorded) => known,
    }
}

/// A number of seconds; NaN and what is no number are `None`, endless is very long: longer than
/// the statement's 40 characters can tell, so that it is the same wherever it was cut.
fn seconds(text: &str) -> Option<f64> {
    let seconds: f64 = text.parse().ok()?;
    (!seconds.is_nan()).then(|| seconds.clamp(-1e38, 1e38))
}

/// A moment; beyond the calendar (years 1 to 9999) the nearest one within it.
fn moment(micros: i64) -> DateTime<Utc> {
    const FIRST: i64 = -62_135_596_800_000_000;
    const LAST: i64 = 253_402_300_799_000_000;
    DateTime::from_timestamp_micros(micros.clamp(FIRST, LAST)).expect("within the calendar")
}

fn published_error(error: Option<String>, full_length: Option<u64>) -> Option<String> {
    let error = error.filter(|error| !error.trim().is_empty())?;
    Some(text::error_text(&error, full_length.unwrap_or(0)))
}

#[cfg(test)]
mod properties;
