//! The history: all runs of the last days as pages and for spreadsheets, next to what the database
//! itself counts.

pub mod listed;
pub mod tables;

use crate::browser::{check, url};
use crate::rows::quoted;
use crate::sandbox::{NOW, Sandbox};
use crate::sql::ask;
use crate::web::Nginx;
use listed::{days, links, rows, text_of};
use tables::{cells_by_any_separator, tables};

/// Runs of five entities and every 47 minutes over nine days, with every kind of status.
fn nine_days_until(now: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
         select timestamptz '{now}' - n * interval '47 minutes' - e.i * interval '61 seconds',
                e.name, case when n % 5 = 0 then 'historical_import' else 'incremental_sync' end,
                case when n % 17 = 3 then 'failed' when n % 29 = 4 then ' Error' when n % 31 = e.i then 'started'
                     when n % 37 = 5 then 'paused' when n % 41 = 6 then 'ok' else 'completed' end,
                n % 90 + 0.5, 2000 + n * 7 + e.i, case when n % 17 = 3 then 'HTTP ' || n end
         from generate_series(0, 275) n,
              (values (0, 'customers'), (1, 'outlets'), (2, 'products'), (3, 'sales'), (4, '<gift & \"cards\">')) e (i, name);"
    )
}

/// The runs of seven days as PostgreSQL tells them, in the words and at the times of the museum: by its
/// own calendar and its own clock changes.
fn told_by_postgres(world: &Sandbox, now: &str, what: &str) -> Vec<String> {
    let sql = format!(
        "set timezone = 'America/Los_Angeles';
         with known as (
             select id, \"timestamp\" as at, entity_type, action, records_processed as records,
                    row_number() over (partition by entity_type order by \"timestamp\" desc, id desc) as place,
                    lower(trim(status)) as word
             from sync_log
         ),
         runs as (
             select *, at::date as day,
                    case when word in ('completed', 'ok') then 'completed' when word in ('failed', 'error') then 'failed'
                         when word = 'started' and place > 1 then 'unfinished' when word = 'started' then 'running'
                         else word end as result
             from known
             where at >= ((timestamptz '{now}')::date - 6)::timestamptz
         )
         {what}"
    );
    ask(world.owner_url(), &sql)
}

#[test]
fn every_figure_is_that_of_the_database_across_both_changes_of_the_clocks() {
    // On 1 November clocks went back in Los Angeles, on 8 March they went forward.
    for now in [
        "2026-11-03T20:05:00Z",
        "2026-03-10T20:05:00Z",
        "2026-11-02T07:59:59Z",
    ] {
        let world = Sandbox::postgres().sql(&nine_days_until(now));
        assert_eq!(world.build_at(now).code, 0);
        let all = world.page("history/index.html");

        let told = told_by_postgres(
            &world,
            now,
            "select concat_ws('|', id, day, to_char(at, 'HH24:MI:SS TZ'), entity_type, result, action, records)
             from runs order by at desc, id desc",
        );
        assert!(told.len() > 900, "{} runs", told.len());
        let shown: Vec<String> = rows(&all)
            .into_iter()
            .map(|row| {
                let records = row.records.replace(',', "");
                let parts = [
                    row.id,
                    row.day,
                    row.time,
                    row.entity_type,
                    row.status,
                    row.action,
                    records,
                ];
                parts.join("|")
            })
            .collect();
        assert_eq!(shown, told, "{now}");

        let told = told_by_postgres(
            &world,
            now,
            "select trim(to_char(day, 'FMDay FMDD FMMonth YYYY')) || ': ' || count(*) || ' runs'
                    || coalesce(', ' || nullif(count(*) filter (where result = 'failed'), 0) || ' failed', '')
                    || coalesce(', ' || nullif(count(*) filter (where result = 'unfinished'), 0) || ' unfinished', '')
             from runs group by day order by day desc",
        );
        let shown: Vec<String> = days(&all).into_iter().map(|day| day.heading).collect();
        assert_eq!(shown, told, "{now}");
        assert_eq!(shown.len(), 7);

        for (folder, column) in [("days", "day::text"), ("status", "result")] {
            let told = told_by_postgres(
                &world,
                now,
                &format!(
                    "select concat_ws('|', {column}, string_agg(id::text, ' ' order by at desc, id desc))
                     from (select id, at, day, case when result = 'paused' then 'other' else result end as result from runs) runs
                     where result <> 'completed' or '{folder}' = 'days' group by {column} order by {column}"
                ),
            );
            assert_eq!(listed_in(&world, folder), told, "{folder} at {now}");
        }
        let told = told_by_postgres(
            &world,
            now,
            "select string_agg(id::text, ' ' order by at desc, id desc) from runs
             group by entity_type order by max(at) desc",
        );
        for (stem, ids) in ["customers", "outlets", "products", "sales"]
            .iter()
            .zip(&told)
        {
            assert_eq!(
                &ids_on(&world.page(&format!("history/entities/{stem}.html"))),
                ids
            );
        }
        let whole = format!("{} runs since ", text_of_count(rows(&all).len()));
        assert!(text_of(&all).contains(&whole), "{whole}");
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

#[test]
fn both_databases_have_the_same_history() {
    let world = crate::rows::built_from_both(include_str!("golden/world.sql"));
    assert_eq!(rows(&world.page("history/index.html")).len(), 12);
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
        let shown: Vec<[String; 5]> = rows(&page)
            .into_iter()
            .map(|row| {
                [
                    row.started_at,
                    row.status,
                    row.action,
                    row.records.replace(',', ""),
                    row.error,
                ]
            })
            .collect();
        let told: Vec<[String; 5]> = table
            .iter()
            .map(|row| {
                let second = format!("{}Z", &row["started_at"][..19]);
                assert_eq!(
                    world_time(&row["started_at"]),
                    row["started_local"],
                    "{file}"
                );
                let cell = |name: &str| row[name].clone();
                [
                    second,
                    cell("status"),
                    cell("action"),
                    cell("records_processed"),
                    cell("error"),
                ]
            })
            .collect();
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
    let link =
        "<a href=\"../entities/sales.csv\" download=\"entities-sales-read-2026-11-22-1205.csv\">";
    assert!(page.contains(link), "{page}");
}

const FORMULAS: [&str; 18] = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " \u{a0}=1+1",
    "\u{200b}\u{2060}\u{feff}=1+1",
    "\u{7}=1+1",
    "\"=1+1",
    "\"\"=cmd|' /C calc'!A0",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "harmless;=1+1",
    "harmless\n=HYPERLINK(\"https://example.org\")\n\t@x; \"-1",
];

#[test]
fn no_cell_starts_a_formula_whatever_the_spreadsheet_takes_for_a_separator() {
    let everywhere = |text: &str| {
        let text = quoted(text);
        format!(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details)
             values ('2026-11-22T19:22:00Z', {text}, {text}, {text}, -5, {text});"
        )
    };
    let sql: String = FORMULAS.iter().map(|formula| everywhere(formula)).collect();
    for world in Sandbox::both() {
        let world = world.sql(&sql);
        world.build();
        let table = tables(&world).remove("history/runs.csv").unwrap();
        assert_eq!(table.len(), FORMULAS.len());
        for (file, cells) in cells_by_any_separator(&world) {
            for cell in cells {
                assert!(!starts_a_formula(&cell), "{file}: {cell:?}");
            }
        }
        for row in &table {
            for column in ["entity_type", "action", "status", "error"] {
                let cell = &row[column];
                assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
                let text = cell.replace('\'', "");
                let known = FORMULAS.iter().any(|formula| {
                    let bare = |text: &str| {
                        text.replace(['\'', '\u{fffd}', '\u{7}', '\u{feff}', '\r'], "")
                    };
                    bare(formula).trim() == bare(&text).trim()
                });
                assert!(known, "{column} can still be read: {text:?}");
            }
            assert_eq!(row["duration_seconds"], "'-5", "a minus is an operator");
        }
    }
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
        let (_, shown) = shown.split_once("<bdi").unwrap();
        let (_, shown) = shown.split_once('>').unwrap();
        let (shown, _) = shown.split_once('<').unwrap();
        assert_eq!(shown, row.status, "run {id}");
        row.status
    };
    let words: Vec<String> = (1..=8).map(|id| recorded_as(&id.to_string())).collect();
    assert_eq!(
        words,
        [
            "running",
            "unfinished",
            "stuck",
            "not closed",
            "paused",
            "pending",
            "never_synced",
            "completed"
        ]
    );
    let pages: Vec<String> = listed_in(&world, "status");
    assert_eq!(
        pages,
        [
            "never_synced|7",
            "not_closed|4",
            "other|5",
            "pending|6",
            "running|1",
            "stuck|3",
            "unfinished|2"
        ]
    );
}

