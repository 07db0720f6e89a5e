//! The rows of the history for spreadsheets: RFC 4180, and no cell that a spreadsheet could take for
//! a formula.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};

use super::super::runs::RunRow;
use super::super::times::Speaker;
use crate::model::Run;
use crate::text::{excerpt, word};

/// The byte order mark, without which spreadsheets read UTF-8 as something else, and the names of the
/// columns.
pub const HEAD: &str = "\u{feff}started_at,finished_at,started_local,entity_type,action,status,\
                        duration_seconds,records_processed,error,unusual\r\n";

/// One line a run.
pub struct Lines {
    writer: csv::Writer<Vec<u8>>,
}

impl Lines {
    pub fn new() -> Lines {
        let writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        Lines { writer }
    }

    /// The line of a run. Moments are in UTC, but for `started_local`, which is as the site's zone has
    /// it and as spreadsheets can reckon with it.
    pub fn line(&mut self, entity_type: &str, run: &Run, row: &RunRow, speaker: Speaker) -> String {
        let error = run.error.as_deref().map(excerpt).unwrap_or_default();
        self.written([
            &*moment(run.started_at),
            &run.finished_at().map(moment).unwrap_or_default(),
            &speaker.for_spreadsheets(run.started_at),
            &harmless(&word(entity_type)),
            &harmless(&run.action),
            &harmless(&row.status),
            &harmless(&number(run.duration_seconds)),
            &harmless(&number(run.records_processed)),
            &harmless(&error),
            &harmless(&row.unusual.join(" / ")),
        ])
    }

    /// The line of a run that was expected at `due`, which stands where others have their start.
    pub fn expected(
        &mut self,
        entity_type: &str,
        due: DateTime<Utc>,
        status: &str,
        speaker: Speaker,
    ) -> String {
        let local = speaker.for_spreadsheets(due);
        let entity_type = word(entity_type);
        self.written([
            &*moment(due),
            "",
            &local,
            &harmless(&entity_type),
            "",
            status,
            "",
            "",
            "",
            "",
        ])
    }

    fn written(&mut self, cells: [&str; 10]) -> String {
        const MEMORY: &str = "memory takes what is written to it";
        let written = self.writer.get_ref().len();
        self.writer.write_record(cells).expect(MEMORY);
        self.writer.flush().expect(MEMORY);
        let line = &self.writer.get_ref()[written..];
        String::from_utf8_lossy(line).into_owned()
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn number(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// A text with an apostrophe before whatever could start a formula: at its beginning, and after
/// each mark at which a spreadsheet that expects another separator than the comma would begin a new
/// cell. What cannot be seen, and quotation marks, do not keep a formula from starting.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut copied = 0;
    let mut cell_begins = true;
    for (at, c) in text.char_indices() {
        let starts_formula = cell_begins && is_operator(c);
        if starts_formula || (at == 0 && matches!(c, '\t' | '\r' | '\n')) {
            safe.push_str(&text[copied..at]);
            safe.push('\'');
            copied = at;
        }
        cell_begins = match c {
            '\t' | '\r' | '\n' | ';' => true,
            c => cell_begins && !starts_formula && is_passed_over(c),
        };
    }
    if copied == 0 && !safe.starts_with('\'') {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// What a formula starts with, full-width and small forms included.
fn is_operator(c: char) -> bool {
    matches!(
        c,
        '=' | '+'
            | '-'
            | '@'
            | '\u{2212}'
            | '\u{fe62}'
            | '\u{fe63}'
            | '\u{fe66}'
            | '\u{fe6b}'
            | '\u{ff0b}'
            | '\u{ff0d}'
            | '\u{ff1d}'
            | '\u{ff20}'
    )
}

/// What may stand before it: white space, what cannot be seen, and quotation marks.
fn is_passed_over(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || crate::text::misleads(c)
        || matches!(
            c,
            '"' | '\u{ad}'
                | '\u{34f}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180e}'
                | '\u{200b}'..='\u{200d}'
                | '\u{2060}'..='\u{2065}'
                | '\u{206a}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffd}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_starts_a_formula() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("\nx", "'\nx"),
            ("\t=x", "'\t'=x"),
            ("  =x", "  '=x"),
            ("\u{a0}\u{200b}\u{feff}=x", "\u{a0}\u{200b}\u{feff}'=x"),
            ("\u{fffd}=x", "\u{fffd}'=x"),
            ("\"=x\"", "\"'=x\""),
            ("＝x", "'＝x"),
            ("＋x", "'＋x"),
            ("－x", "'－x"),
            ("＠x", "'＠x"),
            ("a;=x", "a;'=x"),
            ("a; \"=x", "a; \"'=x"),
            ("a\n=x", "a\n'=x"),
            ("a\n- b\n- c", "a\n'- b\n'- c"),
            ("a\tb\t@x", "a\tb\t'@x"),
        ] {
            assert_eq!(harmless(text), safe, "{text:?}");
        }
    }

    #[test]
    fn what_starts_no_formula_stays_as_it_is() {
        for text in [
            "",
            "completed",
            "a=1",
            "a, =b",
            "404 Client Error: Not Found",
            "ключ = x",
            "x\ny",
            "'=x",
        ] {
            assert_eq!(harmless(text), text);
        }
    }
}
