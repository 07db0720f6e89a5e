//! Schedules whose due times and graces lie on the boundaries of the rules.

use croner::parser::{CronParser, Seconds, Year};
use serde_json::{Value, json};

use super::notation::{rfc3339, seconds, span, utc};
use super::world::{DAY, HOUR, MINUTE, SECOND, around, pick};

/// Between bars.
const EXPRESSIONS: &str = "0 2 * * *|0 2 * * *|*/15 * * * *|30 */6 * * *|0 6,18 * * 1-5|0 0 1,15 * *|5 4 * * SUN|\
                           10-30/10 1-3 * * *|0 12 1 * MON";
pub const ZONES: &[&str] = &[
    "America/Los_Angeles",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
];

/// Lengths and moments in microseconds.
pub struct Schedule {
    cron: &'static str,
    zone: &'static str,
    grace: i64,
    pub early: i64,
    since: Option<i64>,
    /// The two due times before it is judged, the newest first.
    pub dues: [i64; 2],
}

impl Schedule {
    /// Its grace ends around `now`, more often than not.
    pub fn random(random: &mut fastrand::Rng, now: i64) -> Schedule {
        let expressions: Vec<&str> = EXPRESSIONS.split('|').collect();
        let (cron, zone) = (pick(random, &expressions), pick(random, ZONES));
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let zone_of: chrono_tz::Tz = zone.parse().unwrap();
        let pattern = parser.parse(cron).unwrap();
        let mut before = pattern.iter_before(utc(now).with_timezone(&zone_of));
        let mut due = || before.next().unwrap().timestamp_micros();
        let dues = [due(), due()];
        let ended = pick(random, &[now - dues[0], now - dues[1], HOUR]);
        let since = pick(random, &dues);
        let since = around(random, since);
        Schedule {
            cron,
            zone,
            grace: around(random, ended).clamp(SECOND, 300 * DAY),
            early: pick(random, &[SECOND, 15 * MINUTE, 3 * HOUR + 1]),
            since: (random.u8(0..4) == 0).then_some(since),
            dues,
        }
    }

    pub fn configuration(&self) -> String {
        let since = self
            .since
            .map(|at| format!("schedule_since = \"{}\"\n", rfc3339(at)));
        format!(
            "schedule = \"{}\"\ntime_zone = \"{}\"\ngrace = \"{}\"\nearly = \"{}\"\n{}",
            self.cron,
            self.zone,
            span(self.grace),
            span(self.early),
            since.unwrap_or_default()
        )
    }

    /// As the judge wants to be told.
    pub fn told(&self) -> Value {
        json!({
            "cron": self.cron, "zone": self.zone,
            "grace": seconds(self.grace), "early": seconds(self.early),
            "since": self.since.map(rfc3339),
        })
    }
}
