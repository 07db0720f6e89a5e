//! Pieces that several pages show: the frame, the verdict, the strip, a run.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::times::{Speaker, counted, lasting};
use super::turns::turns;
use super::{Site, sentences, words};
use crate::health::{Activity, Assessment, Day, DayStart, EntityAssessment, Health, strip};
use crate::model::{Run, Status};

/// What the page's script needs to go on judging: moments in milliseconds since 1970.
#[derive(Debug, Serialize)]
pub struct Frame {
    pub title: String,
    pub demo: bool,
    /// The name of the time zone in which the page speaks.
    pub zone: &'static str,
    pub generated_at: i64,
    pub valid_until: Option<i64>,
    pub read: Option<String>,
    pub until: Option<String>,
    pub banner: Option<String>,
}

pub fn frame(assessment: &Assessment, site: Site) -> Frame {
    let validity = sentences::validity(assessment, site.speaker);
    let (read, until) = validity
        .map(|validity| (validity.read, validity.until))
        .unzip();
    Frame {
        title: site.title.to_owned(),
        demo: site.demo,
        zone: site.speaker.zone.name(),
        generated_at: assessment.generated_at.timestamp_millis(),
        valid_until: assessment.valid_until.map(|at| at.timestamp_millis()),
        read,
        until,
        banner: sentences::banner(assessment, site.speaker),
    }
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
    pub detail: String,
    /// What the clock alone will make of it, as JSON.
    pub turns: String,
    pub last_success: Option<Moment>,
    /// The problem beside others.
    pub short: String,
}

pub fn verdict(assessment: &Assessment, entity: &EntityAssessment, speaker: Speaker) -> Verdict {
    let turns = turns(entity, assessment.valid_until, speaker);
    Verdict {
        name: entity.policy.name.clone(),
        health: words::health(entity.health()),
        word: words::reason(entity.reason),
        detail: sentences::detail(entity, speaker),
        turns: serde_json::to_string(&turns).expect("words and numbers are JSON"),
        last_success: entity.evidence.last_success.map(|at| moment(at, speaker)),
        short: sentences::short(entity, entity.reason),
    }
}

/// Ninety days as bars: one path a health, taller where it was worse.
#[derive(Debug, Clone, Serialize)]
pub struct Strip {
    pub none: String,
    pub green: String,
    pub yellow: String,
    pub red: String,
    /// The same in words.
    pub label: String,
    pub days: Vec<StripDay>,
}

/// A day with its numbers.
#[derive(Debug, Clone, Serialize)]
pub struct StripDay {
    pub date: String,
    pub health: &'static str,
    pub word: &'static str,
    pub green: String,
    pub yellow: String,
    pub red: String,
    pub completed: u32,
    pub failed: u32,
}

/// Width of a day, and of the gap after it, in the strip's own units.
const DAY: usize = 2;
const GAP: usize = 1;

pub fn strip_of(entity: &EntityAssessment, site: Site, starts: &[DayStart]) -> Strip {
    let days = strip(
        &entity.observation,
        &entity.evidence,
        entity.policy.thresholds,
        starts,
        site.speaker.now,
    );
    let bars = |health: Option<Health>, top: usize| -> String {
        let mut path = String::new();
        for (index, _) in days
            .iter()
            .enumerate()
            .filter(|(_, day)| day.worst() == health)
        {
            write!(
                path,
                "M{} {top}v{}h{DAY}V{top}z",
                index * (DAY + GAP),
                14 - top
            )
            .expect("writing to a string");
        }
        path
    };
    Strip {
        none: bars(None, 12),
        green: bars(Some(Health::Green), 10),
        yellow: bars(Some(Health::Yellow), 6),
        red: bars(Some(Health::Red), 0),
        label: label(&days),
        days: days
            .iter()
            .rev()
            .filter(|day| day.worst().is_some())
            .map(strip_day)
            .collect(),
    }
}

fn label(days: &[Day]) -> String {
    let count = |health| {
        let number = days.iter().filter(|day| day.worst() == health).count();
        i64::try_from(number).unwrap_or(i64::MAX)
    };
    let total = i64::try_from(days.len()).unwrap_or(i64::MAX);
    let mut label = format!(
        "Last {}: {} always up to date, {} late at worst, {} overdue or failing at some time",
        counted(total, "day", "days"),
        counted(count(Some(Health::Green)), "day", "days"),
        count(Some(Health::Yellow)),
        count(Some(Health::Red)),
    );
    let none = count(None);
    if none > 0 {
        write!(label, ", {none} without any record").expect("writing to a string");
    }
    label
}

fn strip_day(day: &Day) -> StripDay {
    let (health, word) = match day.worst() {
        None => ("none", "No record"),
        Some(Health::Green) => ("green", "Up to date"),
        Some(Health::Yellow) => ("yellow", "Late"),
        Some(Health::Red) => ("red", "Overdue or failing"),
    };
    let share = |time: chrono::TimeDelta| {
        let minutes = time.num_minutes();
        match minutes {
            0 if time.is_zero() => "–".to_owned(),
            0 => "under 1 min".to_owned(),
            1..60 => format!("{minutes} min"),
            _ if minutes % 60 == 0 => format!("{} h", minutes / 60),
            _ => format!("{} h {} min", minutes / 60, minutes % 60),
        }
    };
    StripDay {
        date: day.date.format("%a %-d %b %Y").to_string(),
        health,
        word,
        green: share(day.green),
        yellow: share(day.yellow),
        red: share(day.red),
        completed: day.completed,
        failed: day.failed,
    }
}

/// What the newest run did, in a few words: "10,738 records in 39 s", "failed after 0.2 s",
/// "running since 12:01 PST".
pub fn newest_run(entity: &EntityAssessment, speaker: Speaker) -> Option<String> {
    let run = entity.observation.runs.first()?;
    let since = speaker.briefly(run.started_at);
    Some(match entity.activity {
        Activity::Running { .. } => format!("running since {since}"),
        Activity::Stuck { .. } => format!("stuck since {since}"),
        Activity::Unclosed { .. } => format!("started {since}, never closed"),
        Activity::Idle => match (&run.status, run.duration_seconds.map(lasting)) {
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
