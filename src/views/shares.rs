//! How much of the time an entity was green, yellow and red.

use chrono::TimeDelta;
use serde::Serialize;

use super::times::{Speaker, length};
use crate::health::{EntityAssessment, Shares, shares};

/// A stretch of time up to now, in a row of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    pub period: &'static str,
    pub green: Share,
    pub yellow: Share,
    pub red: Share,
    /// The time before the first evidence, and that of which nothing has been read.
    pub unknown: Share,
}

#[derive(Debug, Serialize)]
pub struct Share {
    /// "99.4 %"
    pub percent: String,
    /// "23 h 51 min"
    pub time: String,
}

const PERIODS: [(&str, i64); 4] = [
    ("Last 24 hours", 24),
    ("Last 7 days", 7 * 24),
    ("Last 30 days", 30 * 24),
    ("Last 90 days", 90 * 24),
];

pub fn rows(entity: &EntityAssessment, speaker: Speaker) -> Vec<Row> {
    PERIODS
        .iter()
        .map(|&(period, hours)| {
            let whole = TimeDelta::hours(hours);
            let spent: Shares = shares(&entity.past, speaker.now - whole, speaker.now);
            let share = |part| share(part, whole);
            Row {
                period,
                green: share(spent.green),
                yellow: share(spent.yellow),
                red: share(spent.red),
                unknown: share(whole - spent.known()),
            }
        })
        .collect()
}

/// To a tenth of a percent. Only nothing is 0 %, only all is 100 %; what would be rounded to either is said to be near.
fn share(part: TimeDelta, whole: TimeDelta) -> Share {
    let micros = |time: TimeDelta| i128::from(time.num_microseconds().unwrap_or(i64::MAX));
    let (part_micros, whole_micros) = (micros(part), micros(whole));
    let percent = if part_micros == 0 {
        "0 %".to_owned()
    } else if part_micros == whole_micros {
        "100 %".to_owned()
    } else {
        match (part_micros * 2000 + whole_micros) / (2 * whole_micros) {
            0 => "< 0.1 %".to_owned(),
            1000 => "> 99.9 %".to_owned(),
            tenths => format!("{}.{} %", tenths / 10, tenths % 10),
        }
    };
    Share {
        percent,
        time: if part.is_zero() {
            "–".to_owned()
        } else {
            length(part)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_said_to_a_tenth_and_never_rounded_to_nothing_or_all() {
        let day = TimeDelta::hours(24);
        for (part, percent) in [
            (TimeDelta::zero(), "0 %"),
            (day, "100 %"),
            (TimeDelta::microseconds(1), "< 0.1 %"),
            (day - TimeDelta::microseconds(1), "> 99.9 %"),
            (TimeDelta::hours(8), "33.3 %"),
            (TimeDelta::hours(16), "66.7 %"),
            (TimeDelta::hours(6), "25.0 %"),
        ] {
            assert_eq!(share(part, day).percent, percent);
        }
    }
}
