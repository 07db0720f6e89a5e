//! The verdict: from what was recorded, and a moment, to a health and a reason. Pure.
//!
//! The rules are those of `docs/verdict.md`; each file here is one part of them. Nothing in this
//! module reads a clock, a file or a database: the same snapshot, policy and moment give the same
//! assessment.

mod actions;
mod activity;
mod assessment;
mod cause;
mod evidence;
mod freshness;
mod notices;
mod policy;
mod problems;
mod schedule;
mod strip;
#[cfg(test)]
mod tests;
mod time_in_state;
mod untraced;
mod unusual;

pub use activity::Activity;
pub use assessment::{Assessment, EntityAssessment, Reading, Source, assess};
pub use cause::Cause;
pub use evidence::{CLOCK_TOLERANCE, Evidence, Failure, FailureRecord, SAME_RUN};
pub use freshness::Turns;
pub use notices::{Notice, Table};
pub use policy::{EntityPolicy, Owner, Policy, Thresholds};
pub use problems::{Problem, problems};
pub use schedule::{Pause, Pauses, Schedule};
pub use strip::{Day, DayStart, strip};
pub use time_in_state::{Past, Shares, Span, shares, time_in_state};
pub use unusual::{Figure, Unusual, Usual};

use serde::{Deserialize, Serialize};

/// What syncmon concludes of an entity, or of all of them. Ordered: worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Green,
    Yellow,
    Red,
}

/// Why an entity has its health. Each reason belongs to exactly one health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Synced within `late_after`, and nothing speaks against it.
    Fresh,
    /// The last success is `late_after` old or older.
    Late,
    /// An expected run has not succeeded.
    Missed,
    /// The last success is older than `overdue_after`, or two expected runs have not succeeded.
    Overdue,
    /// The newest evidence is a failure.
    Failed,
    /// There is no evidence of either kind.
    NeverSynced,
    /// Fresh, but the newest run has been going for longer than `stuck_after`.
    Stuck,
    /// Fresh, but clocks disagree.
    ClockSkew,
    /// A success is claimed, but without a time that could be used.
    Unconfirmed,
    /// Fresh as far as can be seen, but row security hides a table.
    Hidden,
    /// Fresh when last read, which is too long ago.
    OutOfDate,
}

impl Reason {
    pub fn health(self) -> Health {
        match self {
            Reason::Fresh => Health::Green,
            Reason::Late
            | Reason::Missed
            | Reason::Stuck
            | Reason::ClockSkew
            | Reason::Hidden
            | Reason::OutOfDate => Health::Yellow,
            Reason::Overdue | Reason::Failed | Reason::NeverSynced | Reason::Unconfirmed => {
                Health::Red
            }
        }
    }
}
