//! The history of the last days: its pages and tables, next to what the database itself counts.

pub mod listed;
pub mod tables;

use crate::browser::{check, url};
use crate::golden::Told;
use crate::rows::quoted;
use crate::sandbox::{NOW, Sandbox};
use crate::sql::ask;
use crate::tools::SIX;
use crate::web::Nginx;
use listed::{between, days, links, rows, text_of};
use tables::{cells_by_any_separator, tables};

fn nine_days_until(now: &str) -> String {
    include_str!("history/nine_days.sql").replace("NOW", now)
}

#[test]
fn every_figure_is_that_of_the_database_across_both_changes_of_the_clocks() {
    // On 1 November clocks went back in Los Angeles, on 8 March they went forward.
    for now in "2026-11-03T20:05:00Z 2026-03-10T20:05:00Z 2026-11-02T07:59:59Z".split(' ') {
        let world = Sandbox::postgres().sql(&nine_days_until(now));
        world.build_at(now).exits(0);
        let figures = include_str!("history/figures.sql").replace("NOW", now);
        let told = ask(world.owner_url(), &figures);
        let told = |place: &str| -> Vec<&str> {
            let start = format!("{place}|");
            let lines = told.iter().filter_map(|line| line.strip_prefix(&start));
            lines.collect()
        };

        let all = world.page("history/index.html");
        let shown = rows(&all).into_iter().map(|row| {
            let records = row.records.replace(',', "");
            let begun = format!("{}|{}|{}|{}", row.id, row.day, row.time, row.entity_type);
            format!("{begun}|{}|{}|{records}", row.status, row.action)
        });
        let shown: Vec<String> = shown.collect();
        assert!(shown.len() > 900, "{} runs", shown.len());
        assert_eq!(shown, told("rows"), "{now}");
        let whole = format!("{} runs since ", text_of_count(shown.len()));
        text_of(&all).has(&whole);

        let shown: Vec<String> = days(&all).into_iter().map(|day| day.heading).collect();
        assert_eq!(shown.len(), 7);
        assert_eq!(shown, told("headings"), "{now}");
        for folder in ["days", "status", "entities"] {
            let mut shown = listed_in(&world, folder);
            let plain = |line: &String| line.split('|').next().unwrap().chars().all(|c| c != '.');
            shown.retain(|line| plain(line) && !line.ends_with('|'));
            assert_eq!(shown, told(folder), "{folder} at {now}");
        }
    }
}

/// "1,043"
fn text_of_count(count: usize) -> String {
    match count / 1000 {
        0 => count.to_string(),
        thousands => format!("{thousands},{:03}", count % 1000),
    }
}

/// "2026-11-03|17 16 15": the pages of a folder below `history/`, each with the runs on it.
fn listed_in(world: &Sandbox, folder: &str) -> Vec<String> {
    let start = format!("history/{folder}/");
    let site = world.site().into_keys();
    site.filter_map(|path| {
        let stem = path.strip_prefix(&start)?.strip_suffix(".html")?;
        Some(format!("{stem}|{}", ids_on(&world.page(&path))))
    })
    .collect()
}

fn ids_on(page: &str) -> String {
    let ids: Vec<String> = rows(page).into_iter().map(|row| row.id).collect();
    ids.join(" ")
}

