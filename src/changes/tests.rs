//! Moments are given as minutes before the one at which these tests take place; builds as the minute of each.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::{Access, Change, Journal, WINDOW, outages, troubles};
use crate::health::{Pauses, Policy, Reading, Reason, Source, Thresholds, assess};
use crate::model::{DatabaseFacts, Observation, Outcomes, Run, Snapshot, Status};

fn at(minutes_ago: i64) -> DateTime<Utc> {
    let now: DateTime<Utc> = "2026-11-22T20:05:00Z".parse().unwrap();
    now - TimeDelta::minutes(minutes_ago)
}

fn policy() -> Policy {
    Policy {
        entities: Vec::new(),
        thresholds: Thresholds::default(),
        schedule: None,
        pauses: Pauses::default(),
        actions: None,
        zone: chrono_tz::America::Los_Angeles,
        owner: None,
        interval: TimeDelta::minutes(5),
        history_days: 7,
    }
}

/// What one entity's writers left, with runs that took no time.
#[derive(Default, Clone)]
struct World {
    succeeded: Vec<i64>,
    failed: Vec<i64>,
    /// A run that was never closed.
    started: Option<i64>,
    clock_ahead_micros: Option<i64>,
}

impl World {
    fn of(succeeded: &[i64], failed: &[i64]) -> World {
        World {
            succeeded: succeeded.to_vec(),
            failed: failed.to_vec(),
            ..World::default()
        }
    }

    /// As the database shows it to a build.
    fn snapshot(&self, build: i64) -> Snapshot {
        let outcomes = |status, finishes: &[i64]| Outcomes {
            status,
            action: "incremental_sync".to_owned(),
            before: None,
            finishes: finishes
                .iter()
                .filter(|&&ago| ago >= build)
                .map(|&ago| at(ago))
                .collect(),
            untimed: 0,
            odd_durations: 0,
        };
        let started = self.started.filter(|&ago| ago >= build);
        Snapshot {
            as_of: at(build),
            history_since: at(build),
            database: DatabaseFacts {
                clock_ahead_micros: self.clock_ahead_micros,
                ..DatabaseFacts::default()
            },
            entities: vec![Observation {
                outcomes: vec![
                    outcomes(Status::Completed, &self.succeeded),
                    outcomes(Status::Failed, &self.failed),
                ],
                runs: started
                    .map(|ago| Run {
                        id: 1,
                        started_at: at(ago),
                        action: "incremental_sync".to_owned(),
                        status: Status::Started,
                        duration_seconds: None,
                        records_processed: None,
                        error: None,
                    })
                    .into_iter()
                    .collect(),
                ..Observation::empty("sales")
            }],
        }
    }

    fn seen(&self, journal: Journal, build: i64) -> Journal {
        let reading = Reading {
            snapshot: Some(self.snapshot(build)),
            source: Source::Read,
        };
        journal.with(&assess(reading, &policy(), at(build)))
    }
}

/// A build that cannot read the database, and has what an earlier one read, if there was one.
fn away(journal: Journal, earlier: Option<(&World, i64)>, since: i64, build: i64) -> Journal {
    let reading = Reading {
        snapshot: earlier.map(|(world, read)| world.snapshot(read)),
        source: Source::Unreachable {
            since: at(since),
            message: "The database did not answer.".to_owned(),
        },
    };
    journal.with(&assess(reading, &policy(), at(build)))
}

/// (minutes ago, reason) of each change.
fn told(journal: &Journal) -> Vec<(i64, Reason)> {
    let changes = &journal.entities["sales"].changes;
    changes
        .iter()
        .map(|change| ((at(0) - change.at).num_minutes(), change.reason))
        .collect()
}

#[test]
fn the_first_build_tells_what_the_evidence_tells() {
    let world = World::of(&[2000, 60], &[1000, 990, 500]);
    let journal = world.seen(Journal::default(), 0);
    assert_eq!(
        told(&journal),
        [
            (2000, Reason::Fresh),
            (2000 - 120, Reason::Late),
            (2000 - 720, Reason::Overdue),
            (1000, Reason::Failed),
            (60, Reason::Fresh),
        ]
    );
    assert_eq!(journal.entities["sales"].since, at(2000));
    assert_eq!(journal.database, []);
}

