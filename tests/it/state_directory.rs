//! The state directory: several builds with one, files that others left there, links that lead out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::Value;

use crate::folders::{LATER, build_into, names};
use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{end_of, shell, spawned};

/// A database that was read once, and can be moved away.
fn world() -> Sandbox {
    let world = crate::folders::world();
    world.build();
    world
}

fn away(world: &Sandbox) {
    fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
}

fn back(world: &Sandbox) {
    fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
}

/// The one state file of this kind.
fn kept(world: &Sandbox, kind: &str) -> PathBuf {
    let names = names(&world.path("state")).into_iter();
    let mut ours = names.filter(|name| name.starts_with(&format!("{kind}.")));
    let name = ours.find(|name| name.contains(".json"));
    world.path("state").join(name.expect("it is kept"))
}

/// The one line of a build is the message of this title.
fn says(world: &Sandbox, title: &str, ended: &Ended) {
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let directory = world.root().display().to_string();
    let snapshot = kept(world, "snapshot");
    let name = snapshot.file_name().unwrap().to_string_lossy();
    let told = ended.stderr.replace(&directory, "DIR");
    golden::message(
        &format!("state: {title}"),
        &told.replace(&*name, "snapshot.NAME.json"),
    );
}

/// The same file with the fingerprint that fits its content.
fn forged(text: &str) -> String {
    let (head, rest) = text.split_once("\"fingerprint\":").unwrap();
    let (_, content) = rest.split_once(",\"content\":").unwrap();
    let fingerprint = syncmon::text::fingerprint(&content[..content.len() - 1]);
    format!("{head}\"fingerprint\":{fingerprint},\"content\":{content}")
}

// ---- several builds ----

#[test]
fn twenty_builds_share_one_state_directory() {
    // The demos come one after the other, however busy the machine is.
    for (crowd, more) in [(20, &[][..]), (3, &["--demo"])] {
        let world = world().file("syncmon.toml", "build_timeout = \"10min\"\n");
        let outs: Vec<String> = (0..crowd).map(|number| format!("site-{number}")).collect();
        let build = |out| world.command(&[&build_into(out, NOW)[..], more].concat());
        let builds: Vec<_> = outs.iter().map(|out| spawned(&mut build(out))).collect();
        for build in builds {
            let ended = end_of(build);
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        }
        let page = |out: &String| fs::read(world.path(out).join("index.html")).unwrap();
        assert!(outs.iter().all(|out| page(out) == page(&outs[0])));
        let kept = names(&world.path("state"));
        assert!(!kept.iter().any(|name| name.contains(".new")), "{kept:?}");
        away(&world);
        assert_eq!(world.build_at(LATER).code, 75);
        assert_eq!(world.status()["as_of"], NOW, "what they kept is whole");
    }
}

#[test]
fn a_lock_that_a_dead_process_left_behind_locks_nobody_out() {
    let world = world().file("state/lock", "4242");
    assert_eq!(world.build_at(LATER).stderr, "");
}

#[test]
fn a_lock_that_is_held_for_ever_delays_the_page_but_does_not_stop_it() {
    let world = world();
    let lock = fs::File::open(world.path("state/lock")).unwrap();
    lock.lock().unwrap();
    let ended = world.build_at(LATER);
    assert_eq!(ended.code, 1, "{ended:?}");
    says(&world, "locked by another process", &ended);
    assert_eq!(world.status()["generated_at"], LATER);
    drop(lock);
    assert_eq!(world.build_at(LATER).code, 0);
}

// ---- what lies there ----

/// What it is called, and what it makes of a file of ours.
type Damage<'a> = (&'a str, &'a dyn Fn(&str) -> Vec<u8>);

