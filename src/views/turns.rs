//! What the clock alone makes of an entity if nothing new is heard of it: found and worded here,
//! carried out by the page's script.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::times::Speaker;
use super::{sentences, words};
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
    detail: String,
}

/// In the order of the verdict table: the first whose moment has come holds, else what was written.
pub fn turns(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    speaker: Speaker,
) -> Vec<Turn> {
    let from = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_millis());
    let just_after = |at| from(at).map(|millis| millis + 1);
    let ahead = [
        (Reason::Overdue, just_after(entity.turns.red_at)),
        (Reason::Late, from(entity.turns.yellow_at)),
        (Reason::Stuck, just_after(stuck_at(entity))),
        (Reason::OutOfDate, just_after(valid_until)),
    ];
    ahead
        .into_iter()
        .filter(|(reason, _)| place(*reason) < place(entity.reason))
        .filter_map(|(reason, from)| {
            Some(Turn {
                from: from?,
                health: words::health(reason.health()),
                word: words::reason(reason),
                alone: sentences::alone(entity, reason, speaker),
                short: sentences::short(entity, reason),
                detail: sentences::detail_of(entity, reason, speaker),
            })
        })
        .collect()
}

/// When a run that is going on now will be stuck.
fn stuck_at(entity: &EntityAssessment) -> Option<DateTime<Utc>> {
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
        Reason::Late => 2,
        Reason::Stuck => 3,
        Reason::ClockSkew => 4,
        Reason::Hidden => 5,
        Reason::OutOfDate => 6,
        Reason::Fresh => 7,
    }
}
