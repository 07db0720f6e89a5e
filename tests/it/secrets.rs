//! A password may come in many ways. It leaves in none.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::cluster::Cluster;
use crate::outage::building;
use crate::sandbox::{Ended, NOW, Sandbox};

/// What breaks URLs, password files, templates, shells, JSON, HTML, SQL and patterns when it is not treated with care.
pub const ODD: &str = "p@ss:w/o?r#d%2f[]{{7*7}}<b>&'\"$HOME \\ €+x";

/// A role of its own that has to give this password.
pub fn guarded(world: &Sandbox, password: &str) -> String {
    let role = format!("guarded_{}", world.database());
    world.execute(&format!(
        "do $$ begin
             create role password_required;
         exception when duplicate_object or unique_violation then null;
         end $$;
         create role {role} login in role syncmon_ro, password_required password '{}'",
        password.replace('\'', "''")
    ));
    role
}

/// All but letters, digits and what `stays`.
pub fn percent_encoded(text: &str, stays: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || stays.contains(letter) {
            format!("{encoded}{letter}")
        } else {
            format!("{encoded}%{byte:02X}")
        }
    })
}

fn in_lower_case(encoded: &str) -> String {
    let escapes = regex::Regex::new("%..").unwrap();
    let lower = |escape: &regex::Captures| escape[0].to_lowercase();
    escapes.replace_all(encoded, lower).into_owned()
}

/// The forms in which a program could repeat it.
pub fn forms(password: &str) -> [String; 10] {
    let (encoded, sparing) = (
        percent_encoded(password, ""),
        percent_encoded(password, "-_.~"),
    );
    let form = sparing.replace("%20", "+");
    let html = password
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let json = serde_json::to_string(password).unwrap();
    [
        password.to_owned(),
        in_lower_case(&encoded),
        encoded,
        sparing,
        in_lower_case(&form),
        form,
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html,
        json.trim_matches('"').to_owned(),
        password.replace('\'', "''"),
    ]
}

/// Not on any output, nor in the name or the bytes of any file but those that the user wrote.
pub fn are_nowhere(world: &Sandbox, ended: &Ended, secrets: &[String], inputs: &[&str]) {
    let secrets: Vec<String> = secrets.iter().map(|text| regex::escape(text)).collect();
    let pattern = regex::bytes::Regex::new(&secrets.join("|")).unwrap();
    let is_clean = |place: &str, bytes: &[u8]| {
        if let Some(found) = pattern.find(bytes) {
            let around = &bytes[found.start().saturating_sub(200)..found.end()];
            panic!("{place}: …{}", String::from_utf8_lossy(around));
        }
    };
    is_clean("standard output", ended.stdout.as_bytes());
    is_clean("standard error", ended.stderr.as_bytes());
    for entry in walkdir::WalkDir::new(world.root()).min_depth(1) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(world.root()).unwrap();
        let name = name.to_string_lossy();
        is_clean("a name", name.as_bytes());
        if entry.file_type().is_file() && !inputs.contains(&&*name) {
            is_clean(&name, &fs::read(entry.path()).unwrap());
        }
    }
}

/// The user's own file, as the driver demands it.
fn protected(world: Sandbox, name: &str, content: &str) -> Sandbox {
    let world = world.file(name, content);
    fs::set_permissions(world.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    world
}

/// Every way of giving a password for this role at this "port/database", and the file that it stands in.
pub fn ways(
    role: &str,
    address: &str,
    password: &str,
) -> Vec<(&'static str, Sandbox, &'static str)> {
    let (port, database) = address.split_once('/').unwrap();
    let url = |user: &str| format!("postgres://{user}@127.0.0.1:{address}");
    let encoded = |stays: &str| percent_encoded(password, stays);
    let given = |stays: &str| url(&format!("{role}:{}", encoded(stays)));
    let reading = |url: &str| Sandbox::bare().with_url(url);
    let parameter = format!("{}?password={}", url(role), in_lower_case(&encoded("")));
    let user = format!("user={role}&password={}", encoded(""));
    let parameters = format!("postgres:///{database}?host=127.0.0.1&port={port}&{user}");
    let variable = reading(&url(role)).env("PGPASSWORD", password);
    let line = format!("DATABASE_URL='{}'\n", given("$&+"));
    let file = Sandbox::bare().file(".env.local", &line);
    let mut ways = vec![
        ("in the URL", reading(&given("")), ""),
        ("hardly encoded", reading(&given("$&'+")), ""),
        ("as a parameter", reading(&parameter), ""),
        ("among parameters", reading(&parameters), ""),
        ("in PGPASSWORD", variable, ""),
        ("in .env.local", file, ".env.local"),
    ];
    let colons = password.replace('\\', r"\\");
    for escaped in [&colons.replace(':', r"\:"), &colons] {
        let lines = format!(
            "# ours\nother:1:app:{role}:another\n127.0.0.1:*:{database}:{role}:{escaped}\n"
        );
        let world = protected(reading(&url(role)), ".pgpass", &lines);
        ways.push((
            "in .pgpass, with and without escaped colons",
            world,
            ".pgpass",
        ));
        let world = protected(reading(&url(role)), "passwords", &lines);
        let path = world.path("passwords").display().to_string();
        ways.push(("in PGPASSFILE", world.env("PGPASSFILE", &path), "passwords"));
    }
    ways
}

#[test]
fn a_password_leaves_no_trace_however_it_is_given() {
    let database = Sandbox::postgres();
    let role = guarded(&database, ODD);
    let address = format!("{}/{}", Cluster::shared().port, database.database());
    for (password, code) in [(ODD, 0), ("wr0ng&<odd>", 75)] {
        for (way, world, input) in ways(&role, &address, password) {
            for verbosity in ["-q", "-v"] {
                let ended = world.run(&[&building(NOW)[..], &[verbosity]].concat());
                assert_eq!(ended.code, code, "{way}: {ended:?}");
                println!("{way}");
                are_nowhere(&world, &ended, &forms(password), &[input]);
            }
        }
    }
}

#[test]
fn a_pgpass_file_that_others_may_read_does_not_count() {
    let database = Sandbox::postgres();
    let role = guarded(&database, "S3cret/with@signs");
    let url = Cluster::shared().url(&role, &database.database());
    let line = "*:*:*:*:S3cret/with@signs\n";
    let world = Sandbox::bare().with_url(&url).file(".pgpass", line);
    let ended = world.build_at(NOW);
    assert_eq!(ended.code, 75, "{ended:?}");
    are_nowhere(&world, &ended, &forms("S3cret/with@signs"), &[".pgpass"]);
}

/// Whoever breaks the database may make it say anything.
#[test]
fn an_error_that_repeats_the_password_is_masked() {
    let world = Sandbox::postgres();
    let role = guarded(&world, ODD);
    let encoded = percent_encoded(ODD, "");
    let url = Cluster::shared().url(&format!("{role}:{encoded}"), &world.database());
    let plain = ODD.replace('\'', "''");
    let world = world.with_url(&url).sql(&format!(
        "alter table sync_state rename to real_state;
         create function say() returns text language plpgsql as $f$
             begin raise exception '%', 'no entry with {plain} or {encoded}'; end $f$;
         create view sync_state as select entity_type, last_sync_time, say() as status,
             error_message, updated_at from real_state;
         grant select on sync_state to syncmon_ro;
         insert into real_state (entity_type) values ('sales')"
    ));
    let ended = world.build_at(NOW);
    assert_eq!(ended.code, 75, "{ended:?}");
    are_nowhere(&world, &ended, &forms(ODD), &[]);
    let said = "no entry with [masked] or [masked] (SQLSTATE P0001)";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}
