//! What holds for every entity, whatever was recorded of it.

use proptest::prelude::*;

use super::*;

/// A moment up to two days ago, often on a boundary that matters.
fn an_age() -> impl Strategy<Value = TimeDelta> {
    let boundary = prop::sample::select(vec![
        ZERO,
        seconds(60),
        minutes(15),
        hours(1),
        hours(2),
        hours(12),
        hours(24),
    ]);
    let nudge = (-1_i64..=1).prop_map(TimeDelta::microseconds);
    prop_oneof![
        (boundary, nudge).prop_map(|(age, nudge)| (age + nudge).max(ZERO)),
        (0_i64..172_800_000_000).prop_map(TimeDelta::microseconds),
    ]
}

fn a_word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "success",
        "completed",
        "failed",
        "error",
        "started",
        "running",
        "pending",
        "never_synced",
        "skipped",
    ])
}

/// An entity all of whose evidence lies in the past.
fn an_entity() -> impl Strategy<Value = Recorded> {
    let run = (a_word(), an_age(), prop::option::of(-10.0..7200.0_f64));
    let state = (
        prop::option::of(a_word()),
        prop::option::of(an_age()),
        prop::option::of(an_age()),
    );
    let runs = prop::collection::vec(run, 0..6);
    (runs, prop::option::of(state)).prop_map(|(runs, state)| {
        let mut recorded = Recorded::nothing();
        for (word, age, duration) in runs {
            // What finishes in the future would be evidence from there.
            let longest = age.as_seconds_f64();
            recorded = recorded.run(word, age, duration.map(|seconds| seconds.min(longest)));
        }
        match state {
            Some((word, synced, updated)) => recorded.state_row(word, synced, updated),
            None => recorded,
        }
    })
}

fn some_facts() -> impl Strategy<Value = DatabaseFacts> {
    let hidden =
        prop::sample::subsequence(vec!["sync_log".to_owned(), "sync_state".to_owned()], 0..=2);
    let clock = prop::option::of(-600_000_000_i64..600_000_000);
    (hidden, clock).prop_map(|(hidden_tables, clock_ahead_micros)| DatabaseFacts {
        role: None,
        hidden_tables,
        clock_ahead_micros,
    })
}

fn a_source() -> impl Strategy<Value = Source> {
    prop::sample::select(vec![
        Source::Read,
        Source::Unreachable {
            since: now(),
            message: String::new(),
        },
    ])
}

proptest! {
    #[test]
    fn growing_age_never_improves_health(
        recorded in an_entity(),
        facts in some_facts(),
        source in a_source(),
        first in an_age(),
        then in an_age(),
    ) {
        let health_after = |later| {
            let reading = Reading {
                snapshot: Some(snapshot(vec![recorded.clone()], facts.clone())),
                source: source.clone(),
            };
            assess(reading, &policy(), now() + later).entities[0].health()
        };
        prop_assert!(health_after(first) <= health_after(first + then));
    }

    #[test]
    fn the_overall_verdict_is_the_worst_entitys(
        entities in prop::collection::vec(an_entity(), 1..5),
        facts in some_facts(),
    ) {
        let entities = entities
            .into_iter()
            .enumerate()
            .map(|(index, Recorded(observation))| {
                Recorded(Observation { entity_type: format!("e{index}"), ..observation })
            })
            .collect();
        let assessment = assess(read(entities, facts), &policy(), now());
        let worst = assessment.entities.iter().map(EntityAssessment::health).max();
        prop_assert_eq!(Some(assessment.health), worst);
        prop_assert_eq!(Some(assessment.worst_first()[0].1.health()), worst);
    }

    #[test]
    fn red_comes_just_after_the_moment_that_was_announced(recorded in an_entity()) {
        let judged = recorded.judged();
        let reason_at = |at| {
            let reading = read(vec![recorded.clone()], DatabaseFacts::default());
            assess(reading, &policy(), at).entities[0].reason
        };
        if judged.reason == Reason::Fresh {
            let (yellow_at, red_at) = (judged.turns.yellow_at.unwrap(), judged.turns.red_at.unwrap());
            prop_assert_ne!(reason_at(yellow_at - MICRO), Reason::Late);
            prop_assert_eq!(reason_at(yellow_at), Reason::Late);
            prop_assert_eq!(reason_at(red_at), Reason::Late);
            prop_assert_eq!(reason_at(red_at + MICRO), Reason::Overdue);
        }
    }

    #[test]
    fn days_hold_as_much_time_as_has_passed_since_the_first_evidence(recorded in an_entity()) {
        let first_day = now() - hours(72);
        let starts: Vec<_> = (0..4)
            .map(|day| first_day + hours(24 * day))
            .map(|at| crate::health::DayStart { date: at.date_naive(), at })
            .collect();
        let EntityAssessment { evidence, past, .. } = recorded.judged();
        let days = crate::health::strip(&recorded.0, &past, &starts, now());
        let sum = days.iter().fold(ZERO, |sum, day| sum + day.time.known());
        let in_log = recorded.0.runs.iter().filter_map(Run::finished_at);
        let first = in_log.chain(evidence.state_success).chain(evidence.state_failure).min();
        prop_assert_eq!(sum, first.map_or(ZERO, |first| now() - first));
        for day in &days {
            prop_assert!(day.time.known() <= hours(24));
        }
    }
}
