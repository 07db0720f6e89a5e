//! The days gone by: what the same rules would have said at every moment of them.

use super::*;
use crate::health::{Day, DayStart, Health, strip, time_in_state};

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Consecutive days by the moments at which they begin.
fn days_from(starts: &[&str]) -> Vec<DayStart> {
    starts
        .iter()
        .map(|start| DayStart {
            date: moment(start).date_naive(),
            at: moment(start),
        })
        .collect()
}

/// 20, 21 and 22 November in Los Angeles; the last is 12 hours and 5 minutes old.
fn three_days() -> Vec<DayStart> {
    days_from(&[
        "2026-11-20T08:00:00Z",
        "2026-11-21T08:00:00Z",
        "2026-11-22T08:00:00Z",
    ])
}

fn days_of(recorded: &Recorded, starts: &[DayStart], now: DateTime<Utc>) -> Vec<Day> {
    let evidence = crate::health::Evidence::weigh(&recorded.0, now);
    let past = time_in_state(
        &recorded.0,
        &evidence,
        &configured("sales", Thresholds::default()),
        now,
        now,
    );
    strip(&recorded.0, &past, starts, now)
}

/// How long a day was green, yellow and red.
fn shares(day: &Day) -> (TimeDelta, TimeDelta, TimeDelta) {
    (day.time.green, day.time.yellow, day.time.red)
}

#[test]
fn before_the_first_evidence_a_day_has_no_health() {
    let recorded = Recorded::nothing().completed(hours(1));
    let days = days_of(&recorded, &three_days(), now());
    let worst: Vec<_> = days.iter().map(Day::worst).collect();
    assert_eq!(worst, [None, None, Some(Health::Green)]);
    assert_eq!(shares(&days[2]), (hours(1), ZERO, ZERO));
    let nothing = days_of(&Recorded::nothing(), &three_days(), now());
    assert!(nothing.iter().all(|day| day.worst().is_none()));
}

#[test]
fn a_success_ages_from_green_to_red_across_midnight() {
    let recorded = Recorded::nothing().completed(now() - moment("2026-11-21T07:00:00Z"));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!(shares(&days[0]), (hours(1), ZERO, ZERO));
    assert_eq!(shares(&days[1]), (hours(1), hours(10), hours(13)));
    assert_eq!(shares(&days[2]), (ZERO, ZERO, hours(12) + minutes(5)));
    assert_eq!(days[1].worst(), Some(Health::Red));
}

#[test]
fn a_failure_is_red_until_the_next_success() {
    let recorded = Recorded::nothing().failed(hours(5)).completed(hours(2));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!(shares(&days[2]), (hours(2), ZERO, hours(3)));
    assert_eq!((days[2].completed, days[2].failed), (1, 1));
}

#[test]
fn of_a_failure_and_a_success_at_the_same_moment_the_success_counts() {
    let recorded = Recorded::nothing().completed(hours(1)).failed(hours(1));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!(shares(&days[2]), (hours(1), ZERO, ZERO));
}

#[test]
fn the_state_is_evidence_for_the_past_too() {
    let recorded = Recorded::nothing().state("success", hours(1));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!(shares(&days[2]), (hours(1), ZERO, ZERO));
    let failed = Recorded::nothing().state("failed", hours(1));
    let days = days_of(&failed, &three_days(), now());
    assert_eq!(shares(&days[2]), (ZERO, ZERO, hours(1)));
    assert_eq!((days[2].completed, days[2].failed), (0, 0));
}

#[test]
fn a_failures_own_timestamp_is_no_success_in_the_past_either() {
    let recorded = Recorded::nothing()
        .failed(hours(1))
        .state("success", hours(1) - seconds(60));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!(shares(&days[2]), (ZERO, ZERO, hours(1)));
}

#[test]
fn what_happened_before_the_first_day_reaches_into_it() {
    let recorded = Recorded::nothing().failed(TimeDelta::days(30));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!(shares(&days[0]), (ZERO, ZERO, hours(24)));
    assert!(days.iter().all(|day| day.failed == 0));
}

#[test]
fn what_lies_in_the_future_has_not_happened() {
    let recorded = Recorded::nothing().completed(-MICRO).failed(-hours(1));
    let days = days_of(&recorded, &three_days(), now());
    assert!(days.iter().all(|day| day.worst().is_none()));
    assert!(days.iter().all(|day| (day.completed, day.failed) == (0, 0)));
}

#[test]
fn runs_are_counted_on_the_day_on_which_they_finished() {
    let midnight = now() - moment("2026-11-22T08:00:00Z");
    let recorded = Recorded::nothing()
        .run("completed", midnight + minutes(1), Some(59.999_999))
        .run("completed", midnight + minutes(1), Some(60.0))
        .run("failed", midnight + minutes(1), Some(60.000_001))
        .started(midnight + minutes(1));
    let days = days_of(&recorded, &three_days(), now());
    assert_eq!((days[1].completed, days[1].failed), (1, 0));
    assert_eq!((days[2].completed, days[2].failed), (1, 1));
}

#[test]
fn a_day_has_23_or_25_hours_when_the_clocks_change() {
    for (starts, length) in [
        (
            [
                "2026-03-07T08:00:00Z",
                "2026-03-08T08:00:00Z",
                "2026-03-09T07:00:00Z",
            ],
            hours(23),
        ),
        (
            [
                "2026-10-31T07:00:00Z",
                "2026-11-01T07:00:00Z",
                "2026-11-02T08:00:00Z",
            ],
            hours(25),
        ),
    ] {
        let starts = days_from(&starts);
        let now_here = starts[2].at + hours(6);
        let recorded = Recorded::nothing().failed(now() - starts[0].at);
        let days = days_of(&recorded, &starts, now_here);
        assert_eq!(shares(&days[0]), (ZERO, ZERO, hours(24)));
        assert_eq!(shares(&days[1]), (ZERO, ZERO, length));
        assert_eq!(shares(&days[2]), (ZERO, ZERO, hours(6)));
    }
}

#[test]
fn every_moment_since_the_first_evidence_has_exactly_one_health() {
    let recorded = Recorded::nothing()
        .completed(hours(50))
        .failed(hours(44))
        .completed(hours(43))
        .started(hours(42))
        .completed(hours(20))
        .state("success", minutes(30));
    let days = days_of(&recorded, &three_days(), now());
    let sum = days.iter().fold(ZERO, |sum, day| sum + day.time.known());
    assert_eq!(sum, hours(50));
    assert_eq!(
        shares(&days[1]).0 + shares(&days[1]).1 + shares(&days[1]).2,
        hours(24)
    );
}

#[test]
fn each_entitys_own_thresholds_are_those_of_its_past() {
    let strict = Thresholds {
        late_after: minutes(10),
        overdue_after: minutes(30),
        ..Thresholds::default()
    };
    let recorded = Recorded::nothing().completed(hours(1));
    let evidence = crate::health::Evidence::weigh(&recorded.0, now());
    let past = time_in_state(
        &recorded.0,
        &evidence,
        &configured("sales", strict),
        now(),
        now(),
    );
    let days = strip(&recorded.0, &past, &three_days(), now());
    assert_eq!(shares(&days[2]), (minutes(10), minutes(20), minutes(30)));
}
