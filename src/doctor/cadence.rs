//! Thresholds against how often runs come: would a perfect system be late, would a missing run be noticed?

use chrono::{DateTime, TimeDelta, Utc};

use super::rhythm::Rhythm;
use super::{Link, Seen, listed};
use crate::health::{Pauses, Policy, Schedule, Thresholds};
use crate::model::{Observation, Snapshot, Status};
use crate::text::name_of;
use crate::views::{Speaker, counted, length};

/// From so long a distance on, a single missing run matters.
const RARE: TimeDelta = TimeDelta::hours(4);

/// Of more frequent runs so many may be missing.
const MANY: i32 = 24;

/// How far back due times are compared with runs, and how many of them.
const LOOKED_BACK: TimeDelta = TimeDelta::days(28);
const MOST_DUES: usize = 1000;

/// Fewer due times tell nothing.
const FEWEST_DUES: usize = 3;

/// What the thresholds, or the schedule, come to for one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Judgement {
    /// Late although nothing is wrong.
    TooShort,
    /// Fresh although runs are missing.
    TooLong,
    /// The runs come regularly, but not when this schedule expects them.
    OffSchedule(String),
}

/// Entities of which the same is to be said.
struct Group {
    judgement: Judgement,
    rhythm: Rhythm,
    thresholds: Thresholds,
    names: Vec<String>,
    types: Vec<String>,
}

pub fn thresholds(snapshot: &Snapshot, policy: &Policy, speaker: Speaker) -> Seen {
    let mut groups: Vec<Group> = Vec::new();
    let (mut judged, mut unknown) = (0, Vec::new());
    for entity in &snapshot.entities {
        let expected = Expected::of(entity, policy);
        let successes = successes(entity, expected.actions);
        let zone = expected
            .schedule
            .map_or(speaker.zone, |schedule| schedule.time_zone);
        let Some(rhythm) = Rhythm::of(&successes, zone) else {
            unknown.push(expected.name);
            continue;
        };
        judged += 1;
        let judgement = match expected.schedule {
            Some(schedule) if rhythm.timetable.is_some() => {
                off_schedule(schedule, expected.pauses, &successes, speaker.now)
            }
            Some(_) => None,
            None => judge(rhythm.usual, expected.thresholds),
        };
        let Some(judgement) = judgement else {
            continue;
        };
        let found = Group {
            judgement,
            rhythm,
            thresholds: expected.thresholds,
            names: vec![expected.name],
            types: vec![entity.entity_type.clone()],
        };
        match groups.iter_mut().find(|group| group.says_the_same(&found)) {
            Some(group) => {
                group.names.extend(found.names);
                group.types.extend(found.types);
            }
            None => groups.push(found),
        }
    }
    if judged == 0 {
        return Seen::new(Link::Thresholds, "too few runs yet to say whether they fit");
    }
    let mut seen = Seen::new(Link::Thresholds, "");
    if groups.is_empty() {
        let too_few = if unknown.is_empty() {
            String::new()
        } else {
            format!("; too few of {} to say", listed(&unknown))
        };
        seen.summary = format!("they fit how often the runs come{too_few}");
    }
    for group in &groups {
        seen = group.say(seen, judged);
    }
    seen
}

/// What the configuration expects of an entity.
struct Expected<'a> {
    name: String,
    thresholds: Thresholds,
    schedule: Option<&'a Schedule>,
    pauses: &'a Pauses,
    actions: Option<&'a [String]>,
}

impl<'a> Expected<'a> {
    fn of(entity: &Observation, policy: &'a Policy) -> Expected<'a> {
        let own = policy
            .entities
            .iter()
            .find(|own| own.entity_type == entity.entity_type);
        match own {
            Some(own) => Expected {
                name: own.name.clone(),
                thresholds: own.thresholds,
                schedule: own.schedule.as_ref(),
                pauses: &own.pauses,
                actions: own.actions.as_deref(),
            },
            None => Expected {
                name: name_of(&entity.entity_type),
                thresholds: policy.thresholds,
                schedule: policy.schedule.as_ref(),
                pauses: &policy.pauses,
                actions: None,
            },
        }
    }
}

/// The starts of successful runs where they are listed, else their ends. Without `actions` all count.
fn successes(entity: &Observation, actions: Option<&[String]>) -> Vec<DateTime<Utc>> {
    let counts = |action: &String| actions.is_none_or(|actions| actions.contains(action));
    let listed: Vec<DateTime<Utc>> = entity
        .runs
        .iter()
        .filter(|run| run.status == Status::Completed && counts(&run.action))
        .map(|run| run.started_at)
        .collect();
    let since = listed.iter().min().copied();
    let older = entity
        .outcomes
        .iter()
        .filter(|outcomes| outcomes.status == Status::Completed && counts(&outcomes.action))
        .flat_map(|outcomes| outcomes.finishes.micros())
        .filter_map(|&micros| DateTime::from_timestamp_micros(micros))
        .filter(|&at| since.is_none_or(|since| at < since));
    older.chain(listed.iter().copied()).collect()
}

/// Whether most of the runs that were due in the last weeks came at another time.
fn off_schedule(
    schedule: &Schedule,
    pauses: &Pauses,
    successes: &[DateTime<Utc>],
    now: DateTime<Utc>,
) -> Option<Judgement> {
    let begun = successes.iter().min().copied().unwrap_or(now);
    let since = (now - LOOKED_BACK).max(begun - schedule.early);
    let dues: Vec<DateTime<Utc>> = schedule
        .dues_after(since, pauses)
        .take_while(|&due| due + schedule.grace < now)
        .take(MOST_DUES)
        .collect();
    let met = |due: &&DateTime<Utc>| {
        let window = **due - schedule.early..=**due + schedule.grace;
        successes.iter().any(|success| window.contains(success))
    };
    let kept = dues.iter().filter(met).count();
    (dues.len() >= FEWEST_DUES && kept * 2 < dues.len())
        .then(|| Judgement::OffSchedule(schedule.text().to_owned()))
}

fn judge(usual: TimeDelta, thresholds: Thresholds) -> Option<Judgement> {
    let late = thresholds.late_after;
    if usual >= late {
        Some(Judgement::TooShort)
    } else if usual >= RARE && late >= usual * 2 || late >= usual * MANY {
        Some(Judgement::TooLong)
    } else {
        None
    }
}

impl Group {
    fn says_the_same(&self, other: &Group) -> bool {
        self.judgement == other.judgement
            && self.thresholds == other.thresholds
            && self.often() == other.often()
    }

