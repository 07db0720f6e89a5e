//! Runs that have not ended: running, stuck, superseded, or merely not closed.

use super::*;
use crate::health::Activity;

/// A fresh entity, so that only the run decides.
fn fresh() -> Recorded {
    Recorded::nothing().completed(hours(2) - MICRO)
}

#[test]
fn a_started_run_is_running_until_it_is_older_than_stuck_after() {
    for (ago, expected, activity) in [
        (-minutes(1), Reason::Fresh, "running"),
        (ZERO, Reason::Fresh, "running"),
        (hours(1) - MICRO, Reason::Fresh, "running"),
        (hours(1), Reason::Fresh, "running"),
        (hours(1) + MICRO, Reason::Stuck, "stuck"),
    ] {
        let judged = fresh().started(ago).judged();
        assert_eq!(judged.reason, expected, "{ago}");
        assert_eq!(judged.activity.is_running(), activity == "running", "{ago}");
        assert_eq!(judged.activity.is_stuck(), activity == "stuck", "{ago}");
    }
}

#[test]
fn a_stuck_run_is_said() {
    let since = now() - hours(1) - MICRO;
    assert_eq!(
        fresh().started(hours(1) + MICRO).notices(),
        [Notice::RunStuck { since }]
    );
    assert_eq!(fresh().started(hours(1)).notices(), []);
}

#[test]
fn stuck_after_can_differ_per_entity() {
    let patient = Thresholds {
        stuck_after: minutes(90),
        ..Thresholds::default()
    };
    let policy = Policy {
        entities: vec![configured("sales", patient)],
        ..policy()
    };
    for (ago, expected) in [
        (minutes(90), Reason::Fresh),
        (minutes(90) + MICRO, Reason::Stuck),
    ] {
        let reading = read(vec![fresh().started(ago)], DatabaseFacts::default());
        assert_eq!(assess(reading, &policy, now()).entities[0].reason, expected);
    }
}

#[test]
fn a_stuck_run_never_makes_anything_better() {
    for (recorded, expected) in [
        (Recorded::nothing(), Reason::NeverSynced),
        (Recorded::nothing().completed(hours(2)), Reason::Late),
        (Recorded::nothing().completed(hours(13)), Reason::Overdue),
        (
            Recorded::nothing().completed(hours(4)).failed(hours(3)),
            Reason::Failed,
        ),
    ] {
        let judged = recorded.started(hours(1) + MICRO).judged();
        assert_eq!(judged.reason, expected);
        assert!(judged.activity.is_stuck());
    }
}

#[test]
fn stuck_is_said_before_a_clock_problem() {
    let recorded = fresh().started(hours(1) + MICRO).completed(-hours(1));
    assert_eq!(
        recorded.reason(),
        Reason::ClockSkew,
        "the run is superseded"
    );
    let facts = DatabaseFacts {
        clock_ahead_micros: Some(600_000_000),
        ..DatabaseFacts::default()
    };
    let stuck = fresh().started(hours(1) + MICRO);
    assert_eq!(stuck.judged_with(facts).reason, Reason::Stuck);
}

#[test]
fn a_newer_run_supersedes_one_that_was_never_closed() {
    for newer in ["completed", "failed", "started", "pending", "skipped"] {
        let recorded = Recorded::nothing()
            .started(hours(5))
            .run(newer, hours(5) - MICRO, None);
        let judged = recorded.judged();
        assert_eq!(judged.activity.is_stuck(), newer == "started", "{newer}");
        assert!(!judged.activity.is_running());
    }
    let retried = fresh().started(hours(5)).started(minutes(5));
    assert_eq!(retried.reason(), Reason::Fresh);
    assert!(retried.judged().activity.is_running());
}

#[test]
fn of_two_runs_at_the_same_moment_the_greater_id_is_newer() {
    let closed_last = fresh()
        .started(hours(1) + MICRO)
        .completed(hours(1) + MICRO);
    assert_eq!(closed_last.judged().activity, Activity::Idle);
    let started_last = fresh()
        .completed(hours(1) + MICRO)
        .started(hours(1) + MICRO);
    assert!(started_last.judged().activity.is_stuck());
    assert_eq!(started_last.reason(), Reason::Stuck);
}

#[test]
fn an_older_run_recorded_later_supersedes_nothing() {
    let recorded = fresh().started(minutes(5)).completed(hours(3));
    assert!(recorded.judged().activity.is_running());
}

#[test]
fn a_success_in_the_state_after_the_start_closes_the_run() {
    let start = hours(1) + MICRO;
    for (state_ago, closed) in [
        (start + MICRO, false),
        (start, false),
        (start - MICRO, true),
    ] {
        let judged = fresh().started(start).state("success", state_ago).judged();
        assert_eq!(judged.activity.is_stuck(), !closed, "{state_ago}");
        let since = now() - start;
        let said = if closed {
            Notice::RunNotClosed { since }
        } else {
            Notice::RunStuck { since }
        };
        assert!(judged.notices.contains(&said), "{:?}", judged.notices);
    }
}

#[test]
fn a_run_that_the_state_closed_is_not_running_either() {
    let judged = fresh()
        .started(minutes(10))
        .state("ok", minutes(9))
        .judged();
    let since = now() - minutes(10);
    assert_eq!(judged.activity, Activity::Unclosed { since });
    assert_eq!(judged.reason, Reason::Fresh);
    assert_eq!(judged.notices, [Notice::RunNotClosed { since }]);
}

#[test]
fn only_a_success_in_the_state_closes_a_run() {
    for word in ["failed", "pending", "running", "never_synced", "skipped"] {
        let judged = fresh()
            .started(hours(1) + MICRO)
            .state(word, minutes(50))
            .judged();
        assert!(judged.activity.is_stuck(), "{word}");
    }
}
