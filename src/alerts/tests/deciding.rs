//! The rules, case by case.

use proptest::prelude::*;

use super::*;
use crate::alerts::Kind;

#[test]
fn at_once() {
    for (case, builds, expected) in [
        ("all is well", "gg gg gg", &[] as &[&str]),
        (
            "a problem, and its end",
            "gg rg rg gg",
            &["1 problem a since 1", "3 recovery since 1 until 3"],
        ),
        (
            "there from the first build on",
            "yg",
            &["0 problem a since 0"],
        ),
        ("one message names all", "gg ry", &["1 problem ab since 1"]),
        (
            "worse",
            "g y r r",
            &["1 problem a since 1", "2 worse a since 1"],
        ),
        (
            "another one joins",
            "gg rg rr",
            &["1 problem a since 1", "2 worse ab since 1"],
        ),
        (
            "better is no news",
            "gg rr yg yg",
            &["1 problem ab since 1"],
        ),
        (
            "worse again is",
            "gg rr rg rr",
            &["1 problem ab since 1", "3 worse ab since 1"],
        ),
        (
            "one takes over from another",
            "gg rg gr gg",
            &[
                "1 problem a since 1",
                "2 worse b since 1",
                "3 recovery since 1 until 3",
            ],
        ),
        (
            "reminders while it lasts",
            "r r r r r r r r r r r r r g",
            &[
                "0 problem a since 0",
                "6 reminder a since 0",
                "12 reminder a since 0",
                "13 recovery since 0 until 13",
            ],
        ),
        (
            "news count as reminders",
            "y y y r r r r r r r",
            &[
                "0 problem a since 0",
                "3 worse a since 0",
                "9 reminder a since 0",
            ],
        ),
    ] {
        assert_eq!(
            heard(Memory::default(), builds, rules(1)),
            expected,
            "{case}"
        );
    }
}

#[test]
fn the_database_is_a_problem_of_its_own() {
    for (case, builds, expected) in [
        (
            "the database is a problem of its own",
            "ggg - - ggg",
            &[
                "1 problem database since 1",
                "3 recovery database since 1 until 3",
            ] as &[&str],
        ),
        (
            "which is told again while it lasts",
            "- - - - - - - g",
            &[
                "0 problem database since 0",
                "6 reminder database since 0",
                "7 recovery database since 0 until 7",
            ],
        ),
        (
            "entities are judged anew after it",
            "gg - rg",
            &[
                "1 problem database since 1",
                "2 recovery database since 1 until 2",
                "2 problem a since 2",
            ],
        ),
        (
            "what was wrong before it is no news after it",
            "r - r",
            &[
                "0 problem a since 0",
                "1 problem database since 1",
                "2 recovery database since 1 until 2",
            ],
        ),
        (
            "its end can have come meanwhile",
            "r - g",
            &[
                "0 problem a since 0",
                "1 problem database since 1",
                "2 recovery database since 1 until 2",
                "2 recovery since 0 until 2",
            ],
        ),
        (
            "no reminder of entities while it is away",
            "r - - - - - - - r",
            &[
                "0 problem a since 0",
                "1 problem database since 1",
                "7 reminder database since 1",
                "8 recovery database since 1 until 8",
                "8 reminder a since 0",
            ],
        ),
    ] {
        assert_eq!(
            heard(Memory::default(), builds, rules(1)),
            expected,
            "{case}"
        );
    }
}

#[test]
fn entities_that_come_and_go() {
    for (case, builds, expected) in [
        (
            "an entity that is gone is over",
            "rg .g",
            &["0 problem a since 0", "1 recovery since 0 until 1"] as &[&str],
        ),
        ("a new entity may be ill", "g gr", &["1 problem b since 1"]),
    ] {
        assert_eq!(
            heard(Memory::default(), builds, rules(1)),
            expected,
            "{case}"
        );
    }
}

