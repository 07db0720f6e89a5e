//! Sites that another machine built and sent here: `syncmon publish`.

use std::fs;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process};

use crate::alerted::lasting;
use crate::campaign::{Campaign, figure};
use crate::folders::{
    LATER, MANIFEST, MUCH_LATER, assert_one_line, build_into, files, inode, mounted_site, names,
    refuses, replace_by_link, seen, shown, tree, world,
};
use crate::golden;
use crate::rows::minutes;
use crate::sandbox::{Ended, NOW, Sandbox, asset_of};
use crate::wrapped::{Mounted, end_of, ended, shell, spawned, unprivileged};

const PUBLISH: [&str; 5] = ["publish", "--from", "incoming", "--out", "site"];

/// A site built at [`NOW`] and sent to `incoming`.
fn sent() -> Sandbox {
    let world = world();
    send(&world, NOW);
    world
}

/// The same with the site of [`NOW`] live, and that of [`LATER`] sent.
fn live_and_sent() -> Sandbox {
    let world = sent();
    published(&world);
    send(&world, LATER);
    world
}

/// Builds anew, as on another machine, and sends the site.
fn send(world: &Sandbox, moment: &str) {
    send_what_ends(world, 0, &build_into("incoming", moment));
}

/// The same where the build ends with this code.
fn send_what_ends(world: &Sandbox, code: i32, build: &[&str]) {
    shell(world, "rm -rf incoming .incoming.syncmon");
    let ended = world.run(build);
    assert_eq!(ended.code, code, "{ended:?}");
    shell(world, "rm -r .incoming.syncmon");
}

fn published(world: &Sandbox) -> Ended {
    let ended = world.run(&PUBLISH);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    ended
}

/// What was sent is refused with this in the message; everything stays as it was.
#[track_caller]
fn is_refused(world: &Sandbox, why: &str) -> Ended {
    let before = tree(world.root());
    let ended = world.run(&PUBLISH);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert_one_line(&ended, why);
    assert_eq!(tree(world.root()), before);
    ended
}

/// The same with what was sent changed, and then as it was again.
#[track_caller]
fn is_refused_if(world: &Sandbox, change: impl FnOnce(), why: &str) -> Ended {
    shell(world, "cp -a incoming aside");
    change();
    let ended = is_refused(world, why);
    shell(world, "rm -r incoming; mv aside incoming");
    ended
}

#[track_caller]
fn is_left(world: &Sandbox, code: i32, why: &str, title: &str) {
    let site = world.path("site");
    let before = (files(&site), inode(&site));
    let ended = world.run(&PUBLISH);
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert_one_line(&ended, why);
    assert_eq!((files(&site), inode(&site)), before);
    message(title, world, &ended);
}

fn message(title: &str, world: &Sandbox, ended: &Ended) {
    golden::message(&format!("publish: {title}"), &shown(ended, world.root()));
}

/// What the manifest in `incoming` says, changed.
fn change_manifest(world: &Sandbox, change: impl FnOnce(&mut serde_json::Value)) {
    let path = world.path("incoming").join(MANIFEST);
    let mut manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
}

/// As if the builder had listed this file, and vouched for these bytes.
fn list(world: &Sandbox, path: &str, bytes: &[u8]) {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    change_manifest(world, |manifest| {
        manifest["files"].as_array_mut().unwrap().push(path.into());
        manifest["checksums"][path] = crc.sum().into();
    });
}

// ---- a whole site ----

#[test]
fn a_site_that_was_sent_is_published_as_a_whole() {
    let world = live_and_sent();
    let folder = inode(&world.path("site"));
    let before = tree(&world.path("incoming"));
    let said = published(&world).stdout;
    let [site, incoming] = ["site", "incoming"].map(|name| world.path(name));
    let count = files(&incoming).len() - 1;
    let expected = format!("Published {count} files in site, built at 2026-11-22T20:10:00Z.\n");
    assert_eq!(said, expected);
    assert_eq!(files(&site), files(&incoming));
    assert_eq!(tree(&incoming), before, "left as it is");
    assert_ne!(inode(&site), folder, "exchanged");
    assert_eq!(inode(&world.path(".site.syncmon/site")), folder);
    let quietly = world.succeeds(&[&PUBLISH[..], &["-q"]].concat());
    assert_eq!(quietly.stdout + &quietly.stderr, "");
}

