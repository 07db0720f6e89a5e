//! The whole build over SQLite, and that of the demo, which is written first.
//!
//! `cargo bench --bench sqlite` fills databases with 51,840 runs (6 entities, every 15 minutes, 90 days) and 630,720
//! (every 5 minutes, a year), and prints medians and peak memory. A part of a name after `--` measures that alone.

mod programs;

use std::path::Path;
use std::process::Command;

use programs::{median, peak_memory, syncmon, timed};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

const FILL: &str = "
with recursive back (n) as (select 1 union all select n + 1 from back where n < {runs}),
    entity (i, name) as (values (0, 'customers'), (1, 'outlets'), (2, 'products'), (3, 'sales'),
                                (4, 'sale_line_items'), (5, 'inventory'))
insert into sync_log (\"timestamp\", entity_type, action, status, duration_seconds, records_processed, error_details)
select strftime('%Y-%m-%dT%H:%M:%fZ', 'now', (-n * {minutes}) || ' minutes', (-i * 7) || ' seconds'), name, 'incremental_sync',
       case when (n * 7 + i * 13) % 100 < 3 then 'failed' when (n * 11 + i) % 100 = 50 then 'started' else 'completed' end,
       round(10 + (n * 37 % 100) / 7.0, 3), 1000 + n % 500,
       case when (n * 7 + i * 13) % 100 < 3 then '404 Client Error: Not Found for url: https://example.org/api/2.0/inventory' end
from back, entity order by n desc, i;
insert into sync_state (entity_type, last_sync_time, status)
select entity_type, max(\"timestamp\"), 'success' from sync_log group by 1;
";

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    let wanted = wanted.unwrap_or_default();
    let work = tempfile::tempdir().expect("a temporary directory");
    for (name, runs, minutes, rounds) in [
        ("51,840 runs", 8640, 15, 21),
        ("630,720 runs", 105_120, 5, 7),
    ] {
        if name.contains(&wanted) {
            let database = work.path().join(name);
            let url = format!("sqlite:{}", database.display());
            timed(syncmon(work.path(), &url).arg("init-db"));
            let sql = FILL
                .replace("{runs}", &runs.to_string())
                .replace("{minutes}", &minutes.to_string());
            fill(&url, sql);
            measure(name, rounds, || build(work.path(), &url, &[]));
        }
    }
    if "demo".contains(&wanted) {
        let work = tempfile::tempdir().expect("a temporary directory");
        measure("demo", 21, || build(work.path(), "", &["--demo"]));
    }
}

fn build(directory: &Path, url: &str, more: &[&str]) -> Command {
    let mut command = syncmon(directory, url);
    command
        .args(["build", "-q", "--out", "site", "--state-dir", "state"])
        .args(more);
    command
}

fn fill(url: &str, sql: String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(url).await.expect("a database");
        let filling = sqlx::raw_sql(AssertSqlSafe(sql));
        filling.execute(&mut connection).await.expect("rows");
    });
}

fn measure(name: &str, rounds: usize, command: impl Fn() -> Command) {
    timed(&mut command());
    let times = (0..rounds).map(|_| timed(&mut command()).as_secs_f64());
    let milliseconds = median(times) * 1000.0;
    let memory = peak_memory(&command());
    println!(
        "{name:<14} {milliseconds:7.0} ms  {memory:6.1} MB  (median of {rounds} builds, peak memory)"
    );
}
