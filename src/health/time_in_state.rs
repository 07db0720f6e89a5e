//! The past: which health an entity had at every moment, by the same rules, from the evidence alone
//! (`docs/verdict.md`, "Time in state").

use chrono::{DateTime, TimeDelta, Utc};

use super::freshness::Rhythm;
use super::{EntityPolicy, Evidence, Health, Reason};
use crate::model::{Observation, Status};

/// What the rules said at a moment of the past. Clocks, stuck runs and hidden tables say nothing
/// about the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    Fresh,
    Late,
    /// An expected run has not succeeded.
    Missed,
    Overdue,
    Failed,
}

impl Past {
    pub fn health(self) -> Health {
        match self {
            Past::Fresh => Health::Green,
            Past::Late | Past::Missed => Health::Yellow,
            Past::Overdue | Past::Failed => Health::Red,
        }
    }

    /// What would have been concluded then, had nothing else stood against it.
    pub fn reason(self) -> Reason {
        match self {
            Past::Fresh => Reason::Fresh,
            Past::Late => Reason::Late,
            Past::Missed => Reason::Missed,
            Past::Overdue => Reason::Overdue,
            Past::Failed => Reason::Failed,
        }
    }
}

/// A stretch of time, in microseconds since 1970, never empty: from a moment until just before another.
/// Each failure begins a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: i64,
    pub until: i64,
    pub past: Past,
}

/// A moment of evidence; of two at the same moment the success counts, so it sorts last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Failed,
    Succeeded,
}

/// From the first evidence until `now`, oldest first. After `known_until`, when the evidence was read, nothing is
/// known to be fresh: until it would be late in any case there is a gap.
pub fn time_in_state(
    observation: &Observation,
    evidence: &Evidence,
    policy: &EntityPolicy,
    known_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Span> {
    let now = now.timestamp_micros();
    let known_until = known_until.timestamp_micros();
    let mut rhythm = Rhythm::of(policy);
    let waiting = match policy.schedule {
        Some(_) => Past::Missed,
        None => Past::Late,
    };
    let events = events(observation, evidence, now);
    let mut spans: Vec<Span> = Vec::new();
    let mut add = |from: i64, until: i64, past: Past| {
        if from >= until {
            return;
        }
        match spans.last_mut() {
            // Of a failure, the moment is kept: it is what a problem begins with.
            Some(last) if past != Past::Failed && last.past == past => last.until = until,
            _ => spans.push(Span { from, until, past }),
        }
    };
    for (index, &(from, event)) in events.iter().enumerate() {
        let until = events.get(index + 1).map_or(now, |&(next, _)| next);
        match event {
            Event::Succeeded => {
                let deadlines = rhythm.deadlines(from);
                let late = deadlines.yellow.min(until);
                let overdue = deadlines.red.min(until);
                add(from, late.min(known_until), Past::Fresh);
                add(late, overdue, waiting);
                add(overdue, until, Past::Overdue);
            }
            Event::Failed => add(from, until, Past::Failed),
        }
    }
    spans
}

/// All evidence up to now, in microseconds, oldest first, with the newest before the window.
fn events(observation: &Observation, evidence: &Evidence, now: i64) -> Vec<(i64, Event)> {
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
    let mut add = |at: Option<DateTime<Utc>>, event| {
        events.extend(at.map(|at| (at.timestamp_micros(), event)));
    };
    add(evidence.state_success, Event::Succeeded);
    add(evidence.state_failure, Event::Failed);
    events.retain(|&(at, _)| at <= now);
    // Made of a few lists that are sorted already, which this kind of sorting makes use of.
    events.sort();
    events
}

/// How much of a stretch of time an entity had which health. What is missing to the whole lies before
/// the first evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shares {
    pub green: TimeDelta,
    pub yellow: TimeDelta,
    pub red: TimeDelta,
}

impl Shares {
    pub fn add(&mut self, health: Health, time: TimeDelta) {
        match health {
            Health::Green => self.green += time,
            Health::Yellow => self.yellow += time,
            Health::Red => self.red += time,
        }
    }

    pub fn known(&self) -> TimeDelta {
        self.green + self.yellow + self.red
    }
}

/// The shares of the time from `from` until `until`, to the microsecond.
pub fn shares(spans: &[Span], from: DateTime<Utc>, until: DateTime<Utc>) -> Shares {
    let (from, until) = (from.timestamp_micros(), until.timestamp_micros());
    let mut shares = Shares::default();
    let first = spans.partition_point(|span| span.until <= from);
    for span in spans[first..].iter().take_while(|span| span.from < until) {
        let time = span.until.min(until) - span.from.max(from);
        shares.add(span.past.health(), TimeDelta::microseconds(time));
    }
    shares
}
