//! The pages in a real Chromium and a real Firefox, with the reader's clock moved on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::{NOW, Sandbox};
use crate::web::Nginx;

/// Six syncs at [`NOW`]: two fresh ones, one of them with a run going on since 20:01; one late since
/// 19:05, one failing, one never synced.
pub const AGEING: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details) values
        ('2026-11-22T19:22:00Z', 'customers', 'incremental_sync', 'completed', 4.5, 1086, null),
        ('2026-11-22T20:00:00Z', 'outlets', 'incremental_sync', 'completed', 0, 1, null),
        ('2026-11-22T18:00:00Z', 'products', 'incremental_sync', 'completed', 26, 5005, null),
        ('2026-11-22T20:00:00Z', 'products', 'incremental_sync', 'failed', 0.2, 0, '429 Client Error: Too Many Requests'),
        ('2026-11-22T19:55:00Z', 'sales', 'incremental_sync', 'completed', 0, 212, null),
        ('2026-11-22T20:01:00Z', 'sales', 'incremental_sync', 'started', null, 0, null),
        ('2026-11-22T17:05:00Z', 'sale_line_items', 'extract_from_sales', 'completed', 0, 25785, null);
";

/// All six synced at 19:55 but for the customers, who did at 18:15:04.5.
pub const WELL: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed) values
        ('2026-11-22T18:15:00Z', 'customers', 'incremental_sync', 'completed', 4.5, 1086),
        ('2026-11-22T19:55:00Z', 'outlets', 'incremental_sync', 'completed', 0, 1),
        ('2026-11-22T19:55:00Z', 'products', 'incremental_sync', 'completed', 0, 5005),
        ('2026-11-22T19:55:00Z', 'sales', 'incremental_sync', 'completed', 0, 212),
        ('2026-11-22T19:55:00Z', 'sale_line_items', 'extract_from_sales', 'completed', 0, 25785),
        ('2026-11-22T19:55:00Z', 'inventory', 'incremental_sync', 'completed', 0, 10738);
";

/// Ninety days before that: a run an hour, one in seven hundred failed.
pub const HISTORY: &str = "
    with recursive hours(back) as (select 3 union all select back + 1 from hours where back < 2160)
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
    select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T20:02:00Z', '-' || back || ' hours'), entity_type, 'incremental_sync',
           iif(failed, 'failed', 'completed'), 12.5 + back % 7, 400 + back % 90, iif(failed, '429 Client Error: Too Many Requests', null)
    from (select *, (back * 37 + length(entity_type)) % 700 = 0 as failed
          from hours, (select distinct entity_type from sync_log));
";

/// The newest run of the sales failed with a message of 42 lines, as long as one is kept.
const TRACEBACK: &str = "
    with recursive steps(number) as (select 1 union all select number + 1 from steps where number < 40)
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
    select '2026-11-22T20:03:00Z', 'sales', 'incremental_sync', 'failed', 1.5, 0, 'Traceback (most recent call last):'
           || group_concat(char(10) || '  File \"/opt/sync/sales.py\", line ' || number || ', in step_' || number, '')
           || char(10) || 'HTTPError: 503 Server Error'
    from steps;
";

pub const TITLE: &str = "title = \"Craft Contemporary\"\n";

#[test]
fn the_page_goes_on_judging() {
    let site = patient("").sql(AGEING);
    site.build();
    check("judging", &[&url(&site)]);
}

#[test]
fn script_and_program_agree_on_every_part_of_the_page() {
    let world = patient("").sql(AGEING).sql(HISTORY);
    let moments = [
        NOW,
        "2026-11-22T21:00:00Z",
        "2026-11-22T21:01:00.001Z",
        "2026-11-22T21:22:04.499Z",
        "2026-11-22T21:22:04.5Z",
        "2026-11-22T21:22:04.501Z",
        "2026-11-22T22:30:00Z",
        "2026-11-23T05:05:00Z",
        "2026-11-23T05:05:00.001Z",
        "2026-11-23T07:59:59.999Z",
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00.001Z",
        "2026-11-23T09:30:00Z",
        "2026-11-24T07:59:59.999Z",
        "2026-11-24T08:00:00Z",
    ];
    let sites = built_at(&world, &moments);
    let pages = [
        "index",
        "entities/customers",
        "entities/sales",
        "entities/sale_line_items",
        "entities/products",
        "entities/inventory",
    ];
    let world = serde_json::json!({"pages": pages, "sites": sites, "opened": true});
    check("agreeing", &[&serde_json::json!([world]).to_string()]);
}