/// The same rows, in the same order, with the same words.
#[test]
fn the_tables_for_spreadsheets_hold_what_the_pages_show() {
    let world = Sandbox::postgres().sql(&nine_days_until(NOW));
    world.build();
    let mut compared = 0;
    for (file, table) in tables(&world) {
        let path = match file.strip_suffix(".csv").unwrap() {
            "history/runs" => "history/index.html".to_owned(),
            stem => format!("{stem}.html"),
        };
        let page = world.page(&path);
        let shown = rows(&page).into_iter().map(|row| {
            let records = row.records.replace(',', "");
            [row.started_at, row.status, row.action, records, row.error]
        });
        let told = table.iter().map(|row| {
            let at = &row["started_at"];
            assert_eq!(world_time(at), row["started_local"], "{file}");
            let [status, action, records, error] =
                ["status", "action", "records_processed", "error"].map(|name| row[name].clone());
            [format!("{}Z", &at[..19]), status, action, records, error]
        });
        let (told, shown): (Vec<_>, Vec<_>) = (told.collect(), shown.collect());
        assert_eq!(told, shown, "{file}");
        let label = format!("Download as CSV ({} row", text_of_count(table.len()));
        assert_eq!(page.contains(&label), !table.is_empty(), "{path}: {label}");
        compared += table.len();
    }
    assert!(compared > 3000, "{compared} rows");
}

/// In Los Angeles, in winter.
fn world_time(utc: &str) -> String {
    let at: chrono::DateTime<chrono::Utc> = utc.parse().unwrap();
    let local = at - chrono::TimeDelta::hours(8);
    local.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[test]
fn a_table_gives_every_column_in_a_form_that_can_be_reckoned_with() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
            ('2026-11-22T19:21:55.5Z', 'sales', 'incremental_sync', 'SUCCESS', 4.25, 10738, null),
            ('2026-11-21T19:21:55Z', 'sales', 'an \"action\", two', 'failed', null, null, 'eins
zwei Größe');",
    );
    world.build();
    let bytes = &world.site()["history/runs.csv"];
    assert_eq!(
        String::from_utf8_lossy(bytes),
        "\u{feff}started_at,finished_at,started_local,entity_type,action,status,duration_seconds,records_processed,error,unusual\r\n\
         2026-11-22T19:21:55.500Z,2026-11-22T19:21:59.750Z,2026-11-22 11:21:55,sales,incremental_sync,completed,4.25,10738,,\r\n\
         2026-11-21T19:21:55Z,2026-11-21T19:21:55Z,2026-11-21 11:21:55,sales,\"an \"\"action\"\", two\",failed,,,\"eins\nzwei Größe\",\r\n"
    );
    let page = world.page("history/entities/sales.html");
    page.has(
        "<a href=\"../entities/sales.csv\" download=\"entities-sales-read-2026-11-22-1205.csv\">",
    );
}

/// A formula in every disguise, between two bars.
const FORMULAS: &str = "=1+1|+1+1|-1+1|@SUM(A1)|\t=1+1|\r=1+1|\n=1+1| \u{a0}=1+1|\u{200b}\u{2060}\u{feff}=1+1|\u{7}=1+1|\
    \"=1+1|\"\"=cmd' /C calc'!A0|＝1+1|＋1|－1|＠SUM(A1)|harmless;=1+1|\
    harmless\n=HYPERLINK(\"https://example.org\")\n\t@x; \"-1";

#[test]
fn no_cell_starts_a_formula_whatever_the_spreadsheet_takes_for_a_separator() {
    let everywhere = |text: &str| {
        let text = quoted(text);
        format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
             values ('2026-11-22T19:22:00Z', {text}, {text}, {text}, -5, {text});"
        )
    };
    let sql: String = FORMULAS.split('|').map(everywhere).collect();
    for world in Sandbox::both() {
        let world = world.sql(&sql);
        world.build();
        let table = tables(&world).remove("history/runs.csv").unwrap();
        assert_eq!(table.len(), 18);
        for (file, cells) in cells_by_any_separator(&world) {
            for cell in cells {
                assert!(!starts_a_formula(&cell), "{file}: {cell:?}");
            }
        }
        for row in &table {
            for column in ["entity_type", "action", "status", "error"] {
                let cell = &row[column];
                assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
                let mut formulas = FORMULAS.split('|').map(bare);
                let known = formulas.any(|formula| formula == bare(cell));
                assert!(known, "{column} can still be read: {cell:?}");
            }
            assert_eq!(row["duration_seconds"], "'-5", "a minus is an operator");
        }
    }
}

