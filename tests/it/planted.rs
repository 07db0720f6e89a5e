//! What people and other programs put into a site, beside it, or into its manifest.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::folders::{
    LATER, MANIFEST, MUCH_LATER, assert_one_line, build_into, build_where, inode, mode,
    mounted_site, names, refuses, replace_by_link, seen, shown, world,
};
use crate::generations::{Found, Generations, Place};
use crate::golden;
use crate::injected::{Call, Fault, Stopped, before_the_exchange, injected};
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{ended, made, through, unprivileged};

fn content(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// A good build that has nothing to say.
fn builds(world: &Sandbox, moment: &str) {
    let ended = world.build_at(moment);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{moment}");
}

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
        let listed = manifest["files"].as_array().unwrap();
        assert!(listed.contains(&"index.html".into()), "{damage:?}");
        assert!(!listed.contains(&"robots.txt".into()), "{damage:?}");
    }
    // A gigabyte is not read.
    let world = world();
    world.build();
    let manifest = world.path("site").join(MANIFEST);
    let file = fs::File::options().write(true).open(&manifest).unwrap();
    file.set_len(1 << 30).unwrap();
    let little = ["sh", "-c", "ulimit -v 524288; exec \"$@\"", "sh"];
    let build = world.command(&build_into("site", LATER));
    let ended = ended(&mut through(&little, &build));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(manifest.metadata().unwrap().len() < 10_000);
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
        let text = content(&manifest);
        let evil = format!(
            "\"files\":[\"../canary\",\"{canary}\",\"entities/../../canary\",\"./../deep/canary\",\"\",\"/\",\"..\","
        );
        fs::write(&manifest, text.replace("\"files\":[", &evil)).unwrap();
        let ended = build(LATER);
        assert_eq!(ended.code, 0, "{ended:?}");
        for canary in ["canary", "deep/canary"] {
            assert_eq!(content(world.path(canary)), "alive");
        }
        assert!(!content(&manifest).contains("canary"));
    }
}

#[test]
fn links_planted_in_the_site_are_not_followed() {
    let world = world();
    world.build();
    let world = world
        .file("outside/syncmon.css", "canary")
        .file("page", "canary");
    replace_by_link(&world.path("site/index.html"), "../page");
    replace_by_link(&world.path("site/assets"), "../outside");
    replace_by_link(&world.path("site/entities"), world.root());
    for moment in [LATER, MUCH_LATER, LATER] {
        assert_eq!(world.build_at(moment).code, 0);
    }
    for canary in ["page", "outside/syncmon.css"] {
        assert_eq!(content(world.path(canary)), "canary");
    }
    assert_eq!(names(&world.path("outside")), ["syncmon.css"]);
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
    assert_eq!(content(world.path("outside/syncmon.css")), "canary");
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
            let outside = names(&world.path("outside"));
            assert_eq!(outside, [MANIFEST, "note.txt"], "{planted} to {target}");
            assert_eq!(content(world.path("outside/note.txt")), "canary");
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
    assert_eq!(content(photo), "canary");
}

// ---- things that are no files ----