#[test]
fn a_later_build_adds_what_is_new_and_leaves_what_stands() {
    let mut world = World::of(&[300], &[]);
    let first = world.seen(Journal::default(), 200);
    assert_eq!(told(&first), [(300, Reason::Fresh)]);
    assert_eq!(world.seen(first.clone(), 195), first);
    // A run that ended before the last build, and was told of only after it.
    world.failed = vec![198];
    world.succeeded.push(150);
    let second = world.seen(first, 100);
    assert_eq!(
        told(&second),
        [
            (300, Reason::Fresh),
            (198, Reason::Failed),
            (150, Reason::Fresh)
        ]
    );
    // What the evidence does not tell any more stays told.
    world.failed.clear();
    assert_eq!(world.seen(second.clone(), 95), second);
}

#[test]
fn what_the_evidence_cannot_tell_has_the_moment_of_the_build_that_saw_it() {
    let world = World {
        started: Some(100),
        ..World::of(&[110], &[])
    };
    let mut journal = Journal::default();
    for build in [50, 45, 39, 35, 30] {
        journal = world.seen(journal, build);
    }
    let stuck = [(110, Reason::Fresh), (39, Reason::Stuck)];
    assert_eq!(told(&journal), stuck);
    let closed = World::of(&[110, 29], &[]);
    let journal = closed.seen(journal, 28);
    assert_eq!(told(&journal)[2..], [(28, Reason::Fresh)]);
}

#[test]
fn while_clocks_disagree_nothing_becomes_fresh() {
    let world = World {
        clock_ahead_micros: Some(600_000_000),
        ..World::of(&[50, 20], &[40])
    };
    let journal = world.seen(Journal::default(), 10);
    assert_eq!(
        told(&journal),
        [(40, Reason::Failed), (10, Reason::ClockSkew)]
    );
}

#[test]
fn a_clock_that_was_set_back_takes_back_what_lay_ahead_and_repeats_nothing() {
    let world = World::of(&[1000], &[500]);
    let right = world.seen(Journal::default(), 400);
    // A day too early: all is overdue, says the build.
    let late = World::of(&[1000, 390], &[500]);
    let ahead = late.seen(right.clone(), -1440);
    assert_eq!(
        ahead.entities["sales"].changes.last().unwrap().reason,
        Reason::Overdue
    );
    let back = late.seen(ahead, 380);
    assert_eq!(back, late.seen(right, 380));
    assert_eq!(
        told(&back)[2..],
        [(500, Reason::Failed), (390, Reason::Fresh)]
    );
    // A little back nothing is taken back.
    let stuck = World {
        started: Some(470),
        ..World::of(&[480], &[])
    };
    let seen = stuck.seen(Journal::default(), 400);
    assert_eq!(stuck.seen(seen.clone(), 403), seen);
}

#[test]
fn a_database_that_was_never_read_says_nothing_of_its_entities() {
    let journal = away(Journal::default(), None, 30, 20);
    assert!(journal.entities.is_empty());
    let unreadable = Access {
        at: at(30),
        readable: false,
    };
    assert_eq!(journal.database, [unreadable]);
    assert_eq!(away(journal.clone(), None, 30, 15), journal);
    // The first good build tells the past all the same.
    let world = World::of(&[60], &[50]);
    let journal = world.seen(journal, 10);
    assert_eq!(told(&journal), [(60, Reason::Fresh), (50, Reason::Failed)]);
    let [outage] = outages(&journal.database)[..] else {
        panic!("one outage")
    };
    assert_eq!((outage.from, outage.until), (at(30), Some(at(10))));
}

