//! The first thing a new user does.

use crate::sandbox::Sandbox;

#[test]
fn the_demo_builds_a_site_that_says_it_is_a_demo() {
    let sandbox = Sandbox::bare().arg("--demo");
    let ended = sandbox.build();
    let told = ended.stdout;
    assert!(told.contains("Inventory        Failing"), "{told}");
    assert!(told.ends_with("Open site/index.html\n"), "{told}");
    for page in ["index.html", "entities/sales.html"] {
        let text = sandbox.page(page);
        let demo = text.contains("Demo: all data on this page is invented");
        assert!(demo, "{page}");
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
fn moments_are_told_to_the_microsecond_and_no_finer() {
    let sandbox = Sandbox::sqlite();
    assert_eq!(sandbox.build_now().code, 0);
    let generated_at = sandbox.status()["generated_at"].to_string();
    let longest = "\"2026-11-22T20:05:00.123456Z\"".len();
    assert!(generated_at.len() <= longest, "{generated_at}");
}
