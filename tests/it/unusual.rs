//! Unusual runs: marked alike over both databases and by the judge, and never part of a verdict.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::campaign::Campaign;
use crate::differential::judge::Judge;
use crate::golden::Told;
use crate::history::tables::tables;
use crate::rows::{built_from_both, quoted};
use crate::sandbox::{NOW, Sandbox};

/// The days that the pages list begin with the 16th of November in Los Angeles.
const SINCE: &str = "2026-11-16T08:00:00Z";

/// Every night for a hundred days: the counts differ, on Mondays there are few, and the last one is short.
const NIGHTS: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select timestamptz '2026-11-22T19:30:00Z' - n * interval '1 day', 'sales', 'incremental_sync', 'completed',
           case when n = 3 then 7500 else 30 + n * 7 % 16 end,
           case when n = 0 then 12 when n = 2 then 19000 when n % 7 = 6 then n % 3 else 4900 + n * 37 % 101 end
    from generate_series(0, 99) n;
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select timestamptz '2026-11-22T19:20:00Z' - n * interval '1 day', 'products', 'incremental_sync', 'completed', 60, 500
    from generate_series(0, 99) n;
";

fn told(world: &Sandbox) -> BTreeMap<(String, String), String> {
    let mut tables = tables(world);
    let runs = tables.remove("history/runs.csv").unwrap();
    let marked = runs.into_iter().filter(|row| !row["unusual"].is_empty());
    let told = marked.map(|row| {
        let of = |column: &str| row[column].clone();
        ((of("entity_type"), of("started_at")), of("unusual"))
    });
    told.collect()
}

#[test]
fn what_is_unusual_is_said_wherever_the_run_is_shown_and_changes_no_verdict() {
    let world = Sandbox::postgres().sql(NIGHTS);
    let ended = world.build();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let said = "12 records; usually 4,913 to 4,983 on Sundays";
    let sales = world.entity("sales");
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(sales["last_run"]["unusual"], json!([said]));
    let notice = format!("The newest run is unusual: {said}.");
    assert_eq!(sales["notices"], json!([notice]));
    let products = world.entity("products");
    assert_eq!(products["last_run"]["unusual"], json!([]));
    assert_eq!(products["notices"], json!([]));

    let overview = world.page("index.html");
    let rows: Vec<&str> = overview.split("<tbody id=\"sync-").collect();
    let row = |name: &str| *rows.iter().find(|row| row.starts_with(name)).unwrap();
    let sales = row("sales\"");
    for shown in [
        "<span>12 records in 30 s</span> <span class=\"unusual\">unusual</span>",
        "<tr class=\"why\"><td",
        &format!("<p class=\"soft\">{notice}</p>"),
    ] {
        assert!(sales.contains(shown), "{shown}");
    }
    assert!(!row("products").contains("nusual"));

    let page = world.page("entities/sales.html");
    assert!(page.contains(&format!("<li>{notice}</li>")));
    let many = "19,000 records; usually 4,925 to 4,995 on Fridays";
    let long = "took 2 h 5 min; usually 31 to 44 s on Thursdays";
    let history = world.page("history/status/unusual.html");
    for sentence in [said, many, long].map(|said| format!("<p>Unusual: {said}.</p>")) {
        page.has(&sentence);
        history.has(&sentence);
    }
    assert_eq!(page.matches("class=\"unusual\"").count(), 3);
    let all = world.page("history/index.html");
    assert_eq!(all.matches("data-result=\"completed unusual\"").count(), 3);
    assert!(all.contains(">unusual (3)</a>"));
    assert_eq!(told(&world).len(), 3);
    let listed = crate::history::listed::rows(&all).into_iter();
    let listed: Vec<String> = listed.flat_map(|row| row.unusual).collect();
    assert_eq!(listed.len(), 3, "{listed:?}");

    // The same world without numbers gives the same verdicts.
    let plain = Sandbox::postgres()
        .sql(NIGHTS)
        .sql("update sync_log set records_processed = null, duration_seconds = 0");
    assert_eq!(plain.build().code, 0);
    for (key, value) in ["overall", "valid_until"].map(|key| (key, plain.status()[key].clone())) {
        assert_eq!(world.status()[key], value, "{key}");
    }
    assert!(!plain.page("index.html").contains("nusual"));
    assert!(!plain.site().contains_key("history/status/unusual.html"));
}

