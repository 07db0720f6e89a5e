//! Publishing into real directories: all at once or not at all, and never over what is not ours.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{Mounted, UMASK_077, ended, through, unprivileged};

const LATER: &str = "2026-11-22T20:10:00Z";
const MUCH_LATER: &str = "2026-11-22T20:15:00Z";
const MANIFEST: &str = ".syncmon-manifest.json";

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
    let before = world.site();

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
fn a_page_that_changed_is_a_second_newer_and_one_that_did_not_keeps_its_time() {
    for mounted in [false, true] {
        let world = world();
        let mount = mounted.then(|| mounted_site(&world, "tmpfs"));
        let site = seen(&world, mount.as_ref());
        let seconds = || {
            ["index.html", "assets/syncmon.css"].map(|n| site.join(n).metadata().unwrap().mtime())
        };
        build_where(&world, mount.as_ref(), NOW);
        let [mut page, style] = seconds();
        for moment in [LATER, MUCH_LATER, NOW] {
            build_where(&world, mount.as_ref(), moment);
            assert!(seconds()[0] > page, "{moment}");
            assert_eq!(seconds()[1], style, "{moment}");
            page = seconds()[0];
        }
    }
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

// ---- damage and malice ----

#[test]
fn a_damaged_manifest_heals() {
    for damage in ["", "\0\0\0\0\0\0\0\0", "{\"files\": [", "[]", "\u{feff}{}"] {
        let world = world();
        world.build();
        let world = world
            .file(&format!("site/{MANIFEST}"), damage)
            .file("site/robots.txt", "mine");
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 0, "{damage:?}: {ended:?}");
        assert_eq!(world.page("robots.txt"), "mine");
        let manifest: serde_json::Value = serde_json::from_str(&world.page(MANIFEST)).unwrap();
        let listed: Vec<_> = manifest["files"].as_array().unwrap().iter().collect();
        assert!(listed.contains(&&"index.html".into()), "{damage:?}");
        assert!(!listed.contains(&&"robots.txt".into()), "{damage:?}");
    }
}

#[test]
fn a_manifest_cannot_name_files_outside() {
    for mounted in [false, true] {
        let world = world().file("canary", "alive").file("deep/canary", "alive");
        let mount = mounted.then(|| mounted_site(&world, "tmpfs"));
        let build = |moment| build_where(&world, mount.as_ref(), moment);
        build(NOW);
        let site = seen(&world, mount.as_ref());
        let canary = world.path("canary").display().to_string();
        let manifest = site.join(MANIFEST);
        let text = fs::read_to_string(&manifest).unwrap();
        let evil = format!(
            "\"files\":[\"../canary\",\"{canary}\",\"entities/../../canary\",\"./../deep/canary\",\"\",\"/\",\"..\","
        );
        fs::write(&manifest, text.replace("\"files\":[", &evil)).unwrap();
        let ended = build(LATER);
        assert_eq!(ended.code, 0, "{ended:?}");
        for canary in ["canary", "deep/canary"] {
            assert_eq!(fs::read_to_string(world.path(canary)).unwrap(), "alive");
        }
        assert!(!fs::read_to_string(&manifest).unwrap().contains("canary"));
    }
}

