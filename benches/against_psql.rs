//! The whole build next to `psql`, which runs the same statement into a file and does nothing else.
//!
//! `cargo bench --bench against_psql` starts a PostgreSQL server of its own, fills it with 51,840 runs (6 entities, 96 a
//! day, 90 days), runs the programs in turn (psql with and without aligning its columns) and prints
//! medians, the ratios round by round, and the peak memory of a build.

#[path = "../tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod cluster;
mod programs;

use std::process::Command;

use chrono::{TimeDelta, Utc};
use cluster::{Cluster, debian_binaries};
use programs::{median, peak_memory, syncmon, timed};
use syncmon::store::{Database, statement};

const ROUNDS: usize = 31;

const FILL: &str = "
insert into sync_log (\"timestamp\", entity_type, action, status, duration_seconds, records_processed, error_details)
select now() - n * interval '15 minutes' - e.i * interval '7 seconds', e.name, 'incremental_sync',
       case when (n * 7 + e.i * 13) % 100 < 3 then 'failed' when (n * 11 + e.i) % 100 = 50 then 'started' else 'completed' end,
       round((10 + (n * 37 % 100) / 7.0)::numeric, 3), 1000 + n % 500,
       case when (n * 7 + e.i * 13) % 100 < 3 then '404 Client Error: Not Found for url: https://example.org/api/2.0/inventory' end
from generate_series(1, 8640) n,
     (values (0,'customers'),(1,'outlets'),(2,'products'),(3,'sales'),(4,'sale_line_items'),(5,'inventory')) e (i, name);
insert into sync_state (entity_type, last_sync_time, status)
select entity_type, max(\"timestamp\"), 'success' from sync_log group by 1;
vacuum analyze sync_log;
";

fn main() {
    let binaries = debian_binaries();
    let psql = binaries.join("psql");
    let cluster = Cluster::start(&binaries, &[]);
    let work = tempfile::tempdir().expect("a temporary directory");
    let admin = cluster.url("postgres", "postgres");
    let reader = cluster.url("syncmon_ro", "postgres");

    timed(syncmon(work.path(), &admin).arg("init-db"));
    let fill = work.path().join("fill.sql");
    std::fs::write(&fill, FILL).expect("a file");
    timed(
        Command::new(&psql)
            .args(["-qX", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(&fill)
            .arg(&admin),
    );

    let database = Database::parse(&reader, false).expect("a local database");
    let query = work.path().join("statement.sql");
    std::fs::write(
        &query,
        statement(&database, Utc::now(), Utc::now() - TimeDelta::days(7)),
    )
    .expect("a file");

    let mut build = syncmon(work.path(), &reader);
    build.args(["build", "-q", "--out", "site", "--state-dir", "state"]);
    let psql_with = |format: &[&str]| {
        let mut command = Command::new(&psql);
        command
            .arg("-qX")
            .args(format)
            .arg("-o")
            .arg(work.path().join("answer"));
        timed(command.arg("-f").arg(&query).arg(&reader))
    };
    let mut round =
        || [timed(&mut build), psql_with(&[]), psql_with(&["-At"])].map(|time| time.as_secs_f64());
    round();
    let rounds: Vec<[f64; 3]> = (0..ROUNDS).map(|_| round()).collect();

    let milliseconds = |which: usize| median(rounds.iter().map(|round| round[which])) * 1000.0;
    let ratio = |which: usize| median(rounds.iter().map(|round| round[0] / round[which]));
    println!("51,840 runs, {ROUNDS} rounds in turn, medians, ratios round by round:");
    println!("  syncmon build  {:7.1} ms", milliseconds(0));
    println!(
        "  psql           {:7.1} ms   ratio {:.2}",
        milliseconds(1),
        ratio(1)
    );
    println!(
        "  psql -At       {:7.1} ms   ratio {:.2}",
        milliseconds(2),
        ratio(2)
    );
    println!(
        "  peak memory    {:7.1} MB   (of a build)",
        peak_memory(&build)
    );
}