#[test]
fn only_what_two_builds_in_a_row_have_seen() {
    for (case, builds, expected) in [
        ("a blip", "g r g r g", &[] as &[&str]),
        (
            "a problem",
            "g r r r g g",
            &["2 problem a since 1", "5 recovery since 1 until 4"],
        ),
        (
            "a blip in a problem",
            "r r g r r g g",
            &["1 problem a since 0", "6 recovery since 0 until 5"],
        ),
        (
            "as bad as both builds agree",
            "g y r r",
            &["2 problem a since 1", "3 worse a since 1"],
        ),
        (
            "worse has to last too",
            "y y r y r y",
            &["1 problem a since 0"],
        ),
        (
            "as well as both builds agree",
            "r r y g g",
            &["1 problem a since 0", "4 recovery since 0 until 3"],
        ),
        (
            "better on the way counts",
            "r r y y r r",
            &["1 problem a since 0", "5 worse a since 0"],
        ),
        (
            "each for itself",
            "gg rg rr rr",
            &["2 problem a since 1", "3 worse ab since 1"],
        ),
        (
            "the database as well",
            "g - g - - g g",
            &[
                "4 problem database since 3",
                "6 recovery database since 3 until 5",
            ],
        ),
        (
            "away is no evidence of entities",
            "g r - r",
            &["3 problem a since 1"],
        ),
    ] {
        let heard = heard(Memory::default(), builds, rules(2));
        // What the database alone does is another matter.
        let heard: Vec<_> = heard
            .iter()
            .filter(|line| line.contains("database") == case.starts_with("the database"))
            .collect();
        assert_eq!(heard, expected, "{case}");
    }
}

#[test]
fn what_was_forgotten_is_told_once() {
    for (case, builds, expected) in [
        ("all is well", "g g g", &["0 afresh since 0"] as &[&str]),
        (
            "a problem",
            "r r g g",
            &["0 problem a since 0", "2 recovery since 0 until 2"],
        ),
        (
            "the database is away",
            "- - g g",
            &[
                "0 problem database since 0",
                "2 recovery database since 0 until 2",
                "2 afresh since 2",
            ],
        ),
    ] {
        assert_eq!(heard(Memory::lost(), builds, rules(1)), expected, "{case}");
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_mean_silence() {
    let (memory, _) = decide(Memory::default(), &seen("r"), rules(1), build(1000));
    let (memory, occasions) = decide(memory, &seen("r"), rules(1), build(0));
    assert_eq!(occasions, []);
    let (_, occasions) = decide(memory, &seen("r"), rules(1), build(6));
    assert_eq!(occasions.len(), 1);
    assert_eq!(occasions[0].kind, Kind::Reminder);
}

#[test]
fn keys_tell_occasions_and_databases_apart_and_nothing_else() {
    let (memory, first) = decide(Memory::default(), &seen("r"), rules(1), build(0));
    let (_, again) = decide(Memory::default(), &seen("r"), rules(1), build(0));
    assert_eq!(first[0].key("one"), again[0].key("one"));
    assert_ne!(first[0].key("one"), first[0].key("another"));
    let (_, end) = decide(memory, &seen("g"), rules(1), build(1));
    assert_ne!(first[0].key("one"), end[0].key("one"));
}

proptest! {
    /// Whatever happens: problems and recoveries take turns, of each kind, and what is told last is true
    /// as soon as builds have agreed for long enough.
    #[test]
    fn problems_and_recoveries_take_turns(
        builds in proptest::collection::vec("[gyr]{2}|-", 1..60),
        after in 1_usize..4,
    ) {
        let mut memory = Memory::default();
        let mut lasting = std::collections::BTreeMap::new();
        let settled = std::iter::repeat_n(builds.last().unwrap(), after);
        for (number, letters) in builds.iter().chain(settled).enumerate() {
            let (next, occasions) = decide(memory, &seen(letters), rules(after), build(number));
            memory = next;
            for occasion in occasions {
                let lasts = lasting.entry(format!("{:?}", occasion.about)).or_insert(false);
                match occasion.kind {
                    Kind::Problem => prop_assert!(!std::mem::replace(lasts, true)),
                    Kind::Worse | Kind::Reminder => prop_assert!(*lasts),
                    Kind::Recovery => prop_assert!(std::mem::replace(lasts, false)),
                    Kind::Afresh | Kind::Test => prop_assert!(false),
                }
            }
        }
        let lasts = |about: &str| lasting.get(about).copied().unwrap_or(false);
        let last = builds.last().unwrap();
        prop_assert_eq!(lasts("Database"), last == "-");
        if last != "-" {
            prop_assert_eq!(lasts("Syncs"), last != "gg");
        }
        let kept = serde_json::to_string(&memory).unwrap();
        prop_assert_eq!(serde_json::from_str::<Memory>(&kept).unwrap(), memory);
    }
}
