//! What PostgreSQL itself has seen of a build: one statement, by a role that can do nothing else. And what work the
//! statement is to SQLite.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use syncmon::store::{Database, statement};

use crate::cluster::Cluster;
use crate::pooler::Pooler;
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::sql::{ask, refusal};

const SYNCED: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
    values ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5)";

/// What `role` has sent to this sandbox's database, by the server's log: "application: statement".
pub fn statements(world: &Sandbox, role: &str) -> Vec<String> {
    let prefix = format!("{} {role} ", world.database());
    let log = Cluster::shared().log().replace("\n\t", "\u{1}");
    log.lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .map(|line| line.replace('\u{1}', "\n"))
        .filter(|line| !line.contains(": DETAIL: ") && !line.contains(": HINT: "))
        .collect()
}

#[test]
fn a_build_is_exactly_one_statement_as_the_reading_role() {
    let world = Sandbox::postgres().sql(SYNCED);
    assert_eq!(statements(&world, "syncmon_ro"), [""; 0]);
    let before = statements(&world, "postgres").len();

    world.build();
    let text = sent(&world);
    let expected = format!("syncmon: LOG:  statement: {}", text.trim_end());
    assert_eq!(trimmed(&statements(&world, "syncmon_ro")), [expected]);

    world.build();
    assert_eq!(statements(&world, "syncmon_ro").len(), 2);
    assert_eq!(statements(&world, "postgres").len(), before);
}

/// What a build at [`NOW`] sends.
fn sent(world: &Sandbox) -> String {
    let database = Database::parse(world.url(), false).unwrap();
    let now = DateTime::parse_from_rfc3339(NOW).unwrap().to_utc();
    let seven_days_ago = DateTime::parse_from_rfc3339("2026-11-16T00:00:00-08:00").unwrap();
    statement(&database, now, seven_days_ago.to_utc())
}

fn trimmed(statements: &[String]) -> Vec<&str> {
    statements.iter().map(|text| text.trim_end()).collect()
}

/// The server would say "cannot execute … in a read-only transaction" if it wrote anything.
#[test]
fn the_statement_runs_where_nothing_can_be_written() {
    let world = Sandbox::postgres().sql(SYNCED);
    let database = world.database();
    world.execute(&format!(
        "alter database {database} set default_transaction_read_only = on"
    ));
    let world = world.with_url(&Cluster::shared().url("postgres", &database));
    assert_eq!(world.build().stderr, "");
    assert_eq!(world.verdict("sales"), "green fresh");
}

#[test]
fn the_reading_role_can_do_nothing_but_read_two_tables() {
    let world = Sandbox::postgres().sql(SYNCED);
    let denied = |sql: &str| {
        // Read-only transactions are a habit, which a client may drop: the boundary is the grant.
        let sql = format!("set transaction read write; {sql}");
        assert_eq!(
            refusal(world.url(), &sql).as_deref(),
            Some("42501"),
            "{sql}"
        );
    };
    for table in ["sync_log", "sync_state"] {
        assert_eq!(
            refusal(world.url(), &format!("select * from {table}")),
            None
        );
        denied(&format!("insert into {table} (entity_type) values ('x')"));
        denied(&format!("update {table} set entity_type = 'x'"));
        denied(&format!("delete from {table}"));
        denied(&format!("truncate {table}"));
        denied(&format!("drop table {table}"));
        denied(&format!("alter table {table} add column x text"));
    }
    for entity in [
        "customers",
        "outlets",
        "products",
        "sales",
        "sale_line_items",
        "inventory",
    ] {
        denied(&format!("select * from lightspeed_{entity}"));
    }
    denied("select nextval('sync_log_id_seq')");
    denied("create table mine (id int)");
    denied("create schema mine");
    denied("select * from syncmon.undo");
    let settings = ask(
        world.url(),
        "select current_setting(name) from (values ('default_transaction_read_only'), \
         ('statement_timeout')) s (name)",
    );
    assert_eq!(settings, ["on", "30s"]);
}

