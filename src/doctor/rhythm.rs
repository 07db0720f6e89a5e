//! How often runs come, and at what time of the day: the cron line that a sync seems to have.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// Fewer runs tell nothing of how often they come.
const FEWEST: usize = 4;

/// Closer to each other, two runs are one and its repetition.
const REPEATED: TimeDelta = TimeDelta::minutes(1);

/// Runs of the same time of day start within so many minutes.
const SPREAD: u32 = 30;

/// More times a day are no list that anybody would write.
const MOST_TIMES: usize = 12;

/// How the runs of one entity come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    /// The median distance between two runs.
    pub usual: TimeDelta,
    /// The times at which they come, if they keep to some.
    pub timetable: Option<Timetable>,
}

/// Minutes and hours of the local day, and days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    minute: u32,
    /// In order, at least one.
    hours: Vec<u32>,
    /// Sunday is 0; in order, at least one.
    days: Vec<u32>,
}

impl Rhythm {
    /// From the starts of successful runs in any order; `None` if there are too few.
    pub fn of(starts: &[DateTime<Utc>], zone: Tz) -> Option<Rhythm> {
        let mut starts = starts.to_vec();
        starts.sort_unstable();
        starts.dedup_by(|later, earlier| *later - *earlier < REPEATED);
        if starts.len() < FEWEST {
            return None;
        }
        let mut distances: Vec<TimeDelta> =
            starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        distances.sort_unstable();
        let usual = distances[distances.len() / 2];
        let timetable = Timetable::of(&starts, zone).filter(|found| found.fits(usual));
        Some(Rhythm { usual, timetable })
    }
}

impl Timetable {
    fn of(starts: &[DateTime<Utc>], zone: Tz) -> Option<Timetable> {
        let minute = usual_minute(starts, zone);
        let slot = |at: &DateTime<Utc>| {
            let local = (*at - TimeDelta::minutes(minute.into())).with_timezone(&zone);
            (
                local.hour(),
                local.weekday().num_days_from_sunday(),
                local.minute(),
            )
        };
        let slots: Vec<_> = starts
            .iter()
            .map(slot)
            .filter(|(_, _, late)| *late < SPREAD)
            .collect();
        let count = |hour: u32| slots.iter().filter(|(own, _, _)| *own == hour).count();
        let most = (0..24).map(count).max()?;
        let hours: Vec<u32> = (0..24).filter(|&hour| count(hour) * 2 > most).collect();
        let kept: Vec<_> = slots
            .iter()
            .filter(|(hour, _, _)| hours.contains(hour))
            .collect();
        if kept.len() * 5 < starts.len() * 4 || hours.len() > MOST_TIMES {
            return None;
        }
        let on = |day: u32| kept.iter().filter(|(_, own, _)| *own == day).count();
        let watched = *starts.last()? - *starts.first()?;
        let mut days: Vec<u32> = (0..7).filter(|&day| on(day) > 0).collect();
        if watched < TimeDelta::days(13) {
            days = (0..7).collect();
        }
        Some(Timetable {
            minute,
            hours,
            days,
        })
    }

    /// Whether runs that come so often can be those of this timetable.
    fn fits(&self, usual: TimeDelta) -> bool {
        let a_week = i64::try_from(self.hours.len() * self.days.len()).unwrap_or(i64::MAX);
        let mean = TimeDelta::weeks(1) / i32::try_from(a_week).unwrap_or(i32::MAX);
        usual * 2 >= mean && usual <= mean * 2
    }

    /// "0 2 * * *"
    pub fn cron(&self) -> String {
        let numbers = |numbers: &[u32]| {
            let texts: Vec<String> = numbers.iter().map(u32::to_string).collect();
            texts.join(",")
        };
        let days = match self.days.as_slice() {
            [0, 1, 2, 3, 4, 5, 6] => "*".to_owned(),
            [1, 2, 3, 4, 5] => "1-5".to_owned(),
            days => numbers(days),
        };
        format!("{} {} * * {days}", self.minute, numbers(&self.hours))
    }

