//! A year of builds over a daily sync: who is told what, exactly, worked out twice in different ways.
//!
//! The program's own chain judges snapshot after snapshot and remembers from build to build. The oracle looks at
//! the whole year at once: it knows every run that was planned, asks at which moments a verdict can change at all,
//! and moves each to the first build that can see it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Los_Angeles;
use syncmon::alerts::{About, Kind, Memory, Rules, Seen, decide};
use syncmon::config::Config;
use syncmon::health::{Health, Reading, Source, assess};
use syncmon::model::{DatabaseFacts, Observation, Outcomes, Run, Snapshot, Status};

use crate::campaign::{Campaign, Step};
use crate::rows::{hours, minutes};

const ENTITIES: [&str; 6] = [
    "customers",
    "outlets",
    "products",
    "sales",
    "sale_line_items",
    "inventory",
];

const MICRO: TimeDelta = TimeDelta::microseconds(1);

#[test]
fn everybody_is_told_exactly_what_there_is_to_tell() {
    let campaign = Campaign::named("year", "alerts");
    let interval = minutes(campaign.size(15, 5).try_into().unwrap());
    for step in campaign.steps(1, 10) {
        is_told_exactly(
            &step,
            &Year::planned(20_260_101 + step.number as u64, interval),
        );
    }
    let [builds, alerts, problems, worse, reminders, recoveries] = [
        "builds",
        "alerts",
        "problems",
        "worse",
        "reminders",
        "recoveries",
    ]
    .map(|what| campaign.tally(what));
    campaign.ends(&format!(
        "{builds} builds, {alerts} alerts ({problems} problems, {worse} worse, {reminders} reminders, {recoveries} recoveries)"
    ));
}

fn is_told_exactly(step: &Step, year: &Year) {
    let told = year.told_by_the_program();
    let expected = year.expected();
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(told, expected);
    }
    assert_eq!(told.len(), expected.len(), "none missing, none too many");
    let count = |kind| told.iter().filter(|alert| alert.kind == kind).count();
    let [problems, worse, reminders, recoveries] =
        [Kind::Problem, Kind::Worse, Kind::Reminder, Kind::Recovery].map(count);
    let counts = [problems, worse, reminders, recoveries];
    assert!(
        counts.iter().all(|count| *count > 1),
        "a poor year: {counts:?}"
    );
    assert!(problems - recoveries <= 1);
    let of_database = told.iter().filter(|alert| alert.about == About::Database);
    assert_eq!(
        of_database.count(),
        5,
        "two outages, one of them for more than a day"
    );
    step.count("builds", year.builds().count());
    step.count("alerts", told.len());
    step.count("problems", problems);
    step.count("worse", worse);
    step.count("reminders", reminders);
    step.count("recoveries", recoveries);
}

/// Something that people are told.
#[derive(Debug, PartialEq)]
struct Alert {
    at: DateTime<Utc>,
    about: About,
    kind: Kind,
    since: DateTime<Utc>,
    affected: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Completed,
    Failed,
    /// Its row says "started" for ever.
    Killed,
}

#[derive(Clone, Copy)]
struct Planned {
    start: DateTime<Utc>,
    /// When a killed one would have ended.
    end: DateTime<Utc>,
    fate: Fate,
}

struct Year {
    interval: TimeDelta,
    begins: DateTime<Utc>,
    ends: DateTime<Utc>,
    dues: Vec<DateTime<Utc>>,
    runs: BTreeMap<&'static str, Vec<Planned>>,
    outages: [(DateTime<Utc>, DateTime<Utc>); 2],
}

impl Year {
    fn planned(seed: u64, interval: TimeDelta) -> Year {
        let mut random = fastrand::Rng::with_seed(seed);
        let local = |month, day, hour| {
            let moment = Los_Angeles.with_ymd_and_hms(2026, month, day, hour, 0, 0);
            moment.unwrap().with_timezone(&Utc)
        };
        // A Wednesday noon; and a night and more, in which the sync cannot reach the database either.
        let outages = [
            (local(5, 13, 11) + minutes(2), local(5, 13, 14)),
            (local(9, 4, 20), local(9, 6, 1) + minutes(7)),
        ];
        let dues: Vec<_> = every_day().map(due_on).collect();
        let mut runs = BTreeMap::new();
        for (place, entity) in ENTITIES.into_iter().enumerate() {
            let mut planned = Vec::new();
            for (day, &due) in dues.iter().enumerate() {
                let later =
                    TimeDelta::seconds(97 * i64::try_from(place).unwrap() + random.i64(1..30));
                let start = due + later;
                let end = start + TimeDelta::seconds(random.i64(20..80));
                let is_away = outages.iter().any(|&(from, to)| from <= end && start < to);
                let fate = match random.u32(0..100) {
                    _ if day == 0 => Fate::Completed,
                    0..3 => Fate::Failed,
                    3 => Fate::Killed,
                    _ => Fate::Completed,
                };
                if !is_away {
                    planned.push(Planned { start, end, fate });
                }
            }
            runs.insert(entity, planned);
        }
        Year {
            interval,
            begins: local(1, 1, 12),
            ends: local(12, 31, 12),
            dues,
            runs,
            outages,
        }
    }

