//! How long an entity had which health, to the microsecond.

use proptest::prelude::*;

use super::*;
use crate::health::{Health, Past, Shares, Span, shares};

fn past(recorded: &Recorded) -> Vec<Span> {
    recorded.judged().past
}

/// The stretches in order: what the rules said, and for how long.
fn story(recorded: &Recorded) -> Vec<(Past, TimeDelta)> {
    past(recorded)
        .iter()
        .map(|span| (span.past, TimeDelta::microseconds(span.until - span.from)))
        .collect()
}

fn last(recorded: &Recorded, time: TimeDelta) -> (TimeDelta, TimeDelta, TimeDelta) {
    let Shares { green, yellow, red } = shares(&past(recorded), now() - time, now());
    (green, yellow, red)
}

// ---- real cases ----

#[test]
fn of_an_entity_without_a_record_nothing_is_known() {
    assert_eq!(story(&Recorded::nothing()), []);
    assert_eq!(last(&Recorded::nothing(), hours(24)), (ZERO, ZERO, ZERO));
}

#[test]
fn one_success_is_fresh_then_late_then_overdue() {
    let once = Recorded::nothing().completed(hours(20));
    let expected = [
        (Past::Fresh, hours(2)),
        (Past::Late, hours(10)),
        (Past::Overdue, hours(8)),
    ];
    assert_eq!(story(&once), expected);
    assert_eq!(last(&once, hours(24)), (hours(2), hours(10), hours(8)));
    assert_eq!(last(&once, hours(8) + MICRO), (ZERO, MICRO, hours(8)));
}

#[test]
fn only_failures_are_red_from_the_first_on() {
    let failing = Recorded::nothing().failed(hours(5)).failed(hours(1));
    assert_eq!(last(&failing, hours(24)), (ZERO, ZERO, hours(5)));
    let expected = [(Past::Failed, hours(4)), (Past::Failed, hours(1))];
    assert_eq!(story(&failing), expected);
}

#[test]
fn of_overlapping_runs_each_counts_when_it_ends() {
    // The one that started first ends last, and failed.
    let overlapping = Recorded::nothing()
        .run("failed", hours(3), Some(7200.0))
        .run("completed", hours(2), Some(1800.0));
    let expected = [(Past::Fresh, minutes(30)), (Past::Failed, hours(1))];
    assert_eq!(story(&overlapping), expected);
}

#[test]
fn a_run_that_never_ended_says_nothing_about_the_past() {
    let unfinished = Recorded::nothing()
        .completed(hours(3))
        .started(hours(2))
        .started(hours(1));
    assert_eq!(last(&unfinished, hours(24)), (hours(2), hours(1), ZERO));
}

#[test]
fn what_the_writers_called_success_after_a_failure_is_no_cure() {
    let contradicting = Recorded::nothing()
        .failed(hours(1))
        .state("success", hours(1) - seconds(5));
    assert_eq!(last(&contradicting, hours(24)), (ZERO, ZERO, hours(1)));
}

#[test]
fn what_is_recorded_for_the_future_is_not_the_past() {
    let ahead = Recorded::nothing()
        .completed(hours(1))
        .completed(-minutes(3));
    assert_eq!(last(&ahead, hours(24)), (hours(1), ZERO, ZERO));
}

// ---- against a slow and simple reckoning ----

/// An entity whose log lies on whole minutes of the last five days.
fn on_whole_minutes() -> impl Strategy<Value = Recorded> {
    let word = prop::sample::select(vec!["completed", "ok", "failed", "error", "started", "odd"]);
    let run = (word, 0_i64..7200, 0_i64..600);
    prop::collection::vec(run, 0..12).prop_map(|runs| {
        runs.into_iter()
            .fold(Recorded::nothing(), |recorded, (word, started, lasted)| {
                #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
                let seconds = (lasted * 60) as f64;
                recorded.run(word, minutes(started), Some(seconds))
            })
    })
}

/// The rules of the verdict table, asked at one moment; `None` before the first evidence.
fn health_at(recorded: &Recorded, at: DateTime<Utc>) -> Option<Health> {
    let newest = |wanted: Status| {
        let runs = recorded.0.runs.iter();
        let of_this_kind = runs.filter(|run| run.status == wanted);
        let ends = of_this_kind.filter_map(Run::finished_at);
        ends.filter(|&end| end <= at).max()
    };
    match (newest(Status::Completed), newest(Status::Failed)) {
        (None, None) => None,
        (Some(success), failure) if failure.is_none_or(|failure| failure <= success) => {
            Some(match at - success {
                age if age < hours(2) => Health::Green,
                age if age < hours(12) => Health::Yellow,
                _ => Health::Red,
            })
        }
        (_, Some(_)) | (Some(_), None) => Some(Health::Red),
    }
}

proptest! {
    #[test]
    fn shares_equal_a_reckoning_minute_by_minute(
        recorded in on_whole_minutes(),
        from in 0_i64..8000,
        length in 0_i64..3000,
    ) {
        let (from, until) = (now() - minutes(from), now() - minutes((from - length).max(0)));
        let mut expected = Shares::default();
        let mut minute = from;
        while minute < until {
            if let Some(health) = health_at(&recorded, minute) {
                expected.add(health, minutes(1));
            }
            minute += minutes(1);
        }
        prop_assert_eq!(shares(&past(&recorded), from, until), expected);
    }

    #[test]
    fn the_parts_of_a_stretch_of_time_add_up_to_it(
        recorded in on_whole_minutes(),
        from in 0_i64..500_000_000_000,
        split in 0_i64..500_000_000_000,
    ) {
        let (from, split) = (from.max(split), from.min(split));
        let [from, split] = [from, split].map(|ago| now() - TimeDelta::microseconds(ago));
        let past = past(&recorded);
        let whole = shares(&past, from, now());
        let parts = [shares(&past, from, split), shares(&past, split, now())];
        prop_assert_eq!(whole.green, parts[0].green + parts[1].green);
        prop_assert_eq!(whole.yellow, parts[0].yellow + parts[1].yellow);
        prop_assert_eq!(whole.red, parts[0].red + parts[1].red);
    }

    #[test]
    fn from_the_first_evidence_on_every_moment_has_one_health(recorded in on_whole_minutes()) {
        let past = past(&recorded);
        for pair in past.windows(2) {
            prop_assert_eq!(pair[0].until, pair[1].from);
        }
        if let Some(first) = past.first() {
            let from = DateTime::from_timestamp_micros(first.from).unwrap();
            prop_assert_eq!(shares(&past, from, now()).known(), now() - from);
            prop_assert_eq!(shares(&past, from - hours(1), from).known(), ZERO);
        }
    }
}
