//! The past: what the same rules would have said at every moment of the last 90 days, by day.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Health;
use super::time_in_state::{Shares, Span, shares};
use crate::model::{Observation, Status};

/// A calendar day and the moment at which it begins, in the site's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayStart {
    pub date: NaiveDate,
    pub at: DateTime<Utc>,
}

/// One day of an entity: how long it had which health, and what ended on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub date: NaiveDate,
    pub time: Shares,
    /// Successful runs that finished on this day.
    pub completed: u32,
    /// Failed runs that finished on this day.
    pub failed: u32,
}

impl Day {
    /// The worst health of the day; `None` before the first evidence.
    pub fn worst(&self) -> Option<Health> {
        let lasted = |time: TimeDelta| time > TimeDelta::zero();
        if lasted(self.time.red) {
            Some(Health::Red)
        } else if lasted(self.time.yellow) {
            Some(Health::Yellow)
        } else if lasted(self.time.green) {
            Some(Health::Green)
        } else {
            None
        }
    }
}

/// The days from the first of `starts` until `now`, whose time in state is `past`.
///
/// `starts` are consecutive days, oldest first, the last one holding `now`.
pub fn strip(
    observation: &Observation,
    past: &[Span],
    starts: &[DayStart],
    now: DateTime<Utc>,
) -> Vec<Day> {
    let ends = starts.iter().skip(1).map(|next| next.at).chain([now]);
    let mut days: Vec<Day> = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| Day {
            date: start.date,
            time: shares(past, start.at, end.max(start.at)),
            completed: 0,
            failed: 0,
        })
        .collect();
    count_runs(observation, starts, now, &mut days);
    days
}

fn count_runs(
    observation: &Observation,
    starts: &[DayStart],
    now: DateTime<Utc>,
    days: &mut [Day],
) {
    for outcome in &observation.outcomes {
        let count: fn(&mut Day) -> &mut u32 = match outcome.status {
            Status::Completed => |day| &mut day.completed,
            Status::Failed => |day| &mut day.failed,
            Status::Started
            | Status::Pending
            | Status::NeverSynced
            | Status::Unrecorded
            | Status::Other(_) => continue,
        };
        let until = |at: DateTime<Utc>| outcome.finishes.count_before(at.timestamp_micros());
        let until_now = outcome.finishes.count_before(now.timestamp_micros() + 1);
        for (index, start) in starts.iter().enumerate() {
            let end = starts
                .get(index + 1)
                .map_or(until_now, |next| until(next.at));
            let number = end.min(until_now).saturating_sub(until(start.at));
            *count(&mut days[index]) += u32::try_from(number).unwrap_or(u32::MAX);
        }
    }
}
