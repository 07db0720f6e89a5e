//! The history: every run of the last days by entity, by day and by result, as pages that need no
//! script, and the same rows for spreadsheets.

mod listing;
mod pages;
mod sentences;
mod spreadsheet;

use std::ops::Range;

use serde::Serialize;

use super::parts::Frame;
use super::runs::{RunResult, RunRow, expected_row, newest_status_later, run_row};
use super::{Site, page_path};
use crate::health::Assessment;
use crate::text::file_stem;
use listing::{Day, Listed, What, listing};
use spreadsheet::Lines;

/// A page lists as many runs at most, the newest: more make browsers slow.
const MOST_ROWS: usize = 5000;

/// Where there are more entities than this, only the first page names them all.
const NAMED_EVERYWHERE: usize = 50;

/// Everything below `history/`.
pub struct History<'a> {
    pub pages: Vec<HistoryPage>,
    /// Newest first.
    listed: Vec<Listed<'a>>,
    assessment: &'a Assessment,
    site: Site<'a>,
}

/// A run that is listed. Most stand on several pages: each is made once.
pub struct HistoryRun {
    pub row: HistoryRow,
    /// Its line in a spreadsheet.
    pub line: String,
}

#[derive(Debug, Serialize)]
pub struct HistoryRow {
    /// The same from build to build.
    pub anchor: String,
    /// It is about a run that was expected and left no trace.
    pub expected: bool,
    pub run: RunRow,
    /// The kind of its status, and whether it is unusual: what it can be filtered by.
    pub result: String,
    pub entity: String,
    /// The page of the entity, from the top of the site.
    pub page: String,
    /// Where the day stands above, only the time.
    pub when: String,
    /// What its status will be later, as JSON: a run that is going on may get stuck.
    pub status_later: Option<String>,
    /// The beginning of the error, if there is more of it.
    pub error_begins: Option<String>,
}

/// A page of the history, and the file with its rows for spreadsheets.
pub struct HistoryPage {
    pub path: String,
    /// The way from the page to the top of the site.
    pub root: &'static str,
    /// `None` where nothing is known.
    pub spreadsheet: Option<Spreadsheet>,
    pub view: HistoryView,
    pub days: Vec<DayOfRuns>,
}

pub struct Spreadsheet {
    pub path: String,
    /// Its first line.
    pub head: &'static str,
}

/// What a page of the history shows besides its rows.
#[derive(Debug, Serialize)]
pub struct HistoryView {
    pub frame: Frame,
    pub heading: String,
    /// How many runs there are, and since when.
    pub shown: String,
    /// What is missing, and where it is.
    pub missing: Vec<String>,
    /// The pages of the history, as from this one.
    pub entities: Vec<Link>,
    /// Where there are too many entities to name them here: how many.
    pub more_entities: Option<String>,
    pub days: Vec<Link>,
    pub results: Vec<Link>,
    pub all: Link,
    /// The page of the entity itself, on the page of its runs.
    pub entity_page: Option<Link>,
    pub download: Option<Download>,
    /// What the script filters by; only on the page with all runs.
    pub filter: Option<Filter>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub name: String,
    /// `None` where there is no such page.
    pub href: Option<String>,
    /// What the script knows it by.
    pub key: String,
    pub current: bool,
}

#[derive(Debug, Serialize)]
pub struct Download {
    pub href: String,
    /// Under which it is saved, with the moment of the reading.
    pub file: String,
    pub label: String,
}

#[derive(Debug, Serialize)]
pub struct Filter {
    pub first_day: String,
    pub last_day: String,
}

/// The runs of one day on one page.
#[derive(Debug)]
pub struct DayOfRuns {
    /// "2026-11-22"
    pub date: String,
    /// "Sunday 22 November 2026"
    pub name: String,
    /// "143 runs, 2 failed"
    pub tally: String,
    /// The page of the day; `None` on that page itself.
    pub href: Option<String>,
    /// Their places, as in [`History::runs`].
    pub runs: Vec<usize>,
    /// How many more there are that are not listed here.
    pub unlisted: usize,
}

/// "All runs of the last 7 days"
pub fn title(days: i64) -> String {
    match days {
        1 => "All runs of today".to_owned(),
        _ => format!("All runs of the last {days} days"),
    }
}

pub fn history<'a>(assessment: &'a Assessment, site: Site<'a>) -> History<'a> {
    let listing = listing(assessment, site);
    History {
        pages: pages::pages(assessment, listing.as_ref(), site),
        listed: listing.map(|listing| listing.runs).unwrap_or_default(),
        assessment,
        site,
    }
}

impl History<'_> {
    /// How many runs are listed.
    pub fn length(&self) -> usize {
        self.listed.len()
    }

    /// The runs at these places, newest first.
    pub fn runs(&self, places: Range<usize>) -> impl Iterator<Item = HistoryRun> {
        let mut lines = Lines::new();
        self.listed[places]
            .iter()
            .map(move |listed| history_run(self.assessment, listed, &mut lines, self.site))
    }
}

fn history_run(
    assessment: &Assessment,
    listed: &Listed,
    lines: &mut Lines,
    site: Site,
) -> HistoryRun {
    let entity = &assessment.entities[listed.entity];
    let entity_type = &entity.policy.entity_type;
    let speaker = site.speaker;
    let (row, anchor, line) = match listed.what {
        What::Run { place, run } => {
            let row = run_row(entity, place, run, speaker);
            let line = lines.line(entity_type, run, &row, speaker);
            (row, format!("run-{}", run.id), line)
        }
        What::Expected { due } => (
            expected_row(due, speaker),
            format!("expected-{}-{}", file_stem(entity_type), due.timestamp()),
            lines.expected(entity_type, due, listed.result.word(), speaker),
        ),
    };
    let is_newest = matches!(listed.what, What::Run { place: 0, .. });
    HistoryRun {
        line,
        row: HistoryRow {
            anchor,
            expected: !listed.what.is_run(),
            result: if listed.is_unusual {
                format!("{} {}", listed.result.key(), RunResult::Unusual.key())
            } else {
                listed.result.key().to_owned()
            },
            entity: entity.policy.name.clone(),
            page: page_path(entity_type),
            when: match (listed.what, listed.day) {
                (What::Expected { due }, _) => format!("due {}", speaker.time(due)),
                (What::Run { .. }, Day::Of(_)) => row.started.time().to_owned(),
                (What::Run { .. }, Day::Later) => row.started.exact.clone(),
            },
            status_later: is_newest
                .then(|| newest_status_later(entity, assessment.valid_until, site.speaker))
                .flatten(),
            error_begins: row.error.as_deref().and_then(beginning),
            run: row,
        },
    }
}

/// The first words of an error that is longer than a line.
fn beginning(error: &str) -> Option<String> {
    const LINE: usize = 100;
    let line = error.trim_start().lines().next().unwrap_or_default();
    let begins: String = line.chars().take(LINE).collect();
    (begins.len() < error.trim().len()).then(|| format!("{} …", begins.trim_end()))
}
