//! What the program says on its two outputs: whole lines, no secrets, and never a panic because an
//! output is closed or full.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::error::ErrorKind;

use super::check;
use crate::masking::{MASK, mask, passwords_in};

/// One line on standard error.
pub fn say(message: &str) -> Result<()> {
    let words: Vec<&str> = message.split_whitespace().collect();
    say_as_it_is(&format!("syncmon: {}", words.join(" ")))
}

/// The same without the program's name before it.
pub fn say_as_it_is(line: &str) -> Result<()> {
    let (before, visible) = (room(), visible(line));
    // In one write, so that the lines of two builds do not mix in a log.
    std::io::stderr()
        .write_all(format!("{before}{visible}\n").as_bytes())
        .context("standard error cannot be written to")
}

fn visible(line: &str) -> String {
    without_given_secrets(line)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Whether a line of progress stands on the terminal.
static PROGRESS: AtomicBool = AtomicBool::new(false);

/// To the beginning of the terminal's line, and whatever stands in it away.
const NEW_LINE: &str = "\r\u{1b}[K";

/// What makes room for a line, where one of progress stands.
fn room() -> &'static str {
    if PROGRESS.swap(false, Ordering::Relaxed) {
        NEW_LINE
    } else {
        ""
    }
}

/// A line on the terminal in which standard error ends, until anything else is said.
pub fn show(progress: &str) {
    let mut err = std::io::stderr();
    let columns = rustix::termios::tcgetwinsize(&err).map_or(0, |size| size.ws_col);
    let columns = if columns == 0 { 80 } else { columns.into() };
    // What reaches the last column would take a second line, which stays.
    let line: String = visible(progress).chars().take(columns - 1).collect();
    PROGRESS.store(true, Ordering::Relaxed);
    let _ = err.write_all(format!("{NEW_LINE}{line}").as_bytes());
}

/// Takes that line away.
pub fn clear() {
    let _ = std::io::stderr().write_all(room().as_bytes());
}

/// Text on standard output. A program that reads it may rely on all of it or on an exit code.
pub fn tell(text: &str) -> Result<()> {
    clear();
    let mut out = std::io::stdout();
    out.write_all(without_given_secrets(text).as_bytes())
        .and_then(|()| out.flush())
        .context("standard output cannot be written to; check the disk or program that takes it")
}

/// What the command line cannot mean is said as clap says it, and help is shown; neither repeats a
/// secret that was mistaken for an option. Monitoring systems expect even help of a check to be no verdict.
pub fn refuse_command_line(refusal: &clap::Error) -> ExitCode {
    let text = refusal.to_string();
    let masked = without_given_secrets(&text);
    let told = if masked == text {
        refusal
            .print()
            .context("this text cannot be written to the terminal or file that takes it")
    } else {
        say_lines(&masked)
    };
    match (refusal.kind(), told) {
        (kind, _) if check::is_asked_for() => check::end_refused(kind, &masked),
        (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, Ok(())) => ExitCode::SUCCESS,
        (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, Err(error)) => super::report(&error),
        (_, _) => ExitCode::from(2),
    }
}

fn say_lines(text: &str) -> Result<()> {
    text.lines().try_for_each(say_as_it_is)
}

/// The text without what the user gave by command line or environment and what looks like a secret
/// there: a connection string in the place of a directory, for example.
fn without_given_secrets(text: &str) -> String {
    let variables = std::env::vars_os()
        .filter(|(name, _)| {
            name == "DATABASE_URL" || name.to_string_lossy().starts_with("SYNCMON_")
        })
        .map(|(_, value)| value);
    let mut clean = text.to_owned();
    for given in std::env::args_os().skip(1).chain(variables) {
        let given = given.to_string_lossy();
        let value = given
            .strip_prefix("--")
            .and_then(|option| option.split_once('='))
            .map_or(&*given, |(_, value)| value);
        if mask(value) == value {
            continue;
        }
        clean = clean.replace(value, &mask(value));
        for password in passwords_in(value) {
            clean = clean.replace(&password, MASK);
        }
    }
    clean
}

/// The newest panic, for [`take_fault`].
static FAULT: Mutex<Option<String>> = Mutex::new(None);

/// From now on a panic is remembered instead of printed: where it is caught it is nobody's business,
/// and where it is not, it is said in one line like everything else.
pub fn remember_faults() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let what = panic.payload_as_str().unwrap_or("no further words");
        if let Ok(mut fault) = FAULT.lock() {
            *fault = Some(format!("{} ({place})", mask(what)));
        }
    }));
}

/// The fault that ended the program, as an error to report.
pub fn take_fault() -> anyhow::Error {
    let fault = FAULT.lock().ok().and_then(|mut fault| fault.take());
    anyhow::anyhow!(
        "a fault in syncmon itself: {}; the site is as it was, or whole and new; please report this, \
         with what --version says",
        fault.unwrap_or_else(|| "nothing more is known".to_owned())
    )
}
