//! Publishing into real directories: all at once or not at all, and never over what is not ours.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use crate::folders::{
    LATER, MANIFEST, MUCH_LATER, build_into, build_where, files, inode, mode, mounted_site, names,
    refuses, seen, shown, world,
};
use crate::generations::{Generations, Place};
use crate::golden;
use crate::injected::{Call, record};
use crate::sandbox::{NOW, Sandbox, asset_of};
use crate::wrapped::{UMASK_077, ended, shell, through};

// ---- the swap ----

#[test]
fn a_build_exchanges_the_whole_directory_and_keeps_the_one_before() {
    let world = world();
    world.build();
    let [site, before] = ["site", ".site.syncmon/site"].map(|name| world.path(name));
    let (first, content) = (inode(&site), world.whole_site());
    world.build_at(LATER);
    let second = inode(&site);
    assert_ne!(first, second, "the directory itself is another one");
    // Readers that are still in the old one can go on.
    assert_eq!(inode(&before), first);
    assert_eq!(files(&before), content);
    world.build_at(MUCH_LATER);
    assert_eq!(inode(&before), second);
    for _ in 0..3 {
        world.build_at(MUCH_LATER);
    }
    assert_eq!(names(&world.path(".site.syncmon")), ["lock", "site"]);
}

/// All at once, or file by file and folder by folder.
#[test]
fn what_is_written_is_on_disk_before_anything_goes_live() {
    for place in [Place::Plain, Place::MountPoint] {
        let generations = Generations::new(place);
        generations.settle(0);
        let state = generations.world.path("state");
        let mut calls = record(&generations, 1);
        calls.retain(|call| !Path::new(&call.on).starts_with(&state));
        let mut written = BTreeSet::new();
        for Call { name, on, .. } in calls {
            match name.as_str() {
                "write" => {
                    let folder = Path::new(&on).parent().unwrap();
                    written.extend([folder.to_owned(), on.into()]);
                }
                "fsync" => drop(written.remove(Path::new(&on))),
                "syncfs" => written.clear(),
                "rename" | "renameat2" => assert!(written.is_empty(), "{written:?}, {on}"),
                _ => {}
            }
        }
        assert!(written.is_empty(), "{place:?}: {written:?}");
    }
}

#[test]
fn the_output_may_be_a_link_to_a_directory() {
    let world = world();
    shell(&world, "mkdir -p srv/real; ln -s srv/real site");
    world.build();
    world.build_at(LATER);
    assert!(world.path("site").is_symlink());
    assert!(world.path("srv/real/index.html").is_file());
    assert_eq!(names(&world.path("srv")), [".real.syncmon", "real"]);
}

#[test]
fn everybody_can_read_a_site_built_under_umask_077() {
    let world = world();
    for moment in [NOW, LATER] {
        let build = world.command(&build_into("var/www/site", moment));
        let ended = ended(&mut through(&UMASK_077, &build));
        assert_eq!(ended.code, 0, "{ended:?}");
        for folder in ["var", "var/www"] {
            assert_eq!(mode(&world.path(folder)), 0o755, "{folder}");
        }
        for entry in walkdir::WalkDir::new(world.path("var/www/site")) {
            let entry = entry.unwrap();
            let folder = entry.file_type().is_dir();
            let wanted = if folder { 0o755 } else { 0o644 };
            assert_eq!(mode(entry.path()), wanted, "{}", entry.path().display());
        }
    }
    let beside = names(&world.path("var/www"));
    assert_eq!(beside, [".site.syncmon", "site"], "and nothing else");
    let hidden = mode(&world.path("var/www/.site.syncmon"));
    assert_eq!(hidden, 0o700, "what is not served is nobody's business");
}

/// Servers and copying programs take a file of the same size and second for the same file.
#[test]
fn a_page_that_changed_is_a_second_newer_and_one_that_did_not_is_the_same_file() {
    for mounted in [false, true] {
        let world = world();
        let mount = mounted.then(|| mounted_site(&world, "tmpfs"));
        let site = seen(&world, mount.as_ref());
        build_where(&world, mount.as_ref(), NOW);
        let overview = fs::read_to_string(site.join("index.html")).unwrap();
        let style = asset_of(&overview, "syncmon.css");
        let seconds =
            || ["index.html", &style].map(|name| site.join(name).metadata().unwrap().mtime());
        let files = || ["index.html", &style].map(|name| inode(&site.join(name)));
        let ([mut page, time], [mut file, asset]) = (seconds(), files());
        for moment in [LATER, MUCH_LATER, NOW] {
            build_where(&world, mount.as_ref(), moment);
            assert!(seconds()[0] > page, "{moment}");
            assert_eq!(seconds()[1], time, "{moment}");
            assert_ne!(files()[0], file, "{moment}");
            assert_eq!(files()[1], asset, "{moment}");
            ([page, _], [file, _]) = (seconds(), files());
        }
    }
}