#[test]
fn without_a_run_the_history_says_so() {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status) values
            ('2026-11-16T07:59:59Z', 'sales', 'incremental_sync', 'completed');",
    );
    world.build();
    let all = world.page("history/index.html");
    assert!(
        text_of(&all).contains("No run started in these 7 days."),
        "{all}"
    );
    assert!(
        !all.contains("<table") && !all.contains("Download"),
        "{all}"
    );
    let sales = world.page("history/entities/sales.html");
    assert!(text_of(&sales).contains("No run of Sales started in these 7 days."));
    let day = world.page("history/days/2026-11-16.html");
    assert!(text_of(&day).contains("No run started on this day."));
    assert!(tables(&world)["history/runs.csv"].is_empty());

    let begun = world.sql(
        "insert into sync_log (timestamp, entity_type, action, status) values
            ('2026-11-16T08:00:00Z', 'sales', 'incremental_sync', 'completed');",
    );
    begun.build();
    let all = begun.page("history/index.html");
    let said = "1 run since Monday 16 November 2026; it is listed.";
    assert!(
        text_of(&all).contains(said),
        "the first moment of the first day: {all}"
    );
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
    assert!(
        world
            .page("index.html")
            .contains(">History: All runs of the last 2 days<")
    );
    assert!(
        world
            .page("entities/sales.html")
            .contains("href=\"../history/entities/sales.html\"")
    );
    let one = world.file("syncmon.toml", "history_days = 1\n");
    one.build();
    assert!(
        one.page("index.html")
            .contains(">History: All runs of today<")
    );
}

