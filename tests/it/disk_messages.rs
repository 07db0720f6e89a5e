//! What a build says when the disk or the directory is not as it should be: what failed, on what,
//! and what to do next.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::folders::{build_into, shown, world};
use crate::generations::{Generations, Place};
use crate::golden;
use crate::injected::{Call, Fault, injected};
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{ended, unprivileged};

/// The call that fails, on what, and how.
const IN_A_DIRECTORY: &str = "
    openat /.site.syncmon/lock EIO
    flock /.site.syncmon/lock ENOLCK
    mkdir /.site.syncmon ENOSPC
    mkdir /.site.syncmon/site EDQUOT
    write /.site.syncmon/site/index.html ENOSPC
    openat /.site.syncmon/site/status.json EMFILE
    utimensat /.site.syncmon/site/index.html EIO
    syncfs /.site.syncmon/site EIO
    renameat2 /.site.syncmon/site EIO
    unlinkat /.site.syncmon/site/entities EIO
    getdents64 /site EIO
    openat /site/.syncmon-manifest.json EIO
    readlink /site EIO";
const AT_A_MOUNT_POINT: &str = "
    mkdir /site/.syncmon/before/assets ENOSPC
    rename /site/.syncmon/site/status.json EIO
    unlink /site/entities/gift_cards.html EIO";

#[test]
fn an_error_of_the_disk_says_what_failed_on_what_and_what_next() {
    for (what, place, failing) in [
        ("a directory", Place::Plain, IN_A_DIRECTORY),
        ("a mount point", Place::MountPoint, AT_A_MOUNT_POINT),
    ] {
        let generations = Generations::new(place);
        let words: Vec<&str> = failing.split_whitespace().collect();
        for failing in words.chunks(3) {
            let &[name, on, error] = failing else {
                panic!("three words: {failing:?}");
            };
            generations.settle(0);
            let call = Call::first(&generations, name, on);
            let (built, happened) = injected(&generations, 1, &call, Fault::Error(error));
            assert!(happened, "a build of {what} makes no {name} on {on}");
            let title = format!("disk: {what}, {name} fails on {on}");
            compare(&title, &generations, &built);
        }
    }
}

/// What cannot be put back is named as well, and the next build heals it.
#[test]
fn where_putting_back_fails_too_both_are_said() {
    let generations = Generations::new(Place::MountPoint);
    generations.settle(0);
    let root = generations.world.root().to_str().unwrap();
    let on = ["site/index.html", "before/status.json"];
    let on = on.map(|name| format!("{root}/site/.syncmon/{name}"));
    let built = crate::injected::twice(&generations, 1, &on.each_ref().map(String::as_str));
    let title = "disk: a mount point, putting back fails too";
    compare(title, &generations, &built);
    generations.is_between_but_whole();
    generations.heals(1);
}

fn compare(title: &str, generations: &Generations, built: &Ended) {
    assert_eq!(built.code, 1, "{title}: {built:?}");
    golden::message(title, &shown(built, generations.world.root()));
}

#[test]
fn a_directory_that_may_not_be_written_to_is_named_in_one_line() {
    let world = world().file("tampered/.site.syncmon", "canary");
    let tampered = world.run(&build_into("tampered/site", NOW));
    let title = "a file in place of the hidden folder";
    is_one_line(title, &world, &tampered);

    fs::create_dir_all(world.path("closed/site")).unwrap();
    let set = |mode| {
        for folder in ["closed/site", "closed"] {
            fs::set_permissions(world.path(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let mut build = unprivileged(&world, &build_into("closed/site", NOW));
    set(0o555);
    is_one_line("nothing may be written", &world, &ended(&mut build));
    let mut new = unprivileged(&world, &build_into("closed/new/site", NOW));
    is_one_line("the parent cannot be made", &world, &ended(&mut new));
    set(0o755);
}

fn is_one_line(title: &str, world: &Sandbox, ended: &Ended) {
    assert_eq!(ended.code, 1, "{title}: {ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{title}: {ended:?}");
    let title = format!("directory: {title}");
    golden::message(&title, &shown(ended, world.root()));
}
