//! Then the clock: what the age of the last success says, and when that will change.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Reason, Thresholds};

/// What age alone says of an entity whose last success is known.
pub fn by_age(last_success: DateTime<Utc>, thresholds: Thresholds, now: DateTime<Utc>) -> Reason {
    let age = age(last_success, now);
    if age > thresholds.overdue_after {
        Reason::Overdue
    } else if age >= thresholds.late_after {
        Reason::Late
    } else {
        Reason::Fresh
    }
}

/// Now minus last success; a success that lies slightly ahead has age 0.
pub fn age(last_success: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - last_success).max(TimeDelta::zero())
}

/// The moments at which age alone makes an entity worse; `None` once passed, or if they cannot come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turns {
    /// At this very moment it is yellow.
    pub yellow_at: Option<DateTime<Utc>>,
    /// Just after this moment it is red.
    pub red_at: Option<DateTime<Utc>>,
}

impl Turns {
    pub fn ahead(
        last_success: Option<DateTime<Utc>>,
        thresholds: Thresholds,
        now: DateTime<Utc>,
    ) -> Turns {
        let Some(last_success) = last_success else {
            return Turns::default();
        };
        Turns {
            yellow_at: last_success
                .checked_add_signed(thresholds.late_after)
                .filter(|&at| at > now),
            red_at: last_success
                .checked_add_signed(thresholds.overdue_after)
                .filter(|&at| at >= now),
        }
    }
}
