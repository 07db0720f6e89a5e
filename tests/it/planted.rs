//! What people and other programs put into a site, beside it, or into its manifest.

use std::fs;
use std::os::unix::fs::FileTypeExt;
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
use crate::wrapped::{ended, shell, through, unprivileged};

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
    let world = world().file("outside.txt", "canary");
    world.build();
    let site = world.path("site");
    let deep = vec!["deep"; 60].join("/");
    shell(
        &world,
        &format!(
            "cd site; mkfifo pipe; ln ../outside.txt second-name.txt
             mkdir -p {deep}; echo at the bottom > {deep}/note.txt
             echo for few > closed.txt; chmod 000 closed.txt
             mkdir many; seq -f 'many/%g.txt' 10000 | xargs touch"
        ),
    );
    let socket = UnixListener::bind(site.join("socket")).unwrap();
    for moment in [LATER, MUCH_LATER] {
        builds(&world, moment);
    }
    drop(socket);
    let kind = |name: &str| site.join(name).symlink_metadata().unwrap().file_type();
    assert!(kind("pipe").is_fifo() && kind("socket").is_socket());
    assert_eq!(mode(&site.join("closed.txt")), 0);
    let note = content(site.join(deep).join("note.txt"));
    assert_eq!(note, "at the bottom\n");
    assert_eq!(names(&site.join("many")).len(), 10_000);
    let outside = world.path("outside.txt");
    assert_eq!(inode(&site.join("second-name.txt")), inode(&outside));
    assert_eq!(content(outside), "canary");
}

/// Where a file cannot have two names it is copied; whoever copied a pipe would wait for ever.
#[test]
fn where_there_are_no_hard_links_files_are_copied_and_pipes_refused() {
    let generations = Generations::new(Place::Plain);
    generations.settle(0);
    let unlinkable = |number, name: &str| {
        let call = Call::first(&generations, "linkat", &format!("/site/{name}"));
        let (built, happened) = injected(&generations, number, &call, Fault::Error("EPERM"));
        assert!(happened);
        built
    };
    let built = unlinkable(1, "robots.txt");
    assert_eq!((built.code, built.stderr.as_str()), (0, ""));
    assert_eq!(generations.found(), Found::Whole(1));

    shell(&generations.world, "mkfifo site/pipe");
    let built = unlinkable(0, "pipe");
    assert_eq!(built.code, 1, "{built:?}");
    assert_one_line(&built, "pipe cannot be carried over");
    let title = "disk: a pipe in the site, where there are no hard links";
    golden::message(title, &shown(&built, generations.world.root()));
    shell(&generations.world, "rm site/pipe");
    assert_eq!(generations.found(), Found::Whole(1));
    generations.heals(0);
}

/// A build by somebody whom permissions hold back, of a site that has a folder of the same owner in it.
fn beside_a_closed_folder(world: &Sandbox, mode: &str) {
    assert_eq!(published(world, NOW).code, 0);
    let script = "mkdir own; printf mine > own/note.txt; chown -R --reference=index.html own";
    shell(world, &format!("cd www/site; {script}; chmod {mode} own"));
}

fn published(world: &Sandbox, moment: &str) -> Ended {
    ended(&mut unprivileged(world, &build_into("www/site", moment)))
}

#[test]
fn a_folder_closed_by_its_owner_does_not_block_the_builds_after_it() {
    let world = world();
    beside_a_closed_folder(&world, "555");
    let closed = world.path("www/site/own");
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
    beside_a_closed_folder(&world, "000");
    let before = content(world.path("www/site/index.html"));
    let built = published(&world, LATER);
    assert_eq!(built.code, 1, "{built:?}");
    assert_one_line(&built, "www/site/own cannot be read");
    let title = "disk: a folder in the site may not be read";
    golden::message(title, &shown(&built, world.root()));
    assert_eq!(content(world.path("www/site/index.html")), before);
    shell(&world, "rm -r www/site/own");
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
    for make in ["mkfifo", "ln -s ../elsewhere.json"] {
        let world = world()
            .file("elsewhere.json", "{}")
            .file("site/photo.jpg", "canary");
        shell(&world, &format!("{make} site/{MANIFEST}"));
        let mut build = world.command(&build_into("site", NOW));
        refuses(&world, &mut build, "was not published by syncmon");
    }
}

#[test]
fn a_lock_that_is_a_pipe_or_a_folder_is_not_waited_for() {
    for (kind, make) in [("pipe", "mkfifo"), ("folder", "mkdir")] {
        let world = world();
        world.build();
        let before = world.site();
        shell(&world, &format!("cd .site.syncmon; rm lock; {make} lock"));
        let ended = world.build_at(LATER);
        assert_eq!(ended.code, 1, "{kind}: {ended:?}");
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

/// What came in its place, and what it holds, is neither followed nor taken away.
#[test]
fn what_is_replaced_during_a_build_is_left_alone() {
    let generations = Generations::new(Place::Plain);
    let world = &generations.world;
    let (hidden, link) = (
        "the hidden folder is replaced",
        "a link comes into the place of the site",
    );
    for (title, code, canary, script) in [
        (hidden, 1, ".site.syncmon/site", "mv .site.syncmon aside"),
        (
            hidden,
            1,
            "outside/site",
            "mv .site.syncmon aside; ln -s outside .site.syncmon",
        ),
        ("the site is removed", 0, "", "rm -r site"),
        ("the site is replaced", 2, "site", "rm -r site"),
        (link, 1, "", "mv site aside; ln -s aside site"),
    ] {
        let held = held(&generations);
        shell(world, script);
        if !canary.is_empty() {
            shell(
                world,
                &format!("mkdir -p {canary}; echo alive > {canary}/canary"),
            );
        }
        let built = held.goes_on();
        assert_eq!(built.code, code, "{title}: {built:?}");
        let title = format!("directory: {title} during a build");
        match code {
            0 => assert_eq!((generations.found(), &*built.stderr), (Found::Whole(1), "")),
            1 => assert_eq!(generations.found(), Found::Whole(0)),
            _ => assert_eq!(generations.build(1).code, code, "and refused afterwards"),
        }
        if code != 0 {
            golden::message(&title, &shown(&built, world.root()));
        }
        shell(
            world,
            &format!("test -z '{canary}' || test -e {canary}/canary"),
        );
        shell(world, "rm -rf site .site.syncmon aside outside");
        generations.heals(1);
    }
}

// ---- the home directory ----

/// Services often run without HOME; the user database still knows which directory is dear.
#[test]
fn a_home_directory_is_refused_without_home_as_well() {
    let world = world();
    let asked = "getent passwd \"$(id -u)\" | cut -d: -f6";
    let home = ended(std::process::Command::new("sh").args(["-c", asked])).stdout;
    let mut build = world.command(&build_into(home.trim(), NOW));
    refuses(&world, build.env_remove("HOME"), "is a home directory");
}
