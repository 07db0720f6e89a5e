//! How strictly to judge: the thresholds in force, per entity.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::{Pauses, Schedule};

/// The three durations that decide between green, yellow and red.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// From this age on an entity is yellow.
    pub late_after: TimeDelta,
    /// Beyond this age an entity is red.
    pub overdue_after: TimeDelta,
    /// Beyond this age a run that has not ended is stuck.
    pub stuck_after: TimeDelta,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            late_after: TimeDelta::hours(2),
            overdue_after: TimeDelta::hours(12),
            stuck_after: TimeDelta::hours(1),
        }
    }
}

/// Whom to ask about an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub name: String,
    /// A mail address, a telephone number, a page: whatever leads there.
    pub contact: Option<String>,
}

/// An entity that is expected to be synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityPolicy {
    /// As the writers spell it in `sync_state` and `sync_log`.
    pub entity_type: String,
    /// As people read it.
    pub name: String,
    /// Where the synced records go; `None` if not configured.
    pub table: Option<String>,
    pub thresholds: Thresholds,
    /// When its runs are due; `None` where age alone decides.
    pub schedule: Option<Schedule>,
    /// When nothing is expected of it.
    pub pauses: Pauses,
    /// The actions that count as evidence, as the writers spell them; `None`: every action.
    pub actions: Option<Vec<String>>,
    pub owner: Option<Owner>,
}

/// What to expect of all entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// In the order in which people think of them.
    pub entities: Vec<EntityPolicy>,
    /// For entities that are found in the database without being configured.
    pub thresholds: Thresholds,
    /// Of those as well.
    pub schedule: Option<Schedule>,
    /// Of those as well.
    pub pauses: Pauses,
    /// Of those as well.
    pub actions: Option<Vec<String>>,
    /// Of those as well.
    pub owner: Option<Owner>,
    /// In which days begin and weekdays are told.
    pub zone: Tz,
    /// How often a build is expected.
    pub interval: TimeDelta,
    /// Of how many days, today included, every run is shown.
    pub history_days: u32,
}

impl Policy {
    /// For how long after its reading a page may be believed: three expected intervals.
    pub fn validity(&self) -> TimeDelta {
        self.interval * 3
    }
}
