//! A password may come in many ways. It leaves in none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cluster::Cluster;
use crate::sandbox::{Ended, NOW, Sandbox};

/// What breaks URLs, templates, shells and patterns when it is not treated with care.
const ODD: &str = "p@ss:w/o?r#d%2F[]{{7*7}}<b>&'\"$HOME \\ €";

/// A role of its own that has to give this password.
fn guarded(password: &str) -> (Sandbox, String) {
    let world = Sandbox::postgres();
    let role = format!("guarded_{}", world.database());
    world.execute(&format!(
        "do $$ begin
             create role password_required;
         exception when duplicate_object or unique_violation then null;
         end $$;
         create role {role} login in role syncmon_ro, password_required password '{}'",
        password.replace('\'', "''")
    ));
    (world, role)
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| {
        format!("{encoded}%{byte:02X}")
    })
}

/// Builds that end with this code leave no trace of the passwords but in `inputs`.
fn never_appears(world: &Sandbox, passwords: &[&str], code: i32, inputs: &[&str]) {
    for arguments in [vec![], vec!["-v"]] {
        let mut all = vec![
            "build",
            "--out",
            "site",
            "--state-dir",
            "state",
            "--now",
            NOW,
        ];
        all.extend(arguments);
        let ended = world.run(&all);
        assert_eq!(ended.code, code, "{ended:?}");
        for password in passwords {
            for text in forms(password) {
                is_nowhere(world, &ended, &text, inputs);
            }
        }
    }
}

/// As it is, and as it would stand in a URL, in HTML and in JSON.
fn forms(password: &str) -> Vec<String> {
    let html = password
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let json = serde_json::to_string(password).unwrap();
    vec![
        password.to_owned(),
        percent_encoded(password),
        html,
        json.trim_matches('"').to_owned(),
    ]
}

/// Not on any output, nor in any file but those that the user wrote.
fn is_nowhere(world: &Sandbox, ended: &Ended, text: &str, inputs: &[&str]) {
    assert!(!ended.stdout.contains(text), "{text}: {}", ended.stdout);
    assert!(!ended.stderr.contains(text), "{text}: {}", ended.stderr);
    let inputs: Vec<PathBuf> = inputs.iter().map(|name| world.path(name)).collect();
    for entry in walkdir::WalkDir::new(world.root()) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() || inputs.iter().any(|input| input == entry.path()) {
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        let found = bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        assert!(!found, "{text} is in {}", entry.path().display());
    }
}

fn protect(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_password_in_the_connection_string_leaves_no_trace() {
    let (world, role) = guarded(ODD);
    let server = Cluster::shared();
    let url = |password: &str| {
        let user = format!("{role}:{}", percent_encoded(password));
        server.url(&user, &world.database())
    };
    let (right, wrong) = (url(ODD), url("wr0ng&<odd>"));
    let world = world.with_url(&right);
    never_appears(&world, &[ODD], 0, &[]);
    let world = world.with_url(&wrong);
    never_appears(&world, &[ODD, "wr0ng&<odd>"], 75, &[]);
}

#[test]
fn a_password_as_a_parameter_leaves_no_trace() {
    let (world, role) = guarded(ODD);
    let url = |password: &str| {
        format!(
            "postgres:///{}?host=127.0.0.1&port={}&user={role}&password={}",
            world.database(),
            Cluster::shared().port,
            percent_encoded(password)
        )
    };
    let (right, wrong) = (url(ODD), url("wr0ng&<odd>"));
    let world = world.with_url(&right);
    never_appears(&world, &[ODD], 0, &[]);
    let world = world.with_url(&wrong);
    never_appears(&world, &["wr0ng&<odd>"], 75, &[]);
}

#[test]
fn a_password_in_an_env_file_leaves_no_trace() {
    let (world, role) = guarded("S3cret$with#signs");
    let url = Cluster::shared().url(
        &format!("{role}:{}", "S3cret$with%23signs"),
        &world.database(),
    );
    let world = world
        .without_url()
        .file(".env.local", &format!("DATABASE_URL='{url}'\n"));
    never_appears(&world, &["S3cret$with#signs"], 0, &[".env.local"]);
}

#[test]
fn a_password_in_the_environment_leaves_no_trace() {
    let (world, role) = guarded(ODD);
    let url = Cluster::shared().url(&role, &world.database());
    let world = world.with_url(&url).env("PGPASSWORD", ODD);
    never_appears(&world, &[ODD], 0, &[]);
    let world = world.env("PGPASSWORD", "wr0ng&<odd>");
    never_appears(&world, &["wr0ng&<odd>"], 75, &[]);
}

#[test]
fn a_password_in_a_pgpass_file_leaves_no_trace() {
    let (world, role) = guarded("S3cret/with@signs");
    let url = Cluster::shared().url(&role, &world.database());
    let world = world
        .with_url(&url)
        .file(".pgpass", "127.0.0.1:*:*:*:S3cret/with@signs\n");
    protect(&world.path(".pgpass"));
    never_appears(&world, &["S3cret/with@signs"], 0, &[".pgpass"]);

    let world = world.file(".pgpass", "*:*:*:*:wr0ng&<odd>\n");
    never_appears(&world, &["wr0ng&<odd>"], 75, &[".pgpass"]);

    let world = world.file("elsewhere", "*:*:*:*:S3cret/with@signs\n");
    protect(&world.path("elsewhere"));
    let path = world.path("elsewhere").display().to_string();
    let world = world.env("PGPASSFILE", &path);
    never_appears(&world, &["S3cret/with@signs"], 0, &[".pgpass", "elsewhere"]);
}

#[test]
fn a_pgpass_file_that_others_may_read_does_not_count() {
    let (world, role) = guarded("S3cret/with@signs");
    let url = Cluster::shared().url(&role, &world.database());
    let world = world
        .with_url(&url)
        .file(".pgpass", "*:*:*:*:S3cret/with@signs\n");
    never_appears(&world, &["S3cret/with@signs"], 75, &[".pgpass"]);
}

/// Whoever breaks the database may make it say anything.
#[test]
fn an_error_that_repeats_the_password_is_masked() {
    let (world, role) = guarded(ODD);
    let user = format!("{role}:{}", percent_encoded(ODD));
    let url = Cluster::shared().url(&user, &world.database());
    let world = world.with_url(&url);
    let (plain, encoded) = (ODD.replace('\'', "''"), percent_encoded(ODD));
    world.execute(&format!(
        "alter table sync_state rename to real_state;
         create function say() returns text language plpgsql as $f$
             begin raise exception '%', 'no entry with {plain} or {encoded}'; end $f$;
         create view sync_state as select entity_type, last_sync_time, say() as status,
             error_message, updated_at from real_state;
         grant select on sync_state to syncmon_ro;
         insert into real_state (entity_type) values ('sales')"
    ));
    never_appears(&world, &[ODD], 75, &[]);
    let ended = world.run(&[
        "build",
        "--out",
        "site",
        "--state-dir",
        "state",
        "--now",
        NOW,
    ]);
    assert!(
        ended
            .stderr
            .contains("no entry with [masked] or [masked] (SQLSTATE P0001)"),
        "{}",
        ended.stderr
    );
}
