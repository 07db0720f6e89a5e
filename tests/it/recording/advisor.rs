//! Supabase's own advisor on what `schema.sql` makes.

use std::process::Command;

use serde_json::Value;

use super::roles::{CLOSED_DEFAULTS, OPEN_DEFAULTS, SUPABASE_ROLES};
use crate::browser::node_modules;
use crate::cluster::{Cluster, debian_binaries};
use crate::sandbox::{Sandbox, execute};

/// The names of its errors and warnings.
fn advice(world: &Sandbox) -> Vec<String> {
    let output = Command::new(node_modules().join("@supabase/cli-linux-x64/bin/supabase"))
        .args("db advisors --level warn --output-format json".split(' '))
        .args(["--remote", world.owner_url()])
        .env("HOME", world.root())
        .env("SUPABASE_TELEMETRY_DISABLED", "1")
        .current_dir(world.root())
        .output()
        .expect("the advisor is missing; ./tests/run installs it");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = found["results"].as_array().expect("results");
    results
        .iter()
        .map(|result| result["cacheKey"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn supabases_advisor_finds_nothing_wrong() {
    let server = Cluster::start(&debian_binaries(), &[]);
    execute(&server.url("postgres", "postgres"), SUPABASE_ROLES);
    for defaults in [OPEN_DEFAULTS, CLOSED_DEFAULTS] {
        let world = Sandbox::empty_postgres_in(&server).sql(defaults);
        world.succeeds(&["init-db"]);
        assert_eq!(advice(&world), Vec::<String>::new(), "under {defaults}");
        if defaults == CLOSED_DEFAULTS {
            let open = "create table open (id integer primary key); grant select on open to anon";
            world.execute(&format!("grant usage on schema public to anon; {open}"));
            assert_eq!(advice(&world), ["rls_disabled_in_public_public_open"]);
        }
    }
}
