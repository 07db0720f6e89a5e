//! Many builds at once.

use std::process::{Child, Stdio};

use crate::campaign::Campaign;
use crate::folders::{build_into, files, names, world};
use crate::generations::{Generations, Place};
use crate::sandbox::NOW;

#[test]
fn two_to_twenty_builds_at_once_leave_one_whole_site() {
    for (place, name) in [
        (Place::Plain, "a directory"),
        (Place::MountPoint, "a mount point"),
    ] {
        let campaign = Campaign::named("crowds", &format!("2 to 20 builds at once, {name}"));
        let generations = Generations::new(place);
        for step in campaign.among(4, 2..=20) {
            let (number, crowd) = (step.number % 2, step.number + 2);
            generations.settle(1 - number);
            let all: Vec<Child> = (0..crowd)
                .map(|_| {
                    let mut build = generations.command(number);
                    build.stdout(Stdio::null()).stderr(Stdio::piped());
                    build.spawn().unwrap()
                })
                .collect();
            for build in all {
                let output = build.wait_with_output().unwrap();
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(0), "{said}");
                assert!(
                    said.is_empty() || said.contains("another build is at work on"),
                    "{said}"
                );
            }
            step.count("builds", crowd);
            generations.heals(number);
        }
        campaign.ends(&format!("{} builds", campaign.tally("builds")));
    }
}

/// Each output directory has a lock of its own; what they share is the state directory.
#[test]
fn builds_of_many_sites_with_one_state_directory_all_publish() {
    let world = world();
    let outs: Vec<String> = (0..8).map(|number| format!("site-{number}")).collect();
    let campaign = Campaign::named("crowds", "8 sites with one state directory");
    for step in campaign.steps(5, 50) {
        step.count("builds", outs.len());
        let builds: Vec<Child> = outs
            .iter()
            .map(|out| {
                let mut build = world.command(&build_into(out, NOW));
                build.stdout(Stdio::null()).stderr(Stdio::piped());
                build.spawn().unwrap()
            })
            .collect();
        for build in builds {
            let output = build.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
        }
    }
    let one = files(&world.path("site-0"));
    for out in &outs {
        assert_eq!(files(&world.path(out)), one, "{out}");
    }
    let kept = names(&world.path("state"));
    assert_eq!(kept.len(), 3, "a lock, a snapshot, the changes: {kept:?}");
    campaign.ends(&format!("{} builds", campaign.tally("builds")));
}
