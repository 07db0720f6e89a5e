//! Times, durations and numbers as people write them, in the site's zone.

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, SubsecRound, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

use crate::health::DayStart;
use crate::text::grouped;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// For so many days a page goes on without a new one.
const COMING_DAYS: i64 = 7;

/// A moment in its zone, next to the moment at which it is spoken of.
#[derive(Debug, Clone, Copy)]
pub struct Speaker {
    pub zone: Tz,
    pub now: DateTime<Utc>,
}

impl Speaker {
    /// "Sunday 22 November 2026, 12:05 PST"
    pub fn in_full(self, at: DateTime<Utc>) -> String {
        self.written(at, "%A %-d %B %Y, %H:%M %Z")
    }

    /// "12:20 PST on Sunday 22 November"
    pub fn time_then_day(self, at: DateTime<Utc>) -> String {
        let year = if self.is_this_year(at) { "" } else { " %Y" };
        self.written(at, &format!("%H:%M %Z on %A %-d %B{year}"))
    }

    /// "Saturday 21 November, 02:00", with the year if it is another one, and with the zone's name in
    /// the hour that comes twice when the clocks go back.
    pub fn day_and_time(self, at: DateTime<Utc>) -> String {
        let year = if self.is_this_year(at) { "" } else { " %Y" };
        let zone = if self.comes_twice(at) { " %Z" } else { "" };
        self.written(at, &format!("%A %-d %B{year}, %H:%M{zone}"))
    }

    /// "Sat 21 Nov, 02:00": as short as it can be and stay true on other days.
    pub fn dated(self, at: DateTime<Utc>) -> String {
        let year = if self.is_this_year(at) { "" } else { " %Y" };
        let zone = if self.comes_twice(at) { " %Z" } else { "" };
        self.written(at, &format!("%a %-d %b{year}, %H:%M{zone}"))
    }

    /// As short as it can be without being mistaken: "11:22 PST" today, "Sat 02:00 PST" within six
    /// days, "3 Oct, 02:00 PDT" before.
    pub fn briefly(self, at: DateTime<Utc>) -> String {
        let days = (self.date(self.now) - self.date(at)).num_days();
        match days {
            0 => self.written(at, "%H:%M %Z"),
            -6..=6 => self.written(at, "%a %H:%M %Z"),
            _ if self.is_this_year(at) => self.written(at, "%-d %b, %H:%M %Z"),
            _ => self.written(at, "%-d %b %Y, %H:%M %Z"),
        }
    }

    /// A moment to come: "today 14:00 PST", "tomorrow 02:00 PST", "Sat 02:00 PST" within six days, "3 Oct, 02:00 PDT"
    /// later.
    pub fn soon(self, at: DateTime<Utc>) -> String {
        match (self.date(at) - self.date(self.now)).num_days() {
            0 => self.written(at, "today %H:%M %Z"),
            1 => self.written(at, "tomorrow %H:%M %Z"),
            _ => self.briefly(at),
        }
    }

    /// "02:00"
    pub fn time(self, at: DateTime<Utc>) -> String {
        self.written(at, "%H:%M")
    }

    /// "22 Nov 12:05 PST": for a badge.
    pub fn stamped(self, at: DateTime<Utc>) -> String {
        self.written(at, "%-d %b %H:%M %Z")
    }

    /// "Sun 22 Nov 2026, 02:00:07 PST": for the engineer.
    pub fn exactly(self, at: DateTime<Utc>) -> String {
        // As "%a %-d %b %Y, %H:%M:%S %Z" says it, in a third of the time: the history has thousands.
        let local = at.with_timezone(&self.zone);
        format!(
            "{} {} {} {:04}, {:02}:{:02}:{:02} {}",
            local.weekday(),
            local.day(),
            MONTHS[local.month0() as usize],
            local.year(),
            local.hour(),
            local.minute(),
            local.second(),
            local.offset()
        )
    }

