//! Where the site goes, where things are kept, and what the last publish left.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Diagnosis, diagnosis, healthy};
use crate::cluster::is_root;
use crate::sandbox::Sandbox;
use crate::wrapped::{ended, unprivileged};

#[test]
fn a_foreign_directory_is_refused_as_a_build_refuses_it() {
    let world = healthy().file("other/notes.txt", "mine");
    let refused = world.run(&["build", "--out", "other", "--state-dir", "state"]);
    assert_eq!(refused.code, 2);
    let seen = diagnosis(&world, &["--out", "other"]);
    seen.only(
        "output",
        &["was not published by syncmon (it holds notes.txt"],
    );
    let told = seen.findings("output").replace(" → ", "; ");
    assert_eq!(refused.stderr.trim(), format!("syncmon: {told}"));
    assert_eq!(seen.state("last_publish"), "skipped");
}

#[test]
fn a_state_directory_within_the_site_is_refused() {
    let seen = diagnosis(&healthy(), &["--state-dir", "site/state"]);
    seen.only(
        "output",
        &[
            "lies within --out site and would be published",
            "give another with --state-dir",
        ],
    );
}

/// The doctor, run by somebody whom permissions hold back.
fn by_nobody(world: &Sandbox, out: &str, state: &str) -> Diagnosis {
    let arguments = ["doctor", "--out", out, "--state-dir", state];
    let text = ended(&mut unprivileged(world, &arguments));
    let json = ended(&mut unprivileged(
        world,
        &[&arguments[..], &["--json"]].concat(),
    ));
    Diagnosis::of(&text, &json)
}

#[test]
fn directories_that_may_not_be_written_are_named() {
    let world = healthy();
    for locked in ["locked", "locked/old", "locked/old/site"] {
        fs::create_dir(world.path(locked)).unwrap();
    }
    let mode = |path: &str, mode| {
        fs::set_permissions(world.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
    // The sandbox now belongs to whoever looks.
    by_nobody(&world, "site", "state");
    for path in ["locked/old/site", "locked/old", "locked"] {
        mode(path, 0o555);
    }
    let seen = by_nobody(&world, "locked/site", "state");
    seen.only(
        "output",
        &["cannot be made", "/locked may not be written", "with --out"],
    );
    let seen = by_nobody(&world, "locked/old/site", "state");
    seen.only("output", &["neither", "may be written", "chown -R"]);
    mode("locked/old/site", 0o755);
    let seen = by_nobody(&world, "locked/old/site", "state");
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    assert!(
        seen.findings("output").contains("replaced file by file"),
        "{}",
        seen.text
    );
    let seen = by_nobody(&world, "site", "locked/state");
    seen.only("state", &["cannot be made", "with --state-dir"]);
    mode("locked", 0o755);
    if is_root() {
        let seen = diagnosis(&world, &[]);
        assert!(
            seen.findings("output").contains("root looks"),
            "{}",
            seen.text
        );
    }
}

#[test]
fn a_folder_that_web_servers_cannot_pass_is_worth_a_word() {
    let world = healthy();
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o700)).unwrap();
    let seen = diagnosis(&world, &[]);
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    assert!(
        seen.findings("output")
            .contains(&format!("chmod o+x {}", world.root().display()))
    );
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(diagnosis(&world, &[]).state("output"), "ok");
}

/// The file with the last good snapshot.
fn snapshot(world: &Sandbox) -> std::path::PathBuf {
    let entries = fs::read_dir(world.path("state")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("snapshot.")
        })
        .unwrap()
}

#[test]
fn a_kept_snapshot_that_cannot_be_used_is_named() {
    let world = healthy();
    fs::write(snapshot(&world), "nonsense").unwrap();
    let seen = diagnosis(&world, &[]);
    seen.only("state", &["is damaged", "the next good build replaces it"]);
    fs::remove_file(snapshot(&world)).unwrap();
    assert_eq!(diagnosis(&world, &[]).state("state"), "ok");
}

#[test]
fn a_state_directory_that_others_may_read_or_write_is_named() {
    let world = healthy();
    fs::set_permissions(snapshot(&world), fs::Permissions::from_mode(0o644)).unwrap();
    diagnosis(&world, &[]).only("state", &["others may read", "chmod go-rwx"]);
    fs::set_permissions(snapshot(&world), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(world.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
    diagnosis(&world, &[]).only("state", &["others may write", "chmod go-w"]);
    // As systemd makes it: nginx has to pass through it to the site.
    fs::set_permissions(world.path("state"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(diagnosis(&world, &[]).state("state"), "ok");
}

#[test]
fn an_outage_that_the_builds_have_met_is_told() {
    let world = healthy();
    world.execute("revoke select on sync_log from syncmon_ro");
    assert_eq!(world.build_now().code, 75);
    world.execute("grant select on sync_log to syncmon_ro");
    let seen = diagnosis(&world, &[]);
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    assert!(
        seen.findings("state")
            .contains("the last build could not read the database, since")
    );
    assert!(
        seen.findings("last_publish")
            .contains("the page says that the database could not be read")
    );
}

#[test]
fn a_page_that_nobody_rebuilds_is_named() {
    let world = healthy();
    let earlier = chrono::Utc::now() - chrono::TimeDelta::hours(3);
    let ended = world.build_at(&earlier.to_rfc3339());
    assert_eq!(ended.code, 0, "{ended:?}");
    let seen = diagnosis(&world, &[]);
    seen.only(
        "last_publish",
        &[
            "built 3 h",
            "not to be believed any more for 2 h 4",
            "systemctl list-timers",
        ],
    );
}

#[test]
fn a_demo_in_the_place_of_the_site_is_named() {
    let world = healthy();
    fs::remove_dir_all(world.path("site")).unwrap();
    world.succeeds(&[
        "build",
        "-q",
        "--demo",
        "--out",
        "site",
        "--state-dir",
        "state",
    ]);
    diagnosis(&world, &[]).only(
        "last_publish",
        &["a demo with invented data", "a real site replaces it"],
    );
}