#[test]
fn a_transaction_pooler_in_between_changes_nothing() {
    let world = Sandbox::postgres().sql(SYNCED);
    let pooler = Pooler::before(Cluster::shared().port);
    let url = format!(
        "postgres://syncmon_ro@127.0.0.1:{}/{}",
        pooler.port,
        world.database()
    );
    let world = world.with_url(&url);
    let reading = |world: &Sandbox| {
        statements(world, "syncmon_ro")
            .iter()
            .filter(|text| text.contains("sync_log"))
            .count()
    };

    for builds in 1..=2 {
        assert_eq!(world.build().stderr, "", "build {builds}");
        assert_eq!(world.verdict("sales"), "green fresh");
        assert_eq!(reading(&world), builds);
    }

    // Both want the one connection.
    let builds = ["one", "two"].map(|name| start(&world, name));
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let ended = Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    }
    assert_eq!(reading(&world), 4);
    let foreign: Vec<_> = statements(&world, "syncmon_ro")
        .into_iter()
        .filter(|text| !text.contains("sync_log") && !text.contains("statement: SET "))
        .collect();
    assert_eq!(foreign, [""; 0], "more than the pooler's own settings");
}

/// A build into a site and with a state directory of its own.
fn start(world: &Sandbox, name: &str) -> Child {
    let (out, state) = (format!("site-{name}"), format!("state-{name}"));
    world
        .command(&["build", "--out", &out, "--state-dir", &state, "--now", NOW])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}

/// Of how many entities the log tells is nothing to SQLite, with the index of `init-db` or without any.
#[test]
fn sqlite_reads_the_log_no_more_often_for_more_entities() {
    for index in ["", "drop index sync_log_entity_type_timestamp_idx"] {
        let [few, many] = [12, 120].map(|entities| work_for_sqlite(entities, index));
        assert!(2 * many.steps < 3 * few.steps, "{few:?} {many:?}");
        assert_eq!(many.plan, few.plan);
        for (line, within) in &many.plan {
            // What is materialized is worked out once, wherever it is needed first.
            let repeated = within.rsplit("MATERIALIZE").next().unwrap();
            let is_scan = line.starts_with("SCAN sync_log");
            assert!(
                !(is_scan && repeated.contains("CORRELATED")),
                "{line}{repeated}"
            );
        }
        let searched = "SEARCH sync_log USING INDEX sync_log_entity_type_timestamp_idx (entity_type=? AND timestamp>?)";
        let is_searched = many.plan.iter().any(|(line, _)| line == searched);
        assert_eq!(is_searched, index.is_empty(), "{many:?}");
    }
}

#[derive(Debug)]
struct Work {
    /// Thousands of steps of SQLite's virtual machine.
    steps: usize,
    /// Each line of the plan, after all lines that it is part of.
    plan: Vec<(String, String)>,
}

/// Of a build over 12,000 runs of this many entities.
fn work_for_sqlite(entities: usize, more: &str) -> Work {
    let world = Sandbox::sqlite().sql(&format!(
        "with recursive run (n) as (select 1 union all select n + 1 from run where n < 12000)
         insert into sync_log (timestamp, entity_type, action, status)
         select strftime('%Y-%m-%dT%H:%M:%SZ', '{NOW}', (-10 * n) || ' minutes'), n % {entities}, 'sync', 'completed'
         from run; {more}"
    ));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(world.url()).await.unwrap();
        let explained = format!("explain query plan {}", sent(&world));
        let rows = sqlx::raw_sql(AssertSqlSafe(explained));
        let mut plan: Vec<(i64, String, String)> = Vec::new();
        for row in rows.fetch_all(&mut connection).await.unwrap() {
            let (id, parent, line): (i64, i64, String) = (row.get(0), row.get(1), row.get(3));
            let around = plan.iter().find(|(id, ..)| *id == parent);
            let within = around.map_or_else(String::new, |(_, line, within)| {
                format!("{within} / {line}")
            });
            plan.push((id, line, within));
        }
        let steps = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&steps);
        let mut handle = connection.lock_handle().await.unwrap();
        handle.set_progress_handler(1000, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        });
        drop(handle);
        let rows = sqlx::raw_sql(AssertSqlSafe(sent(&world)));
        let answer = rows.fetch_all(&mut connection).await.unwrap();
        assert_eq!(answer.len(), entities + 1);
        Work {
            steps: steps.load(Ordering::Relaxed),
            plan: plan
                .into_iter()
                .map(|(_, line, within)| (line, within))
                .collect(),
        }
    })
}
