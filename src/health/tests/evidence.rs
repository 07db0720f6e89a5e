//! What counts as a success, what as a failure, and what as neither.

use super::*;
use crate::health::{FailureRecord, Table};

/// Every word of a meaning, and ways in which people write them.
const SUCCESS: [&str; 8] = [
    "success",
    "succeeded",
    "completed",
    "complete",
    "ok",
    "OK",
    " Success\n",
    "\tCOMPLETED ",
];
const FAILURE: [&str; 6] = [
    "failed",
    "failure",
    "error",
    "FAILED",
    " Error ",
    "Failure\t",
];
const RUNNING: [&str; 6] = [
    "started",
    "running",
    "in_progress",
    "Started",
    " RUNNING ",
    "In_Progress\n",
];
const NEITHER: [&str; 12] = [
    "pending",
    "never_synced",
    "Never_Synced ",
    "",
    " ",
    "successful",
    "success!",
    "in progress",
    "fail",
    "done",
    "partial",
    "null",
];

#[test]
fn words_mean_the_same_in_the_log_however_they_are_written() {
    let reason = |word: &str| Recorded::nothing().run(word, minutes(5), None).reason();
    for word in SUCCESS {
        assert_eq!(reason(word), Reason::Fresh, "{word:?}");
    }
    for word in FAILURE {
        assert_eq!(reason(word), Reason::Failed, "{word:?}");
    }
    for word in RUNNING.into_iter().chain(NEITHER) {
        assert_eq!(reason(word), Reason::NeverSynced, "{word:?}");
    }
    for word in RUNNING {
        let recorded = Recorded::nothing().run(word, minutes(5), None);
        assert!(recorded.judged().activity.is_running(), "{word:?}");
    }
}

#[test]
fn the_states_word_decides_what_its_time_is_evidence_of() {
    let reason = |word: &str| Recorded::nothing().state(word, minutes(5)).reason();
    for word in SUCCESS
        .into_iter()
        .chain(RUNNING)
        .chain(["pending", " Pending"])
    {
        assert_eq!(reason(word), Reason::Fresh, "{word:?}");
    }
    for word in FAILURE {
        assert_eq!(reason(word), Reason::Failed, "{word:?}");
    }
    for word in NEITHER.into_iter().filter(|word| *word != "pending") {
        assert_eq!(reason(word), Reason::NeverSynced, "{word:?}");
    }
    let unrecorded = Recorded::nothing().state_row(None, Some(minutes(5)), None);
    assert_eq!(unrecorded.reason(), Reason::NeverSynced);
}

#[test]
fn a_word_that_means_nothing_is_shown_as_it_was_written() {
    let recorded = Recorded::nothing()
        .state("Partial", minutes(5))
        .run("Skipped ", minutes(5), None)
        .run("Done", minutes(4), None)
        .run("Done", minutes(3), None);
    let unknown = |table, word: &str| Notice::UnknownWord {
        table,
        word: word.to_owned(),
    };
    assert_eq!(
        recorded.notices(),
        [
            unknown(Table::State, "Partial"),
            unknown(Table::Log, "Done"),
            unknown(Table::Log, "Skipped"),
        ]
    );
}

#[test]
fn words_without_meaning_that_are_known_are_not_remarked_upon() {
    for recorded in [
        Recorded::nothing().state("never_synced", None),
        Recorded::nothing().state("pending", None),
        Recorded::nothing().state_row(None, None, None),
        Recorded::nothing().run("pending", minutes(5), None),
    ] {
        assert_eq!(recorded.notices(), [], "{recorded:?}");
    }
}

#[test]
fn a_run_succeeds_when_it_finishes() {
    let recorded = Recorded::nothing().run("completed", hours(3), Some(3600.5));
    assert_eq!(recorded.judged().age, Some(hours(2) - seconds(1) / 2));
    let to_the_microsecond = Recorded::nothing().run("completed", hours(2), Some(0.000_001));
    assert_eq!(to_the_microsecond.reason(), Reason::Fresh);
}

