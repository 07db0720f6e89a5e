//! The first thing a new user does.

use crate::sandbox::{NOW, Sandbox};

#[test]
fn the_demo_builds_a_site_that_says_it_is_a_demo() {
    let sandbox = Sandbox::bare().arg("--demo");
    let ended = sandbox.build();
    assert!(
        ended.stdout.contains("Inventory        Failing"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.ends_with("Open site/index.html\n"),
        "{}",
        ended.stdout
    );
    for page in ["index.html", "entities/sales.html"] {
        assert!(
            sandbox
                .page(page)
                .contains("Demo: all data on this page is invented"),
            "{page}"
        );
    }
    assert_eq!(sandbox.status()["entities"].as_array().unwrap().len(), 6);
}

#[test]
fn the_same_moment_gives_the_same_bytes() {
    let first = Sandbox::bare().arg("--demo");
    first.build();
    let second = Sandbox::bare().arg("--demo");
    second.build();
    assert_eq!(first.site(), second.site());
}

#[test]
fn both_databases_are_read() {
    for sandbox in Sandbox::both() {
        let sandbox = sandbox.sql(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
             values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086)",
        );
        let ended = sandbox.build_at(NOW);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(sandbox.verdict("sales"), "green fresh");
        assert_eq!(sandbox.verdict("outlets"), "red never_synced");
        assert_eq!(
            sandbox.entity("sales")["last_success_at"],
            "2026-11-22T19:22:04.500Z"
        );
    }
}

#[test]
fn moments_are_told_to_the_microsecond_and_no_finer() {
    let sandbox = Sandbox::sqlite();
    assert_eq!(sandbox.build_now().code, 0);
    let generated_at = sandbox.status()["generated_at"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        generated_at.len() <= "2026-11-22T20:05:00.123456Z".len(),
        "{generated_at}"
    );
}
