//! Texts that the program is expected to print, kept in `tests/it/golden/`.
//! `SYNCMON_BLESS=1 cargo test` writes what it prints now.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use snapbox::assert::Action;

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

/// Compares with what the file of all messages says.
pub fn message(title: &str, said: &str) {
    section("messages.txt", title, said.trim_end());
}

/// Compares with the part of a file that stands below "== title".
pub fn section(name: &str, title: &str, actual: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
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

fn blessing() -> bool {
    std::env::var_os("SYNCMON_BLESS").is_some_and(|value| value == "1")
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(name)
}