#[test]
fn a_run_fails_when_it_finishes() {
    let recorded = Recorded::nothing()
        .run("failed", hours(1), Some(1800.0))
        .completed(minutes(40));
    assert_eq!(recorded.reason(), Reason::Failed);
    assert_eq!(
        recorded.judged().evidence.newest_failure.unwrap().at,
        now() - minutes(30)
    );
}

#[test]
fn odd_durations_count_as_nothing_and_negative_ones_and_nan_are_said() {
    for (duration, odd) in [
        (None, 0),
        (Some(0.0), 0),
        (Some(-0.0), 0),
        (Some(-4.5), 1),
        (Some(-1e300), 1),
        (Some(f64::NEG_INFINITY), 1),
        (Some(f64::NAN), 1),
    ] {
        let recorded = Recorded::nothing().run("completed", hours(2), duration);
        assert_eq!(recorded.judged().age, Some(hours(2)), "{duration:?}");
        let expected: &[Notice] = &[Notice::OddDurations { count: 1 }][..odd];
        assert_eq!(recorded.notices(), expected, "{duration:?}");
    }
}

#[test]
fn an_endless_duration_ends_in_the_future() {
    for duration in [1e11, 1e300, f64::INFINITY] {
        let recorded = Recorded::nothing().run("completed", hours(2), Some(duration));
        assert_eq!(recorded.reason(), Reason::NeverSynced);
        assert!(matches!(
            recorded.notices()[..],
            [Notice::SuccessInFuture { .. }]
        ));
    }
}

#[test]
fn the_newest_success_counts_whichever_table_it_is_in() {
    for (log, state) in [(hours(3), hours(1)), (hours(1), hours(3))] {
        let recorded = Recorded::nothing().completed(log).state("success", state);
        assert_eq!(recorded.judged().age, Some(hours(1)));
    }
}

#[test]
fn a_success_from_before_the_window_still_counts() {
    let Recorded(mut observation) = Recorded::nothing().completed(hours(1));
    observation.outcomes[0].finishes = crate::model::Moments::default();
    observation.outcomes[0].before = Some(now() - TimeDelta::days(300));
    let recorded = Recorded(observation);
    assert_eq!(recorded.judged().age, Some(TimeDelta::days(300)));
    assert_eq!(recorded.reason(), Reason::Overdue);
}

#[test]
fn every_action_counts_as_evidence() {
    let Recorded(mut observation) = Recorded::nothing().completed(hours(3));
    let mut import = observation.outcomes[0].clone();
    import.action = "historical_import".to_owned();
    import.finishes = [now() - hours(1)].into_iter().collect();
    observation.outcomes.push(import);
    assert_eq!(Recorded(observation).judged().age, Some(hours(1)));
}

#[test]
fn a_state_fails_at_the_later_of_its_two_times() {
    let failure_at = |synced: Option<TimeDelta>, updated: Option<TimeDelta>| {
        let recorded = Recorded::nothing().state_row(Some("failed"), synced, updated);
        recorded.judged().evidence.newest_failure
    };
    for (synced, updated, expected) in [
        (Some(hours(2)), Some(hours(1)), Some(hours(1))),
        (Some(hours(1)), Some(hours(2)), Some(hours(1))),
        (Some(hours(1)), None, Some(hours(1))),
        (None, Some(hours(1)), Some(hours(1))),
        (None, None, None),
    ] {
        let failure = failure_at(synced, updated);
        assert_eq!(failure.map(|f| f.at), expected.map(|ago| now() - ago));
        assert!(failure.is_none_or(|f| f.record == FailureRecord::State));
    }
}

#[test]
fn a_states_failure_outweighs_an_older_success_only() {
    for (success_ago, expected) in [
        (hours(1) + MICRO, Reason::Failed),
        (hours(1), Reason::Fresh),
        (hours(1) - MICRO, Reason::Fresh),
    ] {
        let recorded = Recorded::nothing().completed(success_ago).state_row(
            Some("failed"),
            Some(hours(3)),
            Some(hours(1)),
        );
        assert_eq!(recorded.reason(), expected, "{success_ago}");
    }
}

#[test]
fn updated_at_is_no_success() {
    let recorded = Recorded::nothing().state_row(Some("success"), Some(hours(3)), Some(ZERO));
    assert_eq!(recorded.reason(), Reason::Late);
}