#[test]
fn while_the_database_is_away_the_history_is_that_of_the_last_reading() {
    let world = Sandbox::sqlite().sql(include_str!("golden/world.sql"));
    world.build();
    let before = world.page("history/index.html");
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    assert_eq!(world.build_at("2026-11-23T20:25:00Z").code, 75);
    let after = world.page("history/index.html");
    let ids = |page: &str| ids_on(page);
    assert_eq!(ids(&after), ids(&before));
    assert!(after.contains("The database has not been readable since Monday 23 November, 12:25."));
    assert!(text_of(&after).contains("Read on Sunday 22 November 2026, 12:05 PST."));
    let shown: Vec<String> = days(&after).into_iter().map(|day| day.date).collect();
    assert_eq!(shown[0], "2026-11-22", "of later days nothing is known");

    let never = Sandbox::bare().with_url("sqlite:missing.sqlite");
    assert_eq!(never.build_at(NOW).code, 75);
    let page = never.page("history/index.html");
    assert!(text_of(&page).contains("Nothing is known: the database could not be read."));
    assert!(!page.contains("No run"), "nobody knows: {page}");
    let sales = never.page("history/entities/sales.html");
    assert!(text_of(&sales).contains("Nothing is known"), "{sales}");
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
    assert_eq!(
        all[0].heading,
        "days after Sunday 22 November 2026: 3 runs, 2 failed"
    );
    assert_eq!(all[1].heading, "Sunday 22 November 2026: 1 run");
    let later = world.page("history/days/later.html");
    assert_eq!(ids_on(&later), "4 3 2");
    assert!(
        later.contains("Thu 1 May 2031, 01:00:00 PDT"),
        "with the day: {later}"
    );
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
    let configured = [
        "customers",
        "outlets",
        "products",
        "sales",
        "sale_line_items",
        "inventory",
    ];
    let runs = configured.map(|entity| a_run_a_minute(entity, 900));
    let world = Sandbox::sqlite().sql(&runs.concat());
    world.build();
    world
}

