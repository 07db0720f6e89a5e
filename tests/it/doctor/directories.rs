//! Where the site goes, where things are kept, and what the last publish left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Diagnosis, diagnosis, healthy};
use crate::cluster::is_root;
use crate::folders::names;
use crate::golden::Told;
use crate::sandbox::Sandbox;
use crate::wrapped::{ended, unprivileged};

#[test]
fn a_directory_that_a_build_would_refuse_is_refused() {
    let world = healthy().file("other/notes.txt", "mine");
    let build = ["build", "--out", "other", "--state-dir", "state"];
    let refused = world.run(&build).exits(2);
    let seen = diagnosis(&world, &["--out", "other"]);
    let words = "was not published by syncmon (it holds notes.txt";
    seen.only("output", words);
    let told = seen.findings("output").replace(" → ", "; ");
    assert_eq!(refused.stderr.trim(), format!("syncmon: {told}"));
    assert_eq!(seen.state("last_publish"), "skipped");

    let seen = diagnosis(&world, &["--state-dir", "site/state"]);
    let words = "lies within --out site and would be published … give another with --state-dir";
    seen.only("output", words);
}

/// The doctor, run by somebody whom permissions hold back.
fn by_nobody(world: &Sandbox, out: &str, state: &str) -> Diagnosis {
    let mut arguments = vec!["doctor", "--out", out, "--state-dir", state];
    let text = ended(&mut unprivileged(world, &arguments));
    arguments.push("--json");
    let json = ended(&mut unprivileged(world, &arguments));
    Diagnosis::of(&text, &json)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn directories_that_may_not_be_written_are_named() {
    let world = healthy();
    for locked in ["locked", "locked/old", "locked/old/site"] {
        fs::create_dir(world.path(locked)).unwrap();
    }
    set_mode(world.root(), 0o755);
    // The sandbox now belongs to whoever looks.
    by_nobody(&world, "site", "state");
    for path in ["locked/old/site", "locked/old", "locked"] {
        set_mode(&world.path(path), 0o555);
    }
    let seen = by_nobody(&world, "locked/site", "state");
    let words = "cannot be made … /locked may not be written … with --out";
    seen.only("output", words);
    let seen = by_nobody(&world, "locked/old/site", "state");
    seen.only("output", "neither … may be written … chown -R");
    set_mode(&world.path("locked/old/site"), 0o755);
    let seen = by_nobody(&world, "locked/old/site", "state");
    seen.holds();
    seen.findings("output").has("replaced file by file");
    let seen = by_nobody(&world, "site", "locked/state");
    seen.only("state", "cannot be made … with --state-dir");
    set_mode(&world.path("locked"), 0o755);
    if is_root() {
        diagnosis(&world, &[]).findings("output").has("root looks");
    }
}

#[test]
fn a_folder_that_web_servers_cannot_pass_is_worth_a_word() {
    let world = healthy();
    set_mode(world.root(), 0o700);
    let seen = diagnosis(&world, &[]);
    seen.holds();
    let remedy = format!("chmod o+x {}", world.root().display());
    seen.findings("output").has(&remedy);
    set_mode(world.root(), 0o755);
    assert_eq!(diagnosis(&world, &[]).state("output"), "ok");
}

/// The file with the last good snapshot.
fn snapshot(world: &Sandbox) -> PathBuf {
    let mut names = names(&world.path("state"));
    names.retain(|name| name.starts_with("snapshot."));
    world.path("state").join(&names[0])
}

#[test]
fn what_is_wrong_with_the_state_directory_is_named() {
    let world = healthy();
    let (state, snapshot) = (world.path("state"), snapshot(&world));
    set_mode(&snapshot, 0o644);
    diagnosis(&world, &[]).only("state", "others may read … chmod go-rwx");
    set_mode(&snapshot, 0o600);
    set_mode(&state, 0o777);
    diagnosis(&world, &[]).only("state", "others may write … chmod go-w");
    // As systemd makes it: nginx has to pass through it to the site.
    set_mode(&state, 0o755);
    assert_eq!(diagnosis(&world, &[]).state("state"), "ok");
    fs::write(&snapshot, "nonsense").unwrap();
    let words = "is damaged … the next good build replaces it";
    diagnosis(&world, &[]).only("state", words);
    fs::remove_file(&snapshot).unwrap();
    assert_eq!(diagnosis(&world, &[]).state("state"), "ok");
}

#[test]
fn an_outage_that_the_builds_have_met_is_told() {
    let world = healthy().sql("revoke select on sync_log from syncmon_ro");
    world.build_now().exits(75);
    world.execute("grant select on sync_log to syncmon_ro");
    let seen = diagnosis(&world, &[]);
    seen.holds();
    let since = "the last build could not read the database, since";
    seen.findings("state").has(since);
    let page = "the page says that the database could not be read";
    seen.findings("last_publish").has(page);
}

#[test]
fn a_page_that_nobody_rebuilds_and_a_demo_are_named() {
    let world = healthy();
    let earlier = chrono::Utc::now() - chrono::TimeDelta::hours(3);
    world.build_at(&earlier.to_rfc3339()).exits(0);
    let words = "built 3 h … not to be believed any more for 2 h 4 … systemctl list-timers";
    diagnosis(&world, &[]).only("last_publish", words);

    fs::remove_dir_all(world.path("site")).unwrap();
    let demo = "build -q --demo --out site --state-dir state";
    world.succeeds(&demo.split(' ').collect::<Vec<_>>());
    let words = "a demo with invented data … a real site replaces it";
    diagnosis(&world, &[]).only("last_publish", words);
}
