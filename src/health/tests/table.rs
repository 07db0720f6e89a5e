//! The rows of the verdict table in their order, and which entities are judged by it.

use super::*;
use crate::health::{Health, Turns};

#[test]
fn each_reason_belongs_to_one_health() {
    for (health, reasons) in [
        (Health::Green, [Reason::Fresh].as_slice()),
        (
            Health::Yellow,
            &[
                Reason::Late,
                Reason::Missed,
                Reason::Stuck,
                Reason::ClockSkew,
                Reason::Hidden,
                Reason::OutOfDate,
            ],
        ),
        (
            Health::Red,
            &[
                Reason::Failed,
                Reason::NeverSynced,
                Reason::Unconfirmed,
                Reason::Overdue,
            ],
        ),
    ] {
        for reason in reasons {
            assert_eq!(reason.health(), health, "{reason:?}");
        }
    }
    assert!(Health::Green < Health::Yellow && Health::Yellow < Health::Red);
}

#[test]
fn row_1_a_failure_newer_than_every_success_is_red() {
    for (failure_ago, expected) in [
        (hours(1) - MICRO, Reason::Failed),
        (hours(1), Reason::Fresh),
        (hours(1) + MICRO, Reason::Fresh),
    ] {
        let recorded = Recorded::nothing().completed(hours(1)).failed(failure_ago);
        assert_eq!(recorded.reason(), expected, "{failure_ago}");
    }
}

#[test]
fn row_1_a_failure_without_any_success_is_red_however_old() {
    for ago in [ZERO, hours(1), TimeDelta::days(4000)] {
        assert_eq!(Recorded::nothing().failed(ago).reason(), Reason::Failed);
        assert_eq!(
            Recorded::nothing().state("failed", ago).reason(),
            Reason::Failed
        );
    }
}

#[test]
fn row_1_comes_before_rows_3_and_4() {
    for ago in [hours(3), hours(13)] {
        let recorded = Recorded::nothing().completed(ago + hours(1)).failed(ago);
        assert_eq!(recorded.reason(), Reason::Failed);
    }
}

#[test]
fn an_old_failure_before_a_success_does_not_matter() {
    let recorded = Recorded::nothing().failed(hours(5)).completed(hours(3));
    assert_eq!(recorded.reason(), Reason::Late);
}

#[test]
fn a_new_failure_stays_red_while_a_retry_is_running() {
    let recorded = Recorded::nothing()
        .completed(hours(1))
        .failed(minutes(10))
        .started(minutes(5));
    assert_eq!(recorded.reason(), Reason::Failed);
    assert!(recorded.judged().activity.is_running());
    let state_knows = recorded.state("running", hours(1));
    assert_eq!(state_knows.reason(), Reason::Failed);
}

#[test]
fn row_2_without_any_evidence_nothing_was_ever_synced() {
    for recorded in [
        Recorded::nothing(),
        Recorded::nothing().state("never_synced", None),
        Recorded::nothing().state("never_synced", minutes(5)),
        Recorded::nothing().state("pending", None),
        Recorded::nothing().state("running", None),
        Recorded::nothing().state("failed", None),
        Recorded::nothing().state("unheard of", minutes(5)),
        Recorded::nothing().state_row(None, Some(minutes(5)), Some(minutes(5))),
        Recorded::nothing().started(minutes(5)),
        Recorded::nothing().started(hours(5)),
        Recorded::nothing().run("skipped", minutes(5), Some(4.5)),
        Recorded::nothing().untimed_run("completed"),
        Recorded::nothing().untimed_run("failed"),
    ] {
        assert_eq!(recorded.reason(), Reason::NeverSynced, "{recorded:?}");
        assert_eq!(recorded.judged().age, None);
    }
}

#[test]
fn row_2_a_success_that_gives_no_usable_time_is_unconfirmed() {
    for word in ["success", "succeeded", "completed", "complete", "ok"] {
        let recorded = Recorded::nothing().state(word, None);
        assert_eq!(recorded.reason(), Reason::Unconfirmed, "{word}");
    }
    let updated = Recorded::nothing().state_row(Some("success"), None, Some(minutes(5)));
    assert_eq!(updated.reason(), Reason::Unconfirmed);
    let in_future = Recorded::nothing().state("success", -minutes(6));
    assert_eq!(in_future.reason(), Reason::Unconfirmed);
    let untimed = Recorded::nothing()
        .state("success", None)
        .untimed_run("completed");
    assert_eq!(untimed.reason(), Reason::Unconfirmed);
}

