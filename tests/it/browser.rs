//! The pages in a real Chromium, with the reader's clock moved on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{NOW, Sandbox};
use crate::web::Nginx;

/// Six syncs at [`NOW`]: two fresh ones, one of them with a run going on since 20:01; one late since
/// 19:05, one failing, one never synced.
const AGEING: &str = "
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
const WELL: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed) values
        ('2026-11-22T18:15:00Z', 'customers', 'incremental_sync', 'completed', 4.5, 1086),
        ('2026-11-22T19:55:00Z', 'outlets', 'incremental_sync', 'completed', 0, 1),
        ('2026-11-22T19:55:00Z', 'products', 'incremental_sync', 'completed', 0, 5005),
        ('2026-11-22T19:55:00Z', 'sales', 'incremental_sync', 'completed', 0, 212),
        ('2026-11-22T19:55:00Z', 'sale_line_items', 'extract_from_sales', 'completed', 0, 25785),
        ('2026-11-22T19:55:00Z', 'inventory', 'incremental_sync', 'completed', 0, 10738);
";

/// Ninety days before that: a run an hour, one in seven hundred failed.
const HISTORY: &str = "
    with recursive hours(back) as (select 3 union all select back + 1 from hours where back < 2160)
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
    select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T20:02:00Z', '-' || back || ' hours'), entity_type,
           'incremental_sync', case when (back * 37 + length(entity_type)) % 700 = 0 then 'failed' else 'completed' end, 12.5, 400
    from hours, (select distinct entity_type from sync_log);
";

/// Forty entities with names of 200 characters, some without a place to break a line, each with a
/// long error.
const CROWD: &str = "
    with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < 39)
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
    select '2026-11-22T19:22:00Z',
           substr(printf('a%02d%s', n, replace(printf('%.*c', 200, 'x'), 'x', case n % 2 when 0 then 'unbreakable' else 'two_words_' end)), 1, 200),
           printf('%.*c', 60, 'y'), case n % 3 when 0 then 'failed' else 'completed' end, n * 1000, n * 123456,
           'Error at https://example.org/' || printf('%.*c', 300, 'z')
    from numbers;
";

const TITLE: &str = "title = \"Craft Contemporary\"\n";

#[test]
fn the_page_goes_on_judging_as_the_program_would() {
    let world = || {
        let patient = format!("{TITLE}interval = \"12h\"\n");
        Sandbox::sqlite().sql(AGEING).file("syncmon.toml", &patient)
    };
    let site = world();
    site.build();
    let later: Vec<_> = [
        NOW,
        "2026-11-22T21:00:00Z",
        "2026-11-22T21:01:00.001Z",
        "2026-11-22T21:22:04.499Z",
        "2026-11-22T21:22:04.5Z",
        "2026-11-22T22:30:00Z",
        "2026-11-23T05:05:00Z",
        "2026-11-23T05:05:00.001Z",
        "2026-11-23T09:30:00Z",
        "2026-11-24T08:05:00Z",
    ]
    .into_iter()
    .map(|moment| {
        let later = world();
        later.build_at(moment);
        (moment, later)
    })
    .collect();
    let later: serde_json::Map<_, _> = later
        .iter()
        .map(|(moment, world)| ((*moment).to_owned(), url(world).into()))
        .collect();
    let later = serde_json::Value::Object(later).to_string();
    check("judging", &[&url(&site), &later]);
}

