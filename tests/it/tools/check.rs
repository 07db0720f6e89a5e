//! `syncmon check`: exit codes, and output that the parser of the Monitoring Plugins project reads.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::tools::{HOSTILE, WORLD, all_well, failed, hostile, read_by, synced};

/// What that parser makes of performance data, and what it would conclude from the ranges.
const PLUGIN_READER: &str = r#"
use strict; use warnings;
use JSON::PP; use Monitoring::Plugin::Performance;
local $/; my $output = <STDIN>;
my ($first, $rest) = split /\n/, $output, 2;
my ($text, $data, $more) = split /\|/, $first, 3;
die "a second bar" if defined $more;
die "long output with a bar" if defined $rest && $rest =~ /\|/;
my @found;
for my $one (Monitoring::Plugin::Performance->parse_perfstring($data)) {
    my %found = (label => $one->label, value => $one->value + 0, uom => $one->uom, min => $one->min);
    for my $kind (qw(warning critical)) {
        $found{$kind} = $one->threshold->$kind->check_range($one->value) ? JSON::PP::true : JSON::PP::false
            if $one->threshold->$kind->is_set;
    }
    push @found, \%found;
}
print encode_json({ text => $text, data => \@found });
"#;

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
                let ended = check(&world, &["--format", format]);
                assert_eq!(
                    (ended.code, &*ended.stderr),
                    (code, ""),
                    "{format}: {ended:?}"
                );
            }
        }
    }
}