    /// "once a day, at about 02:00", "4 times a day, first at about 00:00", "on Mondays, at about 02:00"
    pub fn words(&self) -> String {
        let first = format!("{:02}:{:02}", self.hours[0], self.minute);
        let times = match self.hours.len() {
            1 => format!("at about {first}"),
            number => format!("{number} times, first at about {first}"),
        };
        match self.days.as_slice() {
            [0, 1, 2, 3, 4, 5, 6] => match self.hours.len() {
                1 => format!("once a day, {times}"),
                _ => format!("every day {times}"),
            },
            [1, 2, 3, 4, 5] => format!("on weekdays, {times}"),
            [day] => format!("on {}s, {times}", DAYS[*day as usize]),
            days => format!("on {} days of the week, {times}", days.len()),
        }
    }
}

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The minute of the hour, a multiple of five, after which most runs start within half an hour, and the soonest.
fn usual_minute(starts: &[DateTime<Utc>], zone: Tz) -> u32 {
    let minutes: Vec<u32> = starts
        .iter()
        .map(|at| at.with_timezone(&zone).minute())
        .collect();
    let late = |from: u32| minutes.iter().map(move |minute| (minute + 60 - from) % 60);
    (0..60)
        .step_by(5)
        .max_by_key(|&from| {
            let within = late(from).filter(|late| *late < SPREAD).count();
            let waited: u32 = late(from).filter(|late| *late < SPREAD).sum();
            (within, std::cmp::Reverse(waited))
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use chrono_tz::America::Los_Angeles;

    use super::*;

    fn starts(times: impl IntoIterator<Item = (u32, u32, u32, u32)>) -> Vec<DateTime<Utc>> {
        times
            .into_iter()
            .map(|(month, day, hour, minute)| {
                Los_Angeles
                    .with_ymd_and_hms(2026, month, day, hour, minute, 7)
                    .unwrap()
                    .to_utc()
            })
            .collect()
    }

    fn rhythm(times: impl IntoIterator<Item = (u32, u32, u32, u32)>) -> Rhythm {
        Rhythm::of(&starts(times), Los_Angeles).unwrap()
    }

    fn cron(times: impl IntoIterator<Item = (u32, u32, u32, u32)>) -> String {
        let found = rhythm(times).timetable;
        found.map_or_else(|| "none".to_owned(), |timetable| timetable.cron())
    }

    #[test]
    fn too_few_runs_have_no_rhythm() {
        let three = starts((1..4).map(|day| (11, day, 2, 0)));
        assert_eq!(Rhythm::of(&three, Los_Angeles), None);
        let repeated = [
            three[0],
            three[0] + TimeDelta::seconds(59),
            three[1],
            three[2],
        ];
        assert_eq!(Rhythm::of(&repeated, Los_Angeles), None);
    }

    #[test]
    fn a_daily_run_keeps_its_local_hour_when_the_clocks_go_back() {
        let daily = rhythm(
            (25..31)
                .map(|day| (10, day, 2, 3))
                .chain((1..9).map(|day| (11, day, 2, 3))),
        );
        assert_eq!(daily.usual, TimeDelta::hours(24));
        let timetable = daily.timetable.unwrap();
        assert_eq!(timetable.cron(), "0 2 * * *");
        assert_eq!(timetable.words(), "once a day, at about 02:00");
    }

    #[test]
    fn minutes_around_the_full_hour_are_one_time() {
        let times = (2..12).map(|day| {
            if day % 2 == 0 {
                (11, day, 1, 58)
            } else {
                (11, day, 2, 4)
            }
        });
        assert_eq!(cron(times), "55 1 * * *");
    }

    #[test]
    fn a_run_by_hand_now_and_then_changes_nothing() {
        let times = (2..22)
            .map(|day| (11, day, 2, 10))
            .chain([(11, 9, 14, 37), (11, 15, 16, 2)]);
        assert_eq!(cron(times), "10 2 * * *");
    }

    #[test]
    fn weekdays_and_single_days_are_told_from_every_day() {
        // 2 November 2026 is a Monday.
        let weekdays = (2..28)
            .filter(|day| (day + 5) % 7 < 5)
            .map(|day| (11, day, 6, 30));
        assert_eq!(cron(weekdays), "30 6 * * 1-5");
        let mondays = rhythm([5, 12, 19, 26].map(|day| (10, day, 2, 0)));
        let timetable = mondays.timetable.unwrap();
        assert_eq!(timetable.cron(), "0 2 * * 1");
        assert_eq!(timetable.words(), "on Mondays, at about 02:00");
    }

    #[test]
    fn several_times_a_day_are_listed() {
        let times = (2..9).flat_map(|day| [0, 6, 12, 18].map(|hour| (11, day, hour, 15)));
        let found = rhythm(times).timetable.unwrap();
        assert_eq!(found.cron(), "15 0,6,12,18 * * *");
        assert_eq!(found.words(), "every day 4 times, first at about 00:15");
    }

    #[test]
    fn runs_at_any_time_have_no_timetable() {
        let times = (2..22).map(|day| (11, day, (day * 7) % 24, (day * 17) % 60));
        assert_eq!(cron(times), "none");
    }
}
