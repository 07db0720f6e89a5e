//! Texts that the program is expected to print, kept in `tests/it/golden/`.
//! `SYNCMON_BLESS=1 cargo test` writes what it prints now.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek, Write as _};
use std::path::PathBuf;

use snapbox::assert::Action;

use crate::sandbox::Ended;
use crate::web::Response;

/// What somebody is told. Where it is otherwise than expected, the failure shows the part and the whole.
pub trait Told {
    fn told(&self) -> String;

    #[track_caller]
    fn has(&self, part: &str) -> &Self {
        let told = self.told();
        assert!(told.contains(part), "no {part:?} in: {told}");
        self
    }

    #[track_caller]
    fn lacks(&self, part: &str) -> &Self {
        let told = self.told();
        assert!(!told.contains(part), "{part:?} is in: {told}");
        self
    }
}

impl Ended {
    /// Insists on this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    pub fn says_nothing(&self) {
        assert_eq!(self.told(), "");
    }
}

impl Told for str {
    fn told(&self) -> String {
        self.to_owned()
    }
}

/// On both outputs.
impl Told for Ended {
    fn told(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Told for Response {
    fn told(&self) -> String {
        self.text()
    }
}

/// A text for the standard input of a program.
pub fn input(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

/// The rows of a table that is written a row a line, with a bar between two cells.
pub fn cases<const N: usize>(table: &str) -> Vec<[&str; N]> {
    let rows = table.lines().map(str::trim).filter(|row| !row.is_empty());
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        cells
            .try_into()
            .unwrap_or_else(|_| panic!("not {N} cells: {row}"))
    })
    .collect()
}

/// Compares with a whole file.
pub fn file(name: &str, actual: &str) {
    let action = if blessing() {
        Action::Overwrite
    } else {
        Action::Verify
    };
    let expected = snapbox::Data::read_from(&path(name), Some(snapbox::data::DataFormat::Text));
    snapbox::Assert::new()
        .action(action)
        .normalize_paths(false)
        .eq(actual.to_owned(), expected);
}

/// Compares with the part of a file that stands below "== title".
pub fn section(name: &str, title: &str, actual: &str) {
    // Each test may have a process of its own.
    let turn = File::open(path("")).unwrap();
    turn.lock().unwrap();
    let text = std::fs::read_to_string(path(name)).unwrap_or_default();
    let mut parts = text.split("\n== ");
    let introduction = parts.next().unwrap_or_default().to_owned();
    let mut sections: BTreeMap<&str, &str> = parts
        .filter_map(|part| part.split_once('\n'))
        .map(|(title, body)| (title, body.trim_end()))
        .collect();
    if blessing() {
        sections.insert(title, actual);
        let mut blessed = introduction;
        for (title, body) in sections {
            write!(blessed, "\n== {title}\n{body}\n").unwrap();
        }
        std::fs::write(path(name), blessed).unwrap();
        return;
    }
    let expected = sections.get(title).copied().unwrap_or_default().to_owned();
    drop(turn);
    // A backslash in a message is one, and no path of another system.
    snapbox::Assert::new()
        .normalize_paths(false)
        .eq(actual.to_owned(), expected);
}

/// Compares a message with what stands below its title in the file of all messages.
#[track_caller]
pub fn message(title: &str, actual: &str) {
    section("messages.txt", title, actual.trim_end());
}

fn blessing() -> bool {
    std::env::var_os("SYNCMON_BLESS").is_some_and(|value| value == "1")
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(name)
}
