//! `syncmon check`: exit codes, and output that the parser of the Monitoring Plugins project reads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::folders::tree;
use crate::golden::{self, Told};
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::tools::{HOSTILE, WORLD, all_well, failed, hostile, read_by, synced};

/// What that parser makes of performance data, and what it would conclude from the ranges.
const PLUGIN_READER: &str = include_str!("check.pl");

/// By label.
fn performance(output: &str) -> BTreeMap<String, Value> {
    let read = read_by("/usr/bin/perl", &["-e", PLUGIN_READER], output);
    let data = read["data"].as_array().unwrap().iter();
    data.map(|one| (one["label"].as_str().unwrap().to_owned(), one.clone()))
        .collect()
}

fn check(world: &Sandbox, arguments: &[&str]) -> Ended {
    let mut all = vec!["check", "--now", NOW];
    all.extend(arguments);
    world.run(&all)
}

fn check_for_nagios(world: &Sandbox) -> Ended {
    check(world, &["--format", "nagios"])
}

#[test]
fn the_exit_code_is_the_verdict() {
    for (sql, code) in [
        (all_well(), 0),
        (all_well().replacen("19:22", "17:22", 1), 1),
        (all_well() + &failed("sales", "2026-11-22T20:00:00Z"), 2),
    ] {
        for world in Sandbox::both() {
            let world = world.sql(&sql);
            for format in ["text", "json", "nagios"] {
                let ended = check(&world, &["--format", format]).exits(code);
                assert_eq!(ended.stderr, "", "{format}");
            }
        }
    }
}

#[test]
fn of_a_world_with_something_of_everything_each_format_says_what_the_pages_say() {
    for world in Sandbox::both() {
        let world = world.sql(WORLD);
        golden::file("check.txt", &check(&world, &[]).exits(2).stdout);
        let nagios = check_for_nagios(&world).exits(2);
        golden::file("check-nagios.txt", &nagios.stdout);
        let json = check(&world, &["--format", "json"]);
        world.build();
        let printed: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(printed["entities"], world.status()["entities"]);
        assert_eq!(printed["overall"], world.status()["overall"]);
    }
}

#[test]
fn entities_are_judged_by_either_of_their_names() {
    let world = Sandbox::sqlite().sql(WORLD);
    for (arguments, code, entities) in [
        (&["customers"][..], 0, "customers"),
        (&["Sale Line Items"], 2, "sale_line_items"),
        (&["sales"], 1, "sales"),
        (&["Products", "customers"], 1, "customers, products"),
        (&["<gift & \"cards\">"], 0, "<gift & \"cards\">"),
    ] {
        let ended = check(&world, &[arguments, &["--format", "json"]].concat()).exits(code);
        let status: Value = serde_json::from_str(&ended.stdout).unwrap();
        let judged = status["entities"].as_array().unwrap().iter();
        let judged = judged.map(|entity| entity["entity_type"].as_str().unwrap());
        assert_eq!(judged.collect::<Vec<_>>().join(", "), entities);
    }
    let told = check(&world, &["customers"]).stdout;
    assert!(told.starts_with("Customers is up to date\n"), "{told}");
}

#[test]
fn what_nobody_knows_is_unknown_and_never_a_verdict() {
    let well = Sandbox::sqlite().sql(&all_well());
    let away = Sandbox::bare().with_url("sqlite:nowhere.sqlite");
    let slip = Sandbox::sqlite().file("syncmon.toml", "interval = \"5 parsecs\"\n");
    let broken = Sandbox::sqlite().file(".env", "not a line\n");
    for (what, world, arguments) in [
        ("check of an unknown entity", well, &["orders"][..]),
        ("check of an unreadable database", away, &[]),
        ("check without a database", Sandbox::bare(), &[]),
        ("check with a broken configuration", slip, &[]),
        ("check with a broken .env", broken, &[]),
    ] {
        let said = check(&world, arguments).exits(3);
        assert_eq!(said.stdout, "", "{what}");
        assert_eq!(said.stderr.lines().count(), 1, "{what}");
        let root = world.root().display().to_string();
        golden::message(what, &said.stderr.replace(&root, "FOLDER"));
        for format in [&["--format", "nagios"][..], &["--format=nagios"]] {
            let said = check(&world, &[arguments, format].concat()).exits(3);
            assert_eq!(said.stderr, "", "{what}");
            let line = said.stdout;
            assert!(line.starts_with("SYNCMON UNKNOWN - "), "{what}: {line}");
            assert_eq!(line.lines().count(), 1, "{what}");
            line.lacks("|");
        }
        let said = check(&world, &[arguments, &["--format", "json"]].concat()).exits(3);
        let json: Value = serde_json::from_str(&said.stdout).unwrap();
        let error = json["error"].as_str().unwrap();
        assert!(error.len() > 10, "{error}");
    }
}

