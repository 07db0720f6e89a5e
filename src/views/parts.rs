//! Pieces that several pages show: the frame, the verdict, a run.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::footer::{Piece, footer};
use super::meaning::{Ask, Why, consequence, newest_error};
use super::sentences::Validity;
use super::times::{Speaker, counted, lasting};
use super::turns::{activity_at, as_json, later, turns};
use super::{Site, sentences, words};
use crate::health::{Activity, Assessment, EntityAssessment, Reason};
use crate::model::{Run, Status};
use crate::text::apart;

/// What the page's script needs to go on judging: moments in milliseconds since 1970.
#[derive(Debug, Serialize)]
pub struct Frame {
    pub title: String,
    pub demo: bool,
    /// The name of the time zone in which the page speaks.
    pub zone: &'static str,
    pub generated_at: i64,
    pub valid_until: Option<i64>,
    /// When the coming days begin here, one after the other, with commas between.
    pub midnights: String,
    pub read: Option<String>,
    pub until: Option<String>,
    /// What `until` says once that is over.
    pub over: Option<String>,
    pub banner: Option<String>,
    /// Lines of what the site's owner wants to stand below every page.
    pub footer: Vec<Vec<Piece>>,
    pub feed: bool,
    /// What the link to the history says.
    pub history: String,
}

pub fn frame(assessment: &Assessment, site: Site) -> Frame {
    let validity = sentences::validity(assessment, site.speaker);
    let said = |part: fn(&Validity) -> &String| validity.as_ref().map(part).cloned();
    Frame {
        title: apart(site.title),
        demo: site.demo,
        zone: site.speaker.zone.name(),
        generated_at: assessment.generated_at.timestamp_millis(),
        valid_until: assessment.valid_until.map(|at| at.timestamp_millis()),
        midnights: midnights(site.speaker),
        read: said(|validity| &validity.read),
        until: said(|validity| &validity.until),
        over: said(|validity| &validity.over),
        banner: sentences::banner(assessment, site.speaker),
        footer: site.footer.map(footer).unwrap_or_default(),
        feed: site.feed,
        history: super::history::title(site.policy.history_days.into()),
    }
}

fn midnights(speaker: Speaker) -> String {
    let coming: Vec<String> = speaker
        .coming_days()
        .map(|at| at.timestamp_millis().to_string())
        .collect();
    coming.join(",")
}

/// A moment in words, and for the script.
#[derive(Debug, Serialize)]
pub struct Moment {
    pub millis: i64,
    pub iso: String,
    pub ago: String,
    pub brief: String,
    pub exact: String,
}

pub fn moment(at: DateTime<Utc>, speaker: Speaker) -> Moment {
    let age = (speaker.now - at).max(chrono::TimeDelta::zero());
    Moment {
        millis: at.timestamp_millis(),
        iso: at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        ago: super::times::ago(age),
        brief: speaker.briefly(at),
        exact: speaker.exactly(at),
    }
}

/// One entity's health as a page and its script show it.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub name: String,
    /// "green", "yellow", "red".
    pub health: &'static str,
    pub word: &'static str,
    /// Why it is judged so.
    pub grounds: String,
    /// What the clock alone will make of it, as JSON.
    pub turns: String,
    pub last_success: Option<Moment>,
    /// Why nobody knows whether there was a success, where none is on record.
    pub unknown: Option<&'static str>,
    /// How its short form changes with the days, as JSON.
    pub last_success_later: Option<String>,
    /// The problem beside others.
    pub short: String,
    /// The problem of all, after "All 6 syncs".
    pub many: String,
    /// What follows from it; empty while all is well.
    pub means: String,
    /// Why it failed, if that is the problem.
    pub why: Option<Why>,
    pub ask: Option<Ask>,
}

pub fn verdict(assessment: &Assessment, entity: &EntityAssessment, speaker: Speaker) -> Verdict {
    let until = assessment.valid_until;
    let is_old = assessment.is_old_at(speaker.now);
    let last_success = entity.evidence.last_success;
    Verdict {
        name: apart(&entity.policy.name),
        health: words::health(entity.health()),
        word: words::reason(sentences::as_said(entity, entity.reason)),
        grounds: sentences::grounds(entity, entity.reason, is_old, speaker),
        turns: as_json(&turns(entity, until, speaker)),
        last_success: last_success.map(|at| moment(at, speaker)),
        last_success_later: later(entity, until, speaker, |speaker| {
            last_success.map(|at| speaker.briefly(at))
        }),
        unknown: if entity.reason == Reason::Unconfirmed {
            Some("no success at a known time")
        } else if sentences::is_partly_hidden(entity) {
            Some("part of the record is hidden")
        } else {
            None
        },
        short: sentences::short(entity, entity.reason),
        many: sentences::of_many(sentences::as_said(entity, entity.reason)),
        means: consequence(entity, entity.reason, is_old, speaker),
        why: newest_error(entity)
            .filter(|_| entity.reason == Reason::Failed)
            .map(Why::of),
        ask: entity.policy.owner.as_ref().map(Ask::of),
    }
}

/// What the newest run did, in a few words: "10,738 records in 39 s", "failed after 0.2 s",
/// "running since 12:01 PST".
pub fn newest_run(entity: &EntityAssessment, speaker: Speaker) -> Option<String> {
    let run = entity.observation.runs.first()?;
    let since = speaker.briefly(run.started_at);
    Some(match activity_at(entity, speaker.now) {
        Activity::Running { .. } => format!("running since {since}"),
        Activity::Stuck { .. } => format!("started {since}, not ended"),
        Activity::Unclosed { .. } => format!("started {since}, never closed"),
        Activity::Idle => match (&run.status, measured(run).map(lasting)) {
            (Status::Completed, duration) => completed(run, duration),
            (Status::Failed, Some(duration)) => format!("failed after {duration}"),
            (Status::Failed, None) => format!("failed {since}"),
            (
                Status::Started
                | Status::Pending
                | Status::NeverSynced
                | Status::Unrecorded
                | Status::Other(_),
                _,
            ) => format!("“{}” {since}", run.status.word()),
        },
    })
}

/// How long a run took. Scripts that do not measure it write 0.
fn measured(run: &Run) -> Option<f64> {
    run.duration_seconds.filter(|&seconds| seconds > 0.0)
}

fn completed(run: &Run, duration: Option<String>) -> String {
    let records = run
        .records_processed
        .map(|number| counted(number, "record", "records"));
    match (records, duration) {
        (Some(records), Some(duration)) => format!("{records} in {duration}"),
        (Some(records), None) => records,
        (None, Some(duration)) => format!("completed in {duration}"),
        (None, None) => "completed".to_owned(),
    }
}
