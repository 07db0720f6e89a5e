//! The past: what the same rules would have said at every moment of the last 90 days, by day.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Evidence, Health, Thresholds};
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
    pub green: TimeDelta,
    pub yellow: TimeDelta,
    pub red: TimeDelta,
    /// Successful runs that finished on this day.
    pub completed: u32,
    /// Failed runs that finished on this day.
    pub failed: u32,
}

impl Day {
    fn new(date: NaiveDate) -> Day {
        let none = TimeDelta::zero();
        Day {
            date,
            green: none,
            yellow: none,
            red: none,
            completed: 0,
            failed: 0,
        }
    }

    /// The worst health of the day; `None` before the first evidence.
    pub fn worst(&self) -> Option<Health> {
        let lasted = |time: TimeDelta| time > TimeDelta::zero();
        if lasted(self.red) {
            Some(Health::Red)
        } else if lasted(self.yellow) {
            Some(Health::Yellow)
        } else if lasted(self.green) {
            Some(Health::Green)
        } else {
            None
        }
    }
}

/// A moment of evidence; of two at the same moment the success counts, so it sorts last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Failed,
    Succeeded,
}

/// The days from the first of `starts` until `now`.
///
/// `starts` are consecutive days, oldest first, the last one holding `now`. Judged by age and
/// failures alone: clocks, stuck runs and hidden tables say nothing about the past.
pub fn strip(
    observation: &Observation,
    evidence: &Evidence,
    thresholds: Thresholds,
    starts: &[DayStart],
    now: DateTime<Utc>,
) -> Vec<Day> {
    let mut days: Vec<Day> = starts.iter().map(|start| Day::new(start.date)).collect();
    count_runs(observation, starts, now, &mut days);

    let micros = DateTime::timestamp_micros;
    let (late_after, overdue_after) = (
        in_micros(thresholds.late_after),
        in_micros(thresholds.overdue_after),
    );
    let events = events(observation, evidence, now);
    let mut ledger = Ledger {
        starts: starts.iter().map(|s| micros(&s.at)).collect(),
        days,
        today: 0,
    };
    for (index, &(from, event)) in events.iter().enumerate() {
        let until = events
            .get(index + 1)
            .map_or(micros(&now), |&(next, _)| next);
        match event {
            Event::Succeeded => {
                let late = (from + late_after).min(until);
                let overdue = (from + overdue_after).min(until);
                ledger.spend(from, late, Health::Green);
                ledger.spend(late, overdue, Health::Yellow);
                ledger.spend(overdue, until, Health::Red);
            }
            Event::Failed => ledger.spend(from, until, Health::Red),
        }
    }
    ledger.days
}

/// All evidence up to now, in microseconds, oldest first, with the newest before the window.
fn events(observation: &Observation, evidence: &Evidence, now: DateTime<Utc>) -> Vec<(i64, Event)> {
    let mut events: Vec<(i64, Event)> = Vec::new();
    for outcome in &observation.outcomes {
        let event = match outcome.status {
            Status::Completed => Event::Succeeded,
            Status::Failed => Event::Failed,
            Status::Started
            | Status::Pending
            | Status::NeverSynced
            | Status::Unrecorded
            | Status::Other(_) => continue,
        };
        events.extend(outcome.before.map(|at| (at.timestamp_micros(), event)));
        events.extend(outcome.finishes.micros().iter().map(|&at| (at, event)));
    }
    events.extend(
        evidence
            .state_success
            .map(|at| (at.timestamp_micros(), Event::Succeeded)),
    );
    events.extend(
        evidence
            .state_failure
            .map(|at| (at.timestamp_micros(), Event::Failed)),
    );
    events.retain(|&(at, _)| at <= now.timestamp_micros());
    // Made of a few lists that are sorted already, which this kind of sorting makes use of.
    events.sort();
    events
}

fn in_micros(duration: TimeDelta) -> i64 {
    duration.num_microseconds().unwrap_or(i64::MAX / 4)
}

/// Where time is booked, from the oldest to the newest; all moments in microseconds since 1970.
struct Ledger {
    starts: Vec<i64>,
    days: Vec<Day>,
    /// The day that the last booking ended on.
    today: usize,
}

impl Ledger {
    /// Adds the time from `from` to `until` to the days that it falls on.
    fn spend(&mut self, from: i64, until: i64, health: Health) {
        let Some(&first) = self.starts.first() else {
            return;
        };
        let mut from = from.max(first);
        while from < until {
            let tomorrow = self.starts.get(self.today + 1).copied().unwrap_or(i64::MAX);
            if tomorrow <= from {
                self.today += 1;
                continue;
            }
            let end = tomorrow.min(until);
            let spent = TimeDelta::microseconds(end - from);
            let day = &mut self.days[self.today];
            match health {
                Health::Green => day.green += spent,
                Health::Yellow => day.yellow += spent,
                Health::Red => day.red += spent,
            }
            from = end;
        }
    }
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
