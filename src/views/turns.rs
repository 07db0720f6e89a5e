//! What the clock alone makes of an entity if nothing new is heard of it: found and worded here,
//! carried out by the page's script.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::meaning::consequence;
use super::times::Speaker;
use super::{expectations, sentences, words};
use crate::health::{Activity, EntityAssessment, Reason};

/// A later verdict on an entity.
#[derive(Debug, Serialize)]
pub struct Turn {
    /// It holds from this moment on; milliseconds since 1970.
    from: i64,
    health: &'static str,
    word: &'static str,
    /// As the only problem, and beside others.
    alone: String,
    short: String,
    /// As the problem of all.
    many: String,
    grounds: String,
    means: String,
}

/// In the order of the verdict table: the first whose moment has come holds, else what was written.
pub fn turns(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    speaker: Speaker,
) -> Vec<Turn> {
    let is_old = |at| valid_until.is_some_and(|until| at > until);
    // From when on the same verdict is said with more care, if it is said otherwise then.
    let with_care = |reason, from| {
        let old_from = just_after(valid_until).filter(|&old_from| !is_old(from) && old_from > from);
        let said = turn(entity, reason, old_from?, true, speaker);
        let before = turn(entity, reason, from, false, speaker);
        (said.means != before.means || said.grounds != before.grounds).then_some(said)
    };
    let mut turns = Vec::new();
    for (reason, from) in ahead(entity, valid_until) {
        turns.extend(with_care(reason, from));
        turns.push(turn(entity, reason, from, is_old(from), speaker));
    }
    turns.extend(with_care(entity.reason, speaker.now));
    turns
}

fn turn(
    entity: &EntityAssessment,
    reason: Reason,
    from: DateTime<Utc>,
    is_old: bool,
    speaker: Speaker,
) -> Turn {
    Turn {
        from: millis(from),
        health: words::health(reason.health()),
        word: words::reason(reason),
        alone: sentences::alone(entity, reason, speaker),
        short: sentences::short(entity, reason),
        many: sentences::of_many(reason),
        grounds: sentences::grounds(entity, reason, is_old, speaker),
        means: consequence(entity, reason, is_old, speaker),
    }
}

/// What a text about an entity will be as time goes by: moments (milliseconds since 1970) and what is
/// said from then on, the latest first, as JSON; `None` if it stays as it is.
///
/// `say` is asked what it says at the start of each coming day and whenever the entity turns.
pub fn later(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    speaker: Speaker,
    say: impl Fn(Speaker) -> Option<String>,
) -> Option<String> {
    let mut moments: Vec<_> = ahead(entity, valid_until)
        .into_iter()
        .map(|(_, from)| from)
        .chain(just_after(stuck_at(entity)))
        .chain(expectations::moments(entity, speaker.now))
        .chain(speaker.coming_days())
        .collect();
    moments.sort_unstable();
    let mut said = say(speaker).unwrap_or_default();
    let mut changes = Vec::new();
    for now in moments {
        let text = say(Speaker { now, ..speaker }).unwrap_or_default();
        if text != said {
            changes.push((millis(now), text.clone()));
            said = text;
        }
    }
    changes.reverse();
    (!changes.is_empty()).then(|| as_json(&changes))
}

pub fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("words and numbers are JSON")
}

/// Why an entity will have its health at a later moment.
pub fn reason_at(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Reason {
    let come = ahead(entity, valid_until)
        .into_iter()
        .find(|&(_, from)| at >= from);
    come.map_or(entity.reason, |(reason, _)| reason)
}

/// What the newest run will be doing at a later moment.
pub fn activity_at(entity: &EntityAssessment, at: DateTime<Utc>) -> Activity {
    match entity.activity {
        Activity::Running { since } if stuck_at(entity).is_some_and(|limit| at > limit) => {
            Activity::Stuck { since }
        }
        other @ (Activity::Idle
        | Activity::Running { .. }
        | Activity::Stuck { .. }
        | Activity::Unclosed { .. }) => other,
    }
}

/// In milliseconds since 1970, as the page's script counts.
pub fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// The reasons that come with the clock and the moments from which they hold, to the millisecond, in
/// the order of the verdict table.
fn ahead(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
) -> Vec<(Reason, DateTime<Utc>)> {
    let waiting = match entity.policy.schedule {
        Some(_) => Reason::Missed,
        None => Reason::Late,
    };
    [
        (Reason::Overdue, red_from(entity)),
        (waiting, yellow_from(entity)),
        (Reason::Stuck, just_after(stuck_at(entity))),
        (Reason::OutOfDate, just_after(valid_until)),
    ]
    .into_iter()
    .filter(|(reason, _)| place(*reason) < place(entity.reason))
    .filter_map(|(reason, from)| Some((reason, from?)))
    .collect()
}

/// From which millisecond on it is yellow by age or schedule; `None` if the clock cannot make it so any more.
pub fn yellow_from(entity: &EntityAssessment) -> Option<DateTime<Utc>> {
    let more = i64::from(entity.policy.schedule.is_some());
    whole_millis(entity.turns.yellow_at, more)
}

/// From which millisecond on it is red by age or schedule.
pub fn red_from(entity: &EntityAssessment) -> Option<DateTime<Utc>> {
    just_after(entity.turns.red_at)
}

fn just_after(at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    whole_millis(at, 1)
}

fn whole_millis(at: Option<DateTime<Utc>>, more: i64) -> Option<DateTime<Utc>> {
    at.and_then(|at| DateTime::from_timestamp_millis(millis(at) + more))
}

/// When a run that is going on now will be stuck.
pub fn stuck_at(entity: &EntityAssessment) -> Option<DateTime<Utc>> {
    let limit: TimeDelta = entity.policy.thresholds.stuck_after;
    match entity.activity {
        Activity::Running { since } => since.checked_add_signed(limit),
        Activity::Idle | Activity::Stuck { .. } | Activity::Unclosed { .. } => None,
    }
}

/// The place of a reason in the verdict table, first to last; the clock moves an entity only up.
fn place(reason: Reason) -> u8 {
    match reason {
        Reason::Failed | Reason::NeverSynced | Reason::Unconfirmed => 0,
        Reason::Overdue => 1,
        Reason::Late | Reason::Missed => 2,
        Reason::Stuck => 3,
        Reason::ClockSkew => 4,
        Reason::Hidden => 5,
        Reason::OutOfDate => 6,
        Reason::Fresh => 7,
    }
}
