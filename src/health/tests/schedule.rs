//! Schedules at the edges of the calendar, and pauses. The cases of the rules are in `tests/schedules`.

use super::*;
use crate::health::{Pause, Schedule};

fn scheduled(cron: &str) -> EntityPolicy {
    EntityPolicy {
        schedule: Some(Schedule {
            cron: cron.parse().unwrap(),
            time_zone: chrono_tz::America::Los_Angeles,
            grace: hours(1),
            early: minutes(15),
            since: None,
        }),
        ..configured("sales", Thresholds::default())
    }
}

fn reason(policy: EntityPolicy, success: &str, now: &str) -> Reason {
    judged(policy, success, now).reason
}

fn judged(policy: EntityPolicy, success: &str, now: &str) -> EntityAssessment {
    let now: DateTime<Utc> = now.parse().unwrap();
    let success: DateTime<Utc> = success.parse().unwrap();
    let state = SyncState {
        status: Status::Completed,
        last_sync_time: Some(success),
        updated_at: None,
        error: None,
    };
    let observation = Observation {
        state: Some(state),
        ..Observation::empty("sales")
    };
    let snapshot = Snapshot {
        as_of: now,
        ..snapshot(vec![Recorded(observation)], DatabaseFacts::default())
    };
    let reading = Reading {
        snapshot: Some(snapshot),
        source: Source::Read,
    };
    let policy = Policy {
        entities: vec![policy],
        ..super::policy()
    };
    assess(reading, &policy, now).entities.remove(0)
}

#[test]
fn an_expected_run_has_left_no_trace_once_its_grace_is_over() {
    let due: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
    for (now, expected) in [
        ("2026-11-22T11:00:00Z", vec![]),
        ("2026-11-22T11:00:00.000001Z", vec![due]),
    ] {
        let judged = judged(scheduled("0 2 * * *"), "2026-11-21T10:30:00Z", now);
        assert_eq!(judged.untraced, expected, "{now}");
    }
}

#[test]
fn a_success_before_all_calendars_is_overdue() {
    for cron in ["0 2 * * *", "*/5 * * * *", "0 2 29 2 *"] {
        let at = |success| reason(scheduled(cron), success, "2026-11-22T20:05:00Z");
        assert_eq!(at("0001-01-01T00:00:00Z"), Reason::Overdue, "{cron}");
        assert_eq!(at("1969-12-31T23:59:59Z"), Reason::Overdue, "{cron}");
    }
}

#[test]
fn where_the_calendar_ends_nothing_is_up_to_date() {
    let policy = scheduled("0 2 * * *");
    let now = "9999-01-01T00:00:00Z";
    assert_eq!(reason(policy, "9998-12-31T23:59:00Z", now), Reason::Overdue);
}

#[test]
fn a_pause_of_centuries_takes_no_time_to_look_through() {
    let mut policy = scheduled("* * * * *");
    policy.pauses = vec![Pause {
        from: "2026-11-22T19:00:00Z".parse().unwrap(),
        until: "2999-01-01T00:00:00Z".parse().unwrap(),
        why: None,
    }]
    .into();
    let judged = reason(policy, "2026-11-22T18:59:00Z", "2998-12-31T00:00:00Z");
    assert_eq!(judged, Reason::Fresh);
}

#[test]
fn pauses_may_overlap_and_count_once() {
    let at = |text: &str| text.parse().unwrap();
    let pause = |from, until| Pause {
        from: at(from),
        until: at(until),
        why: None,
    };
    let mut policy = configured("sales", Thresholds::default());
    policy.pauses = vec![
        pause("2026-11-22T14:00:00Z", "2026-11-22T16:00:00Z"),
        pause("2026-11-22T12:00:00Z", "2026-11-22T15:00:00Z"),
        pause("2026-11-22T12:30:00Z", "2026-11-22T13:00:00Z"),
    ]
    .into();
    let success = "2026-11-22T11:00:00Z";
    // One hour before the pauses, one after them.
    for (now, expected) in [
        ("2026-11-22T15:59:00Z", Reason::Fresh),
        ("2026-11-22T16:59:59.999999Z", Reason::Fresh),
        ("2026-11-22T17:00:00Z", Reason::Late),
        ("2026-11-23T03:00:00Z", Reason::Late),
        ("2026-11-23T03:00:00.000001Z", Reason::Overdue),
    ] {
        assert_eq!(reason(policy.clone(), success, now), expected, "{now}");
    }
}
