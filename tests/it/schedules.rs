//! Schedules: the cases of the rules on both databases, the history of what was expected, and the page's script.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::browser::{built_at, check, url};
use crate::campaign::Campaign;
use crate::differential::schedule::ZONES;
use crate::golden::Told;
use crate::sandbox::Sandbox;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    config: String,
    now: DateTime<Utc>,
    runs: Vec<String>,
    state: Option<String>,
    reason: String,
    next: Option<DateTime<Utc>>,
}

impl Case {
    /// The rows, for tables that are empty.
    fn sql(&self) -> String {
        let mut sql = "delete from sync_log; delete from sync_state;\n".to_owned();
        for row in &self.runs {
            let mut cells = row.split(' ');
            let (status, started) = (cells.next().unwrap(), cells.next().unwrap());
            let seconds = cells.next().unwrap_or("null");
            let both = status.split_once('/');
            let (status, action) = both.unwrap_or((status, "incremental_sync"));
            writeln!(
                sql,
                "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
                 values ('{started}', 'sales', '{action}', '{status}', {seconds});"
            )
            .unwrap();
        }
        if let Some((status, synced)) = self.state.as_deref().and_then(|row| row.split_once(' ')) {
            writeln!(
                sql,
                "insert into sync_state (entity_type, status, last_sync_time, updated_at)
                 values ('sales', '{status}', '{synced}', '{synced}');"
            )
            .unwrap();
        }
        sql
    }
}

#[test]
fn every_case_of_schedules_is_judged_alike_by_both_databases_and_as_the_rules_say() {
    let text = include_str!("../schedules/cases.toml");
    let Cases { case } = toml::from_str(text).unwrap();
    let worlds = Sandbox::both();
    for case in case {
        let sites = worlds.each_ref().map(|world| {
            world.execute(&case.sql());
            std::fs::write(world.path("syncmon.toml"), &case.config).unwrap();
            let ended = world.build_at(&case.now.to_rfc3339());
            assert_eq!(ended.code, 0, "{}: {ended:?}", case.name);
            let sales = world.entity("sales");
            assert_eq!(sales["reason"], case.reason, "{}", case.name);
            let next = sales["next_expected_at"].as_str();
            let next: Option<DateTime<Utc>> = next.map(|at| at.parse().unwrap());
            assert_eq!(next, case.next, "{}", case.name);
            world.site()
        });
        assert!(sites[0] == sites[1], "{}: the pages differ", case.name);
    }
}

/// Six days of a daily sync; on the 19th nothing ran, on the 20th it failed, and since the 21st nothing was heard.
const DAILY: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed) values
        ('2026-11-17T10:00:00Z', 'sales', 'incremental_sync', 'completed', 39, 5000),
        ('2026-11-18T10:00:00Z', 'sales', 'incremental_sync', 'completed', 39, 5000),
        ('2026-11-20T10:00:00Z', 'sales', 'incremental_sync', 'failed', 3, 0),
        ('2026-11-20T11:30:00Z', 'sales', 'incremental_sync', 'completed', 39, 5000),
        ('2026-11-21T10:00:00Z', 'sales', 'incremental_sync', 'completed', 39, 5000);
";

const SALES_AT_TWO: &str = "
    schedule = \"0 2 * * *\"
    [[entities]]
    entity_type = \"sales\"
";