    fn builds(&self) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        std::iter::successors(Some(self.begins), |&at| Some(at + self.interval))
            .take_while(|&at| at <= self.ends)
    }

    fn is_away(&self, at: DateTime<Utc>) -> bool {
        self.outages.iter().any(|&(from, to)| from <= at && at < to)
    }

    fn told_by_the_program(&self) -> Vec<Alert> {
        let text = "schedule = \"0 2 * * *\"\ntime_zone = \"America/Los_Angeles\"\n";
        let config = Config::parse(text, Path::new("syncmon.toml")).unwrap();
        let Rules { after, remind } = config.alerts.rules;
        assert_eq!((after, remind), (1, hours(24)));
        let mut memory = Memory::default();
        let mut told = Vec::new();
        let mut last_good = None;
        let mut outage = None;
        for now in self.builds() {
            let source = if self.is_away(now) {
                Source::Unreachable {
                    since: *outage.get_or_insert(now),
                    message: "The database did not answer.".to_owned(),
                }
            } else {
                outage = None;
                last_good = Some(self.snapshot(now));
                Source::Read
            };
            let reading = Reading {
                snapshot: last_good.clone(),
                source,
            };
            let assessment = assess(reading, &config.policy, now);
            let (next, occasions) =
                decide(memory, &Seen::of(&assessment), config.alerts.rules, now);
            memory = next;
            told.extend(occasions.into_iter().map(|occasion| Alert {
                at: occasion.at,
                about: occasion.about,
                kind: occasion.kind,
                since: occasion.since,
                affected: occasion.affected,
            }));
        }
        told
    }

    /// What the database holds at a moment; of each entity only the newest runs.
    fn snapshot(&self, now: DateTime<Utc>) -> Snapshot {
        let entities = self.runs.iter().map(|(entity, runs)| {
            let begun = runs.partition_point(|run| run.start <= now);
            let newest: Vec<Run> = runs[begun.saturating_sub(3)..begun]
                .iter()
                .rev()
                .map(|run| recorded(run, now))
                .collect();
            Observation {
                outcomes: [Status::Completed, Status::Failed]
                    .map(|status| outcomes(status, &runs[..begun], now))
                    .into(),
                runs: newest,
                ..Observation::empty(entity)
            }
        });
        Snapshot {
            as_of: now,
            history_since: now - TimeDelta::days(3),
            database: DatabaseFacts::default(),
            entities: entities.collect(),
        }
    }

    // ---- the oracle ----

    fn expected(&self) -> Vec<Alert> {
        let mut alerts = self.about_the_database();
        alerts.extend(self.about_the_syncs());
        // Of one build the database comes first.
        alerts.sort_by_key(|alert| (alert.at, alert.about == About::Syncs));
        alerts
    }

    fn about_the_database(&self) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for (from, to) in self.outages {
            let since = self.build_at_or_after(from);
            let mut tell = |at, kind| {
                alerts.push(Alert {
                    at,
                    about: About::Database,
                    kind,
                    since,
                    affected: Vec::new(),
                });
            };
            tell(since, Kind::Problem);
            // The reminders of an outage fall on builds, since a day has a whole number of them.
            for day in 1.. {
                let at = since + hours(24 * day);
                if at >= to {
                    break;
                }
                tell(at, Kind::Reminder);
            }
            tell(self.build_at_or_after(to), Kind::Recovery);
        }
        alerts
    }

    fn about_the_syncs(&self) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = Vec::new();
        let mut known: BTreeMap<&str, Health> = BTreeMap::new();
        // Since when there is a problem, and when it was last spoken of.
        let mut lasting: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
        for at in self.builds_that_can_see_a_change() {
            if let Some((since, last_told)) = &mut lasting {
                loop {
                    let due = self.readable_from(*last_told + hours(24));
                    if due >= at {
                        break;
                    }
                    *last_told = due;
                    alerts.push(self.of_syncs(due, Kind::Reminder, *since));
                }
            }
            let now: BTreeMap<&str, Health> = ENTITIES
                .into_iter()
                .map(|entity| (entity, self.health(entity, at)))
                .collect();
            let is_worse = now.iter().any(|(entity, health)| {
                *health > known.get(entity).copied().unwrap_or(Health::Green)
            });
            let is_well = now.values().all(|health| *health == Health::Green);
            known = now;
            lasting = match lasting {
                None if is_worse => {
                    alerts.push(self.of_syncs(at, Kind::Problem, at));
                    Some((at, at))
                }
                None => None,
                Some((since, _)) if is_worse => {
                    alerts.push(self.of_syncs(at, Kind::Worse, since));
                    Some((since, at))
                }
                Some((since, _)) if is_well => {
                    alerts.push(self.of_syncs(at, Kind::Recovery, since));
                    None
                }
                Some((since, last_told)) if self.readable_from(last_told + hours(24)) <= at => {
                    alerts.push(self.of_syncs(at, Kind::Reminder, since));
                    Some((since, at))
                }
                Some(lasting) => Some(lasting),
            };
        }
        while let Some((since, last_told)) = lasting {
            let due = self.readable_from(last_told + hours(24));
            lasting = (due <= self.ends).then_some((since, due));
            alerts.extend(lasting.map(|_| self.of_syncs(due, Kind::Reminder, since)));
        }
        alerts
    }

    fn of_syncs(&self, at: DateTime<Utc>, kind: Kind, since: DateTime<Utc>) -> Alert {
        let affected: BTreeSet<String> = ENTITIES
            .into_iter()
            .filter(|entity| self.health(entity, at) != Health::Green)
            .map(str::to_owned)
            .collect();
        Alert {
            at,
            about: About::Syncs,
            kind,
            since,
            affected: affected.into_iter().collect(),
        }
    }

    /// The first readable builds after moments at which some verdict can change.
    fn builds_that_can_see_a_change(&self) -> BTreeSet<DateTime<Utc>> {
        let of_runs = self
            .runs
            .values()
            .flatten()
            .flat_map(|run| [run.start, run.end, run.start + hours(1) + MICRO]);
        let missed = self.dues.iter().map(|&due| due + hours(1) + MICRO);
        of_runs
            .chain(missed)
            .map(|moment| self.readable_from(moment))
            .filter(|&build| build <= self.ends)
            .collect()
    }

    fn build_at_or_after(&self, moment: DateTime<Utc>) -> DateTime<Utc> {
        let passed = (moment - self.begins).max(TimeDelta::zero());
        let step = self.interval.num_microseconds().unwrap();
        let steps = (passed.num_microseconds().unwrap() + step - 1) / step;
        self.begins + TimeDelta::microseconds(steps * step)
    }

    fn readable_from(&self, moment: DateTime<Utc>) -> DateTime<Utc> {
        let build = self.build_at_or_after(moment);
        match self
            .outages
            .iter()
            .find(|&&(from, to)| from <= build && build < to)
        {
            Some(&(_, to)) => self.build_at_or_after(to),
            None => build,
        }
    }

    /// By the rules of docs/verdict.md, in as few words as possible.
    fn health(&self, entity: &str, at: DateTime<Utc>) -> Health {
        let begun = || self.runs[entity].iter().rev().filter(|run| run.start <= at);
        let newest = |fate| {
            begun()
                .filter(|run| run.fate == fate && run.end <= at)
                .map(|run| run.end)
                .next()
        };
        let success = newest(Fate::Completed).expect("the first run succeeded");
        let missed = self
            .dues
            .iter()
            .filter(|&&due| success < due - minutes(15) && at > due + hours(1))
            .count();
        let has_hung = |run: &Planned| {
            let is_open = run.fate == Fate::Killed || run.end > at;
            is_open && at - run.start > hours(1)
        };
        if newest(Fate::Failed).is_some_and(|failure| failure > success) || missed >= 2 {
            Health::Red
        } else if missed == 1 || begun().next().is_some_and(has_hung) {
            Health::Yellow
        } else {
            Health::Green
        }
    }
}