/// What a build does for readers, web servers and others' files holds for what was sent too.
#[test]
fn a_site_that_was_sent_is_published_as_a_build_publishes() {
    for mounted in [false, true] {
        let world = sent();
        let mount = mounted.then(|| mounted_site(&world, "tmpfs"));
        let site = seen(&world, mount.as_ref());
        let told = published_where(&world, mount.as_ref());
        assert_eq!(told.contains("cannot be exchanged as a whole"), mounted);
        let own = ["robots.txt", "entities/own.txt"].map(|own| site.join(own));
        for own in &own {
            fs::write(own, "mine").unwrap();
        }
        let overview = || fs::read_to_string(site.join("index.html")).unwrap();
        let style = asset_of(&overview(), "syncmon.css");
        let time = |name| site.join(name).metadata().unwrap().modified().unwrap();
        let before = ["index.html", &style].map(time);
        send(&world, LATER);
        assert_eq!(published_where(&world, mount.as_ref()), "");
        assert!(time("index.html") >= before[0] + Duration::from_secs(1));
        assert_eq!(time(&style), before[1], "what is the same keeps its time");
        for own in own {
            assert_eq!(fs::read_to_string(own).unwrap(), "mine");
        }

        let world = world
            .file("look/assets/syncmon.css", "/* new */")
            .env("SYNCMON_TEMPLATES", "look");
        send(&world, MUCH_LATER);
        assert_eq!(published_where(&world, mount.as_ref()), "");
        // A reader may just have taken a page that asks for it.
        assert!(site.join(&style).exists());
        assert_ne!(asset_of(&overview(), "syncmon.css"), style);
    }
}

/// What it said on standard error.
fn published_where(world: &Sandbox, mount: Option<&Mounted>) -> String {
    let publish = world.command(&PUBLISH);
    let ended = match mount {
        Some(mount) => ended(&mut mount.wrap(&publish)),
        None => world.run(&PUBLISH),
    };
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stderr
}

/// Neither a database nor a configuration is needed, and `incoming` may be a link, which is the operator's own doing.
#[test]
fn what_the_manifest_does_not_list_is_not_taken() {
    let world = sent()
        .file("incoming/extra.html", "not ours")
        .file("incoming/.well-known/token", "not ours")
        .without_url()
        .file("syncmon.toml", "this is no configuration");
    let link = "ln -s /etc/passwd incoming/link; mv incoming elsewhere; ln -s elsewhere incoming";
    shell(&world, link);
    published(&world);
    for name in ["extra.html", ".well-known", "link"] {
        assert!(!world.path("site").join(name).exists(), "{name}");
    }
}

// ---- what is not whole ----

#[test]
fn a_site_that_is_cut_off_anywhere_is_refused() {
    let world = live_and_sent();
    let [live, whole] = ["site", "incoming"].map(|folder| files(&world.path(folder)));
    let (mut refused, mut earlier) = (0, 0);
    for (name, bytes) in &whole {
        let path = world.path("incoming").join(name);
        let is_manifest = name == MANIFEST;
        let mut halves = vec![bytes[..bytes.len() / 2].to_vec(), Vec::new()];
        // Whitespace at the end of the manifest changes nothing.
        if let Some((last, whole)) = bytes.split_last().filter(|_| !is_manifest) {
            halves.push([whole, &[last ^ 1]].concat());
        }
        let changed = format!("is not whole: {name} is not as it was built");
        for half in &halves {
            fs::write(&path, half).unwrap();
            is_refused(&world, &changed);
        }
        // Copying goes file by file: until it is done, files of two builds lie side by side.
        if let Some(before) = live.get(name).filter(|before| *before != bytes) {
            fs::write(&path, before).unwrap();
            is_refused(
                &world,
                if is_manifest {
                    "is not whole"
                } else {
                    &changed
                },
            );
            earlier += 1;
        }
        fs::remove_file(&path).unwrap();
        let missing = format!("is not whole: {name} is missing; send all of it again");
        let nothing = "holds no site of syncmon's";
        is_refused(&world, if is_manifest { nothing } else { &missing });
        fs::write(&path, bytes).unwrap();
        refused += halves.len() + 1;
    }
    assert!(earlier > 3, "{earlier}");
    published(&world);
    assert_eq!(files(&world.path("site")), whole);
    let count = whole.len();
    figure(&format!(
        "sites that were sent and cut off in {count} files: {refused} refused, 0 violations"
    ));
}