    /// "2026-11-22 02:00:07": what spreadsheets take for a moment.
    pub fn for_spreadsheets(self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone).naive_local();
        local.trunc_subsecs(0).to_string()
    }

    pub fn date(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The last `count` days, today included, with the moments at which they begin here.
    pub fn days(self, count: i64) -> Vec<DayStart> {
        let today = self.date(self.now);
        (0..count)
            .rev()
            .filter_map(|back| today.checked_sub_signed(TimeDelta::days(back)))
            .map(|date| DayStart {
                date,
                at: self.start_of(date),
            })
            .collect()
    }

    /// The moment at which the oldest of the last `days` days began, today included.
    pub fn start_of_history(self, days: u32) -> DateTime<Utc> {
        let oldest = self.days(i64::from(days)).first().map(|day| day.at);
        oldest.unwrap_or(self.now)
    }

    /// The moments at which the next days begin here: as many as a page left open has to know.
    pub fn coming_days(self) -> impl Iterator<Item = DateTime<Utc>> {
        let today = self.date(self.now);
        (1..=COMING_DAYS)
            .filter_map(move |ahead| today.checked_add_signed(TimeDelta::days(ahead)))
            .map(move |date| self.start_of(date))
    }

    /// The first moment of a day; where midnight does not exist, the first that does.
    fn start_of(self, date: NaiveDate) -> DateTime<Utc> {
        let midnight = date.and_hms_opt(0, 0, 0).expect("midnight is a time");
        (0..=24)
            .find_map(|quarters| {
                let local = midnight + TimeDelta::minutes(15 * quarters);
                self.zone.from_local_datetime(&local).earliest()
            })
            .map_or_else(|| midnight.and_utc(), |start| start.with_timezone(&Utc))
    }

    fn comes_twice(self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone).naive_local();
        matches!(
            self.zone.from_local_datetime(&local),
            LocalResult::Ambiguous(_, _)
        )
    }

    fn is_this_year(self, at: DateTime<Utc>) -> bool {
        self.date(at).year() == self.date(self.now).year()
    }

    fn written(self, at: DateTime<Utc>, format: &str) -> String {
        at.with_timezone(&self.zone).format(format).to_string()
    }
}

/// How long ago: "43 min ago", "3 h 12 min ago", "34 h ago", "12 days ago". The page's script
/// speaks alike.
pub fn ago(age: TimeDelta) -> String {
    let minutes = age.num_minutes();
    match minutes {
        ..1 => "less than a minute ago".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..720 if minutes % 60 == 0 => format!("{} h ago", minutes / 60),
        60..720 => format!("{} h {} min ago", minutes / 60, minutes % 60),
        720..2880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", grouped(minutes / 1440)),
    }
}

/// How long a run took: "0.2 s", "26 s", "1 min 8 s", "2 h 5 min".
pub fn lasting(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
    let whole = seconds.round() as i64;
    match whole {
        ..10 => format!("{:.1} s", seconds.max(0.0)),
        10..60 => format!("{whole} s"),
        60..3600 if whole % 60 == 0 => format!("{} min", whole / 60),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..360_000 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} h", grouped(whole / 3600)),
    }
}

/// How long a stretch of time was: "under 1 min", "58 min", "10 h 30 min", "3 days 4 h".
pub fn length(time: TimeDelta) -> String {
    let minutes = time.num_minutes();
    match minutes {
        ..1 => "under 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2880 if minutes % 60 == 0 => format!("{} h", minutes / 60),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ if minutes % 1440 < 60 => format!("{} days", grouped(minutes / 1440)),
        _ => format!("{} days {} h", grouped(minutes / 1440), minutes % 1440 / 60),
    }
}

/// A threshold in words: "2 hours", "90 minutes", "1 day".
pub fn span(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds();
    match seconds {
        _ if seconds % 86_400 == 0 => counted(seconds / 86_400, "day", "days"),
        _ if seconds % 3600 == 0 => counted(seconds / 3600, "hour", "hours"),
        _ if seconds % 60 == 0 => counted(seconds / 60, "minute", "minutes"),
        _ => counted(seconds, "second", "seconds"),
    }
}

