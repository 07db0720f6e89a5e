//! What the pages say of a problem, and of time that nobody saw.

use crate::golden::Told;
use crate::history::listed::{self, text_of, words_of};
use crate::sandbox::Sandbox;

/// The visible text between the first `from` on a page and the next `to`.
fn between(page: &str, from: &str, to: &str) -> String {
    words_of(listed::between(page, from, to))
}

/// The problems of the week, as the overview lists them.
fn problems(world: &Sandbox) -> Vec<String> {
    let page = world.page("index.html");
    let list = listed::between(&page, "Problems of the last 7 days", "</ul>");
    let items = list.split("<li ").skip(1);
    let shown = items.filter(|item| !item.starts_with("hidden"));
    shown.map(|item| between(item, "<p>", "</p>")).collect()
}

/// Scripts write the log first and the state a moment later, with the message in either of them.
#[test]
fn a_failure_keeps_its_message_whichever_table_has_it() {
    let cases = [
        ("sales", "19:00:04", true),
        ("outlets", "19:00:07.3", true),
        ("products", "19:00:04", false),
        ("customers", "19:00:07.3", false),
    ];
    let rows = cases.map(|(entity, state_at, logged)| {
        let (log, state) = ("'401 Client Error: Unauthorized'", "null");
        let (log, state) = if logged { (log, state) } else { (state, log) };
        format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
                 values ('2026-11-22T19:00:00Z', '{entity}', 'a', 'failed', 7, {log});
             insert into sync_state (entity_type, status, last_sync_time, updated_at, error_message)
                 values ('{entity}', 'failed', '2026-11-22T{state_at}Z', '2026-11-22T{state_at}Z', {state});"
        )
    });
    for world in Sandbox::both() {
        let world = world.sql(&rows.concat());
        world.build();
        let overview = world.page("index.html");
        for (entity, ..) in cases {
            let page = world.page(&format!("entities/{entity}.html"));
            let problem = format!("<li id=\"problem-{entity}");
            for part in [
                between(&overview, &format!("id=\"sync-{entity}\""), "</tbody>"),
                between(&page, "Newest failure", "</section>"),
                between(&overview, &problem, "</li>"),
            ] {
                part.has("token refused").has("401 Client Error");
            }
        }
    }
}

#[test]
fn a_failure_in_both_tables_is_one() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds) values
            ('2026-11-22T15:00:00Z', 'sales', 'a', 'failed', 5),
            ('2026-11-22T19:30:00Z', 'sales', 'a', 'completed', 5);
         insert into sync_state (entity_type, status, last_sync_time, updated_at)
            values ('sales', 'failed', '2026-11-22T15:00:07Z', '2026-11-22T15:00:07Z');",
    );
    world.build();
    let once = "Sales failed on Sun 22 Nov, 07:00; up to date again after 4 h 30 min.";
    problems(&world).join("\n").has(once);
}

#[test]
fn whatever_is_not_green_is_among_the_problems() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds) values
            ('2026-11-22T19:40:00Z', 'sales', 'a', 'completed', 5),
            ('2026-11-22T18:50:00Z', 'products', 'a', 'completed', 5),
            ('2026-11-22T19:00:00Z', 'products', 'a', 'started', null),
            ('2026-11-22T19:40:00Z', 'outlets', 'a', 'completed', 5),
            ('2026-11-22T20:06:00Z', 'outlets', 'a', 'failed', 5);
         insert into sync_state (entity_type, status) values ('customers', 'success');",
    );
    world.build();
    assert_eq!(
        problems(&world),
        [
            "Customers is unconfirmed. A success of Customers is recorded, but not when it happened.",
            "Outlets is failing. The sync failed on Sunday 22 November, 12:05.",
            "Products is stuck. A run has not ended for more than 1 hour.",
            "Sale Line Items has never been synced, as far as is recorded.",
            "Inventory has never been synced, as far as is recorded.",
        ]
    );
}

#[test]
fn what_lasts_is_told_however_much_has_ended_since() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
             values ('2026-11-17T20:00:00Z', 'sales', 'a', 'failed', 0);
         with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 30)
         insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T20:00:00Z', '-' || (n * 60 + k) || ' minutes'), 'outlets', 'a',
                case k when 0 then 'completed' else 'failed' end, 0
         from numbers, (select 0 as k union all select 5);",
    );
    world.build();
    let told = problems(&world).join("\n");
    told.has("Sales has been failing since Tue 17 Nov, 12:00.");
    assert_eq!(told.matches("up to date again").count(), 9);
    world
        .page("index.html")
        .has("And 21 earlier problems: see the ");
}

/// Nobody knows whether the syncs went on while the database was away.
#[test]
fn time_that_was_not_read_is_neither_green_nor_missing_for_certain() {
    let patient = "late_after = \"2days\"\noverdue_after = \"4days\"\n";
    let world = Sandbox::sqlite().file("syncmon.toml", patient).sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds) values
            ('2026-11-21T20:00:00Z', 'sales', 'a', 'completed', 0),
            ('2026-11-22T20:00:00Z', 'sales', 'a', 'completed', 0);",
    );
    world.build();
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-24T04:05:00Z").exits(75);
    let page = world.page("entities/sales.html");
    let day = between(&page, "Last 24 hours</th>", "</tr>");
    assert_eq!(day, "0 % – 0 % – 0 % – 100 % 24 h");
    let week = between(&page, "Last 7 days</th>", "</tr>");
    assert_eq!(week, "14.3 % 24 h 5 min 0 % – 0 % – 85.7 % 5 days 23 h");
    world.build_at("2026-11-25T04:05:00Z").exits(75);
    assert_eq!(world.verdict("sales"), "yellow late");
    let row = between(&world.page("index.html"), "id=\"sync-sales\"", "</tbody>");
    row.has("as far as is known; later sales may be missing from Supabase reports");
}

