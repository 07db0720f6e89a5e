//! Notices: what a reader should know besides the verdict, each in one sentence.

use chrono::{DateTime, TimeDelta, Utc};

use super::times::{Speaker, counted};
use super::unusual::unusual;
use crate::health::{Notice, Table};
use crate::model::{DatabaseFacts, Status};

/// One notice in one sentence.
pub fn notice(notice: &Notice, speaker: Speaker) -> String {
    let say = |at: &DateTime<Utc>| speaker.day_and_time(*at);
    match notice {
        Notice::FailureOnlyInLog { at } => format!(
            "Contradiction: the log shows a failed run on {} that sync_state does not know of.",
            say(at)
        ),
        Notice::FailureOnlyInState { at } => format!(
            "Contradiction: sync_state reports a failure on {} that the log does not show.",
            say(at)
        ),
        Notice::SuccessOnlyInLog { at } => format!(
            "Contradiction: the log shows a completed run on {} that sync_state does not know of.",
            say(at)
        ),
        Notice::SuccessOnlyInState { at } => format!(
            "Contradiction: sync_state reports a success on {} that the log does not show.",
            say(at)
        ),
        Notice::StateStillFailed { at } => format!(
            "Contradiction: sync_state still says failed, as of {}, although the log shows a later completed run.",
            say(at)
        ),
        Notice::OwnTimestamp { at } => format!(
            "The time in sync_state, {}, is that of a failed run and does not count as a success.",
            say(at)
        ),
        Notice::WordWithoutTime { status } => word_without_time(status),
        Notice::RunNotClosed { since } => format!(
            "The run that started on {} was never closed in the log, but sync_state reports a later success.",
            say(since)
        ),
        Notice::Paused { until, why } => paused(*until, why.as_deref(), speaker),
        Notice::RunStuck { since } => run_stuck(&say(since)),
        Notice::SuccessInFuture { at } => format!(
            "A success is recorded for {}, which is in the future; it does not count until the clocks are right.",
            say(at)
        ),
        Notice::FailureInFuture { at } => format!(
            "A failure is recorded for {}, which is in the future; it counts as happening now.",
            say(at)
        ),
        Notice::ReadAhead { at } => format!(
            "What is shown was read on {} by a clock that was ahead of what this machine's clock says \
             now; until they agree, nothing is shown as up to date.",
            say(at)
        ),
        Notice::DatabaseClock { ahead } => database_clock(*ahead),
        Notice::NewestUnusual(how) => format!("The newest run is unusual: {}.", unusual(how)),
        Notice::UntimedRuns { count } => format!(
            "{} in the log without a timestamp: no evidence of anything.",
            counted(whole(*count), "row is", "rows are")
        ),
        Notice::OddDurations { count } => format!(
            "{} a duration that is negative or no number; it counts as 0.",
            counted(whole(*count), "run has", "runs have")
        ),
        Notice::UnknownWord { table, word } => unknown_word(*table, word),
        Notice::HiddenTable { table, role } => hidden_table(table, role),
    }
}

fn run_stuck(since: &str) -> String {
    format!("The run that started on {since} has not ended; it is probably dead.")
}

/// What row security hides from the role that read, and what to run about it.
pub fn hidden_tables(facts: &DatabaseFacts) -> String {
    let sentences: Vec<String> = facts
        .hidden_tables
        .iter()
        .map(|table| hidden_table(table, facts.role_name()))
        .collect();
    sentences.join(" ")
}

fn hidden_table(table: &str, role: &str) -> String {
    format!(
        "Row security hides the table {table} from the role {role}. To grant it, run: create policy \
         syncmon_reads on public.{table} for select to {} using (true);",
        identifier(role)
    )
}

/// A role's name as SQL takes it.
pub fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

fn paused(until: DateTime<Utc>, why: Option<&str>, speaker: Speaker) -> String {
    let until = speaker.day_and_time(until);
    match why {
        Some(why) => format!("Maintenance until {until}: {why}. No run is expected meanwhile."),
        None => format!("Closed until {until}; no run is expected meanwhile."),
    }
}

fn word_without_time(status: &Status) -> String {
    let word = if *status == Status::Failed {
        "failed"
    } else {
        "success"
    };
    format!("sync_state says {word}, but gives no time for it; it does not count.")
}

fn unknown_word(table: Table, word: &str) -> String {
    let table = match table {
        Table::State => "sync_state",
        Table::Log => "the log",
    };
    format!("The status “{word}” in {table} is not known to syncmon; it counts as nothing.")
}

fn database_clock(ahead: TimeDelta) -> String {
    let direction = if ahead > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    format!(
        "The database's clock is {} {direction} this machine's; until they agree, nothing is shown \
         as up to date.",
        clock_span(ahead)
    )
}

/// To the nearest minute, hour or day: clocks are set wrong by whole ones.
fn clock_span(ahead: TimeDelta) -> String {
    let seconds = ahead.abs().num_seconds();
    let rounded = |unit: i64| (seconds + (unit - 1) / 2) / unit;
    if rounded(60) < 120 {
        counted(rounded(60), "minute", "minutes")
    } else if rounded(3600) < 48 {
        counted(rounded(3600), "hour", "hours")
    } else {
        counted(rounded(86_400), "day", "days")
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_by_whole_hours_is_said_to_be() {
        for (milliseconds, said) in [
            (360_000, "6 minutes"),
            (5_399_900, "90 minutes"),
            (10_799_900, "3 hours"),
            (10_800_100, "3 hours"),
            (86_399_900, "24 hours"),
            (259_199_900, "3 days"),
        ] {
            assert_eq!(clock_span(TimeDelta::milliseconds(milliseconds)), said);
            assert_eq!(clock_span(TimeDelta::milliseconds(-milliseconds)), said);
        }
    }
}
