//! The state directory: several builds with one, files that others left there, links that lead out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox};

const LATER: &str = "2026-11-22T20:10:00Z";

/// A database that was read once, and can be moved away.
fn world() -> Sandbox {
    let world = Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5)",
    );
    world.build();
    world
}

fn away(world: &Sandbox) {
    fs::rename(world.path("sync.sqlite"), world.path("elsewhere")).unwrap();
}

/// The one state file of this kind.
fn kept(world: &Sandbox, kind: &str) -> PathBuf {
    let entries = fs::read_dir(world.path("state")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(&format!("{kind}.")) && name.ends_with(".json")
        })
        .unwrap_or_else(|| panic!("no {kind} is kept"))
}

fn names(world: &Sandbox) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(world.path("state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn start(world: &Sandbox, out: &str, more: &[&str]) -> Child {
    let mut arguments = vec!["build", "--out", out, "--state-dir", "state", "--now", NOW];
    arguments.extend(more);
    world
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn told(world: &Sandbox, ended: &Ended) -> String {
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let directory = world.root().display().to_string();
    let told = ended.stderr.trim_end().replace(&directory, "DIR");
    let snapshot = kept(world, "snapshot");
    let name = snapshot.file_name().unwrap().to_string_lossy();
    told.replace(&*name, "snapshot.NAME.json")
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
    for more in [[].as_slice(), &["--demo"]] {
        // The demos come one after the other, however busy the machine is.
        let world = world().file("syncmon.toml", "build_timeout = \"10min\"\n");
        let builds: Vec<_> = (0..20)
            .map(|number| start(&world, &format!("site-{number}"), more))
            .collect();
        for build in builds {
            let output = build.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), &*told), (Some(0), ""));
        }
        let page = |number| fs::read(world.path(&format!("site-{number}/index.html"))).unwrap();
        assert!((1..20).all(|number| page(number) == page(0)));
        assert!(!names(&world).iter().any(|name| name.contains(".new")));
        away(&world);
        assert_eq!(world.build_at(LATER).code, 75);
        assert_eq!(world.status()["as_of"], NOW, "what they kept is whole");
    }
}

#[test]
fn a_lock_that_a_dead_process_left_behind_locks_nobody_out() {
    let world = world();
    fs::write(world.path("state/lock"), "4242").unwrap();
    assert_eq!(world.build_at(LATER).stderr, "");
}

#[test]
fn a_lock_that_is_held_for_ever_delays_the_page_but_does_not_stop_it() {
    let world = world();
    let lock = fs::File::open(world.path("state/lock")).unwrap();
    lock.lock().unwrap();
    let ended = world.build_at(LATER);
    assert_eq!(ended.code, 1, "{ended:?}");
    golden::section(
        "messages.txt",
        "state: locked by another process",
        &told(&world, &ended),
    );
    assert_eq!(world.status()["generated_at"], LATER);
    drop(lock);
    assert_eq!(world.build_at(LATER).code, 0);
}

// ---- what lies there ----