#[test]
fn what_cannot_be_used_of_an_earlier_build_is_said_and_replaced() {
    let far = "+262000-01-01T00:00:00Z";
    let damages: [Damage; 7] = [
        ("cut off", &|own| own[..own.len() / 2].into()),
        ("zeroed", &|own| vec![0; own.len()]),
        ("garbage", &|_| (0..=255).cycle().take(5000).collect()),
        ("from a newer version", &|own| {
            own.replace("\"format\":4", "\"format\":9999").into()
        }),
        ("of another database", &|own| {
            own.replace("sqlite ", "sqlite /x").into()
        }),
        ("beyond the calendar", &|own| {
            forged(&own.replace("2026-11-22T20:05:00Z", far)).into()
        }),
        ("one digit is another", &|own| {
            own.replace("2026-11-22T20:05", "2026-11-22T20:06").into()
        }),
    ];
    let world = world();
    let snapshot = kept(&world, "snapshot");
    for (title, damage) in damages {
        let own = fs::read_to_string(&snapshot).unwrap();
        let bytes = damage(&own);
        assert_ne!(bytes, own.as_bytes(), "{title}");
        fs::write(&snapshot, bytes).unwrap();
        away(&world);
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 75, "{title}: {ended:?}");
        says(&world, title, &ended);
        assert_eq!(world.status()["as_of"], Value::Null, "{title}");
        let page = world.page("index.html");
        assert!(page.contains("there is nothing to show yet"), "{page}");

        back(&world);
        world.build();
        away(&world);
        assert_eq!(world.build_at(LATER).code, 75);
        let healed = world.status()["as_of"].take();
        assert_eq!(healed, NOW, "{title}: not healed by the next good build");
        back(&world);
        world.build();
    }
}

#[test]
fn what_is_no_file_is_not_read() {
    for plant in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
        let world = world();
        let snapshot = kept(&world, "snapshot");
        fs::remove_file(&snapshot).unwrap();
        shell(&world, &format!("{plant} {}", snapshot.display()));
        away(&world);
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 75, "{plant}: {ended:?}");
        says(&world, "no file", &ended);
    }
}

#[test]
fn links_planted_in_the_state_directory_are_not_followed() {
    let world = world().file("canary", "alive");
    let [snapshot, changes] = ["snapshot", "changes"].map(|kind| kept(&world, kind));
    let outage = snapshot.display().to_string();
    let outage = PathBuf::from(outage.replace("snapshot.", "outage."));
    let new = |path: &PathBuf| path.with_extension("json.new");
    let demo = |kind: &str| world.path(&format!("state/demo.sqlite{kind}"));
    let plants = [
        [new(&snapshot), new(&changes), new(&outage)],
        [snapshot, changes, outage],
        ["", "-journal", "-wal"].map(demo),
    ];
    for (plants, demo) in plants.iter().zip([false, false, true]) {
        for target in ["canary", "not-yet-there"] {
            for plant in plants {
                let _ = fs::remove_file(plant);
                symlink(world.path(target), plant).unwrap();
            }
            if demo {
                world.succeeds(&[&build_into("demo", NOW)[..], &["--demo"]].concat());
            } else {
                world.build();
                away(&world);
                assert_eq!(world.build_at(LATER).code, 75);
                back(&world);
                world.build();
            }
            let canary = fs::read_to_string(world.path("canary")).unwrap();
            assert_eq!(canary, "alive", "{plants:?}");
            assert!(!world.path("not-yet-there").exists(), "{plants:?}");
        }
    }
    let lock = world.path("state/lock");
    fs::remove_file(&lock).unwrap();
    symlink(world.path("not-yet-there"), &lock).unwrap();
    let ended = world.build_at(LATER);
    assert_eq!(ended.code, 1, "{ended:?}");
    says(&world, "a link where the lock belongs", &ended);
    assert!(!world.path("not-yet-there").exists());
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let world = world().file("in-the-way", "a file");
    let before = world.site();
    let mut build = build_into("site", LATER);
    build[4] = "in-the-way/state";
    let ended = world.run(&build);
    assert_eq!(ended.code, 1, "{ended:?}");
    says(&world, "cannot be made", &ended);
    assert_eq!(world.site(), before);
}
