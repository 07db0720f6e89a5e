//! Random worlds, judged by the program over PostgreSQL, by the program over SQLite, and by an
//! independent judge who knows the rules and not the program (`tests/judge`). Nobody may differ.

mod comparison;
mod entity;
pub mod judge;
mod notation;
mod schedule;
mod stage;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use self::comparison::Comparison;
use self::stage::Stage;
use self::world::{Kind, World};
use crate::figures;
use crate::sandbox::campaign;

const FIRST_SEED: u64 = 20_261_124_000;
const THREADS: usize = 2;
/// Of ten worlds, so many are of each kind.
const KINDS: [Kind; 10] = [
    Kind::Plain,
    Kind::Clocks,
    Kind::Plain,
    Kind::Away,
    Kind::Plain,
    Kind::Hidden,
    Kind::Plain,
    Kind::Away,
    Kind::Away,
    Kind::Plain,
];
/// What a failure shows: enough to see a pattern, little enough to read.
const SHOWN: usize = 5;

/// What some worlds came to.
#[derive(Default)]
struct Tally {
    worlds: usize,
    entities: usize,
    compared: usize,
    reasons: BTreeSet<String>,
    differences: Vec<String>,
}

#[test]
fn random_worlds_are_judged_alike_over_both_databases_and_from_the_rules_alone() {
    let tally = judge_side_by_side(campaign(30, 3000));
    assert!(
        tally.differences.is_empty(),
        "{} differences, the first of them:\n\n{}",
        tally.differences.len(),
        tally.differences[..tally.differences.len().min(SHOWN)].join("\n")
    );
    let reasons: Vec<&str> = tally.reasons.iter().map(String::as_str).collect();
    assert_eq!(
        reasons.join(" "),
        "clock_skew failed fresh hidden late missed never_synced out_of_date overdue stuck unconfirmed",
        "chance reaches every reason"
    );
    figures::report(&format!(
        "random worlds judged by the program over PostgreSQL, over SQLite and by an independent judge: \
         {} worlds, {} entities, {} comparisons, 0 differences",
        tally.worlds, tally.entities, tally.compared
    ));
}

fn judge_side_by_side(worlds: usize) -> Tally {
    let (next, tally) = (AtomicUsize::new(0), Mutex::default());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut stage = Stage::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= worlds {
                        return;
                    }
                    let seed = FIRST_SEED + number as u64;
                    judge_one(&mut stage, KINDS[number % KINDS.len()], seed, &tally);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}

fn judge_one(stage: &mut Stage, kind: Kind, seed: u64, tally: &Mutex<Tally>) {
    let world = World::random(kind, seed);
    let verdict = stage.judged(&world);
    let status = stage.over_postgres(&world);
    let comparison = Comparison::of(&world, &status, &verdict);
    let mut differences = Vec::new();
    for difference in &comparison.differences {
        let entity_type = difference.entity_type.as_deref();
        let description = described(&world, seed, entity_type, &status, &verdict);
        differences.push(format!("{difference}\n{description}"));
    }
    if kind == Kind::Plain {
        differences.extend(compare_databases(stage, &world, seed, &status));
    }
    let mut tally = tally.lock().unwrap();
    tally.worlds += 1;
    tally.compared += comparison.compared + usize::from(kind == Kind::Plain);
    tally.differences.extend(differences);
    for entity in status["entities"].as_array().unwrap() {
        tally.entities += 1;
        let reason = entity["reason"].as_str().unwrap();
        tally.reasons.insert(reason.to_owned());
    }
}

/// What SQLite tells of the same rows is the same to the last word, and so is every page.
fn compare_databases(stage: &mut Stage, world: &World, seed: u64, status: &Value) -> Vec<String> {
    let other = stage.over_sqlite(world);
    let entities = |status: &Value| status["entities"].as_array().unwrap().clone();
    let pairs = entities(status).into_iter().zip(entities(&other));
    let different = pairs.filter(|(ours, theirs)| ours != theirs);
    let mut differences: Vec<String> = different
        .map(|(ours, _)| {
            let description = described(world, seed, ours["entity_type"].as_str(), status, &other);
            format!("PostgreSQL (the program) and SQLite (the judge, here) differ\n{description}")
        })
        .collect();
    if differences.is_empty() && (*status != other || !stage.sites_are_the_same()) {
        differences.push(format!("seed {seed}: the pages differ\n{status}\n{other}"));
    }
    differences
}

/// Enough to see why: the entity's rows, and both verdicts on it.
fn described(
    world: &World,
    seed: u64,
    entity_type: Option<&str>,
    program: &Value,
    judge: &Value,
) -> String {
    let mut text = format!(
        "seed {seed}, {:?}, now {}, as of {}, database's clock {:?}, hidden {:?}\n",
        world.kind,
        notation::rfc3339(world.now),
        notation::rfc3339(world.as_of),
        world.database_clock.map(notation::rfc3339),
        world.hidden,
    );
    let Some(name) = entity_type else {
        return text;
    };
    writeln!(text, "{name}: {:?}", world.thresholds_of(name)).unwrap();
    let records = world
        .records
        .iter()
        .filter(|record| record.entity_type == name);
    text.extend(records.map(|record| record.sql("'Infinity'")));
    let list = program["entities"].as_array().unwrap().iter();
    for entity in list.filter(|entity| entity["entity_type"] == name) {
        writeln!(text, "program: {entity}").unwrap();
    }
    // A status has a list, the judge a map.
    let judged = match judge["entities"].as_array() {
        Some(list) => list.iter().find(|entity| entity["entity_type"] == name),
        None => judge["entities"].get(name),
    };
    writeln!(text, "judge: {judged:?}").unwrap();
    text
}
