//! Ninety days as bars, and what the page's script needs to go on drawing them.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::Site;
use super::times::Speaker;
use super::turns::{millis, red_from, yellow_from};
use crate::health::{Day, DayStart, EntityAssessment, Health, Reason, strip};

/// One path a health for the days gone by, taller where it was worse, and a bar for today, which the
/// script may still change.
#[derive(Debug, Clone, Serialize)]
pub struct Strip {
    pub none: String,
    pub green: String,
    pub yellow: String,
    pub red: String,
    pub today: Bar,
    /// The same in words.
    pub label: String,
    pub ahead: Ahead,
    pub days: Vec<StripDay>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Bar {
    pub class: &'static str,
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

/// How the strip goes on if nothing new is heard. Healths are single letters: `g`, `y`, `r`, and `-`
/// where nothing is known.
#[derive(Debug, Clone, Serialize)]
pub struct Ahead {
    /// What each day is drawn as, today as the last.
    pub days: String,
    /// What age and failures say of this very moment.
    pub present: char,
    /// From when on it is yellow and red by age, in milliseconds since 1970.
    pub yellow: Option<i64>,
    pub red: Option<i64>,
}

/// A day with its numbers.
#[derive(Debug, Clone, Serialize)]
pub struct StripDay {
    pub date: String,
    pub health: &'static str,
    pub word: &'static str,
    pub green: String,
    pub yellow: String,
    pub red: String,
    pub completed: u32,
    pub failed: u32,
}

/// Width of a day, and of the gap after it, in the strip's own units.
const DAY: usize = 2;
const GAP: usize = 1;

/// Height of the whole strip.
const HEIGHT: usize = 14;

/// `starts` are the strip's days, today as the last.
pub fn strip_of(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    site: Site,
    starts: &[DayStart],
) -> Strip {
    let now = site.speaker.now;
    let days = strip(&entity.observation, &entity.past, starts, now);
    let by_evidence = present(entity.reason);
    let believed = |health: Option<Health>, from: DateTime<Utc>| {
        let is_known = valid_until.is_none_or(|until| from <= until);
        health.filter(|&health| health != Health::Green || is_known)
    };
    let present = believed(by_evidence, now);
    let mut shown: Vec<Option<Health>> = days
        .iter()
        .zip(starts)
        .map(|(day, start)| believed(day.worst(), start.at))
        .collect();
    if let Some(today) = shown.last_mut() {
        *today = present.max(*today);
    }
    let gone_by = shown.split_last().map_or(&[][..], |(_, before)| before);
    let may_worsen = by_evidence.filter(|&health| health != Health::Red);
    Strip {
        none: bars(gone_by, None),
        green: bars(gone_by, Some(Health::Green)),
        yellow: bars(gone_by, Some(Health::Yellow)),
        red: bars(gone_by, Some(Health::Red)),
        today: bar(gone_by.len(), shown.last().copied().flatten()),
        label: label(&shown),
        ahead: Ahead {
            days: shown.iter().map(|&health| letter(health)).collect(),
            present: letter(present),
            yellow: may_worsen.and(yellow_from(entity)).map(millis),
            red: may_worsen.and(red_from(entity)).map(millis),
        },
        days: day_by_day(&days, &shown, site.speaker),
    }
}

/// The days of which something is known, newest first.
fn day_by_day(days: &[Day], shown: &[Option<Health>], speaker: Speaker) -> Vec<StripDay> {
    let today = days.len().saturating_sub(1);
    days.iter()
        .zip(shown)
        .enumerate()
        .rev()
        .filter(|(_, (_, shown))| shown.is_some())
        .map(|(index, (day, &shown))| strip_day(day, shown, (index == today).then_some(speaker)))
        .collect()
}

/// What age and failures alone say now: clocks, stuck runs and hidden tables say nothing about a day.
fn present(reason: Reason) -> Option<Health> {
    match reason {
        Reason::NeverSynced | Reason::Unconfirmed => None,
        Reason::Failed | Reason::Overdue => Some(Health::Red),
        Reason::Late | Reason::Missed => Some(Health::Yellow),
        Reason::Fresh | Reason::Stuck | Reason::ClockSkew | Reason::Hidden | Reason::OutOfDate => {
            Some(Health::Green)
        }
    }
}

fn letter(health: Option<Health>) -> char {
    match health {
        None => '-',
        Some(Health::Green) => 'g',
        Some(Health::Yellow) => 'y',
        Some(Health::Red) => 'r',
    }
}

/// Where a bar begins, from above: trouble is taller, not only redder. The page's script draws alike.
fn top(health: Option<Health>) -> usize {
    match health {
        None => 12,
        Some(Health::Green) => 10,
        Some(Health::Yellow) => 6,
        Some(Health::Red) => 0,
    }
}

fn class(health: Option<Health>) -> &'static str {
    health.map_or("none", super::words::health)
}

fn bars(days: &[Option<Health>], health: Option<Health>) -> String {
    let top = top(health);
    let mut path = String::new();
    for (index, _) in days.iter().enumerate().filter(|(_, day)| **day == health) {
        write!(
            path,
            "M{} {top}v{}h{DAY}V{top}z",
            index * (DAY + GAP),
            HEIGHT - top
        )
        .expect("writing to a string");
    }
    path
}

fn bar(index: usize, health: Option<Health>) -> Bar {
    Bar {
        class: class(health),
        left: index * (DAY + GAP),
        top: top(health),
        width: DAY,
        height: HEIGHT - top(health),
    }
}

/// The page's script puts other numbers into it, in this order.
fn label(days: &[Option<Health>]) -> String {
    let count = |health| days.iter().filter(|&&day| day == health).count();
    format!(
        "Last {} days: always up to date on {}, late at worst on {}, overdue or failing at some time on \
         {}, without any record of {}",
        days.len(),
        count(Some(Health::Green)),
        count(Some(Health::Yellow)),
        count(Some(Health::Red)),
        count(None),
    )
}

/// Of today, which is not over, it is said until when it was counted.
fn strip_day(day: &Day, shown: Option<Health>, today: Option<Speaker>) -> StripDay {
    let word = match shown {
        None => "No record",
        Some(Health::Green) => "Up to date",
        Some(Health::Yellow) => "Late",
        Some(Health::Red) => "Overdue or failing",
    };
    let date = day.date.format("%a %-d %b %Y");
    StripDay {
        date: match today {
            Some(speaker) => format!("{date}, until {}", speaker.briefly(speaker.now)),
            None => date.to_string(),
        },
        health: class(shown),
        word,
        green: share(day.time.green),
        yellow: share(day.time.yellow),
        red: share(day.time.red),
        completed: day.completed,
        failed: day.failed,
    }
}

fn share(time: TimeDelta) -> String {
    let minutes = time.num_minutes();
    match minutes {
        0 if time.is_zero() => "–".to_owned(),
        0 => "under 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        _ if minutes % 60 == 0 => format!("{} h", minutes / 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}
