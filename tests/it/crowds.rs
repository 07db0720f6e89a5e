//! Many builds at once.

use std::fs;
use std::process::{Child, Stdio};

use crate::figures;
use crate::folders::{LATER, build_into, files, names, tree, world};
use crate::generations::{Generations, Place};
use crate::golden;
use crate::sandbox::{NOW, campaign};

#[test]
fn a_second_build_at_the_same_time_leaves_it_to_the_first() {
    let world = world();
    world.build();
    let before = tree(world.root());
    let lock = fs::File::open(world.path(".site.syncmon/lock")).unwrap();
    lock.lock().unwrap();
    let second = world.build_at(LATER);
    assert_eq!((second.code, second.stdout.as_str()), (0, ""));
    golden::message("another build is at work", &second.stderr);
    assert_eq!(tree(world.root()), before);
    drop(lock);
    world.build_at(LATER);
    assert_ne!(tree(world.root()), before);
}

#[test]
fn two_to_twenty_builds_at_once_leave_one_whole_site() {
    for place in [Place::Plain, Place::MountPoint] {
        let generations = Generations::new(place);
        let mut builds = 0;
        for (round, crowd) in (2..=20).step_by(campaign(6, 1)).enumerate() {
            let number = round % 2;
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
            builds += crowd;
            generations.heals(number);
        }
        figures::report(&format!(
            "2 to 20 builds at once, {place:?}: {builds} builds, 0 violations"
        ));
    }
}

/// Each output directory has a lock of its own; what they share is the state directory.
#[test]
fn builds_of_many_sites_with_one_state_directory_all_publish() {
    let world = world();
    let outs: Vec<String> = (0..8).map(|number| format!("site-{number}")).collect();
    for _ in 0..campaign(5, 50) {
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
}