/// What is left for a reader of a text that was made harmless.
fn bare(text: &str) -> String {
    let text = text.replace(['\'', '\u{fffd}', '\u{7}', '\u{feff}', '\r'], "");
    text.trim().to_owned()
}

fn starts_a_formula(cell: &str) -> bool {
    let invisible = |c: char| {
        c.is_whitespace() || c.is_control() || "\"\u{200b}\u{2060}\u{feff}\u{fffd}".contains(c)
    };
    let seen = cell.trim_start_matches(invisible);
    seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[test]
fn a_run_has_the_same_word_on_every_page() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (id, timestamp, entity_type, action, status) values
            (1, '2026-11-22T20:01:00Z', 'customers', 'a', 'started'),
            (2, '2026-11-22T17:00:00Z', 'customers', 'a', 'running'),
            (3, '2026-11-22T18:00:00Z', 'outlets', 'a', 'started'),
            (4, '2026-11-22T18:00:00Z', 'products', 'a', 'in_progress'),
            (5, '2026-11-22T18:00:00Z', 'sales', 'a', 'paused'),
            (6, '2026-11-22T18:00:00Z', 'inventory', 'a', 'pending'),
            (7, '2026-11-22T17:00:00Z', 'inventory', 'a', 'never_synced'),
            (8, '2026-11-22T16:00:00Z', 'inventory', 'a', ' OK ');
         insert into sync_state (entity_type, last_sync_time, status) values
            ('products', '2026-11-22T19:00:00Z', 'success');",
    );
    world.build();
    let all = world.page("history/index.html");
    let recorded_as = |id: &str| {
        let row = rows(&all).into_iter().find(|row| row.id == id).unwrap();
        let entity = world.page(&format!("entities/{}.html", row.entity_type));
        let started = format!("<time datetime=\"{}\">", row.started_at);
        let shown = entity.split(&started).last().unwrap();
        let shown = text_of(between(shown, "<bdi", "/bdi>"));
        assert_eq!(shown.rsplit('>').next(), Some(&*row.status), "run {id}");
        row.status
    };
    let words: Vec<String> = (1..=8).map(|id| recorded_as(&id.to_string())).collect();
    let expected =
        "running, unfinished, stuck, not closed, paused, pending, never_synced, completed";
    assert_eq!(words.join(", "), expected);
    let pages = listed_in(&world, "status").join(", ");
    let expected =
        "never_synced|7, not_closed|4, other|5, pending|6, running|1, stuck|3, unfinished|2";
    assert_eq!(pages, expected);
}

#[test]
fn without_a_run_the_history_says_so() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status) values
            ('2026-11-16T07:59:59Z', 'sales', 'incremental_sync', 'completed');",
    );
    world.build();
    let all = world.page("history/index.html");
    text_of(&all).has("No run started in these 7 days.");
    all.lacks("<table").lacks("Download");
    let sales = world.page("history/entities/sales.html");
    text_of(&sales).has("No run of Sales started in these 7 days.");
    let day = world.page("history/days/2026-11-16.html");
    text_of(&day).has("No run started on this day.");
    assert!(tables(&world)["history/runs.csv"].is_empty());

    let begun = world.sql(
        "insert into sync_log (timestamp, entity_type, action, status) values
            ('2026-11-16T08:00:00Z', 'sales', 'incremental_sync', 'completed');",
    );
    begun.build();
    let all = begun.page("history/index.html");
    let said = "1 run since Monday 16 November 2026; it is listed.";
    text_of(&all).has(said);
    let quiet: Vec<_> = days(&all).into_iter().filter(|day| day.runs == 0).collect();
    assert_eq!(quiet.len(), 6, "days without a run are named as well");
    assert_eq!(quiet[0].heading, "Sunday 22 November 2026: no run");
}