fn every_day() -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    first.iter_days().take_while(|day| day.year() == 2026)
}

/// 02:00 in Los Angeles. On 8 March there is none: cron starts the run when the gap ends, at 03:00.
fn due_on(day: NaiveDate) -> DateTime<Utc> {
    let at = |hour| Los_Angeles.from_local_datetime(&day.and_hms_opt(hour, 0, 0).unwrap());
    let due = at(2).earliest().or_else(|| at(3).earliest());
    due.unwrap().with_timezone(&Utc)
}

/// A run as its row says at a moment.
fn recorded(run: &Planned, now: DateTime<Utc>) -> Run {
    let (status, lasted) = match run.fate {
        Fate::Completed if run.end <= now => (Status::Completed, Some(run.end - run.start)),
        Fate::Failed if run.end <= now => (Status::Failed, Some(run.end - run.start)),
        Fate::Completed | Fate::Failed | Fate::Killed => (Status::Started, None),
    };
    Run {
        id: run.start.timestamp(),
        started_at: run.start,
        action: "incremental_sync".to_owned(),
        status,
        duration_seconds: lasted.map(TimeDelta::as_seconds_f64),
        records_processed: None,
        error: None,
    }
}

/// The newest finish of this kind.
fn outcomes(status: Status, begun: &[Planned], now: DateTime<Utc>) -> Outcomes {
    let finish = begun
        .iter()
        .rev()
        .map(|run| recorded(run, now))
        .find(|run| run.status == status)
        .and_then(|run| run.finished_at());
    Outcomes {
        status,
        action: "incremental_sync".to_owned(),
        before: None,
        finishes: finish.into_iter().collect(),
        untimed: 0,
        odd_durations: 0,
    }
}