/// "every 2 hours", "every hour"
pub fn every(duration: TimeDelta) -> String {
    let span = span(duration);
    format!("every {}", span.strip_prefix("1 ").unwrap_or(&span))
}

/// "1 record", "10,738 records".
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn speaker(now: &str) -> Speaker {
        Speaker {
            zone: chrono_tz::America::Los_Angeles,
            now: at(now),
        }
    }

    #[test]
    fn moments_are_said_in_the_museums_zone() {
        let speaker = speaker("2026-11-22T20:05:00Z");
        assert_eq!(
            speaker.in_full(at("2026-11-22T20:05:00Z")),
            "Sunday 22 November 2026, 12:05 PST"
        );
        assert_eq!(
            speaker.time_then_day(at("2026-11-22T20:20:00Z")),
            "12:20 PST on Sunday 22 November"
        );
        assert_eq!(
            speaker.day_and_time(at("2026-11-21T10:00:00Z")),
            "Saturday 21 November, 02:00"
        );
        assert_eq!(
            speaker.day_and_time(at("2025-11-21T10:00:00Z")),
            "Friday 21 November 2025, 02:00"
        );
        assert_eq!(speaker.briefly(at("2026-11-22T19:22:00Z")), "11:22 PST");
        assert_eq!(speaker.briefly(at("2026-11-21T10:00:00Z")), "Sat 02:00 PST");
        assert_eq!(speaker.briefly(at("2026-11-16T10:00:00Z")), "Mon 02:00 PST");
        assert_eq!(
            speaker.briefly(at("2026-11-15T10:00:00Z")),
            "15 Nov, 02:00 PST"
        );
        assert_eq!(
            speaker.briefly(at("2025-07-01T10:00:00Z")),
            "1 Jul 2025, 03:00 PDT"
        );
    }

    #[test]
    fn the_coming_days_begin_at_local_midnight_across_clock_changes() {
        let los_angeles = speaker("2026-03-07T20:00:00Z");
        let coming: Vec<_> = los_angeles.coming_days().collect();
        assert_eq!(coming.len(), 7);
        assert_eq!(
            coming[..2],
            [at("2026-03-08T08:00:00Z"), at("2026-03-09T07:00:00Z")]
        );
        let lord_howe = Speaker {
            zone: chrono_tz::Australia::Lord_Howe,
            now: at("2026-04-04T12:59:59Z"),
        };
        let coming: Vec<_> = lord_howe.coming_days().take(2).collect();
        assert_eq!(
            coming,
            [at("2026-04-04T13:00:00Z"), at("2026-04-05T13:30:00Z")]
        );
    }

    #[test]
    fn days_begin_at_local_midnight_across_clock_changes() {
        let days = speaker("2026-11-02T20:00:00Z").days(3);
        let starts: Vec<_> = days.iter().map(|day| day.at).collect();
        assert_eq!(
            starts,
            [
                at("2026-10-31T07:00:00Z"),
                at("2026-11-01T07:00:00Z"),
                at("2026-11-02T08:00:00Z")
            ]
        );
    }

    #[test]
    fn ages_and_durations_are_said_as_people_say_them() {
        for (seconds, said) in [
            (0, "less than a minute ago"),
            (59, "less than a minute ago"),
            (60, "1 min ago"),
            (43 * 60, "43 min ago"),
            (7200, "2 h ago"),
            (11_520, "3 h 12 min ago"),
            (34 * 3600 + 1, "34 h ago"),
            (48 * 3600, "2 days ago"),
        ] {
            assert_eq!(ago(TimeDelta::seconds(seconds)), said);
        }
        for (seconds, said) in [
            (0.2, "0.2 s"),
            (26.4, "26 s"),
            (60.0, "1 min"),
            (68.0, "1 min 8 s"),
            (7500.0, "2 h 5 min"),
            (1e300, "2,562,047,788,015,215 h"),
        ] {
            assert_eq!(lasting(seconds), said);
        }
        assert_eq!(span(TimeDelta::minutes(90)), "90 minutes");
        assert_eq!(span(TimeDelta::hours(24)), "1 day");
    }
}