/// Los Angeles changes its clocks by an hour, Lord Howe by half of one.
#[test]
fn script_and_program_agree_across_the_nights_on_which_clocks_change() {
    let (los_angeles, lord_howe) = ("America/Los_Angeles", "Australia/Lord_Howe");
    let nights = [
        // A day of 23 hours, on which 02:00 is 03:00, and one of 25, on which 02:00 is 01:00.
        (los_angeles, "2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
        (los_angeles, "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),
        // Days of 24 and a half and 23 and a half hours.
        (lord_howe, "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"),
        (lord_howe, "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"),
    ];
    let worlds = nights.map(|(zone, midnight, next)| night(zone, midnight, next));
    let described: Vec<_> = worlds
        .iter()
        .zip([
            &["index", "entities/sales"][..],
            &["index"],
            &["entities/sales"],
            &["index"],
        ])
        .map(|((_, sites), pages)| serde_json::json!({"pages": pages, "sites": sites}))
        .collect();
    check(
        "agreeing",
        &[&serde_json::Value::from(described).to_string()],
    );
}

/// A world written an hour before `midnight`, and its sites just before, at and just after each turn of
/// the days and of its four entities: sales get late half an hour after midnight, customers at midnight;
/// outlets are overdue at the midnight after it; a run of the inventory gets stuck before midnight.
fn night(zone: &str, midnight: &str, next: &str) -> (Sandbox, serde_json::Value) {
    let [midnight, next] = [midnight, next].map(|at| at.parse::<DateTime<Utc>>().unwrap());
    let (hours, minutes) = (TimeDelta::hours, TimeDelta::minutes);
    let written = midnight - hours(1);
    let world = patient(&format!(
        "time_zone = \"{zone}\"
         entities = [
            {{ entity_type = \"sales\" }}, {{ entity_type = \"customers\" }}, {{ entity_type = \"inventory\" }},
            {{ entity_type = \"outlets\", overdue_after = \"{}min\" }},
         ]",
        (next - written).num_minutes()
    ));
    for (entity, status, started) in [
        ("sales", "completed", midnight - minutes(90)),
        ("customers", "completed", midnight - hours(2)),
        ("outlets", "completed", written),
        ("inventory", "completed", written - minutes(20)),
        ("inventory", "started", written - minutes(10)),
    ] {
        world.execute(&format!(
            "insert into sync_log (timestamp, entity_type, action, status) values ('{}', '{entity}', 'incremental_sync', '{status}')",
            started.to_rfc3339()
        ));
    }
    let millisecond = TimeDelta::milliseconds(1);
    let mut moments = vec![written];
    for turn in [
        midnight - minutes(10),
        midnight,
        midnight + minutes(30),
        midnight + hours(2),
        midnight + hours(10),
        midnight + minutes(10 * 60 + 30),
        next,
        next + hours(24),
    ] {
        moments.extend([turn - millisecond, turn, turn + millisecond]);
    }
    moments.sort();
    let moments = moments
        .iter()
        .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let sites = built_at(&world, &moments.collect::<Vec<_>>());
    (world, sites)
}

/// The same rows built at each moment, each site in a folder of its own: their addresses by moment.
pub fn built_at(world: &Sandbox, moments: &[impl AsRef<str>]) -> serde_json::Value {
    let sites = moments
        .iter()
        .map(AsRef::as_ref)
        .enumerate()
        .map(|(number, moment)| {
            let out = format!("{number}/site");
            std::fs::create_dir(world.path(&number.to_string())).unwrap();
            world.succeeds(&[
                "build",
                "-q",
                "--out",
                &out,
                "--state-dir",
                "state",
                "--now",
                moment,
            ]);
            let address = format!("file://{}/", world.path(&out).display());
            (moment.to_owned(), address.into())
        });
    serde_json::Value::Object(sites.collect())
}

/// A site that may be believed for a long time.
fn patient(settings: &str) -> Sandbox {
    let settings = format!("{TITLE}interval = \"24h\"\n{settings}");
    Sandbox::sqlite().file("syncmon.toml", &settings)
}

#[test]
fn nobody_is_told_green_by_an_old_page_or_a_wrong_clock() {
    let world = all_well();
    world.build();
    let nginx = Nginx::with_its_own_clock(&world);
    let clock = nginx.clock().display().to_string();
    let evening = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status)
         values ('2026-11-23T07:35:00Z', 'sales', 'incremental_sync', 'completed')",
    );
    evening.build_at("2026-11-23T07:40:00Z");
    check(
        "validity",
        &[&url(&world), &nginx.url(), &clock, &url(&evening)],
    );

    // The program says the same of a night in which it could not read.
    std::fs::remove_file(evening.path("sync.sqlite")).unwrap();
    for (moment, days) in [
        ("2026-11-23T07:59:00Z", "--g"),
        ("2026-11-23T08:30:00Z", "-g-"),
        ("2026-11-23T09:35:00Z", "-gy"),
    ] {
        assert_eq!(evening.build_at(moment).code, 75);
        let page = evening.page("entities/sales.html");
        let (_, drawn) = page.split_once("data-days=\"").unwrap();
        assert_eq!(&drawn[87..90], days, "{moment}");
    }
}

#[test]
fn every_page_can_be_read_from_the_disk_and_from_the_web_with_and_without_its_script() {
    let world = Sandbox::sqlite().sql(AGEING).file("syncmon.toml", TITLE);
    world.build();
    let nginx = Nginx::serving(&world);
    check("reading", &[&url(&world), &nginx.url()]);
}

#[test]
fn the_page_of_an_unreadable_database_goes_on_judging() {
    let world = all_well();
    world.build();
    std::fs::remove_file(world.path("sync.sqlite")).unwrap();
    assert_eq!(world.build_at("2026-11-22T20:15:00Z").code, 75);
    check("away", &[&url(&world)]);
}

#[test]
fn on_paper_nothing_is_cut_off() {
    let world = all_well().sql(TRACEBACK);
    world.build();
    let pages = serde_json::json!(["index.html", "entities/sales.html", "history/index.html"]);
    check("print", &[&url(&world), &pages.to_string()]);
}

fn all_well() -> Sandbox {
    Sandbox::sqlite().sql(WELL).file("syncmon.toml", TITLE)
}

/// The site of a sandbox as a browser opens it from the disk.
pub fn url(world: &Sandbox) -> String {
    format!("file://{}/", world.path("site").display())
}

/// The folder with playwright-core: what ./tests/run says, else where it or `npm ci` puts it.
pub fn node_modules() -> PathBuf {
    if let Some(given) = std::env::var_os("SYNCMON_TEST_NODE_MODULES") {
        return given.into();
    }
    let in_target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("npm")
        .join("node_modules");
    if in_target.exists() {
        return in_target;
    }
    browser_folder().join("node_modules")
}

pub fn browser_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Runs `tests/browser/<check>.mjs`, insists that it finds nothing wrong, and returns what it says.
pub fn check(name: &str, arguments: &[&str]) -> String {
    let output = carried_out(name, arguments);
    assert!(
        output.status.success(),
        "{name}.mjs: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The same, whatever it finds.
pub fn carried_out(name: &str, arguments: &[&str]) -> Output {
    Command::new("node")
        .arg(browser_folder().join(format!("{name}.mjs")))
        .args(arguments)
        .env("SYNCMON_TEST_NODE_MODULES", node_modules())
        .output()
        .expect("node is missing; ./tests/run installs it")
}
