//! The database's clock and this machine's.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Link, Seen};
use crate::health::CLOCK_TOLERANCE;
use crate::store::{Examined, Leads, Way};
use crate::views::length;

/// From here on it is said that the clocks differ.
const NOTICED: TimeDelta = TimeDelta::seconds(30);

const SET: &str = "let both machines take their time from the network (timedatectl set-ntp true)";

/// `begun` is when connecting to the database began, by this machine's clock.
pub fn clock(way: &Way, examined: &Examined, begun: DateTime<Utc>) -> Seen {
    if way.leads == Leads::ToAFile {
        return Seen::new(Link::Clock, "a file has no clock but this machine's");
    }
    let Ok(said) = &examined.says else {
        return Seen::skipped(Link::Clock, "the database did not tell its time");
    };
    let here = TimeDelta::from_std(examined.clock_read_after)
        .ok()
        .and_then(|after| begun.checked_add_signed(after))
        .unwrap_or(begun);
    let ahead = TimeDelta::microseconds(said.clock.saturating_sub(here.timestamp_micros()));
    let distance = ahead.abs();
    let direction = if ahead < TimeDelta::zero() {
        "behind"
    } else {
        "ahead of"
    };
    if distance > CLOCK_TOLERANCE {
        Seen::broken(
            Link::Clock,
            format!(
                "the database's clock is {} {direction} this machine's: nothing is green meanwhile",
                length(distance)
            ),
            SET,
        )
    } else if distance > NOTICED {
        Seen::new(Link::Clock, "").advice(
            format!(
                "the database's clock is {} s {direction} this machine's",
                distance.num_seconds()
            ),
            SET,
        )
    } else {
        Seen::new(
            Link::Clock,
            format!(
                "the database's and this machine's agree within {}",
                match distance.num_milliseconds() {
                    ..1000 => "a second".to_owned(),
                    millis => format!("{} s", millis / 1000 + 1),
                }
            ),
        )
    }
}