#[test]
fn what_cannot_be_used_of_an_earlier_build_is_said_and_replaced() {
    let whole = {
        let world = world();
        fs::read_to_string(kept(&world, "snapshot")).unwrap()
    };
    let future = whole.replace("2026-11-22T20:05:00Z", "+262000-01-01T00:00:00Z");
    let damages: [(&str, Vec<u8>); 7] = [
        (
            "state: cut off",
            whole.as_bytes()[..whole.len() / 2].to_vec(),
        ),
        ("state: zeroed", vec![0; whole.len()]),
        ("state: garbage", (0..=255).cycle().take(5000).collect()),
        (
            "state: from a newer version",
            whole
                .replace("\"format\":4", "\"format\":9999")
                .into_bytes(),
        ),
        (
            "state: of another database",
            whole.replace("sqlite ", "sqlite /x").into_bytes(),
        ),
        ("state: beyond the calendar", future.into_bytes()),
        ("state: one digit is another", Vec::new()),
    ];
    for (title, content) in damages {
        let world = world();
        // The path is part of the file: what is written is this world's own, damaged in the same way.
        let own = fs::read_to_string(kept(&world, "snapshot")).unwrap();
        let content = match title {
            "state: from a newer version" => own.replace("\"format\":4", "\"format\":9999").into(),
            "state: beyond the calendar" => {
                forged(&own.replace("2026-11-22T20:05:00Z", "+262000-01-01T00:00:00Z")).into()
            }
            "state: one digit is another" => {
                own.replace("2026-11-22T20:05", "2026-11-22T20:06").into()
            }
            _ => content,
        };
        assert_ne!(content, own.as_bytes(), "{title}");
        fs::write(kept(&world, "snapshot"), content).unwrap();
        away(&world);
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 75, "{title}: {ended:?}");
        golden::section("messages.txt", title, &told(&world, &ended));
        assert_eq!(world.status()["as_of"], serde_json::Value::Null, "{title}");
        assert!(
            world
                .page("index.html")
                .contains("there is nothing to show yet")
        );

        fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
        world.build();
        away(&world);
        assert_eq!(world.build_at(LATER).code, 75);
        assert_eq!(
            world.status()["as_of"],
            NOW,
            "{title}: healed by the next good build"
        );
    }
}

#[test]
fn what_is_no_file_is_not_read() {
    for plant in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
        let world = world();
        let snapshot = kept(&world, "snapshot");
        fs::remove_file(&snapshot).unwrap();
        let made = Command::new("sh")
            .args(["-c", &format!("{plant} \"$1\""), "sh"])
            .arg(&snapshot)
            .status();
        assert!(made.unwrap().success());
        away(&world);
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 75, "{plant}: {ended:?}");
        golden::section("messages.txt", "state: no file", &told(&world, &ended));
    }
}

#[test]
fn links_planted_in_the_state_directory_are_not_followed() {
    let world = world().file("canary", "alive");
    let snapshot = kept(&world, "snapshot");
    let outage = PathBuf::from(
        snapshot
            .display()
            .to_string()
            .replace("snapshot.", "outage."),
    );
    let changes = kept(&world, "changes");
    let plants = [
        changes.clone(),
        changes.with_extension("json.new"),
        snapshot.clone(),
        snapshot.with_extension("json.new"),
        outage.clone(),
        outage.with_extension("json.new"),
        world.path("state/demo.sqlite"),
        world.path("state/demo.sqlite-journal"),
        world.path("state/demo.sqlite-wal"),
    ];
    for plant in plants {
        for target in ["canary", "not-yet-there"] {
            let _ = fs::remove_file(&plant);
            symlink(world.path(target), &plant).unwrap();
            let demo = plant.display().to_string().contains("demo");
            if demo {
                world.succeeds(&["build", "--demo", "--out", "demo", "--state-dir", "state"]);
            } else {
                world.build();
                away(&world);
                assert_eq!(world.build_at(LATER).code, 75);
                fs::rename(world.path("elsewhere"), world.path("sync.sqlite")).unwrap();
                world.build();
            }
            let plant = plant.display();
            assert_eq!(
                fs::read_to_string(world.path("canary")).unwrap(),
                "alive",
                "{plant}"
            );
            assert!(!world.path("not-yet-there").exists(), "{plant}");
        }
    }
    let lock = world.path("state/lock");
    fs::remove_file(&lock).unwrap();
    symlink(world.path("not-yet-there"), &lock).unwrap();
    let ended = world.build_at(LATER);
    assert_eq!(ended.code, 1, "{ended:?}");
    golden::section(
        "messages.txt",
        "state: a link where the lock belongs",
        &told(&world, &ended),
    );
    assert!(!world.path("not-yet-there").exists());
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let world = world().file("in-the-way", "a file");
    let before = world.site();
    let ended = world.run(&[
        "build",
        "--out",
        "site",
        "--state-dir",
        "in-the-way/state",
        "--now",
        LATER,
    ]);
    assert_eq!(ended.code, 1, "{ended:?}");
    golden::section(
        "messages.txt",
        "state: cannot be made",
        &told(&world, &ended),
    );
    assert_eq!(world.site(), before);
}