#[test]
fn what_is_not_whole_is_said_in_one_line() {
    let world = live_and_sent();
    let page = world.path("incoming/entities/sales.html");
    let says = |title, why| message(title, &world, &is_refused(&world, why));
    fs::remove_file(&page).unwrap();
    says("a file is missing", "is missing");
    fs::write(&page, "half").unwrap();
    says("a file is cut off", "is not as it was built");
    replace_by_link(&page, "sales.html");
    says("a link in place of a file", "is no regular file");
    list(&world, "../syncmon.toml", b"");
    says("a path that leads outside", "is no path of a site");
    fs::remove_file(world.path("incoming").join(MANIFEST)).unwrap();
    says("nothing was sent yet", "holds no site");
}

// ---- who sent it may mean harm ----

#[test]
fn a_manifest_that_leads_elsewhere_is_refused() {
    let secret = "DATABASE_URL='postgres://ro:s3cret@db/app'";
    let world = live_and_sent().file("secret", secret);
    let long = "long".repeat(64);
    let paths = "../secret entities/../../secret ./index.html entities//sales.html entities/ /etc/hostname . .. \
        .htaccess .syncmon/site/index.html assets/.git/config a\nb a\0b";
    for path in paths.split(' ').chain(["", MANIFEST, &long]) {
        let listed = || list(&world, path, secret.as_bytes());
        is_refused_if(&world, listed, "which is no path of a site");
        // Not for what it would have to be read for either.
        let lasting = || {
            listed();
            change_manifest(&world, |manifest| manifest["lasting"][path] = 3.into());
        };
        is_refused_if(&world, lasting, "which is no path of a site");
    }
}

/// Not even where the sender knows what is behind it.
#[test]
fn links_and_what_is_no_file_are_not_read() {
    let world = live_and_sent();
    for plant in [
        "cp sales.html copy; ln -sf copy sales.html",
        "ln -sf nowhere sales.html",
        "rm sales.html; mkdir sales.html",
        "rm sales.html; mkfifo sales.html",
        "rm sales.html; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sales.html\")'",
        "mv ../entities ../beside; ln -s beside ../entities",
    ] {
        let planted = || shell(&world, &format!("cd incoming/entities; {plant}"));
        let ended = is_refused_if(&world, planted, "is no regular file");
        assert!(ended.stderr.contains("entities/"), "{plant}: {ended:?}");
    }
    for name in [MANIFEST, "status.json"] {
        let link = format!("cp incoming/{name} elsewhere; ln -sf ../elsewhere incoming/{name}");
        let planted = || shell(&world, &link);
        is_refused_if(&world, planted, &format!("{name} is no regular file"));
    }
}

#[test]
fn what_is_too_much_is_not_read_to_its_end() {
    let world = live_and_sent();
    for (name, size) in [("index.html", "300M"), (MANIFEST, "17M")] {
        let longer = || shell(&world, &format!("truncate -s {size} incoming/{name}"));
        is_refused_if(&world, longer, &format!("{name} is too large"));
    }
    change_manifest(&world, |manifest| {
        let files = manifest["files"].as_array_mut().unwrap();
        files.extend((0..20_000).map(|number| format!("{number}.html").into()));
    });
    is_refused(&world, "lists more than 20000 files");
}

