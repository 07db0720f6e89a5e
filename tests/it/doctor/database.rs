//! The links that the database tells of.

use super::{Diagnosis, HALF_HOURLY, built, diagnosis, healthy};
use crate::cluster::Cluster;
use crate::golden::{Told, cases};
use crate::hidden::faketime;
use crate::sandbox::Sandbox;
use crate::secrets::guarded;
use crate::tls;

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
    let mut world = reader(healthy(), "reader", "");
    assert_eq!(diagnosis(&world, &[]).state("role"), "ok");
    for [writer, granted, revoked, table] in cases(
        "inserting | insert | insert | sync_log
         updating | update (status) | update | sync_state
         emptying | delete, truncate | delete, truncate | lightspeed_sales",
    ) {
        let grant = format!("grant {granted} on {table} to ROLE");
        world = reader(world, writer, &grant);
        let may = revoked.to_uppercase();
        let words = format!("may write {table} ({may}) … revoke {revoked} on public.{table} from");
        diagnosis(&world, &[]).only("role", &words);
    }
    for [writer, altered, words] in cases(
        "bypassing | alter role ROLE bypassrls | bypasses row security
         owning | alter table sync_log owner to ROLE | owns sync_log",
    ) {
        world = reader(world, writer, altered);
        let words = format!("{words} … connect as syncmon_ro");
        diagnosis(&world, &[]).only("role", &words);
    }
    // One is judged by itself, however it is called.
    let name = format!("\"Read Only {}\"", world.database());
    world.execute(&format!(
        "create role {name} login; grant syncmon_ro to {name}; grant insert on sync_log to {name}"
    ));
    let login = name.trim_matches('"').replace(' ', "%20");
    let database = world.database();
    let world = world.with_url(&Cluster::shared().url(&login, &database));
    diagnosis(&world, &[]).only("role", &format!("from {name};"));
    let world = world.with_url(&Cluster::shared().url("postgres", &database));
    let words = "postgres is a superuser … connect as syncmon_ro";
    diagnosis(&world, &[]).only("role", words);
}

#[test]
fn a_role_without_the_settings_gets_advice_and_no_problem() {
    let world = reader(healthy(), "loose", "alter role ROLE reset all");
    let seen = diagnosis(&world, &[]);
    seen.holds();
    assert_eq!(seen.state("role"), "note");
    let advice = seen.findings("role");
    advice.has("set default_transaction_read_only = on;");
    advice.has("set statement_timeout = '30s';");
    for line in advice.lines() {
        world.execute(line.split_once(" → ").unwrap().1);
    }
    assert_eq!(diagnosis(&world, &[]).state("role"), "ok");
}

/// What is broken by this SQL is told in these words.
#[track_caller]
fn broken(world: &Sandbox, sql: &str, link: &str, words: &str) -> Diagnosis {
    world.execute(sql);
    let seen = diagnosis(world, &[]);
    seen.only(link, words);
    seen
}

#[test]
fn tables_columns_and_an_index_that_are_missing_are_named() {
    let world = healthy();
    for table in ["sync_state", "sync_log"] {
        let away = format!("alter table {table} rename to away");
        let words = format!("{table} is missing … run syncmon init-db");
        let seen = broken(&world, &away, "tables", &words);
        let rest = ["rows", "thresholds"].map(|id| seen.state(id));
        assert_eq!(rest, ["skipped"; 2]);
        world.execute(&format!("alter table away rename to {table}"));
    }
    let drop = "alter table sync_log drop column records_processed";
    let words = "sync_log has no column records_processed … init-db --print";
    broken(&world, drop, "tables", words);
    world.execute("alter table sync_log add column records_processed integer default 0");
    let drop = "drop index sync_log_entity_type_timestamp_idx";
    let words = "no index that begins with entity_type and timestamp … run syncmon init-db";
    let seen = broken(&world, drop, "index", words);
    assert_eq!(seen.state("rows"), "ok");
    world.execute(seen.remedy("index").split_once("or: ").unwrap().1);
    diagnosis(&world, &[]).holds();
    let drop = "drop table sync_log, sync_state cascade";
    let words = "sync_state and sync_log are missing";
    broken(&world, drop, "tables", words);

    let world = Sandbox::sqlite().sql("drop index sync_log_entity_type_timestamp_idx");
    assert_eq!(diagnosis(&world, &[]).state("index"), "problem");
}

