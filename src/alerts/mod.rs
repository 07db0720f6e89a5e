//! Whom to tell what, and when: from what builds conclude to messages, each told once. Pure.
//!
//! [`decide()`] compares a build's verdicts with what was told before; [`Outbox`] keeps what every channel has
//! still to be given. The rules are those of `docs/alerts.md`. The same memory, verdicts and moment give the
//! same messages, with the same keys.

mod decide;
mod message;
mod outbox;
mod seen;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use decide::{Memory, decide};
pub use message::{About, Affected, Kind, Message, Occasion};
pub use outbox::{Failure, Outbox, Undelivered};
pub use seen::Seen;

/// When people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// In how many builds in a row a change has to be seen; at least 1.
    pub after: usize,
    /// How often people are reminded while a problem lasts.
    pub remind: TimeDelta,
}

/// Everything that one build leaves to the next about alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub memory: Memory,
    pub outbox: Outbox,
}

impl Standing {
    /// In place of one that cannot be read any more.
    pub fn lost() -> Standing {
        Standing {
            memory: Memory::lost(),
            outbox: Outbox::default(),
        }
    }
}
