//! Changes of verdict: what is known of them from the evidence, and what builds saw of them
//! (`docs/verdict.md`, "Changes of verdict"). Pure.
//!
//! Evidence alone cannot tell that a run was stuck last Tuesday, or that clocks disagreed. So each build adds to
//! a journal what is new since its last entry, and what stands there stays as it is.

mod journal;
#[cfg(test)]
mod tests;
mod trouble;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::health::Reason;

pub use journal::{Journal, Record};
pub use trouble::{Trouble, outages, troubles};

/// For how long a change is told.
pub const WINDOW: TimeDelta = TimeDelta::days(90);

/// From this moment on the verdict had this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    pub reason: Reason,
}

/// From this moment on the database could be read, or could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    pub readable: bool,
}