#[test]
fn rows_3_4_and_6_age_decides_to_the_microsecond() {
    let (late, overdue) = (hours(2), hours(12));
    for (age, expected) in [
        (ZERO, Reason::Fresh),
        (late - MICRO, Reason::Fresh),
        (late, Reason::Late),
        (late + MICRO, Reason::Late),
        (overdue - MICRO, Reason::Late),
        (overdue, Reason::Late),
        (overdue + MICRO, Reason::Overdue),
        (TimeDelta::days(4000), Reason::Overdue),
    ] {
        let by_log = Recorded::nothing().completed(age);
        assert_eq!(by_log.reason(), expected, "{age}");
        assert_eq!(by_log.judged().age, Some(age));
        let by_state = Recorded::nothing().state("success", age);
        assert_eq!(by_state.reason(), expected, "{age}");
    }
}

#[test]
fn each_entity_has_its_own_thresholds() {
    let strict = Thresholds {
        late_after: minutes(10),
        overdue_after: minutes(20),
        stuck_after: minutes(5),
    };
    let policy = Policy {
        entities: vec![configured("sales", strict)],
        ..policy()
    };
    let reason_at = |age, entity_type| {
        let recorded = Recorded::nothing_of(entity_type).completed(age);
        let reading = read(vec![recorded], DatabaseFacts::default());
        let assessment = assess(reading, &policy, now());
        assessment
            .entities
            .iter()
            .find(|entity| entity.policy.entity_type == entity_type)
            .unwrap()
            .reason
    };
    for (age, expected) in [
        (minutes(10) - MICRO, Reason::Fresh),
        (minutes(10), Reason::Late),
        (minutes(20), Reason::Late),
        (minutes(20) + MICRO, Reason::Overdue),
    ] {
        assert_eq!(reason_at(age, "sales"), expected, "{age}");
        assert_eq!(reason_at(age, "outlets"), Reason::Fresh);
    }
}

#[test]
fn configured_entities_come_first_and_others_follow_by_name() {
    let policy = Policy {
        entities: vec![
            configured("sales", Thresholds::default()),
            configured("customers", Thresholds::default()),
        ],
        ..policy()
    };
    let found = ["zebra", "sales", "Alpha", "alpha"]
        .map(|name| Recorded::nothing_of(name).completed(minutes(1)))
        .to_vec();
    let assessment = assess(read(found, DatabaseFacts::default()), &policy, now());
    assert_eq!(
        verdicts(&assessment),
        [
            ("sales", Reason::Fresh),
            ("customers", Reason::NeverSynced),
            ("Alpha", Reason::Fresh),
            ("alpha", Reason::Fresh),
            ("zebra", Reason::Fresh),
        ]
    );
    let names: Vec<_> = assessment
        .entities
        .iter()
        .map(|entity| entity.policy.name.as_str())
        .collect();
    assert_eq!(names, ["SALES", "CUSTOMERS", "Alpha", "Alpha", "Zebra"]);
}

#[test]
fn the_worst_entity_is_the_overall_verdict() {
    let overall = |ages: &[TimeDelta]| {
        let entities = ages
            .iter()
            .enumerate()
            .map(|(index, &age)| Recorded::nothing_of(&format!("e{index}")).completed(age))
            .collect();
        assess(read(entities, DatabaseFacts::default()), &policy(), now()).health
    };
    assert_eq!(overall(&[ZERO, hours(1)]), Health::Green);
    assert_eq!(overall(&[ZERO, hours(3), ZERO]), Health::Yellow);
    assert_eq!(overall(&[hours(13), hours(3), ZERO]), Health::Red);
}

#[test]
fn it_is_said_when_age_alone_will_turn_an_entity() {
    let turns = |age| Recorded::nothing().completed(age).judged().turns;
    let at = |ahead| Some(now() + ahead);
    for (age, yellow_at, red_at) in [
        (ZERO, at(hours(2)), at(hours(12))),
        (hours(2) - MICRO, at(MICRO), at(hours(10) + MICRO)),
        (hours(2), None, at(hours(10))),
        (hours(12) - MICRO, None, at(MICRO)),
        (hours(12), None, at(ZERO)),
        (hours(12) + MICRO, None, None),
        (
            -minutes(5),
            at(hours(2) + minutes(5)),
            at(hours(12) + minutes(5)),
        ),
    ] {
        assert_eq!(turns(age), Turns { yellow_at, red_at }, "{age}");
    }
    assert_eq!(Recorded::nothing().judged().turns, Turns::default());
}

#[test]
fn turns_come_from_age_even_while_something_else_decides() {
    let failing = Recorded::nothing().completed(hours(1)).failed(minutes(5));
    assert_eq!(
        failing.judged().turns,
        Turns {
            yellow_at: Some(now() + hours(1)),
            red_at: Some(now() + hours(11)),
        }
    );
}