#[test]
fn an_outage_makes_what_was_fresh_out_of_date() {
    let world = World::of(&[100], &[]);
    let mut journal = world.seen(Journal::default(), 95);
    for build in [90, 85, 80, 79, 70] {
        journal = away(journal, Some((&world, 95)), 90, build);
    }
    assert_eq!(
        told(&journal),
        [(100, Reason::Fresh), (79, Reason::OutOfDate)]
    );
    let back = world.seen(journal, 60);
    assert_eq!(told(&back)[2..], [(60, Reason::Fresh)]);
    assert_eq!(back.database.len(), 2);
}

#[test]
fn changes_of_ninety_days_are_kept_with_the_one_that_they_begin_in() {
    let day = 1440;
    let old = World::of(&[200 * day, 95 * day, 10], &[100 * day, 95 * day - 60]);
    let journal = old.seen(Journal::default(), 0);
    assert_eq!(
        told(&journal),
        [(95 * day - 60, Reason::Failed), (10, Reason::Fresh)]
    );
    // An entity of which nothing is heard any more is forgotten in the end.
    let other = World::of(&[], &[]);
    let mut gone = other.snapshot(-91 * day);
    gone.entities.clear();
    let reading = Reading {
        snapshot: Some(gone),
        source: Source::Read,
    };
    let later = journal.with(&assess(reading, &policy(), at(-91 * day)));
    assert!(later.entities.is_empty());
}

#[test]
fn no_more_changes_are_kept_than_the_newest_five_hundred() {
    let all: Vec<i64> = (1..=1000).map(|n| 10 * n).collect();
    let (failed, succeeded): (Vec<i64>, Vec<i64>) = all.iter().partition(|&ago| ago % 20 == 0);
    let journal = World::of(&succeeded, &failed).seen(Journal::default(), 0);
    let told = told(&journal);
    assert_eq!(told.len(), 500);
    assert_eq!(told.last(), Some(&(10, Reason::Fresh)));
}

#[test]
fn trouble_lasts_from_the_first_change_for_the_worse_until_all_is_well() {
    let change = |ago, reason| Change {
        at: at(ago),
        reason,
    };
    let changes = [
        change(90, Reason::Late),
        change(80, Reason::Fresh),
        change(70, Reason::Stuck),
        change(60, Reason::Failed),
        change(50, Reason::Fresh),
        change(40, Reason::Overdue),
    ];
    let found: Vec<_> = troubles(&changes)
        .iter()
        .map(|trouble| (trouble.from, trouble.until, trouble.changes.len()))
        .collect();
    assert_eq!(
        found,
        [
            (at(90), Some(at(80)), 2),
            (at(70), Some(at(50)), 3),
            (at(40), None, 1)
        ]
    );
    assert_eq!(troubles(&[]), []);
}

proptest! {
    /// Whatever happens, and whenever somebody looks: what was told stays told, in order, and no change is one to
    /// the same.
    #[test]
    fn what_is_told_once_stays_as_it_is(
        succeeded in proptest::collection::vec(0i64..5000, 0..12),
        failed in proptest::collection::vec(0i64..5000, 0..12),
        started in proptest::option::of(0i64..5000),
        mut builds in proptest::collection::vec(0i64..5000, 1..12),
    ) {
        let world = World { succeeded, failed, started, clock_ahead_micros: None };
        builds.sort_unstable();
        let mut journal = Journal::default();
        for &build in builds.iter().rev() {
            let before = journal.entities.get("sales").map_or_else(Vec::new, |r| r.changes.clone());
            journal = world.seen(journal, build);
            let changes = &journal.entities["sales"].changes;
            prop_assert_eq!(&changes[..before.len()], &before[..]);
            prop_assert!(changes.windows(2).all(|two| two[0].at <= two[1].at && two[0].reason != two[1].reason));
            prop_assert!(changes.iter().all(|change| change.at > at(build) - WINDOW * 2));
            let reading = Reading { snapshot: Some(world.snapshot(build)), source: Source::Read };
            let now = assess(reading, &policy(), at(build)).entities[0].reason;
            prop_assert_eq!(changes.last().map(|change| change.reason), Some(now));
        }
    }
}