/// A row that was late already says no more than a build would say that could not read the database.
#[test]
fn a_page_that_is_left_open_too_long_claims_no_more_than_a_build_that_reads_nothing() {
    let nightly = "[[entities]]\nentity_type = \"customers\"\nschedule = \"0 2 * * *\"\n";
    let world = Sandbox::sqlite().file("syncmon.toml", nightly).sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds) values
            ('2026-11-20T10:00:00Z', 'customers', 'a', 'completed', 0),
            ('2026-11-22T17:00:00Z', 'sales', 'a', 'completed', 0),
            ('2026-11-22T18:06:00Z', 'outlets', 'a', 'completed', 0),
            ('2026-11-22T07:00:00Z', 'products', 'a', 'completed', 0),
            ('2026-11-22T19:00:00Z', 'inventory', 'a', 'completed', 0),
            ('2026-11-22T19:10:00Z', 'inventory', 'a', 'failed', 0);",
    );
    world.build();
    let open = world.page("index.html");
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    // Until 12:20 it may be believed; Outlets turns late a minute after it was read.
    for now in ["2026-11-22T20:20:01Z", "2026-11-23T06:00:00Z"] {
        world.build_at(now).exits(75);
        let built = world.page("index.html");
        for entity in ["customers", "sales", "outlets", "products", "inventory"] {
            let then = said_then(&open, entity, now);
            let built = ["means", "grounds"].map(|class| part(&built, entity, class));
            assert_eq!(then, built, "{entity} at {now}");
            built[0].has("as far as is known");
        }
    }
    let grounds = part(&world.page("index.html"), "sales", "grounds");
    assert_eq!(grounds, "No success is known for more than 12 hours.");
    let problems = world.page("index.html");
    let problems = between(&problems, "Problems of the last 7 days", "</section>");
    problems.has("Inventory has been failing since Sun 22 Nov, 11:10.");
    // Of a time that may be believed.
    open.has("Outlets has not been up to date since Sun 22 Nov, 12:06.");
}

#[test]
fn lateness_that_nobody_has_seen_is_not_said_for_certain() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         values ('2026-11-22T20:00:00Z', 'sales', 'a', 'completed', 0)",
    );
    world.build();
    let since = "Sales is not known to have been up to date since Sun 22 Nov, 14:00.";
    world.page("index.html").has(since);
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-23T12:00:00Z");
    world.page("index.html").has(since);
}

/// What an open page says of an entity at a later moment: the consequence and the grounds.
fn said_then(page: &str, entity: &str, now: &str) -> [String; 2] {
    let now = chrono::DateTime::parse_from_rfc3339(now).unwrap();
    let turns = text_of(listed::between(row(page, entity), "data-turns=\"", "\""));
    let turns: Vec<serde_json::Value> = serde_json::from_str(&turns).unwrap();
    let has_come =
        |turn: &&serde_json::Value| turn["from"].as_i64().unwrap() <= now.timestamp_millis();
    let turn = turns.iter().find(has_come);
    ["means", "grounds"].map(|what| match turn {
        Some(turn) => turn[what].as_str().unwrap().to_owned(),
        None => part(page, entity, what),
    })
}

fn row<'a>(page: &'a str, entity: &str) -> &'a str {
    listed::between(page, &format!("id=\"sync-{entity}\""), "</tbody>")
}

/// The text of a part of an entity's row, such as "means".
fn part(page: &str, entity: &str, class: &str) -> String {
    let start = format!("<p class=\"{class}\"");
    let part = listed::between(row(page, entity), &start, "</p>");
    part.split_once('>').unwrap().1.to_owned()
}

#[test]
fn the_legend_names_every_threshold_in_force() {
    let world = Sandbox::sqlite().file(
        "syncmon.toml",
        "late_after = \"1h\"\noverdue_after = \"6h\"\nstuck_after = \"30min\"\n\
         [[entities]]\nentity_type = \"sales\"\nstuck_after = \"2h\"\n\
         [[entities]]\nentity_type = \"outlets\"\nlate_after = \"6h\"\n",
    );
    world.build();
    let page = world.page("index.html");
    let legend = between(&page, "How to read this", "</ul>");
    assert_eq!(
        legend,
        "Up to date: synced within 1 hour \
         Late: last synced 1 hour to 6 hours ago, a run going on for more than 30 minutes, or something else in doubt \
         Overdue or failing: over 6 hours ago, the last run failed, or no success is on record \
         Sales: stuck after 2 hours Outlets: late after 6 hours, overdue after 6 hours"
    );
}

#[test]
fn the_moment_at_which_a_row_turns_is_that_of_a_run_that_gets_stuck_too() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds) values
            ('2026-11-22T19:50:00Z', 'sales', 'a', 'completed', 0),
            ('2026-11-22T19:55:00Z', 'sales', 'a', 'started', null),
            ('2026-11-22T18:30:00Z', 'outlets', 'a', 'completed', 0),
            ('2026-11-22T18:40:00Z', 'outlets', 'a', 'started', null);",
    );
    world.build();
    let page = world.page("index.html");
    let sales = between(&page, "id=\"sync-sales\"", "</tbody>");
    sales.has("stuck after 12:55 PST");
    let outlets = between(&page, "id=\"sync-outlets\"", "</tbody>");
    outlets.has("overdue after 22:30 PST");
}