#[test]
fn a_manifest_that_is_none_is_refused() {
    let world = live_and_sent();
    for text in ["", "{", "[]", "null", "{\"files\": [\"index.html\"]}"] {
        let written = || shell(&world, &format!("printf '{text}' > incoming/{MANIFEST}"));
        is_refused_if(&world, written, "is not whole");
    }
    for missing in ["index.html", "status.json"] {
        let unlist = |manifest: &mut serde_json::Value| {
            let files = manifest["files"].as_array_mut().unwrap();
            files.retain(|file| file != missing);
        };
        let unlisted = || change_manifest(&world, unlist);
        is_refused_if(&world, unlisted, &format!("lists no {missing}"));
    }
    // As a version of before wrote it.
    let unchecked = || {
        change_manifest(&world, |manifest| {
            manifest.as_object_mut().unwrap().remove("checksums");
        });
    };
    is_refused_if(&world, unchecked, "is not as it was built");
    let nonsense = br#"{"generated_at": "yesterday"}"#;
    fs::write(world.path("incoming/status.json"), nonsense).unwrap();
    list(&world, "status.json", nonsense);
    let why = "status.json of the site that was sent to incoming cannot be understood";
    is_refused(&world, why);
}

// ---- what is whole, and yet not for readers ----

#[test]
fn the_live_site_never_goes_back_in_time() {
    let world = live_and_sent();
    published(&world);
    send(&world, NOW);
    let why = "it was built 5 min later than what was sent to incoming";
    is_left(&world, 0, why, "what was sent is older");
    send(&world, LATER);
    published(&world);
}

/// Or a clock that was ahead for a moment would keep out all that is built in the years until then.
#[test]
fn a_live_site_from_the_future_does_not_keep_out_those_of_today() {
    let world = world();
    send(&world, "2099-01-01T00:00:00Z");
    published(&world);
    send(&world, NOW);
    published(&world);
    assert_eq!(world.status()["generated_at"], NOW);
}

#[test]
fn a_page_without_data_never_replaces_one_with_data() {
    let away = |world: &Sandbox, moment| {
        shell(world, "mv sync.sqlite away.sqlite");
        send_what_ends(world, 75, &build_into("incoming", moment));
        shell(world, "mv away.sqlite sync.sqlite");
    };
    let world = sent();
    published(&world);
    // The builder still has what it read before.
    away(&world, LATER);
    published(&world);
    assert_eq!(world.status()["source"]["state"], "unreachable");
    shell(&world, "rm -r state");
    away(&world, MUCH_LATER);
    is_left(&world, 75, "shows no data", "a page without data");
    send(&world, MUCH_LATER);
    published(&world);

    // Where there is nothing better it says what to do.
    shell(&world, "rm -r state site");
    away(&world, MUCH_LATER);
    published(&world);
    published(&world);
    assert_eq!(world.status()["as_of"], serde_json::Value::Null);
}

#[test]
fn a_demo_never_replaces_a_real_site_and_gives_way_to_one() {
    let world = sent();
    published(&world);
    let demo = [&build_into("incoming", LATER)[..], &["--demo"]].concat();
    send_what_ends(&world, 0, &demo);
    let real = "holds a real site, which a demo never replaces";
    refuses(&world, &mut world.command(&PUBLISH), real);
    // Whatever its manifest says.
    change_manifest(&world, |manifest| manifest["demo"] = false.into());
    refuses(&world, &mut world.command(&PUBLISH), real);
    fs::remove_dir_all(world.path("site")).unwrap();
    published(&world);
    send(&world, NOW);
    published(&world);
    assert_eq!(world.status()["demo"], false);
}

// ---- where to, and where from ----

