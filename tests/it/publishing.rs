//! Publishing into real directories: all at once or not at all, and never over what is not ours.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use rustix::process::geteuid;

use crate::folders::{
    LATER, MANIFEST, MUCH_LATER, build_into, build_where, files, inode, list_also, mode,
    mounted_site, names, refuses, seen, world,
};
use crate::generations::{Generations, Place};
use crate::injected::{Call, record};
use crate::sandbox::{NOW, asset_of};
use crate::wrapped::{UMASK_077, ended, through};

// ---- the swap ----

#[test]
fn the_first_build_makes_the_directory_and_what_is_above_it() {
    let world = world();
    let ended = world.run(&build_into("var/www/status", NOW));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(world.path("var/www/status/index.html").is_file());
    assert_eq!(
        names(&world.path("var/www")),
        [".status.syncmon", "status"],
        "nothing else is left beside it"
    );
}

#[test]
fn a_build_exchanges_the_whole_directory_and_keeps_the_one_before() {
    let world = world();
    world.build();
    let first = inode(&world.path("site"));
    let before = world.whole_site();

    world.build_at(LATER);
    let second = inode(&world.path("site"));
    assert_ne!(first, second, "the directory itself is another one");
    assert_eq!(
        inode(&world.path(".site.syncmon/site")),
        first,
        "readers that are still in the old one can go on"
    );
    assert_eq!(files(&world.path(".site.syncmon/site")), before);

    world.build_at(MUCH_LATER);
    assert_eq!(inode(&world.path(".site.syncmon/site")), second);
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
fn an_interrupted_build_is_cleared_away_by_the_next() {
    let world = world().file(&format!(".site.syncmon/site/{MANIFEST}"), "{\"gener");
    let world = world.file(".site.syncmon/site/assets/half", "written");
    world.build();
    assert!(!world.path("site/assets/half").exists());
    assert_eq!(names(&world.path(".site.syncmon")), ["lock"]);
}

#[test]
fn the_output_may_be_a_link_to_a_directory() {
    let world = world();
    fs::create_dir_all(world.path("srv/real")).unwrap();
    symlink("srv/real", world.path("site")).unwrap();
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
        for folder in ["var", "var/www", "var/www/site", "var/www/site/entities"] {
            assert_eq!(mode(&world.path(folder)), 0o755, "{folder}");
        }
        for entry in walkdir::WalkDir::new(world.path("var/www/site")) {
            let entry = entry.unwrap();
            let wanted = if entry.file_type().is_dir() {
                0o755
            } else {
                0o644
            };
            assert_eq!(mode(entry.path()), wanted, "{}", entry.path().display());
        }
    }
    assert_eq!(
        mode(&world.path("var/www/.site.syncmon")),
        0o700,
        "what is not served is nobody's business"
    );
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
    let style = world.path("site").join(world.asset("syncmon.css"));
    let (whole, other) = (fs::read(&style).unwrap(), b"other".repeat(1000));
    let spoil: [(&str, &dyn Fn()); 4] = [
        ("closed", &|| {
            fs::set_permissions(&style, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("changed", &|| {
            fs::write(&style, &other[..whole.len().min(other.len())]).unwrap();
        }),
        ("somebody else's", &|| chown(&style, Some(1), None).unwrap()),
        ("behind a link", &|| {
            let folder = style.parent().unwrap();
            fs::rename(folder, world.path("elsewhere")).unwrap();
            symlink(world.path("elsewhere"), folder).unwrap();
        }),
    ];
    for (how, spoil) in spoil {
        if how == "somebody else's" && !geteuid().is_root() {
            continue;
        }
        spoil();
        let spoilt = inode(&style);
        world.build_at(LATER);
        assert_ne!(inode(&style), spoilt, "{how}");
        assert_eq!(fs::read(&style).unwrap(), whole, "{how}");
        assert_eq!(mode(&style), 0o644, "{how}");
        assert_eq!(style.metadata().unwrap().uid(), geteuid().as_raw(), "{how}");
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
    symlink("../secret.txt", world.path("site/link")).unwrap();
    symlink("nowhere", world.path("site/dangling")).unwrap();
    fs::create_dir(world.path("site/empty")).unwrap();
    let own = ["site/empty", "site/.well-known"].map(|own| world.path(own));
    fs::set_permissions(&own[0], fs::Permissions::from_mode(0o700)).unwrap();

    for moment in [LATER, MUCH_LATER, LATER] {
        let ended = world.build_at(moment);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(world.page(".well-known/acme-challenge/token"), "proof");
    assert_eq!(world.page("robots.txt"), "User-agent: *");
    assert_eq!(world.page("entities/own.txt"), "beside ours");
    for (link, to) in [("site/link", "../secret.txt"), ("site/dangling", "nowhere")] {
        assert_eq!(fs::read_link(world.path(link)).unwrap(), Path::new(to));
    }
    assert_eq!(
        mode(&own[0]),
        0o700,
        "a folder that its owner closed stays closed"
    );
    assert_eq!(mode(&own[1]), 0o755);
}

#[test]
fn the_page_of_an_entity_that_is_no_more_disappears() {
    let world = world();
    world.execute(
        "insert into sync_state (entity_type, status) values ('gift_cards', 'never_synced')",
    );
    world.build();
    assert!(world.path("site/entities/gift_cards.html").exists());
    world.execute("delete from sync_state where entity_type = 'gift_cards'");
    world.build_at(LATER);
    assert!(!world.path("site/entities/gift_cards.html").exists());
    assert!(world.path("site/entities/sales.html").exists());
}

/// A reader may just have taken a page that asks for it.
#[test]
fn a_style_sheet_stays_for_a_while_after_the_last_page_that_asks_for_it() {
    for mounted in [false, true] {
        let world = world().file("look/assets/syncmon.css", "/* new */");
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
    let world = world();
    world.build();
    let world = list_also(world, &["old/deep/page.html", "kept/page.html"])
        .file("site/old/deep/page.html", "ours, of an earlier version")
        .file("site/kept/page.html", "ours, of an earlier version")
        .file("site/kept/note.txt", "somebody's");
    world.build_at(LATER);
    assert!(!world.path("site/old").exists());
    assert_eq!(names(&world.path("site/kept")), ["note.txt"]);
}

#[test]
fn a_published_file_takes_the_place_of_somebodys_of_the_same_name() {
    let world = world();
    world.build();
    // As if an earlier version had not published it.
    fs::write(
        world.path("site").join(MANIFEST),
        r#"{"generator":"x","demo":false,"file_by_file":false,"files":[]}"#,
    )
    .unwrap();
    let world = world.file("site/index.html", "mine");
    world.build_at(LATER);
    assert!(world.page("index.html").contains("<!DOCTYPE html>"));
}

// ---- refusals ----

#[test]
fn directories_that_nobody_means_to_replace_are_refused() {
    let world = world()
        .file("work/inner/.keep", "")
        .file("home/me/.keep", "");
    for (out, why) in [
        ("/", "the root of the file system"),
        ("/../", "the root of the file system"),
        (".", "the current directory"),
        ("..", "the current directory"),
        ("../../home/me", "a home directory"),
        ("../../home", "a home directory"),
        ("../../home/me/../../home/./me/", "a home directory"),
    ] {
        let mut build = world.command(&["build", "--out", out, "--now", NOW]);
        build
            .current_dir(world.path("work/inner"))
            .env("HOME", world.path("home/me"))
            .env("SYNCMON_STATE_DIR", world.path("elsewhere"));
        refuses(&world, &mut build, why);
    }
}

#[test]
fn what_is_not_ours_is_refused_and_stays_as_it_is() {
    let world = world()
        .file("photos/2026/summer.jpg", "canary")
        .file("a-file", "canary")
        .file("looks-like-ours/index.html", "canary");
    symlink("photos", world.path("link")).unwrap();
    symlink("nowhere", world.path("dangling")).unwrap();
    fs::create_dir_all(world.path("tricky").join(MANIFEST)).unwrap();
    for (out, why) in [
        ("photos", "it holds 2026 and no .syncmon-manifest.json"),
        ("photos/../photos/", "was not published by syncmon"),
        ("link", "was not published by syncmon"),
        ("looks-like-ours", "was not published by syncmon"),
        ("tricky", "was not published by syncmon"),
        ("a-file", "not a directory"),
        ("dangling", "No such file or directory"),
        ("new/..", "it has no name"),
    ] {
        refuses(&world, &mut world.command(&build_into(out, NOW)), why);
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
    let build = ["build", "--out", "site", "--now", NOW, "--state-dir"];
    for state in ["site", "site/state", "site/not/yet/there"] {
        let mut command = world.command(&build);
        refuses(&world, command.arg(state), "would be published");
    }
    world.build();
    for state in ["site/state", "./site/../site"] {
        let mut command = world.command(&build);
        refuses(&world, command.arg(state), "would be published");
    }
}

#[test]
fn a_demo_never_replaces_a_real_site_but_a_real_one_replaces_a_demo() {
    let world = world();
    let mut demo = build_into("site", NOW).to_vec();
    demo.push("--demo");
    world.succeeds(&demo);
    world.succeeds(&demo);
    assert!(world.page("index.html").contains("is invented"));
    world.build();
    assert!(!world.page("index.html").contains("is invented"));
    refuses(&world, &mut world.command(&demo), "holds a real site");
    fs::write(world.path("site").join(MANIFEST), "").unwrap();
    refuses(&world, &mut world.command(&demo), "holds a real site");
}