#[test]
fn nobody_is_told_green_by_an_old_page_or_a_wrong_clock() {
    let world = all_well();
    world.build();
    let nginx = Nginx::serving(&world);
    check("validity", &[&url(&world), &nginx.url()]);
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

/// They are in `target/screenshots` after every run; that nothing is wider than the screen is what
/// is tested here.
#[test]
fn pictures_are_taken_for_people_to_look_at() {
    let problems = Sandbox::bare().arg("--demo").file("syncmon.toml", TITLE);
    problems.build();
    let well = all_well().sql(HISTORY);
    well.build();
    let away = all_well().sql(HISTORY);
    away.build();
    std::fs::remove_file(away.path("sync.sqlite")).unwrap();
    away.build_at("2026-11-22T20:15:00Z");
    let never = Sandbox::sqlite().file("syncmon.toml", TITLE);
    never.build();
    let unread = Sandbox::bare()
        .with_url("sqlite:missing.sqlite")
        .file("syncmon.toml", TITLE);
    unread.build_at(NOW);
    let crowded = Sandbox::sqlite().sql(CROWD).file("syncmon.toml", TITLE);
    crowded.build();
    let crowded_page = crowded
        .site()
        .into_keys()
        .find(|name| name.starts_with("entities/a00"))
        .unwrap();

    let inventory = "entities/inventory.html";
    let pictures = serde_json::json!([
        {"name": "problems", "url": page(&problems, "index.html")},
        {"name": "problems-dark", "url": page(&problems, "index.html"), "scheme": "dark"},
        {"name": "problems-narrow", "url": page(&problems, "index.html"), "width": 320},
        {"name": "problems-print", "url": page(&problems, "index.html"), "media": "print", "width": 720},
        {"name": "problems-out-of-date", "url": page(&problems, "index.html"), "at": "2026-11-22T20:21:00Z"},
        {"name": "problems-wrong-clock", "url": page(&problems, "index.html"), "at": "2026-11-22T19:00:00Z"},
        {"name": "well", "url": page(&well, "index.html")},
        {"name": "well-dark", "url": page(&well, "index.html"), "scheme": "dark"},
        {"name": "well-narrow", "url": page(&well, "index.html"), "width": 375},
        {"name": "well-one-turned", "url": page(&well, "index.html"), "at": "2026-11-22T20:16:00Z"},
        {"name": "away", "url": page(&away, "index.html"), "at": "2026-11-22T20:15:00Z"},
        {"name": "away-out-of-date", "url": page(&away, "index.html"), "at": "2026-11-22T20:30:00Z"},
        {"name": "never-synced", "url": page(&never, "index.html")},
        {"name": "never-read", "url": page(&unread, "index.html")},
        {"name": "never-read-narrow-dark", "url": page(&unread, "index.html"), "width": 320, "scheme": "dark"},
        {"name": "entity", "url": page(&problems, inventory)},
        {"name": "entity-dark", "url": page(&problems, inventory), "scheme": "dark"},
        {"name": "entity-narrow", "url": page(&problems, inventory), "width": 320, "height": 1600},
        {"name": "entity-print", "url": page(&problems, inventory), "media": "print", "width": 720},
        {"name": "entity-out-of-date", "url": page(&problems, inventory), "at": "2026-11-22T20:21:00Z"},
        {"name": "crowded", "url": page(&crowded, "index.html"), "height": 1600},
        {"name": "crowded-narrow", "url": page(&crowded, "index.html"), "width": 320, "height": 1600},
        {"name": "crowded-entity-narrow", "url": page(&crowded, &crowded_page), "width": 320, "height": 1600},
    ]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    check(
        "pictures",
        &[&folder.display().to_string(), &pictures.to_string()],
    );
    let taken = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(taken, pictures.as_array().unwrap().len());
}

fn page(world: &Sandbox, name: &str) -> String {
    format!("{}{name}", url(world))
}

fn all_well() -> Sandbox {
    Sandbox::sqlite().sql(WELL).file("syncmon.toml", TITLE)
}

/// The site of a sandbox as a browser opens it from the disk.
fn url(world: &Sandbox) -> String {
    format!("file://{}/", world.path("site").display())
}

/// The folder with playwright-core: what ./tests/run says, else where it or `npm ci` puts it.
fn node_modules() -> PathBuf {
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

fn browser_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Runs `tests/browser/<check>.mjs` and insists that it finds nothing wrong.
fn check(name: &str, arguments: &[&str]) {
    let output = Command::new("node")
        .arg(browser_folder().join(format!("{name}.mjs")))
        .args(arguments)
        .env("SYNCMON_TEST_NODE_MODULES", node_modules())
        .output()
        .expect("node is missing; ./tests/run installs it");
    assert!(
        output.status.success(),
        "{name}.mjs: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
