//! A year of builds over a daily sync: who is told what, exactly, worked out twice in different ways.
//!
//! The program's own chain judges snapshot after snapshot and remembers from build to build. The oracle looks at
//! the whole year at once: it knows every run that was planned, asks at which moments a verdict can change at all,
//! and moves each to the first build that can see it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Los_Angeles;
use syncmon::alerts::{About, Kind, Memory, Occasion, Rules, Seen, decide};
use syncmon::config::Config;
use syncmon::health::{Health, Reading, Source, assess};
use syncmon::model::{DatabaseFacts, Observation, Outcomes, Run, Snapshot, Status};

use crate::campaign::{Campaign, Step};
use crate::rows::{hours, minutes};

pub const ENTITIES: [&str; 6] = [
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
        let seed = 20_260_101 + step.number as u64;
        is_told_exactly(&step, &Year::planned(seed, interval));
    }
    campaign.ends(
        "{builds} builds, {alerts} alerts ({problems} problems, {worse} worse, {reminders} reminders, \
         {recoveries} recoveries)",
    );
}

fn is_told_exactly(step: &Step, year: &Year) {
    let told = year.told_by_the_program();
    let expected = year.expected();
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(told, expected);
    }
    assert_eq!(told.len(), expected.len(), "none missing, none too many");
    let count = |kind| told.iter().filter(|alert| alert.kind == kind).count();
    let counts = [Kind::Problem, Kind::Worse, Kind::Reminder, Kind::Recovery].map(count);
    assert!(counts.iter().all(|count| *count > 1), "{counts:?}");
    assert!(counts[0] - counts[3] <= 1);
    let of_database = told.iter().filter(|alert| alert.about == About::Database);
    let why = "two outages, one of them for more than a day";
    assert_eq!(of_database.count(), 5, "{why}");
    step.count("builds", year.builds().count());
    step.count("alerts", told.len());
    let kinds = ["problems", "worse", "reminders", "recoveries"];
    for (what, number) in kinds.into_iter().zip(counts) {
        step.count(what, number);
    }
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
                let later = 97 * i64::try_from(place).unwrap() + random.i64(1..30);
                let start = due + TimeDelta::seconds(later);
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

    fn told_by_the_program(&self) -> Vec<Occasion> {
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
                let since = *outage.get_or_insert(now);
                let message = "The database did not answer.".to_owned();
                Source::Unreachable { since, message }
            } else {
                outage = None;
                last_good = Some(self.snapshot(now));
                Source::Read
            };
            let snapshot = last_good.clone();
            let assessment = assess(Reading { snapshot, source }, &config.policy, now);
            let seen = Seen::of(&assessment);
            let (next, occasions) = decide(memory, &seen, config.alerts.rules, now);
            memory = next;
            told.extend(occasions);
        }
        told
    }

    /// What the database holds at a moment; of each entity only the newest runs.
    fn snapshot(&self, now: DateTime<Utc>) -> Snapshot {
        let entities = self.runs.iter().map(|(entity, runs)| {
            let begun = runs.partition_point(|run| run.start <= now);
            let newest = runs[begun.saturating_sub(3)..begun].iter().rev();
            let ended = [Status::Completed, Status::Failed];
            Observation {
                outcomes: ended
                    .map(|status| outcomes(status, &runs[..begun], now))
                    .into(),
                runs: newest.map(|run| recorded(run, now)).collect(),
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

    fn expected(&self) -> Vec<Occasion> {
        let mut alerts = self.about_the_database();
        alerts.extend(self.about_the_syncs());
        // Of one build the database comes first.
        alerts.sort_by_key(|alert| (alert.at, alert.about == About::Syncs));
        alerts
    }

    fn about_the_database(&self) -> Vec<Occasion> {
        let mut alerts = Vec::new();
        for (from, to) in self.outages {
            let (since, about) = (self.build_at_or_after(from), About::Database);
            let mut tell = |at, kind| alerts.push(told(at, about, kind, since, Vec::new()));
            tell(since, Kind::Problem);
            // The reminders of an outage fall on builds, since a day has a whole number of them.
            let days = (1..).map(|day| since + hours(24 * day));
            for at in days.take_while(|at| *at < to) {
                tell(at, Kind::Reminder);
            }
            tell(self.build_at_or_after(to), Kind::Recovery);
        }
        alerts
    }

    fn about_the_syncs(&self) -> Vec<Occasion> {
        let mut alerts: Vec<Occasion> = Vec::new();
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
            let told = match lasting {
                None => is_worse.then_some(Kind::Problem),
                Some(_) if is_worse => Some(Kind::Worse),
                Some(_) if is_well => Some(Kind::Recovery),
                Some((_, last_told)) => {
                    let is_due = self.readable_from(last_told + hours(24)) <= at;
                    is_due.then_some(Kind::Reminder)
                }
            };
            if let Some(kind) = told {
                let since = lasting.map_or(at, |(since, _)| since);
                alerts.push(self.of_syncs(at, kind, since));
                lasting = (kind != Kind::Recovery).then_some((since, at));
            }
        }
        while let Some((since, last_told)) = lasting {
            let due = self.readable_from(last_told + hours(24));
            lasting = (due <= self.ends).then_some((since, due));
            alerts.extend(lasting.map(|_| self.of_syncs(due, Kind::Reminder, since)));
        }
        alerts
    }

    fn of_syncs(&self, at: DateTime<Utc>, kind: Kind, since: DateTime<Utc>) -> Occasion {
        let mut affected = ENTITIES.map(str::to_owned).to_vec();
        affected.retain(|entity| self.health(entity, at) != Health::Green);
        affected.sort();
        told(at, About::Syncs, kind, since, affected)
    }

    /// The first readable builds after moments at which some verdict can change.
    fn builds_that_can_see_a_change(&self) -> BTreeSet<DateTime<Utc>> {
        let hung_or_missed = |since: DateTime<Utc>| since + hours(1) + MICRO;
        let runs = self.runs.values().flatten();
        let of_runs = runs.flat_map(|run| [run.start, run.end, hung_or_missed(run.start)]);
        let moments = of_runs.chain(self.dues.iter().copied().map(hung_or_missed));
        let builds = moments.map(|moment| self.readable_from(moment));
        builds.filter(|&build| build <= self.ends).collect()
    }

    fn build_at_or_after(&self, moment: DateTime<Utc>) -> DateTime<Utc> {
        let passed = (moment - self.begins).max(TimeDelta::zero());
        let step = self.interval.num_microseconds().unwrap();
        let steps = (passed.num_microseconds().unwrap() + step - 1) / step;
        self.begins + TimeDelta::microseconds(steps * step)
    }

    fn readable_from(&self, moment: DateTime<Utc>) -> DateTime<Utc> {
        let build = self.build_at_or_after(moment);
        let away = |&&(from, to): &&_| from <= build && build < to;
        let outage = self.outages.iter().find(away);
        outage.map_or(build, |&(_, to)| self.build_at_or_after(to))
    }

    /// By the rules of docs/verdict.md, in as few words as possible.
    fn health(&self, entity: &str, at: DateTime<Utc>) -> Health {
        let begun = || self.runs[entity].iter().rev().filter(|run| run.start <= at);
        let newest = |fate| {
            let mut ended = begun().filter(|run| run.fate == fate && run.end <= at);
            ended.next().map(|run| run.end)
        };
        let success = newest(Fate::Completed).expect("the first run succeeded");
        let is_missed =
            |due: &&DateTime<Utc>| success < **due - minutes(15) && at > **due + hours(1);
        let missed = self.dues.iter().filter(is_missed).count();
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

fn told(
    at: DateTime<Utc>,
    about: About,
    kind: Kind,
    since: DateTime<Utc>,
    affected: Vec<String>,
) -> Occasion {
    let until = (kind == Kind::Recovery).then_some(at);
    Occasion {
        about,
        kind,
        since,
        until,
        at,
        affected,
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
    let mut runs = begun.iter().rev().map(|run| recorded(run, now));
    let newest = runs.find(|run| run.status == status);
    Outcomes {
        status,
        action: "incremental_sync".to_owned(),
        before: None,
        finishes: newest
            .and_then(|run| run.finished_at())
            .into_iter()
            .collect(),
        untimed: 0,
        odd_durations: 0,
    }
}