#[test]
fn as_many_days_are_listed_as_are_configured() {
    let world = Sandbox::postgres()
        .sql(&nine_days_until(NOW))
        .file("syncmon.toml", "history_days = 2\n");
    world.build();
    let all = world.page("history/index.html");
    let shown: Vec<String> = days(&all).into_iter().map(|day| day.date).collect();
    assert_eq!(shown, ["2026-11-22", "2026-11-21"]);
    let overview = world.page("index.html");
    overview.has(">History: All runs of the last 2 days<");
    let sales = world.page("entities/sales.html");
    sales.has("href=\"../history/entities/sales.html\"");
    let one = world.file("syncmon.toml", "history_days = 1\n");
    one.build();
    one.page("index.html").has(">History: All runs of today<");
}

#[test]
fn while_the_database_is_away_the_history_is_that_of_the_last_reading() {
    let world = Sandbox::sqlite().sql(include_str!("golden/world.sql"));
    world.build();
    let before = world.page("history/index.html");
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-23T20:25:00Z").exits(75);
    let after = world.page("history/index.html");
    assert_eq!(ids_on(&after), ids_on(&before));
    after.has("The database has not been readable since Monday 23 November, 12:25.");
    text_of(&after).has("Read on Sunday 22 November 2026, 12:05 PST.");
    let shown: Vec<String> = days(&after).into_iter().map(|day| day.date).collect();
    assert_eq!(shown[0], "2026-11-22", "of later days nothing is known");

    let never = Sandbox::bare().with_url("sqlite:missing.sqlite");
    never.build_at(NOW).exits(75);
    let page = never.page("history/index.html");
    text_of(&page).has("Nothing is known: the database could not be read.");
    page.lacks("No run");
    let sales = never.page("history/entities/sales.html");
    text_of(&sales).has("Nothing is known");
    assert!(tables(&never).is_empty());
}

#[test]
fn runs_after_the_reading_are_listed_by_themselves() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (id, timestamp, entity_type, action, status, duration_seconds) values
            (1, '2026-11-23T07:59:59Z', 'sales', 'a', 'completed', 1),
            (2, '2026-11-23T08:00:00Z', 'sales', 'a', 'completed', 1),
            (3, '2031-05-01T08:00:00Z', 'sales', 'a', 'failed', 1),
            (4, '9999-12-31T23:59:59Z', 'sales', 'a', 'failed', 1);",
    );
    world.build();
    let all = days(&world.page("history/index.html"));
    let later = "days after Sunday 22 November 2026: 3 runs, 2 failed";
    assert_eq!(all[0].heading, later);
    assert_eq!(all[1].heading, "Sunday 22 November 2026: 1 run");
    let later = world.page("history/days/later.html");
    assert_eq!(ids_on(&later), "4 3 2");
    later.has("Thu 1 May 2031, 01:00:00 PDT");
}

fn a_run_a_minute(entity: &str, count: u32) -> String {
    format!(
        "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {count})
         insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         select strftime('%Y-%m-%dT%H:%M:%SZ', '{NOW}', '-' || n || ' minutes'), '{entity}',
                'incremental_sync', 'completed', 4.5, 1086
         from numbers;"
    )
}

/// A site whose six entities have 900 runs each.
fn large() -> Sandbox {
    let runs = SIX.split(' ').map(|entity| a_run_a_minute(entity, 900));
    let world = Sandbox::sqlite().sql(&runs.collect::<String>());
    world.build();
    world
}

