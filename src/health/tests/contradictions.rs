//! Where state and log contradict each other it is named, and nowhere else.

use super::*;

fn at(ago: TimeDelta) -> DateTime<Utc> {
    now() - ago
}

#[test]
fn nothing_is_said_where_state_and_log_agree() {
    for recorded in [
        Recorded::nothing(),
        Recorded::nothing().completed(hours(1)),
        Recorded::nothing().failed(hours(1)),
        Recorded::nothing().state("success", hours(1)),
        Recorded::nothing().state("failed", hours(1)),
        Recorded::nothing().state("never_synced", None),
        Recorded::nothing()
            .completed(hours(1))
            .state("success", hours(1)),
        Recorded::nothing()
            .failed(hours(1))
            .state("failed", hours(1)),
        Recorded::nothing()
            .failed(hours(2))
            .completed(hours(1))
            .state("success", hours(1)),
        Recorded::nothing()
            .completed(hours(2))
            .failed(hours(1))
            .state("failed", hours(1)),
        Recorded::nothing()
            .started(minutes(5))
            .state("running", hours(1)),
        Recorded::nothing()
            .completed(hours(1))
            .state_row(None, None, None),
    ] {
        assert_eq!(recorded.notices(), [], "{recorded:?}");
    }
}

#[test]
fn the_two_records_of_a_success_may_be_a_minute_apart() {
    let log_at = hours(1);
    for (state_ago, said) in [
        (log_at - seconds(60), None),
        (
            log_at - seconds(60) - MICRO,
            Some(Notice::SuccessOnlyInState {
                at: at(log_at - seconds(60) - MICRO),
            }),
        ),
        (log_at + seconds(60), None),
        (
            log_at + seconds(60) + MICRO,
            Some(Notice::SuccessOnlyInLog { at: at(log_at) }),
        ),
    ] {
        let recorded = Recorded::nothing()
            .completed(log_at)
            .state("success", state_ago);
        assert_eq!(
            recorded.notices(),
            said.into_iter().collect::<Vec<_>>(),
            "{state_ago}"
        );
    }
}

#[test]
fn a_success_that_the_state_never_heard_of_is_named() {
    let logged = Recorded::nothing().completed(hours(1));
    let said = Notice::SuccessOnlyInLog { at: at(hours(1)) };
    for recorded in [
        logged.clone().state("never_synced", None),
        logged.clone().state("pending", None),
        logged.clone().state("success", hours(30)),
    ] {
        assert_eq!(recorded.notices(), vec![said.clone()], "{recorded:?}");
        assert_eq!(recorded.reason(), Reason::Fresh);
    }
}

#[test]
fn a_success_that_the_log_never_heard_of_is_named() {
    let recorded = Recorded::nothing()
        .completed(hours(30))
        .state("success", hours(1));
    let said = Notice::SuccessOnlyInState { at: at(hours(1)) };
    assert_eq!(recorded.notices(), vec![said.clone()]);
    let after_failure = Recorded::nothing()
        .failed(hours(3))
        .state("success", hours(1));
    assert_eq!(after_failure.notices(), [said]);
}

#[test]
fn a_failure_that_the_state_never_heard_of_is_named() {
    let logged = Recorded::nothing().completed(hours(3)).failed(hours(1));
    for word in ["success", "pending", "running", "never_synced"] {
        let recorded = logged.clone().state(word, hours(3));
        assert_eq!(
            recorded.notices(),
            [Notice::FailureOnlyInLog { at: at(hours(1)) }],
            "{word}"
        );
        assert_eq!(recorded.reason(), Reason::Failed);
    }
}

#[test]
fn a_failure_that_the_log_never_heard_of_is_named() {
    for logged in [
        Recorded::nothing().completed(hours(3)),
        Recorded::nothing().failed(hours(3)),
    ] {
        let recorded = logged.state("failed", hours(1));
        assert_eq!(
            recorded.notices(),
            [Notice::FailureOnlyInState { at: at(hours(1)) }]
        );
        assert_eq!(recorded.reason(), Reason::Failed);
    }
}

#[test]
fn the_two_records_of_a_failure_may_be_a_minute_apart() {
    for (state_ago, named) in [
        (hours(1) - seconds(60), false),
        (hours(1) - seconds(60) - MICRO, true),
        (hours(1) + seconds(60), false),
        (hours(2), false),
    ] {
        let recorded = Recorded::nothing()
            .completed(hours(3))
            .failed(hours(1))
            .state("failed", state_ago);
        let said = recorded
            .notices()
            .contains(&Notice::FailureOnlyInState { at: at(state_ago) });
        assert_eq!(said, named, "{state_ago}");
    }
}

#[test]
fn a_state_that_still_says_failed_after_a_success_is_named() {
    let recorded = Recorded::nothing()
        .failed(hours(3))
        .completed(hours(1))
        .state("failed", hours(3));
    assert_eq!(
        recorded.notices(),
        [Notice::StateStillFailed { at: at(hours(3)) }]
    );
    assert_eq!(recorded.reason(), Reason::Fresh);
}

#[test]
fn a_word_without_a_time_is_named() {
    for (word, status) in [("success", Status::Completed), ("failed", Status::Failed)] {
        let recorded = Recorded::nothing().state(word, None);
        assert_eq!(recorded.notices(), [Notice::WordWithoutTime { status }]);
    }
    for word in ["pending", "running", "never_synced"] {
        assert_eq!(Recorded::nothing().state(word, None).notices(), []);
    }
}

#[test]
fn a_state_that_only_says_success_contradicts_a_log_that_failed() {
    let recorded = Recorded::nothing().failed(hours(1)).state("success", None);
    assert_eq!(
        recorded.notices(),
        [
            Notice::WordWithoutTime {
                status: Status::Completed
            },
            Notice::FailureOnlyInLog { at: at(hours(1)) },
        ]
    );
    assert_eq!(recorded.reason(), Reason::Failed);
}

#[test]
fn what_is_said_of_one_entity_is_not_said_of_another() {
    let entities = vec![
        Recorded::nothing_of("outlets").completed(hours(1)),
        Recorded::nothing_of("sales")
            .completed(hours(1))
            .state("never_synced", None),
    ];
    let assessment = assess(read(entities, DatabaseFacts::default()), &policy(), now());
    assert_eq!(assessment.entities[0].notices, []);
    assert_eq!(assessment.entities[1].notices.len(), 1);
}
