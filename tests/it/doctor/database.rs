//! The links that the database tells of.

use super::{diagnosis, healthy};
use crate::cluster::Cluster;
use crate::hidden::faketime;
use crate::sandbox::{Sandbox, execute};
use crate::tls;

#[test]
fn a_superuser_is_more_than_a_reader() {
    let world = healthy();
    let admin = Cluster::shared().url("postgres", &world.database());
    let seen = diagnosis(&world.with_url(&admin), &[]);
    seen.only(
        "role",
        &["postgres is a superuser", "connect as syncmon_ro"],
    );
}

/// A role of its own that sees both tables, with these further privileges.
fn reader(world: Sandbox, role: &str, further: &str) -> Sandbox {
    let role = format!("{role}_{}", world.database());
    world.execute(&format!(
        "create role {role} login;
         alter role {role} set default_transaction_read_only = on;
         alter role {role} set statement_timeout = '30s';
         grant select on sync_log, sync_state to {role};
         create policy {role}_log on sync_log for select to {role} using (true);
         create policy {role}_state on sync_state for select to {role} using (true);
         {}",
        further.replace("ROLE", &role)
    ));
    let url = Cluster::shared().url(&role, &world.database());
    world.with_url(&url)
}

#[test]
fn a_role_that_may_write_is_named_with_what_to_revoke() {
    for (further, what, remedy) in [
        (
            "grant insert on sync_log to ROLE",
            "may write sync_log (INSERT)",
            "revoke insert on public.sync_log from",
        ),
        (
            "grant update (status) on sync_state to ROLE",
            "may write sync_state (UPDATE)",
            "revoke update on public.sync_state from",
        ),
        (
            "grant delete, truncate on lightspeed_sales to ROLE",
            "may write lightspeed_sales (DELETE, TRUNCATE)",
            "revoke delete, truncate on public.lightspeed_sales from",
        ),
        (
            "alter table sync_log owner to ROLE",
            "owns sync_log",
            "connect as syncmon_ro",
        ),
        (
            "alter role ROLE bypassrls",
            "bypasses row security",
            "connect as syncmon_ro",
        ),
    ] {
        let world = reader(healthy(), "writer", further);
        diagnosis(&world, &[]).only("role", &[what, remedy]);
    }
    let world = reader(healthy(), "reader", "");
    assert_eq!(diagnosis(&world, &[]).state("role"), "ok");
}

#[test]
fn a_role_without_the_settings_gets_advice_and_no_problem() {
    let world = reader(healthy(), "loose", "alter role ROLE reset all");
    let seen = diagnosis(&world, &[]);
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    assert_eq!(seen.state("role"), "note");
    let advice = seen.findings("role");
    assert!(
        advice.contains("set default_transaction_read_only = on;"),
        "{advice}"
    );
    assert!(
        advice.contains("set statement_timeout = '30s';"),
        "{advice}"
    );
    for line in advice.lines() {
        world.execute(line.split_once(" → ").unwrap().1);
    }
    assert_eq!(diagnosis(&world, &[]).state("role"), "ok");
}

#[test]
fn a_missing_table_is_named() {
    for table in ["sync_state", "sync_log"] {
        let world = healthy().sql(&format!("drop table {table} cascade"));
        let seen = diagnosis(&world, &[]);
        seen.only(
            "tables",
            &[&format!("{table} is missing"), "run syncmon init-db"],
        );
        assert_eq!(seen.state("rows"), "skipped");
        assert_eq!(seen.state("thresholds"), "skipped");
    }
    let world = healthy().sql("drop table sync_log, sync_state cascade");
    diagnosis(&world, &[]).only("tables", &["sync_state and sync_log are missing"]);
}

#[test]
fn columns_that_are_missing_or_of_another_type_are_named() {
    let world = healthy().sql("alter table sync_log drop column records_processed");
    diagnosis(&world, &[]).only(
        "tables",
        &[
            "sync_log has no column records_processed",
            "init-db --print",
        ],
    );

    let world = healthy().sql("alter table sync_log alter column timestamp type timestamp using timestamp at time zone 'UTC'");
    let seen = diagnosis(&world, &[]);
    seen.only(
        "tables",
        &["sync_log.timestamp is timestamp without time zone, and not timestamp with time zone"],
    );
    world.execute(seen.findings("tables").split_once(" → ").unwrap().1);
    assert_eq!(diagnosis(&world, &[]).problems(), [""; 0]);
}

#[test]
fn a_table_that_may_not_be_read_is_named_with_its_grant() {
    let world = healthy().sql("revoke select on sync_state from syncmon_ro");
    let seen = diagnosis(&world, &[]);
    seen.only("tables", &["syncmon_ro may not read sync_state"]);
    world.execute(seen.findings("tables").split_once(" → ").unwrap().1);
    assert_eq!(diagnosis(&world, &[]).problems(), [""; 0]);
}

