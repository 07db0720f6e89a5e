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
