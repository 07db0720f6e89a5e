//! A random world: what the writers left behind, who looks at it, when, and how strictly.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::entity::Record;
use super::notation::{rfc3339, seconds, span};
use super::schedule::Schedule;
use crate::sandbox::NOW;
use crate::tools::SIX;

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

const ENTITIES: usize = 40;

/// What is the matter with the world besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: every database can tell of it.
    Plain,
    /// The builder's clock is its own, and the database's may differ.
    Clocks,
    /// Row security hides one table or both.
    Hidden,
    /// The database was read, and then it went away.
    Away,
}

/// In microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    pub late: i64,
    pub overdue: i64,
    pub stuck: i64,
}

/// All moments are microseconds since 1970.
pub struct World {
    pub kind: Kind,
    pub as_of: i64,
    /// When it is judged: later than `as_of` while the database is away.
    pub now: i64,
    /// `None`: the builder's clock is given by hand.
    pub database_clock: Option<i64>,
    pub hidden: Vec<&'static str>,
    pub interval: i64,
    pub thresholds: Thresholds,
    /// `None`: the six that the program expects unless it is told otherwise.
    pub configured: Option<Vec<(String, Option<Thresholds>)>>,
    /// Of configured entities.
    pub schedules: BTreeMap<String, Schedule>,
    pub pauses: BTreeMap<String, Vec<(i64, i64)>>,
    pub records: Vec<Record>,
}