#[test]
fn a_file_that_is_not_as_we_write_it_is_written_again() {
    let world = world();
    world.build();
    let asset = world.asset("syncmon.css");
    let style = world.path("site").join(&asset);
    let whole = fs::read(&style).unwrap();
    let changed = "printf other | dd of=$1 conv=notrunc status=none";
    let linked = "mv $(dirname $1) elsewhere; ln -s $PWD/elsewhere $(dirname $1)";
    for spoil in ["chmod 600 $1", changed, "chown 1 $1 || true", linked] {
        shell(&world, &spoil.replace("$1", &format!("site/{asset}")));
        let spoilt = inode(&style);
        world.build_at(LATER);
        // Only root can give it away.
        let possible = !spoil.starts_with("chown") || geteuid().is_root();
        assert!(inode(&style) != spoilt || !possible, "{spoil}");
        assert_eq!(fs::read(&style).unwrap(), whole, "{spoil}");
        assert_eq!(mode(&style), 0o644, "{spoil}");
        assert_eq!(style.metadata().unwrap().uid(), geteuid().as_raw());
    }
    assert!(world.path("elsewhere/syncmon.css").is_file());
}

// ---- what stays and what goes ----

#[test]
fn what_others_put_into_the_site_is_carried_over() {
    let world = world();
    world.build();
    let world = world
        .file("site/.well-known/acme-challenge/token", "proof")
        .file("site/robots.txt", "User-agent: *")
        .file("site/entities/own.txt", "beside ours")
        .file("secret.txt", "outside");
    let plant = "cd site; ln -s ../secret.txt link; ln -s nowhere dangling; mkdir -m 700 empty";
    shell(&world, plant);
    for moment in [LATER, MUCH_LATER, LATER] {
        let ended = world.build_at(moment);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    for (own, content) in [
        (".well-known/acme-challenge/token", "proof"),
        ("robots.txt", "User-agent: *"),
        ("entities/own.txt", "beside ours"),
    ] {
        assert_eq!(world.page(own), content);
    }
    for (link, to) in [("site/link", "../secret.txt"), ("site/dangling", "nowhere")] {
        assert_eq!(fs::read_link(world.path(link)).unwrap(), Path::new(to));
    }
    assert_eq!(
        mode(&world.path("site/empty")),
        0o700,
        "closed by its owner"
    );
    assert_eq!(mode(&world.path("site/.well-known")), 0o755);
}

/// A reader may just have taken a page that asks for it.
#[test]
fn a_style_sheet_stays_for_a_while_after_the_last_page_that_asks_for_it() {
    for mounted in [false, true] {
        let world = world();
        let world = world.file("look/assets/syncmon.css", "/* new */");
        let mount = mounted.then(|| mounted_site(&world, "tmpfs"));
        let site = seen(&world, mount.as_ref());
        build_where(&world, mount.as_ref(), NOW);
        let overview = || fs::read_to_string(site.join("index.html")).unwrap();
        let old = asset_of(&overview(), "syncmon.css");
        let world = world.env("SYNCMON_TEMPLATES", "look");
        for publish in 1..=17 {
            let built = build_where(&world, mount.as_ref(), LATER);
            assert_eq!(built.code, 0, "{built:?}");
            let new = asset_of(&overview(), "syncmon.css");
            assert_ne!(new, old);
            assert_eq!(fs::read_to_string(site.join(new)).unwrap(), "/* new */");
            assert_eq!(site.join(&old).exists(), publish < 17, "{publish}");
        }
        assert_eq!(names(&site.join("assets")).len(), 1, "with its folder");
    }
}

#[test]
fn a_folder_that_was_made_for_published_files_goes_with_them() {
    for mounted in [false, true] {
        let world = world();
        let mount = mounted.then(|| mounted_site(&world, "tmpfs"));
        build_where(&world, mount.as_ref(), NOW);
        let site = seen(&world, mount.as_ref());
        // As an earlier version published them.
        let manifest = site.join(MANIFEST);
        let listed = fs::read_to_string(&manifest).unwrap();
        let more = "\"files\":[\"old/deep/page.html\",\"kept/page.html\",";
        fs::write(&manifest, listed.replace("\"files\":[", more)).unwrap();
        for file in ["old/deep/page.html", "kept/page.html", "kept/note.txt"] {
            fs::create_dir_all(site.join(file).parent().unwrap()).unwrap();
            fs::write(site.join(file), "earlier").unwrap();
        }
        build_where(&world, mount.as_ref(), LATER);
        assert!(!site.join("old").exists());
        assert_eq!(names(&site.join("kept")), ["note.txt"], "somebody's");
    }
}

#[test]
fn a_published_file_takes_the_place_of_somebodys_of_the_same_name() {
    let world = world();
    world.build();
    // As if an earlier version had not published it.
    let empty = r#"{"generator":"x","demo":false,"file_by_file":false,"files":[]}"#;
    let world = world
        .file(&format!("site/{MANIFEST}"), empty)
        .file("site/index.html", "mine");
    world.build_at(LATER);
    assert!(world.page("index.html").contains("<!DOCTYPE html>"));
}

// ---- refusals ----

/// For this reason, with everything as it was, and as the message of this title says.
fn is_refused(world: &Sandbox, build: &mut Command, why: &str, title: &str) {
    refuses(world, build, why);
    if !title.is_empty() {
        let said = shown(&ended(build), world.root());
        golden::message(&format!("directory: {title}"), &said);
    }
}

#[test]
fn directories_that_nobody_means_to_replace_are_refused() {
    let world = world()
        .file("work/inner/.keep", "")
        .file("home/me/.keep", "");
    let (root, current) = ("the root of the file system", "the current directory");
    let home = "a home directory";
    for (out, why, title) in [
        ("/", root, "the root"),
        ("/../", root, ""),
        (".", current, current),
        ("..", current, ""),
        ("../../home/me", home, home),
        ("../../home", home, ""),
        ("../../home/me/../../home/./me/", home, ""),
    ] {
        let mut build = world.command(&["build", "--out", out, "--now", NOW]);
        build
            .current_dir(world.path("work/inner"))
            .env("HOME", world.path("home/me"))
            .env("SYNCMON_STATE_DIR", world.path("elsewhere"));
        is_refused(&world, &mut build, why, title);
    }
}

#[test]
fn what_is_not_ours_is_refused_and_stays_as_it_is() {
    let world = world()
        .file("photos/summer.jpg", "canary")
        .file("a-file", "canary")
        .file("looks-like-ours/index.html", "canary");
    let plant = "ln -s photos link; ln -s nowhere dangling; mkdir -p tricky";
    shell(&world, &format!("{plant}/{MANIFEST}"));
    let not_ours = "was not published by syncmon";
    for (out, why, title) in [
        ("photos", not_ours, "a directory of others"),
        ("photos/../photos/", not_ours, ""),
        ("link", not_ours, ""),
        ("looks-like-ours", not_ours, ""),
        ("tricky", not_ours, ""),
        ("a-file", "not a directory", "a file"),
        ("a-file/site", "within a file", "a parent that is a file"),
        ("dangling", "No such file", "a link to nothing"),
        ("new/..", "it has no name", ""),
    ] {
        let mut build = world.command(&build_into(out, NOW));
        is_refused(&world, &mut build, why, title);
    }
}

#[test]
fn an_empty_name_is_refused() {
    let world = world();
    refuses(&world, &mut world.command(&build_into("", NOW)), "--out");
    let mut build = world.command(&["build", "--now", NOW]);
    refuses(&world, build.env("SYNCMON_OUT", ""), "--out");
    refuses(&world, build.env("SYNCMON_OUT", " "), "--out is empty");
}

#[test]
fn a_site_that_would_hold_the_state_directory_is_refused() {
    let world = world();
    let refused = |state: &str, title: &str| {
        let mut build = build_into("site", NOW);
        build[4] = state;
        let mut build = world.command(&build);
        is_refused(&world, &mut build, "would be published", title);
    };
    refused("site", "");
    refused("site/state", "the state directory in it");
    refused("site/not/yet/there", "");
    world.build();
    refused("site/state", "");
    refused("./site/../site", "");
}

#[test]
fn a_demo_never_replaces_a_real_site_but_a_real_one_replaces_a_demo() {
    let world = world();
    let demo = [&build_into("site", NOW)[..], &["--demo"]].concat();
    world.succeeds(&demo);
    world.succeeds(&demo);
    assert!(world.page("index.html").contains("is invented"));
    world.build();
    assert!(!world.page("index.html").contains("is invented"));
    for title in ["a demo over a real site", ""] {
        let mut demo = world.command(&demo);
        is_refused(&world, &mut demo, "holds a real site", title);
        fs::write(world.path("site").join(MANIFEST), "").unwrap();
    }
}
