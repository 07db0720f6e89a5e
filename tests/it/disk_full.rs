//! Disks that are too small, at every size up to the one that is just enough.

use std::fs;

use crate::campaign::Campaign;
use crate::folders::assert_one_line;
use crate::generations::{Found, Generations, Place};

/// More than two sites need.
const ROOMY: &str = "size=8m,nr_inodes=2000";

#[test]
fn at_every_size_of_a_disk_the_site_is_the_old_one_or_the_new_one() {
    grown_in_both(&Campaign::named("disks", "sizes"), (7, 1), 4096, "size");
}

#[test]
fn at_every_number_of_inodes_the_site_is_the_old_one_or_the_new_one() {
    grown_in_both(&Campaign::named("disks", "inodes"), (5, 1), 1, "nr_inodes");
}

fn grown_in_both(campaign: &Campaign, (sampled, whole): (usize, usize), unit: usize, option: &str) {
    let by = unit * campaign.size(sampled, whole);
    let places = [
        ("a directory", Place::OwnDisk),
        ("a mounted site", Place::MountPoint),
    ];
    for step in campaign.among(2, places.map(|(name, _)| name)) {
        let (name, place) = places[step.number];
        step.count(name, grown(place, by, option));
    }
    let sizes = places.map(|(name, _)| format!("{} of {name}", campaign.tally(name)));
    campaign.ends(&sizes.join(", "));
}

/// Lets the disk grow by `step` from what the old site takes until the new one is published. Returns
/// in how many steps.
fn grown(place: Place, step: usize, option: &str) -> usize {
    let generations = Generations::new(place);
    let disk = match place {
        Place::OwnDisk => "disk",
        Place::MountPoint => "site",
        Place::Plain | Place::StateElsewhere | Place::Bind => unreachable!("no disk of its own"),
    };
    let resize = |size: &str| {
        let options = format!("remount,{size}");
        generations
            .run_beside("mount", &["-o", &options, disk])
            .code
            == 0
    };
    let mut steps = 0;
    for number in 1.. {
        assert!(resize(ROOMY));
        generations.settle(0);
        // The old tree would make room for the new one.
        let _ = fs::remove_dir_all(generations.seen(".site.syncmon/site"));
        let size = number * step;
        assert!(size < 4_000_000, "it never fits");
        if !resize(&format!("{option}={size}")) {
            continue;
        }
        steps += 1;
        let built = generations.build(1);
        match (built.code, generations.found()) {
            (0, Found::Whole(1)) => break,
            (1, Found::Whole(_)) => assert_one_line(&built, "No space left on device"),
            found => panic!("{option}={size}: {found:?}: {built:?}"),
        }
    }
    assert!(steps > 2, "only {steps} steps");
    assert!(resize(ROOMY));
    generations.heals(0);
    steps
}