#[test]
fn a_page_lists_five_thousand_runs_and_says_where_the_others_are() {
    let world = large();
    let all = world.page("history/index.html");
    assert_eq!(rows(&all).len(), 5000);
    let text = text_of(&all);
    text.has("5,400 runs since Monday 16 November 2026; the newest 5,000 of them are listed.");
    text.has("The other 400 are on the pages of the days and of the syncs.");
    assert_eq!(tables(&world)["history/runs.csv"].len(), 5000);
    let tallies: Vec<String> = days(&all).into_iter().map(|day| day.heading).collect();
    assert_eq!(tallies[0], "Sunday 22 November 2026: 4,350 runs");
    let saturday = "Saturday 21 November 2026: 1,050 runs; the newest 650 are listed";
    assert_eq!(tallies[1], saturday);
    all.has("data-day=\"2026-11-21\" data-unlisted=\"400\"");
    let listed = |path: &str| rows(&world.page(path)).len();
    assert_eq!(listed("history/days/2026-11-21.html"), 1050);
    assert_eq!(listed("history/entities/sales.html"), 900);

    let world = world.sql(&a_run_a_minute("orders", 5100));
    world.build();
    let orders = world.page("history/entities/orders.html");
    assert_eq!(rows(&orders).len(), 5000);
    let text = text_of(&orders);
    text.has("At least 5,000 runs since Monday 16 November 2026; all that are known are listed.");
    let known = "Of Orders only the newest 5,000 runs are known, since Thursday 19 November, 00:45; what ran before is not listed.";
    for path in "index entities/orders days/2026-11-18 days/2026-11-19".split(' ') {
        text_of(&world.page(&format!("history/{path}.html"))).has(known);
    }
    for path in ["days/2026-11-20", "entities/sales"] {
        text_of(&world.page(&format!("history/{path}.html"))).lacks(known);
    }
}

#[test]
fn hostile_text_does_no_harm_and_every_link_leads_somewhere() {
    let attacks = [
        "<script>alert(1)</script>",
        "</table></tbody><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{ 7*7 }}{% raw %}",
        "../../etc/passwd",
        "a\u{202e}gpj.exe",
        "\u{1}\u{1}",
        "]]><!--",
        "first\nsecond </pre><b>",
        &"x".repeat(200),
        &"two_words_".repeat(20),
    ];
    let rows = attacks.map(|text| {
        let text = quoted(text);
        format!(
            "('2026-11-22T19:22:00Z', {text}, {text}, {text}, {text}),
             ('2026-11-21T19:22:00Z', {text}, {text}, 'failed', {text})"
        )
    });
    let columns = "timestamp, entity_type, action, status, error_details";
    let rows = rows.join(", ");
    let sql = format!("insert into sync_log ({columns}) values {rows}");
    let world = Sandbox::sqlite().sql(&sql);
    world.build();
    let site = world.site();
    let mut pages: Vec<&String> = site.keys().collect();
    pages.retain(|path| path.starts_with("history/") && is_page(path));
    assert_eq!(pages.len(), 1 + 7 + 2 + 6 + 11);
    for path in pages {
        let page = world.page(path);
        let lower = page.to_lowercase();
        let scripts = if path == "history/index.html" { 2 } else { 1 };
        assert_eq!(lower.matches("<script").count(), scripts, "{path}");
        for tag in ["<img", "<!--", "<b>", "style=", "onerror=alert(1)>"] {
            lower.lacks(tag);
        }
        let misleads = |c: char| c == '\u{202e}' || (c.is_control() && c != '\n');
        assert!(!page.contains(misleads), "{path}");
        page.lacks("49");
        let here = url::Url::parse(&format!("https://here/a/site/{path}")).unwrap();
        for link in links(&page) {
            let target = here.join(link).unwrap();
            let within = target.path().strip_prefix("/a/site/");
            let there = within.is_some_and(|path| site.contains_key(path));
            assert!(there, "{path}: {link}");
        }
    }
}

fn is_page(path: &str) -> bool {
    path.split('.').next_back() == Some("html")
}

#[test]
fn the_history_can_be_filtered_and_shared_and_needs_no_script() {
    let world = Sandbox::sqlite()
        .sql(include_str!("golden/world.sql"))
        .file("syncmon.toml", "title = \"Craft Contemporary\"\n");
    world.build();
    let nginx = Nginx::serving(&world);
    check("history", &[&url(&world), &nginx.url(), &url(&large())]);
}