/// How often an invented entity runs, and what its runs come to.
struct Habit {
    every: TimeDelta,
    actions: &'static [&'static str],
    records: fn(&mut fastrand::Rng, i64) -> f64,
    seconds: fn(&mut fastrand::Rng) -> f64,
}

const HABITS: [Habit; 6] = [
    Habit {
        every: TimeDelta::days(1),
        actions: &["incremental_sync"],
        records: |random, _| 4900.0 + random.f64() * 100.0,
        seconds: |random| 30.0 + random.f64() * 15.0,
    },
    Habit {
        every: TimeDelta::days(1),
        actions: &["incremental_sync"],
        records: |random, weekday| match weekday {
            0 => 0.0,
            _ => 20.0 / (1.0 - random.f64()),
        },
        seconds: |random| 5.0 / (1.0 - random.f64()),
    },
    Habit {
        every: TimeDelta::hours(11),
        actions: &["incremental_sync", "incremental_sync", "extract"],
        records: |random, _| f64::from(random.u8(0..4)),
        seconds: |_| 0.0,
    },
    Habit {
        every: TimeDelta::hours(1),
        actions: &["incremental_sync"],
        records: |random, _| (3.0 + 2.0 * random.f64()).exp(),
        seconds: |random| 60.0 + random.f64(),
    },
    Habit {
        every: TimeDelta::minutes(35),
        actions: &["a", "a", "a", "a", "a", "a", "a", "a", "a", "b"],
        records: |_, _| 1.0,
        seconds: |random| 40.0 + 2.0 * random.f64(),
    },
    Habit {
        every: TimeDelta::days(7),
        actions: &["full"],
        records: |random, _| 90_000.0 + random.f64() * 1000.0,
        seconds: |random| 600.0 + random.f64() * 60.0,
    },
];

/// Runs with habits, and now and then something else.
fn some_histories(seed: u64) -> Vec<Value> {
    let mut random = fastrand::Rng::with_seed(seed);
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let mut rows = Vec::new();
    for (index, habit) in HABITS.iter().enumerate() {
        let days = [20, 60, 70, 110][random.usize(0..4)];
        let mut at = now - TimeDelta::minutes(random.i64(1..600));
        let (mut factor, mut until) = (1.0, at);
        while at > now - TimeDelta::days(days) {
            if at < until {
                let lasting = TimeDelta::hours(random.i64(1..400));
                factor = [1.0, 1.0, 1.0, 1.0, 0.1, 5.0, 0.0][random.usize(0..7)];
                let usual = (0.5..2.0).contains(&factor);
                until = at - if usual { lasting * 3 } else { lasting / 4 };
            }
            let weekday = at.timestamp().div_euclid(86_400) % 7 - 4;
            let own_factor = if random.u8(0..40) == 0 { 20.0 } else { factor };
            let records = ((habit.records)(&mut random, weekday) * own_factor).round();
            let seconds = (habit.seconds)(&mut random) * if own_factor > 19.0 { 20.0 } else { 1.0 };
            let pick = random.u8(0..30);
            rows.push(json!({
                "id": rows.len() + 1,
                "entity_type": format!("entity {index}"),
                "timestamp": at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
                "action": habit.actions[random.usize(0..habit.actions.len())],
                "status": match pick { 0 => "failed", 1 => "started", 2 => " OK ", 3 => "Success", _ => "completed" },
                "duration_seconds": match pick { 4 => Value::Null, 5 => json!("-1"), _ => json!(format!("{seconds:.3}")) },
                "records_processed": match pick { 6 => Value::Null, 7 => json!(-3), _ => json!(records) },
            }));
            at -= habit.every + TimeDelta::microseconds(random.i64(1..100_000_000));
        }
    }
    rows
}

