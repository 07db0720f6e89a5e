//! What a build says when the disk or the directory is not as it should be: what failed, on what,
//! and what to do next.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::folders::{LATER, MANIFEST, build_into, replace_by_link, shown, world};
use crate::generations::{Generations, Place};
use crate::golden;
use crate::injected::{Call, Fault, injected};
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{ended, unprivileged};

/// What is published, the call that fails, on what, and how.
const FAILING: [(&str, &str, &str, &str); 16] = [
    ("a directory", "openat", "/.site.syncmon/lock", "EIO"),
    ("a directory", "flock", "/.site.syncmon/lock", "ENOLCK"),
    ("a directory", "mkdir", "/.site.syncmon", "ENOSPC"),
    ("a directory", "mkdir", "/.site.syncmon/site", "EDQUOT"),
    (
        "a directory",
        "write",
        "/.site.syncmon/site/index.html",
        "ENOSPC",
    ),
    (
        "a directory",
        "openat",
        "/.site.syncmon/site/status.json",
        "EMFILE",
    ),
    (
        "a directory",
        "utimensat",
        "/.site.syncmon/site/index.html",
        "EIO",
    ),
    ("a directory", "syncfs", "/.site.syncmon/site", "EIO"),
    ("a directory", "renameat2", "/.site.syncmon/site", "EIO"),
    (
        "a directory",
        "unlinkat",
        "/.site.syncmon/site/entities",
        "EIO",
    ),
    ("a directory", "getdents64", "/site", "EIO"),
    (
        "a directory",
        "openat",
        "/site/.syncmon-manifest.json",
        "EIO",
    ),
    ("a directory", "readlink", "/site", "EIO"),
    (
        "a mount point",
        "mkdir",
        "/site/.syncmon/before/assets",
        "ENOSPC",
    ),
    (
        "a mount point",
        "rename",
        "/site/.syncmon/site/status.json",
        "EIO",
    ),
    (
        "a mount point",
        "unlink",
        "/site/entities/gift_cards.html",
        "EIO",
    ),
];

#[test]
fn an_error_of_the_disk_says_what_failed_on_what_and_what_next() {
    let generations = [
        ("a directory", Generations::new(Place::Plain)),
        ("a mount point", Generations::new(Place::MountPoint)),
    ];
    for (what, name, on, error) in FAILING {
        let (_, generations) = generations
            .iter()
            .find(|(known, _)| *known == what)
            .unwrap();
        let root = generations.world.root().to_str().unwrap();
        generations.settle(0);
        let call = Call {
            name: name.to_owned(),
            on: format!("{root}{on}"),
            number: 1,
            changes: true,
        };
        let (built, happened) = injected(generations, 1, &call, Fault::Error(error));
        assert!(happened, "a build of {what} makes no {name} on {on}");
        compare(
            &format!("disk: {what}, {name} fails on {on}"),
            generations,
            &built,
        );
    }
}

/// What cannot be put back is named as well, and the next build heals it.
#[test]
fn where_putting_back_fails_too_both_are_said() {
    let generations = Generations::new(Place::MountPoint);
    generations.settle(0);
    let root = generations.world.root().to_str().unwrap();
    let rename = |on: &str| format!("{root}/site/.syncmon/{on}");
    let built = crate::injected::twice(
        &generations,
        1,
        &[&rename("site/index.html"), &rename("before/status.json")],
    );
    compare(
        "disk: a mount point, putting back fails too",
        &generations,
        &built,
    );
    generations.is_between_but_whole();
    generations.heals(1);
}

fn compare(title: &str, generations: &Generations, built: &Ended) {
    assert_eq!(built.code, 1, "{title}: {built:?}");
    golden::section(
        "messages.txt",
        title,
        &shown(built, generations.world.root()),
    );
}

#[test]
fn a_directory_that_cannot_be_published_into_is_refused_in_one_line() {
    let world = world()
        .file("photos/summer.jpg", "canary")
        .file("a-file", "canary")
        .file("tampered/.site.syncmon", "canary");
    replace_by_link(&world.path("dangling"), "nowhere");
    for (title, out) in [
        ("the root", "/"),
        ("the current directory", "."),
        ("a home directory", "home"),
        ("a directory of others", "photos"),
        ("a file", "a-file"),
        ("a link to nothing", "dangling"),
        ("a file in place of the hidden folder", "tampered/site"),
        ("a parent that is a file", "a-file/site"),
        ("the state directory in it", "holds"),
    ] {
        fs::create_dir_all(world.path("home")).unwrap();
        let mut arguments = build_into(out, NOW);
        if out == "holds" {
            arguments[4] = "holds/state";
        }
        let mut build = world.command(&arguments);
        let home = if out == "home" { "home" } else { "nobody" };
        let refused = ended(build.env("HOME", world.path(home)));
        is_one_line(title, &world, &refused);
    }
    world.build();
    let mut demo = build_into("site", LATER).to_vec();
    demo.push("--demo");
    is_one_line("a demo over a real site", &world, &world.run(&demo));
    assert!(world.path("site").join(MANIFEST).is_file());
}

#[test]
fn a_directory_that_may_not_be_written_to_is_named_in_one_line() {
    let world = world();
    fs::create_dir_all(world.path("closed/site")).unwrap();
    let mut build = unprivileged(&world, &build_into("closed/site", NOW));
    for folder in ["closed/site", "closed"] {
        close(&world.path(folder), 0o555);
    }
    is_one_line("nothing may be written", &world, &ended(&mut build));
    let mut new = unprivileged(&world, &build_into("closed/new/site", NOW));
    is_one_line("the parent cannot be made", &world, &ended(&mut new));
    for folder in ["closed", "closed/site"] {
        close(&world.path(folder), 0o755);
    }
}

fn close(folder: &Path, mode: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_one_line(title: &str, world: &Sandbox, ended: &Ended) {
    assert!([1, 2].contains(&ended.code), "{title}: {ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{title}: {ended:?}");
    golden::section(
        "messages.txt",
        &format!("directory: {title}"),
        &shown(ended, world.root()),
    );
}