#[test]
fn pipes_sockets_and_much_else_are_carried_over() {
    let world = world();
    world.build();
    let site = world.path("site");
    made("mkfifo", &[site.join("pipe").to_str().unwrap()]);
    let socket = UnixListener::bind(site.join("socket")).unwrap();
    let world = world.file("outside.txt", "canary");
    fs::hard_link(world.path("outside.txt"), site.join("second-name.txt")).unwrap();
    let deep = site.join(vec!["deep"; 60].join("/"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("note.txt"), "at the bottom").unwrap();
    fs::write(site.join("closed.txt"), "for few").unwrap();
    fs::set_permissions(site.join("closed.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::create_dir(site.join("many")).unwrap();
    for number in 0..10_000 {
        fs::write(site.join(format!("many/{number}.txt")), "").unwrap();
    }
    for moment in [LATER, MUCH_LATER] {
        builds(&world, moment);
    }
    let kind = |name: &str| site.join(name).symlink_metadata().unwrap().file_type();
    assert!(kind("pipe").is_fifo());
    assert!(kind("socket").is_socket());
    drop(socket);
    assert_eq!(mode(&site.join("closed.txt")), 0);
    assert_eq!(content(deep.join("note.txt")), "at the bottom");
    assert_eq!(names(&site.join("many")).len(), 10_000);
    assert_eq!(
        inode(&site.join("second-name.txt")),
        inode(&world.path("outside.txt"))
    );
    assert_eq!(content(world.path("outside.txt")), "canary");
}

/// Where a file cannot have two names it is copied; whoever copied a pipe would wait for ever.
#[test]
fn where_there_are_no_hard_links_files_are_copied_and_pipes_refused() {
    let generations = Generations::new(Place::Plain);
    generations.settle(0);
    let site = generations.path("site");
    let unlinkable = |number, name: &str| {
        let call = Call::first(&generations, "linkat", &format!("/site/{name}"));
        let (built, happened) = injected(&generations, number, &call, Fault::Error("EPERM"));
        assert!(happened);
        built
    };
    let built = unlinkable(1, "robots.txt");
    assert_eq!((built.code, built.stderr.as_str()), (0, ""));
    assert_eq!(generations.found(), Found::Whole(1));

    made("mkfifo", &[site.join("pipe").to_str().unwrap()]);
    let built = unlinkable(0, "pipe");
    assert_eq!(built.code, 1, "{built:?}");
    assert_one_line(&built, "pipe cannot be carried over");
    let title = "disk: a pipe in the site, where there are no hard links";
    golden::message(title, &shown(&built, generations.world.root()));
    fs::remove_file(site.join("pipe")).unwrap();
    assert_eq!(generations.found(), Found::Whole(1));
    generations.heals(0);
}

/// A build by somebody whom permissions hold back, of a site that has a folder of the same owner in it.
fn beside_a_closed_folder(world: &Sandbox, folder: &str, mode: u32) {
    let site = world.path("www/site");
    assert_eq!(published(world, NOW).code, 0);
    fs::create_dir(site.join(folder)).unwrap();
    fs::write(site.join(folder).join("note.txt"), "mine").unwrap();
    let found = site.metadata().unwrap();
    let owner = format!("{}:{}", found.uid(), found.gid());
    let folder = site.join(folder);
    made("chown", &["-R", &owner, folder.to_str().unwrap()]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
}

fn published(world: &Sandbox, moment: &str) -> Ended {
    ended(&mut unprivileged(world, &build_into("www/site", moment)))
}

#[test]
fn a_folder_closed_by_its_owner_does_not_block_the_builds_after_it() {
    let world = world();
    beside_a_closed_folder(&world, "closed", 0o555);
    let closed = world.path("www/site/closed");
    for moment in [LATER, MUCH_LATER, NOW, LATER] {
        let built = published(&world, moment);
        assert_eq!((built.code, built.stderr.as_str()), (0, ""), "{moment}");
        assert_eq!(content(closed.join("note.txt")), "mine");
        assert_eq!(mode(&closed), 0o555);
    }
}

#[test]
fn what_may_not_be_read_is_named_and_the_old_site_stays() {
    let world = world();
    beside_a_closed_folder(&world, "secret", 0o000);
    let before = content(world.path("www/site/index.html"));
    let built = published(&world, LATER);
    assert_eq!(built.code, 1, "{built:?}");
    assert_one_line(&built, "www/site/secret cannot be read");
    let title = "disk: a folder in the site may not be read";
    golden::message(title, &shown(&built, world.root()));
    assert_eq!(content(world.path("www/site/index.html")), before);
    fs::remove_dir_all(world.path("www/site/secret")).unwrap();
    assert_eq!(published(&world, LATER).code, 0);
}

#[test]
fn an_odd_umask_does_not_lock_the_next_build_out() {
    let world = world();
    for moment in [NOW, LATER, MUCH_LATER] {
        let command = unprivileged(&world, &build_into("var/site", moment));
        let odd = ["sh", "-c", "umask 0777; exec \"$@\"", "sh"];
        let built = ended(&mut through(&odd, &command));
        assert_eq!((built.code, built.stderr.as_str()), (0, ""), "{moment}");
        assert_eq!(mode(&world.path("var/site/entities")), 0o755);
        assert_eq!(mode(&world.path("var/site/index.html")), 0o644);
        assert_eq!(mode(&world.path("var/.site.syncmon")), 0o700);
    }
}

// ---- the manifest and the lock ----

#[test]
fn a_manifest_that_is_a_pipe_or_a_link_makes_no_directory_ours() {
    for kind in ["pipe", "link"] {
        let world = world()
            .file("elsewhere.json", "{}")
            .file("site/photo.jpg", "canary");
        let manifest = world.path("site").join(MANIFEST);
        if kind == "pipe" {
            made("mkfifo", &[manifest.to_str().unwrap()]);
        } else {
            replace_by_link(&manifest, "../elsewhere.json");
        }
        let mut build = world.command(&build_into("site", NOW));
        refuses(&world, &mut build, "was not published by syncmon");
    }
}

#[test]
fn a_lock_that_is_a_pipe_or_a_folder_is_not_waited_for() {
    for kind in ["pipe", "folder"] {
        let world = world();
        world.build();
        let before = world.site();
        let lock = world.path(".site.syncmon/lock");
        fs::remove_file(&lock).unwrap();
        if kind == "pipe" {
            made("mkfifo", &[lock.to_str().unwrap()]);
        } else {
            fs::create_dir(&lock).unwrap();
        }
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 1, "{kind}: {ended:?}");
        assert_one_line(&ended, "lock cannot be opened");
        let title = format!("directory: a {kind} in place of the lock");
        golden::message(&title, &shown(&ended, world.root()));
        assert_eq!(world.site(), before);
    }
}

/// A workplace from the time when the parent could not be written to, never completed.
#[test]
fn a_workplace_in_an_unpublished_site_blocks_nobody() {
    let world = world().file("site/.syncmon/lock", "");
    for moment in [NOW, LATER, MUCH_LATER] {
        builds(&world, moment);
    }
}

// ---- during a build ----

/// A build of the second generation, held when all is written and nothing replaced.
fn held(generations: &Generations) -> Stopped<'_> {
    generations.settle(0);
    let sync = before_the_exchange(generations, 1);
    Stopped::at(generations, 1, &sync)
}

fn says(generations: &Generations, title: &str, built: &Ended) {
    let title = format!("directory: {title} during a build");
    golden::message(&title, &shown(built, generations.world.root()));
}

#[test]
fn a_hidden_folder_that_is_replaced_during_a_build_is_left_alone() {
    let generations = Generations::new(Place::Plain);
    let [taken, outside] = ["taken", "outside"].map(|name| generations.world.path(name));
    let hidden = generations.path(".site.syncmon");
    for planted in ["folder", "link"] {
        let held = held(&generations);
        fs::rename(&hidden, &taken).unwrap();
        fs::create_dir_all(outside.join("site")).unwrap();
        fs::write(outside.join("site/canary"), "alive").unwrap();
        if planted == "link" {
            symlink(&outside, &hidden).unwrap();
        } else {
            fs::rename(&outside, &hidden).unwrap();
        }
        let built = held.goes_on();
        assert_eq!(built.code, 1, "{built:?}");
        says(&generations, "the hidden folder is replaced", &built);
        assert_eq!(generations.found(), Found::Whole(0));
        assert_eq!(content(hidden.join("site/canary")), "alive");
        if planted == "link" {
            fs::remove_file(&hidden).unwrap();
            fs::rename(&outside, &hidden).unwrap();
        }
        for folder in [&hidden, &taken] {
            fs::remove_dir_all(folder).unwrap();
        }
        generations.heals(1);
    }
}

#[test]
fn a_site_that_is_removed_during_a_build_is_published_anew() {
    let generations = Generations::new(Place::Plain);
    let held = held(&generations);
    fs::remove_dir_all(generations.path("site")).unwrap();
    let built = held.goes_on();
    assert_eq!((built.code, built.stderr.as_str()), (0, ""));
    assert_eq!(generations.found(), Found::Whole(1));
    generations.heals(1);
}

#[test]
fn what_comes_into_the_place_of_a_site_during_a_build_is_left_alone() {
    let generations = Generations::new(Place::Plain);
    let held = held(&generations);
    let site = generations.path("site");
    fs::remove_dir_all(&site).unwrap();
    fs::create_dir(&site).unwrap();
    fs::write(site.join("photo.jpg"), "canary").unwrap();
    let built = held.goes_on();
    assert_eq!(built.code, 2, "{built:?}");
    says(&generations, "the site is replaced", &built);
    assert_eq!(names(&site), ["photo.jpg"]);
    assert_eq!(generations.build(1).code, 2, "and refused afterwards");
    fs::remove_dir_all(&site).unwrap();
    generations.heals(1);
}

#[test]
fn a_link_in_the_place_of_a_site_is_neither_followed_nor_taken_away() {
    let generations = Generations::new(Place::Plain);
    let held = held(&generations);
    let (site, aside) = (generations.path("site"), generations.world.path("aside"));
    fs::rename(&site, &aside).unwrap();
    symlink(&aside, &site).unwrap();
    let built = held.goes_on();
    assert_eq!(built.code, 1, "{built:?}");
    let title = "a link comes into the place of the site";
    says(&generations, title, &built);
    assert!(site.is_symlink());
    fs::remove_file(&site).unwrap();
    fs::rename(&aside, &site).unwrap();
    assert_eq!(generations.found(), Found::Whole(0));
    generations.heals(1);
}

// ---- the home directory ----

/// Services often run without HOME; the user database still knows which directory is dear.
#[test]
fn a_home_directory_is_refused_without_home_as_well() {
    let world = world();
    let shell = "getent passwd \"$(id -u)\" | cut -d: -f6";
    let home = ended(std::process::Command::new("sh").args(["-c", shell])).stdout;
    let mut build = world.command(&build_into(home.trim(), NOW));
    refuses(&world, build.env_remove("HOME"), "is a home directory");
}
