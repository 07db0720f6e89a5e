//! The pages of the history. The same run stands on several of them, so its row is rendered once.

use anyhow::Result;
use serde::Serialize;

use super::Look;
use crate::publish::OutputFile;
use crate::views::{History, HistoryPage};

/// Stands in a row for the way to the top of the site, which differs from page to page. No text that
/// is shown has control characters.
const ROOT: char = '\u{1}';

/// Rows of a day stand in tables of as many: a browser lays out only those that are in view.
const PART: usize = 100;

/// A day as the template lists it.
#[derive(Serialize)]
struct Day<'a> {
    date: &'a str,
    name: &'a str,
    tally: &'a str,
    href: Option<&'a str>,
    parts: Vec<String>,
}

/// What the template of a row is given.
#[derive(Serialize)]
struct Row<'a, R> {
    row: &'a R,
    root: char,
}

/// What the template of a page is given.
#[derive(Serialize)]
struct Listed<'a, V> {
    #[serde(flatten)]
    view: &'a V,
    listed: Vec<Day<'a>>,
}

impl Look {
    /// Everything below `history/`.
    pub(super) fn history(&self, history: &History) -> Result<Vec<OutputFile>> {
        let mut rows = Vec::with_capacity(history.runs.len());
        for run in &history.runs {
            let given = Row {
                row: &run.row,
                root: ROOT,
            };
            let row = self.rendered("history_row.html", &given)?;
            rows.push(String::from_utf8_lossy(&row).into_owned());
        }
        let mut files = Vec::new();
        for page in &history.pages {
            files.extend(spreadsheet(page, history));
            files.push(OutputFile {
                path: page.path.clone(),
                bytes: self.history_page(page, &rows)?,
                lasting: false,
            });
        }
        Ok(files)
    }

    fn history_page(&self, page: &HistoryPage, rows: &[String]) -> Result<Vec<u8>> {
        let listed: Vec<Day> = page
            .days
            .iter()
            .map(|day| Day {
                date: &day.date,
                name: &day.name,
                tally: &day.tally,
                href: day.href.as_deref(),
                parts: day
                    .runs
                    .chunks(PART)
                    .map(|part| rows_below(page.root, part, rows))
                    .collect(),
            })
            .collect();
        let view = &page.view;
        self.page("history.html", page.root, &Listed { view, listed })
    }
}

/// Rows on a page from where this is the way to the top of the site.
fn rows_below(root: &str, runs: &[usize], rows: &[String]) -> String {
    let mut below = String::new();
    for &run in runs {
        let mut parts = rows[run].split(ROOT);
        below.push_str(parts.next().unwrap_or_default());
        for part in parts {
            below.push_str(root);
            below.push_str(part);
        }
    }
    below
}

fn spreadsheet(page: &HistoryPage, history: &History) -> Option<OutputFile> {
    let spreadsheet = page.spreadsheet.as_ref()?;
    let runs = page.days.iter().flat_map(|day| &day.runs);
    let lines: String = runs.map(|&run| history.runs[run].line.as_str()).collect();
    Some(OutputFile {
        path: spreadsheet.path.clone(),
        bytes: format!("{}{lines}", spreadsheet.head).into_bytes(),
        lasting: false,
    })
}