#[test]
fn of_a_world_with_something_of_everything_each_format_says_what_the_pages_say() {
    for world in Sandbox::both() {
        let world = world.sql(WORLD);
        let text = check(&world, &[]);
        let nagios = check(&world, &["--format", "nagios"]);
        assert_eq!((text.code, nagios.code), (2, 2));
        golden::file("check.txt", &text.stdout);
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
        (&["customers"][..], 0, &["customers"][..]),
        (&["Sale Line Items"], 2, &["sale_line_items"]),
        (&["sales"], 1, &["sales"]),
        (&["Products", "customers"], 1, &["customers", "products"]),
        (&["<gift & \"cards\">"], 0, &["<gift & \"cards\">"]),
    ] {
        let ended = check(&world, &[arguments, &["--format", "json"]].concat());
        assert_eq!(ended.code, code, "{ended:?}");
        let status: Value = serde_json::from_str(&ended.stdout).unwrap();
        let judged: Vec<_> = status["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["entity_type"])
            .collect();
        assert_eq!(judged, entities);
    }
    let first = |arguments: &[&str]| {
        let ended = check(&world, arguments);
        ended.stdout.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first(&["customers"]), "Customers is up to date");
}

#[test]
fn what_nobody_knows_is_unknown_and_never_a_verdict() {
    let world = Sandbox::sqlite().sql(&all_well());
    for (what, world, arguments) in [
        ("check of an unknown entity", &world, &["orders"][..]),
        (
            "check of an unreadable database",
            &Sandbox::bare().with_url("sqlite:nowhere.sqlite"),
            &[],
        ),
        ("check without a database", &Sandbox::bare(), &[]),
        (
            "check with a broken configuration",
            &Sandbox::sqlite().file("syncmon.toml", "interval = \"5 parsecs\"\n"),
            &[],
        ),
        (
            "check with a broken .env",
            &Sandbox::sqlite().file(".env", "not a line\n"),
            &[],
        ),
    ] {
        let said = check(world, arguments);
        assert_eq!((said.code, &*said.stdout), (3, ""), "{what}");
        assert_eq!(said.stderr.lines().count(), 1, "{what}");
        let root = world.root().display().to_string();
        let shown = said.stderr.replace(&root, "FOLDER");
        golden::section("messages.txt", what, shown.trim_end());
        for format in [&["--format", "nagios"][..], &["--format=nagios"]] {
            let said = check(world, &[arguments, format].concat());
            assert_eq!((said.code, &*said.stderr), (3, ""), "{what}");
            assert!(
                said.stdout.starts_with("SYNCMON UNKNOWN - "),
                "{what}: {}",
                said.stdout
            );
            assert_eq!(said.stdout.lines().count(), 1, "{what}");
            assert!(!said.stdout.contains('|'));
        }
        let said = check(world, &[arguments, &["--format", "json"]].concat());
        let json: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(said.code, 3);
        assert!(
            json["error"].as_str().is_some_and(|error| error.len() > 10),
            "{json}"
        );
    }
}

/// Exit code 2 would be CRITICAL; the guidelines want even help to be no verdict.
#[test]
fn a_command_line_that_means_nothing_is_unknown() {
    let world = Sandbox::sqlite().sql(&all_well());
    for arguments in [
        &["check", "--frobnicate"][..],
        &["check", "--format", "xml"],
        &["check", "--now", "yesterday"],
        &["check", "--now"],
        &["check", "--help"],
        &["check", "--config", "nowhere.toml"],
    ] {
        assert_eq!(world.run(arguments).code, 3, "{arguments:?}");
    }
    let ended = world.run(&["check", "--format", "nagios", "--frobnicate"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended
            .stdout
            .starts_with("SYNCMON UNKNOWN - error: unexpected argument"),
        "{ended:?}"
    );
    // Every other command stays with 2.
    assert_eq!(world.run(&["build", "--frobnicate"]).code, 2);
    assert_eq!(world.run(&["help", "check"]).code, 0);
}

#[test]
fn a_table_that_is_hidden_is_unknown_and_the_grant_is_named() {
    let world = Sandbox::postgres().sql(&all_well());
    world.execute(
        "drop policy syncmon_ro_select on sync_log; drop policy syncmon_ro_select on sync_state;",
    );
    let ended = check(&world, &["--format", "nagios"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout.contains("create policy"), "{}", ended.stdout);
}

#[test]
fn nothing_is_written() {
    let world = Sandbox::sqlite().sql(&all_well());
    let names = || {
        let entries = walkdir::WalkDir::new(world.root()).into_iter();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().into_path()).collect();
        names.sort();
        names
    };
    let before = names();
    assert_eq!(check(&world, &[]).code, 0);
    assert_eq!(names(), before);
}

#[test]
fn the_parser_of_the_guidelines_reads_the_performance_data() {
    let world = Sandbox::sqlite().sql(WORLD);
    let output = check(&world, &["--format", "nagios"]).stdout;
    let data = performance(&output);
    let age = &data["customers_age"];
    assert_eq!((&age["value"], &age["uom"]), (&2579.into(), &"s".into()));
    assert_eq!(
        (&age["warning"], &age["critical"]),
        (&false.into(), &false.into())
    );
    assert_eq!(data["customers_records"]["value"], 1086);
    assert_eq!(data["customers_duration"]["value"], 4.9);
    assert_eq!(data["customers_duration"]["uom"], "s");
    // By their ranges, what is late warns, and what is overdue is critical.
    assert_eq!(
        (
            &data["sales_age"]["warning"],
            &data["sales_age"]["critical"]
        ),
        (&true.into(), &false.into())
    );
    let line_items = &data["sale_line_items_age"];
    assert_eq!(
        (&line_items["warning"], &line_items["critical"]),
        (&true.into(), &true.into())
    );
    // What is not known has no number.
    assert!(!data.contains_key("inventory_age"), "{data:#?}");
    assert!(
        output.contains("'inventory_age'=U;7200;43200;0 "),
        "{output}"
    );
}

#[test]
fn hostile_names_break_neither_the_line_nor_its_data() {
    let world = hostile();
    let ended = check(&world, &["--format", "nagios"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let data = performance(&ended.stdout);
    assert_eq!(data.len(), 3 * (6 + HOSTILE.len()), "{data:#?}");
    assert!(
        data.values()
            .all(|one| one["value"].as_f64().unwrap() > 0.0)
    );
    assert_eq!(ended.stdout.matches('|').count(), 1);
    assert_eq!(ended.stdout.lines().count(), 1 + 6 + HOSTILE.len());
    let only = check(&world, &["a'b=c|d"]);
    assert_eq!(only.code, 0, "{only:?}");
}

#[test]
fn the_thresholds_of_an_entity_are_its_ranges() {
    let world = Sandbox::sqlite().sql(&synced("sales", "2026-11-22T19:00:00Z")).file(
        "syncmon.toml",
        "[[entities]]\nentity_type = \"sales\"\nlate_after = \"90min\"\noverdue_after = \"1day\"\n",
    );
    assert_eq!(
        check(&world, &["--format", "nagios"]).stdout,
        "SYNCMON OK - Sales is up to date | 'sales_age'=3895.5s;5400;86400;0 'sales_duration'=4.5s;;;0 \
         'sales_records'=1086;;;0\n[OK] Sales: The last success was on Sunday 22 November, 11:00.\n"
    );
}

/// Grace over tomorrow's due time, and the next day's.
#[test]
fn with_a_schedule_its_due_times_are_its_ranges() {
    let world = Sandbox::sqlite()
        .sql(&synced("sales", "2026-11-22T10:05:00Z"))
        .file(
            "syncmon.toml",
            "[[entities]]\nentity_type = \"sales\"\nschedule = \"0 2 * * *\"\n",
        );
    let ended = check(&world, &["--format", "nagios"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let age = "'sales_age'=35995.5s;89695.5;176095.5;0 ";
    assert!(ended.stdout.contains(age), "{}", ended.stdout);
}