#[test]
fn a_missing_index_is_named() {
    let world = healthy().sql("drop index sync_log_entity_type_timestamp_idx");
    let seen = diagnosis(&world, &[]);
    seen.only(
        "index",
        &[
            "no index that begins with entity_type and timestamp",
            "run syncmon init-db",
        ],
    );
    assert_eq!(seen.state("rows"), "ok");
    let (_, statement) = seen
        .findings("index")
        .split_once("or: ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    world.execute(&statement);
    assert_eq!(diagnosis(&world, &[]).state("index"), "ok");

    let world = Sandbox::sqlite().sql("drop index sync_log_entity_type_timestamp_idx");
    assert_eq!(diagnosis(&world, &[]).state("index"), "problem");
}

#[test]
fn row_security_without_a_policy_is_no_empty_table() {
    for table in ["sync_log", "sync_state"] {
        let world = healthy().sql(&format!("drop policy syncmon_ro_select on {table}"));
        let seen = diagnosis(&world, &[]);
        seen.only(
            "rows",
            &[&format!(
                "Row security hides the table {table} from the role syncmon_ro"
            )],
        );
        world.execute(seen.findings("rows").split_once(" → ").unwrap().1);
        assert_eq!(diagnosis(&world, &[]).problems(), [""; 0]);
    }
}

#[test]
fn no_row_of_any_age_is_an_alarm() {
    let empty = super::built(Sandbox::postgres());
    diagnosis(&empty, &[]).only(
        "rows",
        &["syncmon_ro sees no row", "check that DATABASE_URL names"],
    );
    let blind = super::built(Sandbox::postgres());
    blind.execute(super::HALF_HOURLY);
    blind.execute(
        "alter policy syncmon_ro_select on sync_log using (false);
         alter policy syncmon_ro_select on sync_state using (false)",
    );
    diagnosis(&blind, &[]).only("rows", &["sees no row", "policies of row security"]);
    let empty = super::built(Sandbox::sqlite());
    diagnosis(&empty, &[]).only("rows", &["there is no row in sync_state"]);
}

#[test]
fn an_entity_of_which_nothing_was_recorded_is_worth_a_word() {
    let world = healthy().file(
        "syncmon.toml",
        "[[entities]]\nentity_type = \"sales\"\n[[entities]]\nentity_type = \"gift_cards\"\n",
    );
    let seen = diagnosis(&world, &[]);
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    assert!(
        seen.findings("rows")
            .contains("nothing was ever recorded of Gift Cards"),
        "{}",
        seen.text
    );
}

#[test]
fn a_wrong_password_is_told_without_it() {
    let world = healthy();
    let role = format!("guarded_{}", world.database());
    world.execute(&format!(
        "do $$ begin
             create role password_required;
         exception when duplicate_object or unique_violation then null;
         end $$;
         create role {role} login in role syncmon_ro, password_required password 'r1ght'"
    ));
    let url = Cluster::shared().url(&format!("{role}:S3cret"), &world.database());
    let seen = diagnosis(&world.with_url(&url), &[]);
    seen.only(
        "connection",
        &["28P01", "check role and password in DATABASE_URL"],
    );
    for id in ["role", "tables", "index", "rows", "clock"] {
        assert_eq!(
            seen.summary(id),
            "not looked at, because there is no connection"
        );
    }
}

#[test]
fn the_certificate_authority_is_named_or_the_wrong_one_is() {
    let server = tls::server();
    let world = super::built(Sandbox::postgres_in(server).sql(super::HALF_HOURLY));
    let url = |authority: &str| {
        format!(
            "postgres://syncmon_ro@localhost:{}/{}?sslmode=verify-full&sslrootcert={}",
            server.port,
            world.database(),
            tls::certificate(authority).display()
        )
    };
    let (right, wrong) = (url("ours.crt"), url("other.crt"));
    let world = super::built(world.with_url(&right));
    let seen = diagnosis(&world, &[]);
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    let summary = seen.summary("connection");
    assert!(
        summary.contains("encrypted (TLSv1.3), identity checked (verify-full) against /"),
        "{summary}"
    );
    assert!(summary.ends_with("/ours.crt"), "{summary}");
    let seen = diagnosis(&world.with_url(&wrong), &[]);
    seen.only(
        "connection",
        &[
            "no trusted encrypted connection",
            "as sslrootcert in DATABASE_URL",
        ],
    );
}

#[test]
fn clocks_that_differ_are_told_with_how_much() {
    for (shift, what) in [
        ("+390", "6 min behind this machine's"),
        ("-390", "6 min ahead of this machine's"),
    ] {
        let world = super::built(Sandbox::postgres().sql(super::HALF_HOURLY))
            .env("LD_PRELOAD", &faketime())
            .env("FAKETIME", shift)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let seen = diagnosis(&world, &[]);
        assert_eq!(seen.state("clock"), "problem", "{}", seen.text);
        assert!(seen.findings("clock").contains(what), "{}", seen.text);
    }
}

#[test]
fn the_second_role_of_a_cluster_is_judged_by_itself() {
    let world = healthy();
    let name = format!("\"Read Only {}\"", world.database());
    execute(
        world.owner_url(),
        &format!(
            "create role {name} login; grant syncmon_ro to {name}; grant insert on sync_log to {name}"
        ),
    );
    let login = name.trim_matches('"').replace(' ', "%20");
    let url = Cluster::shared().url(&login, &world.database());
    let seen = diagnosis(&world.with_url(&url), &[]);
    seen.only("role", &[&format!("from {name};")]);
}
