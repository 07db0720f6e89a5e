//! Random worlds, judged by the program over PostgreSQL, by the program over SQLite, and by an
//! independent judge who knows the rules and not the program (`tests/judge`). Nobody may differ.

mod comparison;
mod entity;
pub mod judge;
mod notation;
pub mod schedule;
mod stage;
mod world;

use std::fmt::Write;
use std::sync::Mutex;

use serde_json::Value;

use self::comparison::Comparison;
use self::stage::Stage;
use self::world::{Kind, World};
use crate::campaign::{Campaign, Step};

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

#[test]
fn random_worlds_are_judged_alike_over_both_databases_and_from_the_rules_alone() {
    let campaign = Campaign::named("differential", "worlds");
    let steps = Mutex::new(campaign.steps(30, 3000));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut stage = Stage::new();
                loop {
                    let Some(step) = steps.lock().unwrap().next() else {
                        break;
                    };
                    let differences = judge_one(&mut stage, &step);
                    assert!(
                        differences.is_empty(),
                        "{} differences, the first of them:\n\n{}",
                        differences.len(),
                        differences[..differences.len().min(SHOWN)].join("\n")
                    );
                }
            });
        }
    });
    let tallies = campaign.tallies();
    let reasons = tallies
        .keys()
        .filter_map(|what| what.strip_prefix("reason "));
    assert_eq!(
        reasons.collect::<Vec<_>>().join(" "),
        "clock_skew failed fresh hidden late missed never_synced out_of_date overdue stuck unconfirmed",
        "chance reaches every reason"
    );
    campaign.ends(&format!(
        "{} worlds, {} entities, {} comparisons",
        tallies["worlds"], tallies["entities"], tallies["comparisons"]
    ));
}

/// Judges the world of a step by all three, and returns how they differ.
fn judge_one(stage: &mut Stage, step: &Step) -> Vec<String> {
    let (kind, seed) = (
        KINDS[step.number % KINDS.len()],
        FIRST_SEED + step.number as u64,
    );
    let world = World::random(kind, seed);
    let verdict = stage.judged(&world);
    let status = stage.over_postgres(&world);
    let comparison = Comparison::of(&world, &status, &verdict);
    step.count("worlds", 1);
    step.count("comparisons", comparison.compared);
    let mut differences = Vec::new();
    for (entity_type, difference) in &comparison.differences {
        let description = described(&world, seed, entity_type.as_deref(), &status, &verdict);
        differences.push(format!("{difference}\n{description}"));
    }
    for entity in status["entities"].as_array().unwrap() {
        step.count("entities", 1);
        step.count(&format!("reason {}", entity["reason"].as_str().unwrap()), 1);
    }
    if kind == Kind::Plain {
        step.count("comparisons", 1);
        differences.extend(compare_databases(stage, &world, seed, &status));
    }
    differences
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