#[test]
fn the_page_says_when_the_next_run_is_expected_and_the_history_which_left_no_trace() {
    let world = Sandbox::sqlite()
        .sql(DAILY)
        .file("syncmon.toml", SALES_AT_TWO);
    world.build_at("2026-11-21T20:00:00Z");
    let page = world.page("entities/sales.html");
    let (_, drawn) = page.split_once("data-days=\"").unwrap();
    // 17 and 18 green; 19 a run was missed; 20 failed; 21 green.
    assert_eq!(&drawn[85..90], "ggyrg");

    world.build();
    let overview = world.page("index.html");
    overview
        .has("Missed a run")
        .has("has not synced since Saturday 21 November, 02:00")
        .has("The run expected on Sunday 22 November, 02:00 has not succeeded.")
        .has("next expected tomorrow 02:00 PST")
        .has("Up to date: the runs expected at 02:00 succeeded")
        .has("Missed a run: none succeeded within 1 hour of its time");
    let history = world.page("history/index.html");
    assert_eq!(history.matches("due 02:00</time>").count(), 2);
    history
        .has("5 runs since Monday 16 November 2026: 1 failed, 2 expected without a trace; all of them are listed.")
        .has("no run, 1 expected without a trace");
    let page = world.page("history/status/nothing_recorded.html");
    page.has("Runs that were expected and left no trace")
        .has("2 expected runs since");
    let csv = world.page("history/status/nothing_recorded.csv");
    let lines: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "2026-11-22T10:00:00Z,,2026-11-22 02:00:00,sales,,nothing recorded,,,,",
            "2026-11-19T10:00:00Z,,2026-11-19 02:00:00,sales,,nothing recorded,,,,",
        ]
    );
}

#[test]
fn maintenance_is_said_and_is_no_problem() {
    let world = Sandbox::sqlite().sql(DAILY).file(
        "syncmon.toml",
        "schedule = \"0 2 * * *\"
         [[maintenance]]
         from = 2026-11-22T01:00:00
         to = 2026-11-22T18:00:00
         why = \"The database moves\"
         [[entities]]
         entity_type = \"sales\"",
    );
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
    let overview = world.page("index.html");
    overview.has(
        "Maintenance until Sunday 22 November, 18:00: The database moves. No run is expected meanwhile.",
    );
    let history = world.page("history/index.html");
    let nothing = history.matches("expected, nothing recorded</td>");
    assert_eq!(nothing.count(), 1);
}

#[test]
fn script_and_program_agree_on_every_part_of_a_page_with_a_schedule() {
    let world = Sandbox::sqlite().sql(DAILY).file(
        "syncmon.toml",
        &format!("interval = \"72h\"\n{SALES_AT_TWO}"),
    );
    let moments = "2026-11-21T20:05:00Z 2026-11-22T07:59:59.999Z 2026-11-22T08:00:00Z 2026-11-22T09:59:59.999Z \
                   2026-11-22T10:00:00Z 2026-11-22T11:00:00Z 2026-11-22T11:00:00.001Z 2026-11-23T08:00:00Z \
                   2026-11-23T10:00:00Z 2026-11-23T11:00:00Z 2026-11-23T11:00:00.001Z 2026-11-24T08:00:00Z";
    let moments: Vec<&str> = moments.split(' ').collect();
    let sites = built_at(&world, &moments);
    let world = json!({"pages": ["index", "entities/sales"], "sites": sites, "opened": true});
    check("agreeing", &[&json!([world]).to_string()]);
}

/// The configuration and the rows of many syncs, each with a schedule of its own, near a change of clocks.
fn generated(night: DateTime<Utc>, random: &mut fastrand::Rng) -> (String, String) {
    let mut configuration = "interval = \"3000days\"\nstuck_after = \"300days\"\n".to_owned();
    let mut rows = String::new();
    for number in 0..40 {
        let zone = ZONES[random.usize(..ZONES.len())];
        writeln!(
            configuration,
            "[[entities]]\nentity_type = \"e{number}\"\nschedule = \"{}\"\ntime_zone = \"{zone}\"
                 grace = \"{}min\"\nearly = \"{}min\"",
            expression(random),
            [1, 5, 60, 90, 600][random.usize(..5)],
            [1, 15, 180][random.usize(..3)],
        )
        .unwrap();
        if random.bool() {
            let from = night + TimeDelta::minutes(random.i64(-600..600));
            let to = from + TimeDelta::minutes(random.i64(1..900));
            writeln!(
                configuration,
                "[[entities.maintenance]]\nfrom = \"{}\"\nto = \"{}\"\nwhy = \"because\"",
                from.to_rfc3339(),
                to.to_rfc3339()
            )
            .unwrap();
        }
        let finished = night - TimeDelta::seconds(random.i64(0..3 * 86_400));
        writeln!(
                rows,
                "insert into sync_log (timestamp, entity_type, action, status) values ('{}', 'e{number}', 'sync', 'completed');",
                finished.to_rfc3339()
            )
            .unwrap();
    }
    (configuration, rows)
}