#[test]
fn links_planted_in_the_site_are_not_followed() {
    let world = world();
    world.build();
    let world = world.file("outside/syncmon.css", "canary");
    fs::write(world.path("page"), "canary").unwrap();
    replace_by_link(&world.path("site/index.html"), "../page");
    replace_by_link(&world.path("site/assets"), "../outside");
    replace_by_link(&world.path("site/entities"), world.root());
    for moment in [LATER, MUCH_LATER, LATER] {
        let ended = world.build_at(moment);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(fs::read_to_string(world.path("page")).unwrap(), "canary");
    assert_eq!(names(&world.path("outside")), ["syncmon.css"]);
    assert_eq!(
        fs::read_to_string(world.path("outside/syncmon.css")).unwrap(),
        "canary"
    );
    for own in ["index.html", "assets", "entities"] {
        assert!(!world.path("site").join(own).is_symlink(), "{own}");
    }
}

#[test]
fn links_planted_in_a_mounted_site_are_not_followed() {
    let world = world().file("outside/syncmon.css", "canary");
    let mount = mounted_site(&world, "tmpfs");
    build_where(&world, Some(&mount), NOW);
    let site = seen(&world, Some(&mount));
    replace_by_link(&site.join("index.html"), world.path("outside/syncmon.css"));
    build_where(&world, Some(&mount), LATER);
    assert!(!site.join("index.html").is_symlink());

    replace_by_link(&site.join("assets"), world.path("outside"));
    let ended = build_where(&world, Some(&mount), MUCH_LATER);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_one_line(&ended, "assets");
    assert_eq!(names(&world.path("outside")), ["syncmon.css"]);
    assert_eq!(
        fs::read_to_string(world.path("outside/syncmon.css")).unwrap(),
        "canary"
    );
}

#[test]
fn links_planted_in_the_hidden_folder_are_not_followed() {
    for planted in [".site.syncmon", ".site.syncmon/site", ".site.syncmon/lock"] {
        for target in ["outside", "outside/note.txt", "not-yet-there"] {
            let world = world();
            world.build();
            let before = world.site();
            let world = world
                .file("outside/note.txt", "canary")
                .file(&format!("outside/{MANIFEST}"), "{}");
            replace_by_link(&world.path(planted), world.path(target));
            let ended = world.build_at(LATER);
            assert_eq!(ended.code, 1, "{planted} to {target}: {ended:?}");
            assert_one_line(&ended, planted);
            assert_eq!(
                names(&world.path("outside")),
                [MANIFEST, "note.txt"],
                "{planted} to {target}"
            );
            assert_eq!(
                fs::read_to_string(world.path("outside/note.txt")).unwrap(),
                "canary"
            );
            assert!(!world.path("not-yet-there").exists());
            assert_eq!(world.site(), before);
        }
    }
}

#[test]
fn a_hidden_folder_that_is_somebodys_own_is_left_alone() {
    let world = world().file(".site.syncmon/site/photo.jpg", "canary");
    let ended = world.build_at(NOW);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_one_line(&ended, "holds no manifest of syncmon's");
    let photo = world.path(".site.syncmon/site/photo.jpg");
    assert_eq!(fs::read_to_string(photo).unwrap(), "canary");
}

// ---- where directories cannot be exchanged ----

#[test]
fn a_mount_point_is_published_file_by_file() {
    for kind in ["tmpfs", "bind"] {
        let world = world();
        world.execute(
            "insert into sync_state (entity_type, status) values ('gift_cards', 'never_synced')",
        );
        let mount = mounted_site(&world, kind);
        let site = seen(&world, Some(&mount));
        let first = build_where(&world, Some(&mount), NOW);
        assert_eq!(first.code, 0, "{kind}: {first:?}");
        assert_one_line(&first, "published file by file");
        let directory = inode(&site);
        assert!(site.join("entities/gift_cards.html").exists());

        fs::write(site.join("robots.txt"), "mine").unwrap();
        world.execute("delete from sync_state where entity_type = 'gift_cards'");
        let second = build_where(&world, Some(&mount), LATER);
        assert_eq!(second.code, 0, "{kind}: {second:?}");
        assert_eq!(second.stderr, "", "{kind}: it was said once");
        assert!(!site.join("entities/gift_cards.html").exists());
        assert_eq!(fs::read_to_string(site.join("robots.txt")).unwrap(), "mine");
        assert_eq!(inode(&site), directory);

        // What is there is what is published where directories can be exchanged.
        let elsewhere = world.run(&build_into("other", LATER));
        assert_eq!(elsewhere.code, 0, "{elsewhere:?}");
        let mut mounted = files(&site);
        mounted.retain(|name, _| name != "robots.txt" && name != ".syncmon/lock");
        let mut exchanged = files(&world.path("other"));
        for manifest in [mounted.remove(MANIFEST), exchanged.remove(MANIFEST)] {
            assert!(manifest.is_some());
        }
        assert_eq!(mounted, exchanged, "{kind}");
    }
}

#[test]
fn a_folder_of_published_files_goes_with_them_from_a_mount_point_too() {
    let world = world();
    let mount = mounted_site(&world, "tmpfs");
    build_where(&world, Some(&mount), NOW);
    let site = seen(&world, Some(&mount));
    for folder in ["old/deep", "kept"] {
        fs::create_dir_all(site.join(folder)).unwrap();
        fs::write(site.join(folder).join("page.html"), "earlier").unwrap();
    }
    fs::write(site.join("kept/note.txt"), "somebody's").unwrap();
    let manifest = site.join(MANIFEST);
    let listed = fs::read_to_string(&manifest).unwrap();
    let more = "\"files\":[\"old/deep/page.html\",\"kept/page.html\",";
    fs::write(&manifest, listed.replace("\"files\":[", more)).unwrap();
    build_where(&world, Some(&mount), LATER);
    assert!(!site.join("old").exists());
    assert_eq!(names(&site.join("kept")), ["note.txt"]);
}

#[test]
fn a_parent_that_may_not_be_written_to_leads_to_file_by_file_inside() {
    let world = world();
    fs::create_dir_all(world.path("closed/site")).unwrap();
    let build = |moment| {
        let arguments = build_into("closed/site", moment);
        let mut command = unprivileged(&world, &arguments);
        fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        ended(&mut command)
    };
    let first = build(NOW);
    assert_eq!(first.code, 0, "{first:?}");
    assert_one_line(&first, "its parent is not writable");
    let second = build(LATER);
    assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    assert!(world.path("closed/site/index.html").is_file());
    assert_eq!(names(&world.path("closed")), ["site"]);
    fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn where_nothing_may_be_written_the_old_site_stays_whole() {
    let world = world();
    fs::create_dir_all(world.path("closed/site")).unwrap();
    let close = |mode| {
        for folder in ["closed/site", "closed"] {
            fs::set_permissions(world.path(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let first = ended(&mut unprivileged(&world, &build_into("closed/site", NOW)));
    assert_eq!(first.code, 0, "{first:?}");
    let before = files(&world.path("closed"));
    fs::remove_dir_all(world.path("closed/.site.syncmon")).unwrap();
    close(0o555);
    let second = ended(&mut unprivileged(&world, &build_into("closed/site", LATER)));
    assert_eq!(second.code, 1, "{second:?}");
    assert_one_line(&second, "Permission denied");
    let third = ended(&mut unprivileged(&world, &build_into("closed/new", LATER)));
    assert_eq!(third.code, 1, "{third:?}");
    assert_one_line(&third, "Permission denied");
    close(0o755);
    let after = files(&world.path("closed"));
    assert_eq!(
        after,
        before
            .into_iter()
            .filter(|(name, _)| name.starts_with("site/"))
            .collect()
    );
}

#[test]
fn a_read_only_file_system_leaves_the_old_site_whole() {
    let world = world();
    fs::create_dir(world.path("disk")).unwrap();
    world.succeeds(&build_into("disk/site", NOW));
    let before = files(&world.path("disk"));
    let mount = Mounted::new(&world, "--bind disk disk && mount -o remount,ro,bind disk");
    let ended = ended(&mut mount.wrap(&world.command(&build_into("disk/site", LATER))));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_one_line(&ended, "Read-only file system");
    assert_eq!(files(&world.path("disk")), before);
}

#[test]
fn a_full_disk_leaves_the_old_site_whole() {
    let world = world();
    fs::create_dir(world.path("disk")).unwrap();
    let mount = Mounted::new(&world, "-t tmpfs -o size=400k,nr_inodes=200 tmpfs disk");
    let build = |moment| ended(&mut mount.wrap(&world.command(&build_into("disk/site", moment))));
    let first = build(NOW);
    assert_eq!(first.code, 0, "{first:?}");
    let disk = mount.path(&world.path("disk"));
    let before = files(&disk.join("site"));
    let mut ballast = fs::File::create(disk.join("ballast")).unwrap();
    while std::io::Write::write_all(&mut ballast, &[0; 4096]).is_ok() {}
    let second = build(LATER);
    assert_eq!(second.code, 1, "{second:?}");
    assert_one_line(&second, "No space left on device");
    assert_eq!(files(&disk.join("site")), before);

    drop(ballast);
    fs::remove_file(disk.join("ballast")).unwrap();
    let third = build(LATER);
    assert_eq!(third.code, 0, "room again: {third:?}");
    assert_ne!(files(&disk.join("site")), before);
}

// ---- two at once ----

#[test]
fn a_second_build_at_the_same_time_leaves_it_to_the_first() {
    let world = world();
    world.build();
    let before = tree(world.root());
    let lock = fs::File::open(world.path(".site.syncmon/lock")).unwrap();
    lock.lock().unwrap();
    let second = world.build_at(LATER);
    assert_eq!((second.code, second.stdout.as_str()), (0, ""));
    assert_one_line(&second, "another build is at work on site");
    assert_eq!(tree(world.root()), before);
    drop(lock);
    world.build_at(LATER);
    assert_ne!(tree(world.root()), before);
}

#[test]
fn many_builds_at_once_leave_one_whole_site() {
    let world = world();
    let mut builds: Vec<_> = (0..8)
        .map(|_| {
            let mut build = world.command(&build_into("site", NOW));
            build.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for build in &mut builds {
        assert!(build.wait().unwrap().success());
    }
    let together = world.site();
    world.run(&build_into("other", NOW));
    assert_eq!(together, files(&world.path("other")));
    assert!(
        names(&world.path(".site.syncmon"))
            .iter()
            .all(|name| name == "lock" || name == "site")
    );
}

// ---- helpers ----

/// One sync, so that builds are quick.
fn world() -> Sandbox {
    Sandbox::sqlite().sql(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, 1086)",
    )
}

fn build_into<'a>(out: &'a str, moment: &'a str) -> [&'a str; 7] {
    [
        "build",
        "--out",
        out,
        "--state-dir",
        "state",
        "--now",
        moment,
    ]
}

/// Exit code 2, one reason on standard error, and everything as it was.
fn refuses(world: &Sandbox, build: &mut std::process::Command, why: &str) {
    let before = tree(world.root());
    let ended = ended(build);
    assert_eq!(ended.code, 2, "{build:?}: {ended:?}");
    assert!(ended.stderr.contains(why), "{build:?}: {ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(tree(world.root()), before, "{build:?}");
}

fn assert_one_line(ended: &Ended, what: &str) {
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains(what), "{ended:?}");
}

/// `site` of the sandbox as a mount point: a "tmpfs", or a folder by "bind".
fn mounted_site(world: &Sandbox, kind: &str) -> Mounted {
    fs::create_dir(world.path("site")).unwrap();
    if kind == "tmpfs" {
        return Mounted::new(world, "-t tmpfs tmpfs site");
    }
    fs::create_dir(world.path("volume")).unwrap();
    Mounted::new(world, "--bind volume site")
}

fn build_where(world: &Sandbox, mount: Option<&Mounted>, moment: &str) -> Ended {
    let build = world.command(&build_into("site", moment));
    match mount {
        Some(mount) => ended(&mut mount.wrap(&build)),
        None => world.build_at(moment),
    }
}

fn seen(world: &Sandbox, mount: Option<&Mounted>) -> PathBuf {
    let site = world.path("site");
    mount.map_or(site.clone(), |mount| mount.path(&site))
}

/// As if an earlier version had published these files as well.
fn list_also(world: Sandbox, more: &[&str]) -> Sandbox {
    let mut manifest: serde_json::Value = serde_json::from_str(&world.page(MANIFEST)).unwrap();
    let files = manifest["files"].as_array_mut().unwrap();
    files.extend(more.iter().map(|&file| file.into()));
    world.file(&format!("site/{MANIFEST}"), &manifest.to_string())
}

fn replace_by_link(path: &Path, to: impl AsRef<Path>) {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
    symlink(to, path).unwrap();
}

fn inode(path: &Path) -> u64 {
    path.metadata().unwrap().ino()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every file below a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            (name.to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

/// Everything below a folder as it is: identity, permissions, last change and content.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .map(|entry| {
            let found = entry.path().symlink_metadata().unwrap();
            let content = if found.is_file() {
                syncmon::text::fnv1a(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap()))
            } else {
                0
            };
            let kind = (found.ino(), found.mode(), found.mtime_nsec());
            (entry.path().to_owned(), format!("{kind:?} {content}"))
        })
        .collect()
}
