//! What cannot be seen: tables that row security hides, and a database that cannot be read.

use super::*;
use crate::health::Health;

fn hiding(tables: &[&str]) -> DatabaseFacts {
    DatabaseFacts {
        role: Some("syncmon_ro".to_owned()),
        hidden_tables: tables.iter().map(|&table| table.to_owned()).collect(),
        clock_ahead_micros: None,
    }
}

/// The snapshot of [`now`], looked at again later, when the database is away.
fn unreachable_after(later: TimeDelta, entities: Vec<Recorded>) -> Assessment {
    let reading = Reading {
        snapshot: Some(snapshot(entities, DatabaseFacts::default())),
        source: away(),
    };
    assess(reading, &policy(), now() + later)
}

fn away() -> Source {
    Source::Unreachable {
        since: now(),
        message: "It does not answer.".to_owned(),
    }
}

#[test]
fn what_would_be_green_is_hidden_while_a_table_cannot_be_seen() {
    for tables in [
        ["sync_log"].as_slice(),
        &["sync_state"],
        &["sync_log", "sync_state"],
    ] {
        for (recorded, expected) in [
            (Recorded::nothing().completed(hours(1)), Reason::Hidden),
            (Recorded::nothing().completed(hours(2)), Reason::Late),
            (Recorded::nothing().completed(hours(13)), Reason::Overdue),
            (Recorded::nothing().failed(hours(1)), Reason::Failed),
            (Recorded::nothing(), Reason::NeverSynced),
            (
                Recorded::nothing().state("success", None),
                Reason::Unconfirmed,
            ),
            (
                Recorded::nothing()
                    .completed(hours(1) + hours(1) / 2)
                    .started(hours(1) + MICRO),
                Reason::Stuck,
            ),
            (
                Recorded::nothing().completed(hours(1)).completed(-hours(1)),
                Reason::ClockSkew,
            ),
        ] {
            assert_eq!(recorded.judged_with(hiding(tables)).reason, expected);
        }
    }
}

#[test]
fn each_hidden_table_is_named_with_the_role_that_cannot_see_it() {
    let hidden = |table: &str| Notice::HiddenTable {
        table: table.to_owned(),
        role: "syncmon_ro".to_owned(),
    };
    let judged = Recorded::nothing().judged_with(hiding(&["sync_log", "sync_state"]));
    assert_eq!(judged.notices, [hidden("sync_log"), hidden("sync_state")]);
    let visible = Recorded::nothing().judged_with(hiding(&[]));
    assert_eq!(visible.notices, []);
}

#[test]
fn an_unreachable_database_is_at_least_yellow_overall() {
    let fresh = || vec![Recorded::nothing().completed(ZERO)];
    let assessment = unreachable_after(ZERO, fresh());
    assert_eq!(assessment.entities[0].reason, Reason::Fresh);
    assert_eq!(assessment.health, Health::Yellow);
    let failing = unreachable_after(ZERO, vec![Recorded::nothing().failed(ZERO)]);
    assert_eq!(failing.health, Health::Red);
    let nothing_found = unreachable_after(ZERO, Vec::new());
    assert_eq!(nothing_found.health, Health::Yellow);
}

#[test]
fn past_its_validity_an_old_snapshot_is_out_of_date() {
    for (later, expected) in [
        (ZERO, Reason::Fresh),
        (minutes(15) - MICRO, Reason::Fresh),
        (minutes(15), Reason::Fresh),
        (minutes(15) + MICRO, Reason::OutOfDate),
        (hours(2) - MICRO, Reason::OutOfDate),
        (hours(2), Reason::Late),
        (hours(12), Reason::Late),
        (hours(12) + MICRO, Reason::Overdue),
    ] {
        let assessment = unreachable_after(later, vec![Recorded::nothing().completed(ZERO)]);
        assert_eq!(assessment.entities[0].reason, expected, "{later}");
        assert_eq!(assessment.as_of, Some(now()));
        assert_eq!(assessment.valid_until, Some(now() + minutes(15)));
        assert_eq!(assessment.generated_at, now() + later);
        assert_eq!(assessment.entities[0].age, Some(later));
    }
}

#[test]
fn a_snapshots_validity_is_three_expected_intervals() {
    let hourly = Policy {
        interval: hours(1),
        ..policy()
    };
    let reading = read(Vec::new(), DatabaseFacts::default());
    let assessment = assess(reading, &hourly, now());
    assert_eq!(assessment.valid_until, Some(now() + hours(3)));
}

#[test]
fn a_run_seen_in_an_old_snapshot_becomes_stuck_too() {
    let entities = vec![Recorded::nothing().completed(ZERO).started(ZERO)];
    let assessment = unreachable_after(hours(1) + MICRO, entities);
    assert_eq!(assessment.entities[0].reason, Reason::Stuck);
}

#[test]
fn a_database_that_was_never_read_leaves_everything_unconfirmed() {
    let policy = Policy {
        entities: vec![
            configured("outlets", Thresholds::default()),
            configured("sales", Thresholds::default()),
        ],
        ..policy()
    };
    let reading = Reading {
        snapshot: None,
        source: away(),
    };
    let assessment = assess(reading, &policy, now());
    assert_eq!(
        verdicts(&assessment),
        [
            ("outlets", Reason::Unconfirmed),
            ("sales", Reason::Unconfirmed)
        ]
    );
    assert_eq!(assessment.health, Health::Red);
    assert_eq!((assessment.as_of, assessment.valid_until), (None, None));
}
