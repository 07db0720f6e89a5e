//! Evidence from the future, and clocks that disagree.

use super::*;

/// The database's clock is this far ahead of the builder's; `None` cannot be compared.
fn clock_ahead(ahead: Option<TimeDelta>) -> DatabaseFacts {
    DatabaseFacts {
        clock_ahead_micros: ahead.map(|ahead| ahead.num_microseconds().unwrap()),
        ..DatabaseFacts::default()
    }
}

#[test]
fn a_success_up_to_five_minutes_ahead_counts_with_age_zero() {
    for ahead in [MICRO, minutes(5) - MICRO, minutes(5)] {
        for recorded in [
            Recorded::nothing().completed(-ahead),
            Recorded::nothing().state("success", -ahead),
        ] {
            let judged = recorded.judged();
            assert_eq!(judged.reason, Reason::Fresh, "{ahead}");
            assert_eq!(judged.age, Some(ZERO));
            assert_eq!(judged.evidence.last_success, Some(now() + ahead));
            assert_eq!(judged.notices, []);
        }
    }
}

#[test]
fn a_success_further_ahead_is_no_evidence_and_is_said() {
    let at = now() + minutes(5) + MICRO;
    let in_log = Recorded::nothing().completed(-minutes(5) - MICRO);
    assert_eq!(in_log.reason(), Reason::NeverSynced);
    let in_state = Recorded::nothing().state("success", -minutes(5) - MICRO);
    assert_eq!(in_state.reason(), Reason::Unconfirmed);
    for recorded in [in_log, in_state] {
        assert_eq!(recorded.judged().evidence.last_success, None);
        assert_eq!(recorded.notices(), [Notice::SuccessInFuture { at }]);
    }
}

#[test]
fn a_success_in_the_future_caps_what_an_older_one_proves() {
    for (age, expected) in [
        (hours(1), Reason::ClockSkew),
        (hours(2), Reason::Late),
        (hours(13), Reason::Overdue),
    ] {
        let recorded = Recorded::nothing().completed(age).completed(-hours(1));
        assert_eq!(recorded.reason(), expected, "{age}");
        assert_eq!(recorded.judged().age, Some(age));
    }
}

#[test]
fn a_duration_can_carry_a_success_into_the_future() {
    let within = Recorded::nothing().run("completed", minutes(5), Some(600.0));
    assert_eq!(within.reason(), Reason::Fresh);
    let beyond = Recorded::nothing().run("completed", minutes(5), Some(600.000_001));
    assert_eq!(beyond.reason(), Reason::NeverSynced);
}

#[test]
fn a_failure_in_the_future_counts_as_now() {
    for ahead in [MICRO, minutes(5), hours(10), TimeDelta::days(4000)] {
        for recorded in [
            Recorded::nothing().completed(MICRO).failed(-ahead),
            Recorded::nothing().completed(MICRO).state("failed", -ahead),
        ] {
            let judged = recorded.judged();
            assert_eq!(judged.reason, Reason::Failed, "{ahead}");
            assert_eq!(judged.evidence.newest_failure.unwrap().at, now());
            let said = Notice::FailureInFuture { at: now() + ahead };
            assert!(judged.notices.contains(&said), "{judged:?}");
        }
    }
}

#[test]
fn a_success_at_or_just_after_now_outweighs_a_failure_that_counts_as_now() {
    for success_ahead in [ZERO, minutes(1)] {
        let recorded = Recorded::nothing()
            .completed(-success_ahead)
            .failed(-hours(1));
        assert_eq!(recorded.reason(), Reason::ClockSkew, "{success_ahead}");
    }
}

#[test]
fn a_failure_exactly_now_is_not_in_the_future() {
    let recorded = Recorded::nothing().completed(MICRO).failed(ZERO);
    assert_eq!(recorded.reason(), Reason::Failed);
    assert_eq!(recorded.notices(), []);
}

#[test]
fn a_database_clock_more_than_five_minutes_off_leaves_nothing_green() {
    let fresh = Recorded::nothing().completed(hours(1));
    for (ahead, expected) in [
        (None, Reason::Fresh),
        (Some(ZERO), Reason::Fresh),
        (Some(minutes(5)), Reason::Fresh),
        (Some(minutes(5) + MICRO), Reason::ClockSkew),
        (Some(-minutes(5)), Reason::Fresh),
        (Some(-minutes(5) - MICRO), Reason::ClockSkew),
        (Some(TimeDelta::days(4000)), Reason::ClockSkew),
    ] {
        let judged = fresh.judged_with(clock_ahead(ahead));
        assert_eq!(judged.reason, expected, "{ahead:?}");
        let said: Vec<_> = ahead
            .filter(|_| expected == Reason::ClockSkew)
            .map(|ahead| Notice::DatabaseClock { ahead })
            .into_iter()
            .collect();
        assert_eq!(judged.notices, said, "{ahead:?}");
    }
}

#[test]
fn what_was_read_more_than_five_minutes_ahead_leaves_nothing_green() {
    for (ahead, expected) in [
        (minutes(5), Reason::Fresh),
        (minutes(5) + MICRO, Reason::ClockSkew),
    ] {
        let fresh = Recorded::nothing().completed(hours(1));
        let mut reading = read(vec![fresh], DatabaseFacts::default());
        reading.snapshot.as_mut().unwrap().as_of = now() + ahead;
        let assessment = assess(reading, &policy(), now());
        assert_eq!(verdicts(&assessment), [("sales", expected)], "{ahead}");
    }
}

#[test]
fn a_database_clock_that_is_off_makes_nothing_better() {
    let facts = || clock_ahead(Some(minutes(6)));
    for (recorded, expected) in [
        (Recorded::nothing(), Reason::NeverSynced),
        (Recorded::nothing().failed(hours(1)), Reason::Failed),
        (Recorded::nothing().completed(hours(2)), Reason::Late),
        (Recorded::nothing().completed(hours(13)), Reason::Overdue),
        (
            Recorded::nothing()
                .completed(hours(2) - MICRO)
                .started(hours(1) + MICRO),
            Reason::Stuck,
        ),
    ] {
        assert_eq!(recorded.judged_with(facts()).reason, expected);
    }
}

#[test]
fn every_entity_shares_the_databases_clock() {
    let entities = vec![
        Recorded::nothing_of("outlets").completed(hours(1)),
        Recorded::nothing_of("sales").completed(hours(3)),
    ];
    let reading = read(entities, clock_ahead(Some(-minutes(6))));
    let assessment = assess(reading, &policy(), now());
    assert_eq!(
        verdicts(&assessment),
        [("outlets", Reason::ClockSkew), ("sales", Reason::Late)]
    );
}
