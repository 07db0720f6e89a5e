//! The pages of the history. The same run stands on several of them, so its row is rendered once.

use anyhow::Result;
use serde::Serialize;

use super::Look;
use super::side_by_side::both;
use crate::publish::OutputFile;
use crate::views::{History, HistoryPage, HistoryRun};

/// Stands in a row for the way to the top of the site, which differs from page to page. No text that
/// is shown has control characters.
const ROOT: char = '\u{1}';

/// Stand around the number of a part, in place of its rows: templates need not see what may be a megabyte.
const ROWS: char = '\u{2}';

/// Rows of a day stand in tables of as many: a browser lays out only those that are in view.
const PART: usize = 100;

/// A day as the template lists it.
#[derive(Serialize)]
struct Day<'a> {
    date: &'a str,
    name: &'a str,
    tally: &'a str,
    unlisted: usize,
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

/// A run as pages and spreadsheets list it.
struct Rendered {
    row: String,
    line: String,
}

impl Look {
    /// Everything below `history/`.
    pub(super) fn history(&self, history: &History) -> Result<Vec<OutputFile>> {
        let half = history.length() / 2;
        let (newer, older) = both(
            || self.rows(history.runs(0..half)),
            || self.rows(history.runs(half..history.length())),
        )?;
        let mut rows = newer?;
        rows.extend(older?);
        let (first, last) = history.pages.split_at(history.pages.len() / 2);
        let (first, last) = both(|| self.files(first, &rows), || self.files(last, &rows))?;
        let mut files = first?;
        files.extend(last?);
        Ok(files)
    }

    fn rows(&self, runs: impl Iterator<Item = HistoryRun>) -> Result<Vec<Rendered>> {
        runs.map(|HistoryRun { row, line }| {
            let given = Row {
                row: &row,
                root: ROOT,
            };
            let row = self.rendered("history_row.html", &given)?;
            let row = String::from_utf8(row)
                .unwrap_or_else(|row| String::from_utf8_lossy(row.as_bytes()).into_owned());
            Ok(Rendered { row, line })
        })
        .collect()
    }

    /// The pages, each after the file with its rows.
    fn files(&self, pages: &[HistoryPage], rows: &[Rendered]) -> Result<Vec<OutputFile>> {
        let mut files = Vec::with_capacity(2 * pages.len());
        for page in pages {
            files.extend(spreadsheet(page, rows));
            let bytes = self.history_page(page, rows)?;
            files.push(OutputFile::new(&page.path, bytes));
        }
        Ok(files)
    }

    fn history_page(&self, page: &HistoryPage, rows: &[Rendered]) -> Result<Vec<u8>> {
        let mut parts = Vec::new();
        let mut part = |runs| {
            parts.push(runs);
            format!("{ROWS}{}{ROWS}", parts.len() - 1)
        };
        let listed: Vec<Day> = page
            .days
            .iter()
            .map(|day| Day {
                date: &day.date,
                name: &day.name,
                tally: &day.tally,
                unlisted: day.unlisted,
                href: day.href.as_deref(),
                parts: day.runs.chunks(PART).map(&mut part).collect(),
            })
            .collect();
        let view = &page.view;
        let frame = self.page("history.html", page.root, &Listed { view, listed })?;
        Ok(with_rows(&frame, page.root, &parts, rows))
    }
}

/// A page with the rows of each part in place of its number.
fn with_rows(frame: &[u8], root: &str, parts: &[&[usize]], rows: &[Rendered]) -> Vec<u8> {
    let runs = parts.iter().copied().flatten();
    let length: usize = runs.map(|&run| rows[run].row.len() + 2 * root.len()).sum();
    let mut page = Vec::with_capacity(frame.len() + length);
    for piece in frame.split(|&byte| byte == ROWS as u8) {
        let number = str::from_utf8(piece)
            .ok()
            .and_then(|text| text.parse().ok());
        match number.and_then(|number: usize| parts.get(number)) {
            Some(part) => part.iter().for_each(|&run| {
                let mut between = "";
                for text in rows[run].row.split(ROOT) {
                    page.extend_from_slice(between.as_bytes());
                    page.extend_from_slice(text.as_bytes());
                    between = root;
                }
            }),
            None => page.extend_from_slice(piece),
        }
    }
    page
}

fn spreadsheet(page: &HistoryPage, rows: &[Rendered]) -> Option<OutputFile> {
    let spreadsheet = page.spreadsheet.as_ref()?;
    let runs = page.days.iter().flat_map(|day| &day.runs);
    let lines: String = runs.map(|&run| rows[run].line.as_str()).collect();
    let text = format!("{}{lines}", spreadsheet.head);
    Some(OutputFile::new(&spreadsheet.path, text.into_bytes()))
}