#[test]
fn directories_that_cannot_be_meant_are_refused() {
    let world = live_and_sent()
        .file("photos/summer.jpg", "canary")
        .file("a-file", "canary");
    for (from, out, why) in [
        ("incoming", "incoming", "lie within each other"),
        ("incoming", "incoming/site", "lie within each other"),
        ("site/incoming", "site", "lie within each other"),
        (".site.syncmon/site", "site", "lie within each other"),
        ("incoming", "photos", "was not published by syncmon"),
        ("incoming", "a-file", "it is not a directory"),
        ("incoming", "/", "lie within each other"),
        ("incoming", "", "'--out <DIR>'"),
        ("incoming", " ", "--out is empty"),
        ("", "site", "'--from <DIR>'"),
        (" ", "site", "--from is empty"),
        ("nowhere", "site", "cannot be opened as a directory"),
        ("a-file", "site", "cannot be opened as a directory"),
    ] {
        let publish = ["publish", "--from", from, "--out", out];
        refuses(&world, &mut world.command(&publish), why);
    }
    let within = ["publish", "--from", "incoming", "--out", "incoming/site"];
    message("directories within each other", &world, &world.run(&within));
    let nothing = ["publish", "--from", "nowhere", "--out", "site"];
    message("nothing to publish from", &world, &world.run(&nothing));
    refuses(&world, &mut world.command(&["publish"]), "--from <DIR>");
}

#[test]
fn what_may_not_be_read_is_named() {
    let world = sent().file("www/note", "");
    let publish = ["publish", "--from", "incoming", "--out", "www/site"];
    assert_eq!(ended(&mut unprivileged(&world, &publish)).code, 0);
    shell(&world, "chmod 000 incoming/index.html");
    let ended = ended(&mut unprivileged(&world, &publish));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_one_line(&ended, "incoming/index.html cannot be read");
    message("a file may not be read", &world, &ended);
}

// ---- two at once, and sudden ends ----

#[test]
fn two_at_once_publish_one_after_the_other() {
    let world = live_and_sent();
    for number in 0..4 {
        send(&world, &format!("2026-11-22T20:{}:00Z", 20 + number));
        for publish in [(); 4].map(|()| spawned(&mut world.command(&PUBLISH))) {
            end_of(publish).exits(0);
        }
        assert_eq!(files(&world.path("site")), files(&world.path("incoming")));
    }
}

#[test]
fn a_site_that_another_build_is_at_work_on_is_not_fought_over() {
    let world = live_and_sent();
    let lock = fs::File::open(world.path(".site.syncmon/lock")).unwrap();
    lock.lock().unwrap();
    let why = "nothing was published: try again";
    is_left(&world, 75, why, "another build stays at work");
    let mut waiting = spawned(&mut world.command(&PUBLISH));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(waiting.try_wait().unwrap(), None);
    drop(lock);
    assert!(waiting.wait().unwrap().success());
    assert_eq!(files(&world.path("site")), files(&world.path("incoming")));
}

#[test]
fn killed_at_any_moment_it_leaves_a_whole_site() {
    let world = live_and_sent();
    let campaign = Campaign::named("kills", "SIGKILL, publishing what was sent");
    for step in campaign.steps(12, 300) {
        let (_, usual) = lasting(|| published(&world));
        let before = files(&world.path("site"));
        let later = minutes(1 + i64::try_from(step.number).unwrap());
        let moment: DateTime<Utc> = LATER.parse().unwrap();
        send(&world, &(moment + later).to_rfc3339());
        let mut child = spawned(&mut world.command(&PUBLISH));
        std::thread::sleep(usual.mul_f64(step.random().f64()));
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        let found = files(&world.path("site"));
        let is_old = found == before;
        assert!(is_old || found == files(&world.path("incoming")));
        step.count(if is_old { "early" } else { "late" }, 1);
        step.count("builds", 1);
        for name in names(&world.path(".site.syncmon")) {
            assert!(["lock", "site"].contains(&&*name), "{name}");
        }
    }
    published(&world);
    assert_eq!(files(&world.path("site")), files(&world.path("incoming")));
    campaign.ends("{builds} builds, {early} left the old site, {late} the new one");
}