fn sql(rows: &[Value]) -> String {
    let mut sql = "insert into sync_log (id, entity_type, \"timestamp\", action, status, duration_seconds, records_processed) values ".to_owned();
    let text = |value: &Value| value.as_str().map_or("null".to_owned(), quoted);
    for (index, row) in rows.iter().enumerate() {
        write!(
            sql,
            "{}({}, {}, {}, {}, {}, {}, {})",
            if index == 0 { "" } else { ",\n" },
            row["id"],
            text(&row["entity_type"]),
            text(&row["timestamp"]),
            text(&row["action"]),
            text(&row["status"]),
            row["duration_seconds"].as_str().unwrap_or("null"),
            row["records_processed"]
                .as_f64()
                .map_or("null".to_owned(), |number| format!("{number:.0}")),
        )
        .unwrap();
    }
    sql + ";"
}

/// The numbers that are said of a run, but of no duration, and the weekdays that it is compared with.
type Said = (Vec<String>, Option<String>);

fn said_by_the_page(text: &str) -> Said {
    let weekdays = text.split_once(" on ").map(|(_, name)| name.to_owned());
    if text.starts_with("took") {
        return (Vec::new(), weekdays);
    }
    let text = text.replace("no records", "0 records").replace(',', "");
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.filter(|number| !number.is_empty());
    let mut numbers: Vec<String> = numbers.map(str::to_owned).collect();
    // "usually 500" is a range too.
    numbers.extend((numbers.len() == 2).then(|| numbers[1].clone()));
    (numbers, weekdays)
}

fn said_by_the_judge(mark: &Value) -> Said {
    let numbers = mark.as_array().unwrap()[1..4].iter();
    let numbers = numbers.filter(|_| mark[0] != "seconds");
    let numbers = numbers.map(|number| format!("{:.0}", number.as_f64().unwrap()));
    (numbers.collect(), mark[4].as_str().map(str::to_owned))
}

#[test]
fn random_histories_are_marked_alike_over_both_databases_and_from_the_rules_alone() {
    let campaign = Campaign::named("differential", "unusual runs");
    let mut judge = Judge::start();
    for step in campaign.steps(4, 200) {
        let seed = step.number;
        step.count("histories", 1);
        let mut rows = some_histories(seed as u64);
        let world = built_from_both(&sql(&rows));
        for row in &mut rows {
            row["records_processed"] = row["records_processed"]
                .as_f64()
                .map_or(Value::Null, |number| json!(number.round()));
        }
        let verdict = judge.judge(&json!({
            "now": NOW, "as_of": NOW, "database_clock": null, "hidden": [], "unreachable": false, "interval_seconds": "300",
            "policy": { "late_after": "7200", "overdue_after": "43200", "stuck_after": "3600" },
            "policies": {}, "schedules": {}, "pauses": {}, "entities": [], "sync_state": [], "sync_log": rows,
            "history": { "since": SINCE, "time_zone": "America/Los_Angeles" },
        }));
        let mut expected = BTreeMap::new();
        let since: DateTime<Utc> = SINCE.parse().unwrap();
        for row in &rows {
            let started: DateTime<Utc> = row["timestamp"].as_str().unwrap().parse().unwrap();
            if started < since {
                continue;
            }
            step.count("runs", 1);
            let name = row["entity_type"].as_str().unwrap();
            let marks = &verdict["entities"][name]["unusual"][row["id"].to_string()];
            if let Some(marks) = marks.as_array() {
                let said: Vec<Said> = marks.iter().map(said_by_the_judge).collect();
                let at = started.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
                expected.insert((name.to_owned(), at), said);
            }
        }
        let shown: BTreeMap<_, Vec<Said>> = told(&world)
            .into_iter()
            .map(|(run, text)| (run, text.split(" / ").map(said_by_the_page).collect()))
            .collect();
        step.count("unusual", shown.len());
        assert_eq!(shown, expected, "seed {seed}: left the program");
    }
    let told = ["histories", "runs", "unusual"];
    let [histories, runs, marked] = told.map(|what| campaign.tally(what));
    assert!(marked > histories, "{marked} marks in {histories} worlds");
    campaign.ends(&format!(
        "{histories} histories, {runs} runs, {marked} unusual"
    ));
}