/// Five fields of cron: plain times, lists, ranges and steps, weekdays and days of the month.
fn expression(random: &mut fastrand::Rng) -> String {
    let minutes = ["0", "30", "15", "*/30", "*/5", "0,30", "59", "*", "10-20"];
    let hours = ["*", "2", "1", "1,2", "0-6", "*/6", "23", "3", "*/2"];
    let days = ["*", "*", "*", "1", "8", "*/2"];
    let months = ["*", "*", "3,4,10,11"];
    let weekdays = ["*", "*", "1-5", "0", "MON,SUN"];
    let fields = [&minutes[..], &hours, &days, &months, &weekdays];
    let picked = fields.map(|choices| choices[random.usize(..choices.len())]);
    picked.join(" ")
}

/// What the script of a page that is left open says at a later moment, the program says when it is asked then.
#[test]
fn script_and_program_agree_at_every_moment_of_every_schedule() {
    let nights = "2026-03-08T10:00:00Z 2026-11-01T09:00:00Z 2026-04-04T15:00:00Z 2026-10-03T15:30:00Z \
                  2026-11-22T20:05:00Z";
    let nights: Vec<&str> = nights.split(' ').collect();
    let campaign = Campaign::named("schedules", "script and program compared");
    for step in campaign.steps(nights.len(), 8 * nights.len()) {
        let mut random = step.random();
        let night: DateTime<Utc> = nights[step.number % nights.len()].parse().unwrap();
        let (configuration, rows) = generated(night, &mut random);
        let world = Sandbox::sqlite().sql(&rows);
        let world = world.file("syncmon.toml", &configuration);
        let (moments, site) = verdicts(&world, night, &mut random);
        // One at a time: no command line is long enough for all of them.
        let asked = json!([{"site": site, "moments": moments}]).to_string();
        let said = check("scheduled", &[&asked]);
        step.count("verdicts", said.trim().parse().unwrap());
    }
    campaign.ends(&format!("{} verdicts", campaign.tally("verdicts")));
}

/// What the program says of every sync around each turn and in between; and the address of the first site.
fn verdicts(
    world: &Sandbox,
    written: DateTime<Utc>,
    random: &mut fastrand::Rng,
) -> (serde_json::Value, String) {
    let millis = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert_eq!(world.build_at(&millis(written)).code, 0);
    let status = world.status();
    let entities = status["entities"].as_array().unwrap().iter();
    let mut turns: Vec<DateTime<Utc>> = entities
        .flat_map(|entity| [&entity["turns_yellow_at"], &entity["turns_red_at"]])
        .filter_map(|at| at.as_str()?.parse().ok())
        .filter(|&at| at < written + TimeDelta::days(40))
        .collect();
    random.shuffle(&mut turns);
    turns.truncate(7);
    let mut moments = vec![written];
    for turn in turns {
        moments.extend([-1, 0, 1].map(|by| turn + TimeDelta::milliseconds(by)));
    }
    moments.extend((0..5).map(|_| written + TimeDelta::seconds(random.i64(0..10 * 86_400))));
    moments.retain(|&at| at >= written);
    moments.sort();
    let said = moments.iter().map(|&at| {
        let now = millis(at);
        world.succeeds(&["build", "-q", "--out", "then", "--state-dir", "state", "--now", &now]);
        let text = std::fs::read_to_string(world.path("then/status.json")).unwrap();
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        let entities = status["entities"].as_array().unwrap().iter();
        let verdicts: serde_json::Map<_, _> = entities
            .map(|entity| (entity["name"].as_str().unwrap().to_owned(), entity["reason"].clone()))
            .collect();
        json!({"clock": at.timestamp_millis(), "summary": status["overall"]["summary"], "verdicts": verdicts})
    });
    (said.collect(), url(world))
}
