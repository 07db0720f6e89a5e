//! What is written for other programs comes and goes with the site, as the configuration has it.

use crate::sandbox::Sandbox;
use crate::tools::WORLD;

const ALL: [&str; 7] = [
    "api/v2/components.json",
    "api/v2/incidents.json",
    "api/v2/status.json",
    "api/v2/summary.json",
    "badge.json",
    "badge.svg",
    "feed.xml",
];

/// Which of them are there.
fn written(world: &Sandbox) -> Vec<String> {
    let site = world.site().into_keys();
    site.filter(|path| ALL.contains(&path.as_str())).collect()
}

#[test]
fn all_are_on_and_each_can_be_switched_off() {
    let world = Sandbox::sqlite().sql(WORLD);
    world.build();
    assert_eq!(written(&world), ALL);
    assert!(world.page("index.html").contains("href=\"feed.xml\""));

    let world = world.file("syncmon.toml", "[outputs]\nfeed = false\n");
    world.build();
    assert_eq!(written(&world), ALL[..6]);
    assert!(!world.page("index.html").contains("feed.xml"));

    let world = world.file("syncmon.toml", "[outputs]\napi = false\n");
    world.build();
    assert_eq!(written(&world), ALL[4..]);

    let world = world.file("syncmon.toml", "[outputs]\nbadge = false\n");
    world.build();
    assert_eq!(written(&world), [&ALL[..4], &ALL[6..]].concat());
}

#[test]
fn an_output_that_there_is_not_is_refused() {
    let world = Sandbox::sqlite().file("syncmon.toml", "[outputs]\nfeeds = true\n");
    let ended = world.run(&["build"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("syncmon.toml, line 2, feeds"),
        "{}",
        ended.stderr
    );
}

/// The same database and the same moments give the same bytes, whatever the directory is called.
#[test]
fn they_are_the_same_in_every_build_of_the_same() {
    let built = || {
        let world = Sandbox::sqlite().sql(WORLD);
        world.build();
        world.build_at("2026-11-22T20:10:00Z");
        world.site()
    };
    assert!(built() == built());
}