#[test]
fn a_page_lists_five_thousand_runs_and_says_where_the_others_are() {
    let world = large();
    let all = world.page("history/index.html");
    assert_eq!(rows(&all).len(), 5000);
    let text = text_of(&all);
    assert!(
        text.contains(
            "5,400 runs since Monday 16 November 2026; the newest 5,000 of them are listed."
        ),
        "{all}"
    );
    assert!(text.contains("The other 400 are on the pages of the days and of the syncs."));
    assert_eq!(
        tables(&world)["history/runs.csv"].len(),
        5000,
        "the same rows"
    );
    let tallies: Vec<String> = days(&all).into_iter().map(|day| day.heading).collect();
    assert_eq!(tallies[0], "Sunday 22 November 2026: 4,350 runs");
    assert_eq!(
        tallies[1],
        "Saturday 21 November 2026: 1,050 runs; the newest 650 are listed"
    );
    assert!(all.contains("data-day=\"2026-11-21\" data-unlisted=\"400\""));
    assert_eq!(
        rows(&world.page("history/days/2026-11-21.html")).len(),
        1050
    );
    assert_eq!(rows(&world.page("history/entities/sales.html")).len(), 900);

    let world = world.sql(&a_run_a_minute("orders", 5100));
    world.build();
    let orders = world.page("history/entities/orders.html");
    assert_eq!(rows(&orders).len(), 5000);
    let known = "Of Orders only the newest 5,000 runs are known, since Thursday 19 November, 00:45; what ran before is not listed.";
    let text = text_of(&orders);
    assert!(
        text.contains(
            "At least 5,000 runs since Monday 16 November 2026; all that are known are listed."
        ),
        "{text}"
    );
    for (path, concerned) in [
        ("history/entities/orders.html", true),
        ("history/index.html", true),
        ("history/days/2026-11-18.html", true),
        ("history/days/2026-11-19.html", true),
        ("history/days/2026-11-20.html", false),
        ("history/entities/sales.html", false),
    ] {
        assert_eq!(
            text_of(&world.page(path)).contains(known),
            concerned,
            "{path}"
        );
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
    ];
    let (long, longer) = ("x".repeat(200), "two_words_".repeat(20));
    let rows = attacks
        .into_iter()
        .chain([long.as_str(), longer.as_str()])
        .map(|text| {
            let text = quoted(text);
            format!(
                "('2026-11-22T19:22:00Z', {text}, {text}, {text}, {text}),
                 ('2026-11-21T19:22:00Z', {text}, {text}, 'failed', {text})"
            )
        });
    let sql = format!(
        "insert into sync_log (timestamp, entity_type, action, status, error_details) values {}",
        rows.collect::<Vec<_>>().join(", ")
    );
    let world = Sandbox::sqlite().sql(&sql);
    world.build();
    let site = world.site();
    let pages: Vec<&String> = site
        .keys()
        .filter(|path| path.starts_with("history/") && is_page(path))
        .collect();
    assert_eq!(pages.len(), 1 + 7 + 2 + 6 + 11);
    for path in pages {
        let page = world.page(path);
        let lower = page.to_lowercase();
        let scripts = if path == "history/index.html" { 2 } else { 1 };
        assert_eq!(lower.matches("<script").count(), scripts, "{path}");
        for tag in ["<img", "<!--", "<b>", "style=", "onerror=alert(1)>"] {
            assert!(!lower.contains(tag), "{path} holds {tag}");
        }
        let misleads = |c: char| c == '\u{202e}' || (c.is_control() && c != '\n');
        assert!(!page.contains(misleads), "{path}");
        assert!(!page.contains("49"), "{path}: nothing is worked out");
        let folder = std::path::Path::new(path).parent().unwrap();
        for link in links(&page) {
            let mut target = folder.to_path_buf();
            for part in link.split('/') {
                if part == ".." {
                    assert!(target.pop(), "{path}: {link}");
                } else {
                    target.push(part);
                }
            }
            assert!(
                site.contains_key(target.to_str().unwrap()),
                "{path}: {link}"
            );
        }
    }
}

fn is_page(path: &str) -> bool {
    path.split('.').next_back() == Some("html")
}

#[test]
fn nginx_serves_tables_as_tables() {
    let world = Sandbox::sqlite().sql(include_str!("golden/world.sql"));
    world.build();
    let nginx = Nginx::serving(&world);
    let answer = nginx.get("/history/runs.csv");
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.body, world.site()["history/runs.csv"]);
    assert_eq!(nginx.request("GET", "/history/runs.csv", &[]).status, 401);
    assert_eq!(nginx.get("/history/nothing.csv").status, 404);
    assert_eq!(nginx.get("/history/").status, 200);
    assert_eq!(nginx.get("/history/days/").status, 404, "nothing is listed");
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