    /// "once a day, at about 02:00", "about every 3 h"
    fn often(&self) -> String {
        match &self.rhythm.timetable {
            Some(timetable) => timetable.words(),
            None => format!("about every {}", length(rounded(self.rhythm.usual))),
        }
    }

    fn say(&self, seen: Seen, judged: usize) -> Seen {
        let runs = format!("the runs of {} come {}", listed(&self.names), self.often());
        let late = self.thresholds.late_after;
        match &self.judgement {
            Judgement::OffSchedule(schedule) => seen.problem(
                format!("{runs}, and not when schedule = {schedule:?} expects them"),
                format!("set {} {}", self.better(), self.place(judged)),
            ),
            Judgement::TooShort => seen.problem(
                format!(
                    "{runs}: with late_after = {:?} a perfect system is green for {} of every {}",
                    written(late),
                    length(late),
                    length(rounded(self.rhythm.usual))
                ),
                format!("set {} {}", self.better(), self.place(judged)),
            ),
            Judgement::TooLong => {
                let missing =
                    (late.num_minutes() / self.rhythm.usual.num_minutes().max(1) - 1).max(1);
                seen.advice(
                    format!(
                        "{runs}: with late_after = {:?}, {} would not be noticed",
                        written(late),
                        counted(missing, "missing run", "missing runs in a row")
                    ),
                    format!("set {} {}", self.better(), self.place(judged)),
                )
            }
        }
    }

    /// The keys that would fit.
    fn better(&self) -> String {
        if let Some(timetable) = &self.rhythm.timetable {
            return format!("schedule = {:?}", timetable.cron());
        }
        let late = rounded(self.rhythm.usual * 3 / 2);
        format!(
            "late_after = {:?} and overdue_after = {:?}",
            written(late),
            written(late * 2)
        )
    }

    fn place(&self, judged: usize) -> String {
        if self.types.len() == judged {
            "in syncmon.toml".to_owned()
        } else {
            format!(
                "in syncmon.toml, in the [[entities]] of {}",
                self.types.join(", ")
            )
        }
    }
}

/// To whole hours, or to whole minutes below three of them.
fn rounded(time: TimeDelta) -> TimeDelta {
    let minutes = (time.num_seconds() + 30) / 60;
    if minutes < 180 {
        TimeDelta::minutes(minutes.max(1))
    } else {
        TimeDelta::hours((minutes + 30) / 60)
    }
}

/// As it stands in the configuration.
fn written(time: TimeDelta) -> String {
    humantime::format_duration(time.to_std().unwrap_or_default())
        .to_string()
        .replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thresholds(late: TimeDelta) -> Thresholds {
        Thresholds {
            late_after: late,
            overdue_after: late * 6,
            ..Thresholds::default()
        }
    }

    #[test]
    fn runs_as_far_apart_as_late_after_are_late_though_nothing_is_wrong() {
        let late = thresholds(TimeDelta::hours(2));
        let judged = |usual| judge(usual, late);
        let second = TimeDelta::seconds(1);
        assert_eq!(judged(TimeDelta::hours(2) - second), None);
        assert_eq!(judged(TimeDelta::hours(2)), Some(Judgement::TooShort));
        assert_eq!(judged(TimeDelta::hours(24)), Some(Judgement::TooShort));
        assert_eq!(judged(TimeDelta::minutes(15)), None);
    }

    #[test]
    fn thresholds_that_let_runs_go_missing_are_too_long() {
        let day = TimeDelta::days(1);
        assert_eq!(
            judge(day, thresholds(day * 2 - TimeDelta::seconds(1))),
            None
        );
        assert_eq!(judge(day, thresholds(day * 2)), Some(Judgement::TooLong));
        let often = TimeDelta::minutes(5);
        assert_eq!(
            judge(often, thresholds(often * 24 - TimeDelta::seconds(1))),
            None
        );
        assert_eq!(
            judge(often, thresholds(often * 24)),
            Some(Judgement::TooLong)
        );
    }

    #[test]
    fn durations_are_rounded_to_what_people_write() {
        assert_eq!(written(rounded(TimeDelta::minutes(1447))), "1day");
        assert_eq!(written(rounded(TimeDelta::seconds(5399))), "1h30m");
        assert_eq!(written(rounded(TimeDelta::seconds(10))), "1m");
    }
}
