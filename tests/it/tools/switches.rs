//! What is written for other programs comes and goes with the site, as the configuration has it.

use crate::golden::Told;
use crate::sandbox::Sandbox;
use crate::tools::WORLD;

const ALL: &str = "api/v2/components.json api/v2/incidents.json api/v2/status.json api/v2/summary.json badge.json \
                   badge.svg feed.xml";

/// Which of them are there.
fn written(world: &Sandbox) -> String {
    let mut site: Vec<String> = world.site().into_keys().collect();
    site.retain(|path| ALL.split(' ').any(|one| one == path));
    site.join(" ")
}

#[test]
fn all_are_on_and_each_can_be_switched_off() {
    let world = Sandbox::sqlite().sql(WORLD);
    world.build();
    assert_eq!(written(&world), ALL);
    world.page("index.html").has("href=\"feed.xml\"");

    let mut world = world;
    for switch in ["api", "badge", "feed"] {
        world = world.file("syncmon.toml", &format!("[outputs]\n{switch} = false\n"));
        world.build();
        let left = ALL.split(' ').filter(|path| !path.starts_with(switch));
        let left = left.collect::<Vec<_>>().join(" ");
        assert_eq!(written(&world), left, "without {switch}");
    }
    world.page("index.html").lacks("feed.xml");
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