#[test]
fn a_failures_own_timestamp_is_no_success() {
    for (after_failure, expected) in [
        (-MICRO, Reason::Failed),
        (ZERO, Reason::Failed),
        (seconds(60), Reason::Failed),
        (seconds(60) + MICRO, Reason::Fresh),
    ] {
        let recorded = Recorded::nothing()
            .failed(minutes(30))
            .state("success", minutes(30) - after_failure);
        assert_eq!(recorded.reason(), expected, "{after_failure}");
        let own = (ZERO..=seconds(60)).contains(&after_failure);
        assert_eq!(
            recorded.judged().evidence.own_timestamp.is_some(),
            own,
            "{after_failure}"
        );
    }
}

#[test]
fn a_time_just_before_a_failure_is_a_success_that_the_failure_outdates() {
    let recorded = Recorded::nothing()
        .failed(minutes(30))
        .state("success", minutes(30) + MICRO);
    assert_eq!(
        recorded.judged().evidence.last_success,
        Some(now() - minutes(30) - MICRO)
    );
}

#[test]
fn a_failures_own_timestamp_is_measured_from_its_finish() {
    let recorded = Recorded::nothing()
        .run("failed", minutes(30), Some(600.0))
        .state("success", minutes(20) - seconds(60));
    assert_eq!(recorded.reason(), Reason::Failed);
    let later = recorded.state("success", minutes(20) - seconds(60) - MICRO);
    assert_eq!(later.reason(), Reason::Fresh);
}

#[test]
fn only_the_newest_failure_lends_its_timestamp() {
    let recorded = Recorded::nothing()
        .failed(minutes(30))
        .failed(minutes(10))
        .state("success", minutes(30));
    assert_eq!(
        recorded.judged().evidence.last_success,
        Some(now() - minutes(30))
    );
    assert_eq!(recorded.reason(), Reason::Failed);
}

#[test]
fn after_a_success_has_followed_the_failure_the_time_is_nobodys_but_the_states() {
    let failed = Recorded::nothing().failed(minutes(30));
    let state_at = minutes(30) - seconds(30);
    for (success_ago, own) in [
        (minutes(30) + MICRO, true),
        (minutes(30), true),
        (minutes(30) - MICRO, false),
        (minutes(30) - seconds(45), false),
    ] {
        let recorded = failed
            .clone()
            .completed(success_ago)
            .state("success", state_at);
        let evidence = recorded.judged().evidence;
        assert_eq!(evidence.own_timestamp.is_some(), own, "{success_ago}");
        assert_eq!(evidence.state_success.is_some(), !own, "{success_ago}");
    }
}

#[test]
fn an_own_timestamp_is_said_beside_the_contradiction() {
    let recorded = Recorded::nothing()
        .completed(hours(1))
        .failed(minutes(30))
        .state("success", minutes(30) - seconds(1));
    let at = now() - minutes(30);
    assert_eq!(
        recorded.notices(),
        [
            Notice::OwnTimestamp {
                at: at + seconds(1)
            },
            Notice::FailureOnlyInLog { at },
        ]
    );
}

#[test]
fn rows_without_a_timestamp_are_no_evidence_but_are_said() {
    let recorded = Recorded::nothing()
        .completed(hours(1))
        .untimed_run("failed")
        .untimed_run("completed")
        .untimed_run("started");
    assert_eq!(recorded.reason(), Reason::Fresh);
    assert_eq!(recorded.judged().age, Some(hours(1)));
    assert!(!recorded.judged().activity.is_running());
    assert_eq!(recorded.notices(), [Notice::UntimedRuns { count: 3 }]);
}

#[test]
fn counts_that_add_up_to_too_much_are_said_all_the_same() {
    let mut recorded = Recorded::nothing()
        .untimed_run("completed")
        .untimed_run("failed");
    for outcome in &mut recorded.0.outcomes {
        outcome.untimed = u64::MAX;
    }
    assert_eq!(
        recorded.notices(),
        [Notice::UntimedRuns { count: u64::MAX }]
    );
}