#[test]
fn what_the_doctor_says_to_execute_mends_the_link() {
    let world = healthy();
    let mended = |sql: &str, link: &str, words: &str| {
        let seen = broken(&world, sql, link, words);
        world.execute(&seen.remedy(link));
        diagnosis(&world, &[]).holds();
    };
    let bare = "alter table sync_log alter column timestamp type timestamp using timestamp at time zone 'UTC'";
    let words =
        "sync_log.timestamp is timestamp without time zone, and not timestamp with time zone";
    mended(bare, "tables", words);
    let revoke = "revoke select on sync_state from syncmon_ro";
    mended(revoke, "tables", "syncmon_ro may not read sync_state");
    for table in ["sync_log", "sync_state"] {
        let drop = format!("drop policy syncmon_ro_select on {table}");
        let words = format!("Row security hides the table {table} from the role syncmon_ro");
        mended(&drop, "rows", &words);
    }
}

#[test]
fn no_row_of_any_age_is_an_alarm() {
    let empty = built(Sandbox::postgres());
    let words = "syncmon_ro sees no row … check that DATABASE_URL names";
    diagnosis(&empty, &[]).only("rows", words);
    let blinded = "alter policy syncmon_ro_select on sync_log using (false);
                   alter policy syncmon_ro_select on sync_state using (false)";
    let words = "sees no row … policies of row security";
    broken(&empty.sql(HALF_HOURLY), blinded, "rows", words);
    let empty = built(Sandbox::sqlite());
    diagnosis(&empty, &[]).only("rows", "there is no row in sync_state");
}

#[test]
fn an_entity_of_which_nothing_was_recorded_is_worth_a_word() {
    let two = "[[entities]]\nentity_type = \"sales\"\n[[entities]]\nentity_type = \"gift_cards\"\n";
    let seen = diagnosis(&healthy().file("syncmon.toml", two), &[]);
    seen.holds();
    let never = "nothing was ever recorded of Gift Cards";
    seen.findings("rows").has(never);
}

#[test]
fn a_wrong_password_is_told_without_it() {
    let world = healthy();
    let role = guarded(&world, "r1ght");
    let url = Cluster::shared().url(&format!("{role}:S3cret"), &world.database());
    let seen = diagnosis(&world.with_url(&url), &[]);
    let words = "28P01 … check role and password in DATABASE_URL";
    seen.only("connection", words);
    for id in ["role", "tables", "index", "rows", "clock"] {
        let skipped = "not looked at, because there is no connection";
        assert_eq!(seen.summary(id), skipped);
    }
}

#[test]
fn the_certificate_authority_is_named_or_the_wrong_one_is() {
    let server = tls::server();
    let world = Sandbox::postgres_in(server).sql(HALF_HOURLY);
    let url = |authority: &str| {
        let (port, name) = (server.port, world.database());
        let known = tls::certificate(authority);
        let parameters = format!("sslmode=verify-full&sslrootcert={}", known.display());
        format!("postgres://syncmon_ro@localhost:{port}/{name}?{parameters}")
    };
    let (right, wrong) = (url("ours.crt"), url("other.crt"));
    let world = built(world.with_url(&right));
    let seen = diagnosis(&world, &[]);
    seen.holds();
    let summary = seen.summary("connection");
    summary.has("encrypted (TLSv1.3), identity checked (verify-full) against /");
    assert!(summary.ends_with("/ours.crt"), "{summary}");
    let seen = diagnosis(&world.with_url(&wrong), &[]);
    let words = "no trusted encrypted connection … as sslrootcert in DATABASE_URL";
    seen.only("connection", words);
}

#[test]
fn clocks_that_differ_are_told_with_how_much() {
    let world = healthy().env("LD_PRELOAD", &faketime());
    let mut world = world.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    for (shift, what) in [("+390", "behind"), ("-390", "ahead of")] {
        world = world.env("FAKETIME", shift);
        let seen = diagnosis(&world, &[]);
        assert_eq!(seen.state("clock"), "problem", "{}", seen.text);
        let words = format!("6 min {what} this machine's");
        seen.findings("clock").has(&words);
    }
}