/// Exit code 2 would be CRITICAL; the guidelines want even help to be no verdict.
#[test]
fn a_command_line_that_means_nothing_is_unknown() {
    let world = Sandbox::sqlite().sql(&all_well());
    let wrong = "--frobnicate|--format xml|--now yesterday|--now|--help|--config nowhere.toml";
    for arguments in wrong.split('|') {
        let arguments: Vec<&str> = ["check"].into_iter().chain(arguments.split(' ')).collect();
        world.run(&arguments).exits(3);
    }
    let nagios = ["check", "--format", "nagios", "--frobnicate"];
    let said = world.run(&nagios).exits(3).stdout;
    let start = "SYNCMON UNKNOWN - error: unexpected argument";
    assert!(said.starts_with(start), "{said}");
    // Every other command stays with 2.
    world.run(&["build", "--frobnicate"]).exits(2);
    world.run(&["help", "check"]).exits(0);
}

#[test]
fn a_table_that_is_hidden_is_unknown_and_the_grant_is_named() {
    let world = Sandbox::postgres().sql(&all_well()).sql(
        "drop policy syncmon_ro_select on sync_log; drop policy syncmon_ro_select on sync_state;",
    );
    let ended = check_for_nagios(&world).exits(3);
    ended.stdout.has("create policy");
}

#[test]
fn nothing_is_written() {
    let world = Sandbox::sqlite().sql(&all_well());
    let before = tree(world.root());
    check(&world, &[]).exits(0);
    assert_eq!(tree(world.root()), before);
}

#[test]
fn the_parser_of_the_guidelines_reads_the_performance_data() {
    let world = Sandbox::sqlite().sql(WORLD);
    let output = check_for_nagios(&world).stdout;
    let data = performance(&output);
    for (label, key, value) in [
        ("customers_age", "value", json!(2579)),
        ("customers_age", "uom", json!("s")),
        ("customers_age", "warning", json!(false)),
        ("customers_age", "critical", json!(false)),
        ("customers_records", "value", json!(1086)),
        ("customers_duration", "value", json!(4.9)),
        ("customers_duration", "uom", json!("s")),
        // By their ranges, what is late warns, and what is overdue is critical.
        ("sales_age", "warning", json!(true)),
        ("sales_age", "critical", json!(false)),
        ("sale_line_items_age", "warning", json!(true)),
        ("sale_line_items_age", "critical", json!(true)),
    ] {
        assert_eq!(data[label][key], value, "{label} {key}");
    }
    // What is not known has no number.
    assert!(!data.contains_key("inventory_age"), "{data:#?}");
    output.has("'inventory_age'=U;7200;43200;0 ");
}

#[test]
fn hostile_names_break_neither_the_line_nor_its_data() {
    let world = hostile();
    let said = check_for_nagios(&world).exits(0).stdout;
    let data = performance(&said);
    assert_eq!(data.len(), 3 * (6 + HOSTILE.len()), "{data:#?}");
    let mut values = data.values().map(|one| one["value"].as_f64().unwrap());
    assert!(values.all(|value| value > 0.0));
    assert_eq!(said.matches('|').count(), 1);
    assert_eq!(said.lines().count(), 1 + 6 + HOSTILE.len());
    check(&world, &["a'b=c|d"]).exits(0);
}

#[test]
fn the_thresholds_of_an_entity_are_its_ranges() {
    let world = Sandbox::sqlite().sql(&synced("sales", "2026-11-22T19:00:00Z"));
    let world = world.file(
        "syncmon.toml",
        "[[entities]]\nentity_type = \"sales\"\nlate_after = \"90min\"\noverdue_after = \"1day\"\n",
    );
    assert_eq!(
        check_for_nagios(&world).stdout,
        "SYNCMON OK - Sales is up to date | 'sales_age'=3895.5s;5400;86400;0 'sales_duration'=4.5s;;;0 \
         'sales_records'=1086;;;0\n[OK] Sales: The last success was on Sunday 22 November, 11:00.\n"
    );
}

/// Grace over tomorrow's due time, and the next day's.
#[test]
fn with_a_schedule_its_due_times_are_its_ranges() {
    let nightly = "[[entities]]\nentity_type = \"sales\"\nschedule = \"0 2 * * *\"\n";
    let world = Sandbox::sqlite().sql(&synced("sales", "2026-11-22T10:05:00Z"));
    let ended = check_for_nagios(&world.file("syncmon.toml", nightly)).exits(0);
    ended.has("'sales_age'=35995.5s;89695.5;176095.5;0 ");
}
