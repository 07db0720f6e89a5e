//! Which runs the history lists, in which order, and of which day each is.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::super::Site;
use super::super::runs::RunResult;
use super::super::times::Speaker;
use crate::health::Assessment;
use crate::model::Run;

/// The day of a run in the site's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Day {
    Of(NaiveDate),
    /// After the day of the reading: some clock was wrong. All of them are one day, since there could
    /// be any number.
    Later,
}

impl Day {
    /// The name of its file, and what the script compares it by.
    pub fn key(self) -> String {
        match self {
            Day::Of(date) => date.to_string(),
            Day::Later => "later".to_owned(),
        }
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    Run {
        /// Its place among the runs of its entity, newest first.
        place: usize,
        run: &'a Run,
    },
    /// A run that was expected and left no trace.
    Expected { due: DateTime<Utc> },
}

impl What<'_> {
    pub fn is_run(self) -> bool {
        matches!(self, What::Run { .. })
    }

    /// When it started, or should have, and its number in the log.
    fn order(self) -> (DateTime<Utc>, i64) {
        match self {
            What::Run { run, .. } => (run.started_at, run.id),
            What::Expected { due } => (due, 0),
        }
    }
}

/// A run with what it is listed by.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// The place of its entity in the assessment.
    pub entity: usize,
    pub what: What<'a>,
    pub result: RunResult,
    pub is_unusual: bool,
    pub day: Day,
}

/// All runs of the last days up to the reading, newest first, and which of them belong together.
pub struct Listing<'a> {
    pub runs: Vec<Listed<'a>>,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    /// One list an entity of the assessment; places in `runs`.
    pub by_entity: Vec<Vec<usize>>,
    /// Every day, also one without a run.
    pub by_day: BTreeMap<Day, Vec<usize>>,
    pub by_result: BTreeMap<RunResult, Vec<usize>>,
}

/// `None` where nothing is known of these days.
pub fn listing<'a>(assessment: &'a Assessment, site: Site) -> Option<Listing<'a>> {
    let as_of = assessment.as_of?;
    let reader = Speaker {
        now: as_of,
        ..site.speaker
    };
    let wanted = reader.start_of_history(site.policy.history_days);
    let since = assessment.history_since?.max(wanted);
    if since > as_of {
        return None;
    }
    let last_day = reader.date(as_of);
    let mut listing = Listing {
        runs: runs_since(assessment, since, reader),
        first_day: reader.date(since),
        last_day,
        by_entity: vec![Vec::new(); assessment.entities.len()],
        by_day: BTreeMap::new(),
        by_result: BTreeMap::new(),
    };
    let mut day = listing.first_day;
    while day <= last_day {
        listing.by_day.insert(Day::Of(day), Vec::new());
        let Some(next) = day.succ_opt() else { break };
        day = next;
    }
    for (index, listed) in listing.runs.iter().enumerate() {
        listing.by_entity[listed.entity].push(index);
        listing.by_day.entry(listed.day).or_default().push(index);
        let also = listed.is_unusual.then_some(RunResult::Unusual);
        for result in [listed.result].into_iter().chain(also) {
            listing.by_result.entry(result).or_default().push(index);
        }
    }
    Some(listing)
}

impl Listing<'_> {
    /// How many days are listed.
    pub fn days(&self) -> TimeDelta {
        self.last_day - self.first_day + TimeDelta::days(1)
    }

    /// "Sunday 22 November 2026"
    pub fn name_of(&self, day: Day) -> String {
        match day {
            Day::Of(date) => date.format("%A %-d %B %Y").to_string(),
            Day::Later => format!("days after {}", self.last_day.format("%A %-d %B %Y")),
        }
    }
}

fn runs_since(assessment: &Assessment, since: DateTime<Utc>, reader: Speaker) -> Vec<Listed<'_>> {
    let last_day = reader.date(reader.now);
    let mut runs = Vec::new();
    for (index, entity) in assessment.entities.iter().enumerate() {
        let known = entity.observation.runs.iter().enumerate();
        let known = known.map(|(place, run)| {
            let result = RunResult::of(entity, place, run);
            (What::Run { place, run }, result)
        });
        let expected = entity.untraced.iter().map(|&due| {
            let result = RunResult::NothingRecorded;
            (What::Expected { due }, result)
        });
        runs.extend(
            known
                .chain(expected)
                .map(|(what, result)| (what, result, what.order().0))
                .filter(|&(_, _, at)| at >= since)
                .map(|(what, result, at)| {
                    let date = reader.date(at);
                    Listed {
                        entity: index,
                        is_unusual: match what {
                            What::Run { place, .. } => !entity.unusual_at(place).is_empty(),
                            What::Expected { .. } => false,
                        },
                        what,
                        result,
                        day: if date > last_day {
                            Day::Later
                        } else {
                            Day::Of(date)
                        },
                    }
                }),
        );
    }
    runs.sort_by_key(|listed| std::cmp::Reverse((listed.what.order(), listed.entity)));
    runs
}