impl World {
    pub fn random(kind: Kind, seed: u64) -> World {
        let mut random = fastrand::Rng::with_seed(seed);
        let interval = pick(&mut random, &[5 * MINUTE, 5 * MINUTE, MINUTE, HOUR]);
        let as_of = NOW.parse::<DateTime<Utc>>().unwrap().timestamp_micros();
        let as_of = as_of + random.i64(0..30 * DAY) / SECOND * SECOND;
        let mut world = World {
            kind,
            as_of,
            now: as_of,
            database_clock: None,
            hidden: Vec::new(),
            interval,
            thresholds: some_thresholds(&mut random),
            configured: None,
            schedules: BTreeMap::new(),
            pauses: BTreeMap::new(),
            records: Vec::new(),
        };
        let own_clock = match kind {
            Kind::Plain => false,
            Kind::Clocks => true,
            Kind::Hidden => {
                let tables: [&[&'static str]; 3] =
                    [&["sync_log"], &["sync_state"], &["sync_log", "sync_state"]];
                world.hidden = pick(&mut random, &tables).to_vec();
                false
            }
            Kind::Away => {
                let valid = 3 * interval;
                let later = [0, valid, valid, valid, random.i64(0..2 * DAY)];
                world.now += pick(&mut random, &later);
                random.bool()
            }
        };
        if own_clock {
            // A builder's own clock is set to whole seconds.
            world.now += SECOND * random.i64(-1..=1) * i64::from(kind == Kind::Away);
            world.now = world.now / SECOND * SECOND;
            world.database_clock = Some(as_of + some_clock_difference(&mut random));
        } else {
            let micros = random.i64(0..SECOND);
            world.as_of += micros;
            world.now += micros + random.i64(-1..=1) * i64::from(kind == Kind::Away);
        }
        world.populate(&mut random);
        world
    }

    fn populate(&mut self, random: &mut fastrand::Rng) {
        let known = SIX.split(' ').map(str::to_owned);
        let others = (6..ENTITIES).map(|index| format!("entity {index}"));
        let names: Vec<String> = known.chain(others).collect();
        if random.u8(0..3) > 0 {
            let mut configured = Vec::new();
            for name in &names {
                if random.u8(0..4) > 0 {
                    let own = random.bool().then(|| some_thresholds(random));
                    configured.push((name.clone(), own));
                    self.expect(random, name);
                }
            }
            self.configured = Some(configured);
        }
        let mut id = random.i64(1..1000);
        for name in &names {
            let limits = self.boundaries_of(name);
            let record = Record::random(random, name, self.now, limits, &mut id);
            self.records.push(record);
        }
    }

    /// A schedule for some, and pauses for some.
    fn expect(&mut self, random: &mut fastrand::Rng, name: &str) {
        if random.u8(0..3) == 0 {
            let schedule = Schedule::random(random, self.now);
            self.schedules.insert(name.to_owned(), schedule);
        }
        if random.u8(0..4) == 0 {
            let pauses = (0..random.usize(1..3)).map(|_| {
                let from = self.now - random.i64(-HOUR..2 * DAY);
                let until = pick(random, &[self.now, from + DAY / 3]);
                let until = around(random, until);
                (from, until.max(from + 1))
            });
            self.pauses.insert(name.to_owned(), pauses.collect());
        }
    }

    /// How long ago a success has to be for the rules to change their mind.
    fn boundaries_of(&self, name: &str) -> Thresholds {
        let limits = self.thresholds_of(name);
        let first = self.pauses.get(name).and_then(|pauses| pauses.first());
        let lasting = |&(from, until): &(i64, i64)| until.min(self.now) - from.min(self.now);
        let paused = first.map_or(0, lasting);
        match self.schedules.get(name) {
            Some(schedule) => Thresholds {
                late: self.now - (schedule.dues[0] - schedule.early),
                overdue: self.now - (schedule.dues[1] - schedule.early),
                ..limits
            },
            None => Thresholds {
                late: limits.late + paused,
                overdue: limits.overdue + paused,
                ..limits
            },
        }
    }

    pub fn thresholds_of(&self, entity_type: &str) -> Thresholds {
        self.configured
            .iter()
            .flatten()
            .find(|(name, _)| name == entity_type)
            .and_then(|(_, own)| *own)
            .unwrap_or(self.thresholds)
    }

    /// `syncmon.toml`.
    pub fn configuration(&self) -> String {
        let lines = |limits: Thresholds| {
            format!(
                "late_after = \"{}\"\noverdue_after = \"{}\"\nstuck_after = \"{}\"\n",
                span(limits.late),
                span(limits.overdue),
                span(limits.stuck)
            )
        };
        let mut text =
            format!("interval = \"{}\"\n", span(self.interval)) + &lines(self.thresholds);
        for (name, own) in self.configured.iter().flatten() {
            writeln!(text, "[[entities]]\nentity_type = \"{name}\"").unwrap();
            text += &own.map(lines).unwrap_or_default();
            if let Some(schedule) = self.schedules.get(name) {
                text += &schedule.configuration();
            }
            for (from, to) in self.pauses.get(name).into_iter().flatten() {
                let [from, to] = [from, to].map(|&at| rfc3339(at));
                writeln!(
                    text,
                    "[[entities.maintenance]]\nfrom = \"{from}\"\nto = \"{to}\"\nwhy = \"why\""
                )
                .unwrap();
            }
        }
        text
    }

    /// The rows, to be inserted into tables that are empty.
    pub fn sql(&self, infinity: &str) -> String {
        self.records
            .iter()
            .map(|record| record.sql(infinity))
            .collect()
    }

    /// As the judge wants to be told.
    pub fn case(&self) -> Value {
        let policy = |limits: Thresholds| {
            json!({
                "late_after": seconds(limits.late),
                "overdue_after": seconds(limits.overdue),
                "stuck_after": seconds(limits.stuck),
            })
        };
        let entities: Vec<&str> = match &self.configured {
            Some(list) => list.iter().map(|(name, _)| name.as_str()).collect(),
            None => SIX.split(' ').collect(),
        };
        let configured = self.configured.iter().flatten();
        let policies: BTreeMap<_, _> = configured
            .filter_map(|(name, own)| Some((name, policy((*own)?))))
            .collect();
        let recorded = self.records.iter().map(Record::recorded);
        let (states, runs): (Vec<_>, Vec<_>) = recorded.unzip();
        let (states, runs) = (states.iter().flatten(), runs.iter().flatten());
        let (states, runs) = (states.collect::<Vec<_>>(), runs.collect::<Vec<_>>());
        let schedules = self.schedules.iter();
        let schedules: BTreeMap<_, _> = schedules.map(|(name, one)| (name, one.told())).collect();
        let moments = |pauses: &[(i64, i64)]| -> Vec<[String; 2]> {
            let pauses = pauses.iter().map(|&(from, to)| [from, to].map(rfc3339));
            pauses.collect()
        };
        let pauses = self.pauses.iter();
        let pauses: BTreeMap<_, _> = pauses.map(|(name, list)| (name, moments(list))).collect();
        json!({
            "now": rfc3339(self.now), "as_of": rfc3339(self.as_of),
            "database_clock": self.database_clock.map(rfc3339), "hidden": self.hidden,
            "unreachable": self.kind == Kind::Away, "interval_seconds": seconds(self.interval),
            "policy": policy(self.thresholds), "policies": policies, "schedules": schedules,
            "pauses": pauses, "entities": entities, "sync_state": states, "sync_log": runs,
        })
    }
}

pub fn pick<T: Copy>(random: &mut fastrand::Rng, choices: &[T]) -> T {
    choices[random.usize(0..choices.len())]
}

/// Just before, at and just after.
pub fn around(random: &mut fastrand::Rng, moment: i64) -> i64 {
    moment + random.i64(-1..=1)
}

fn some_thresholds(random: &mut fastrand::Rng) -> Thresholds {
    let usual = Thresholds {
        late: 2 * HOUR,
        overdue: 12 * HOUR,
        stuck: HOUR,
    };
    if random.u8(0..4) > 0 {
        return usual;
    }
    let late = pick(random, &[SECOND, 90 * SECOND + 1, 25 * MINUTE, 26 * HOUR]);
    Thresholds {
        late,
        overdue: late + pick(random, &[0, 1, 10 * MINUTE, 40 * DAY]),
        stuck: pick(random, &[SECOND, 7 * MINUTE + 500, 3 * HOUR]),
    }
}

/// The database's clock minus the builder's.
fn some_clock_difference(random: &mut fastrand::Rng) -> i64 {
    let amount = match random.u8(0..4) {
        0 => random.i64(0..10 * MINUTE),
        1 => pick(random, &[0, HOUR, 40 * DAY]),
        _ => around(random, 5 * MINUTE),
    };
    if random.bool() { amount } else { -amount }
}
