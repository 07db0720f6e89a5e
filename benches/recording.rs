//! What recording a run costs: `sync_start` and `sync_finish` next to the three writes that scripts make by hand.
//!
//! `cargo bench --bench recording` starts a PostgreSQL server of its own and lets `pgbench` do both in turn, with one
//! client and with fifty at once on six entities; it prints medians of the time a run takes, and their ratio.

#[path = "../tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod cluster;
#[allow(dead_code, reason = "other benches use more of it")]
mod programs;

use std::path::Path;
use std::process::Command;

use cluster::{Cluster, debian_binaries};
use programs::{median, syncmon};

const ROUNDS: usize = 9;

const BY_HAND: &str = r"\set entity random(1, 6)
insert into sync_log (entity_type, action, status) values ('e' || :entity, 'incremental_sync', 'started') returning id \gset
update sync_log set status = 'completed', duration_seconds = 1.25, records_processed = 100 where id = :id;
insert into sync_state (entity_type, last_sync_time, status, updated_at) values ('e' || :entity, now(), 'success', now()) on conflict (entity_type) do update set last_sync_time = excluded.last_sync_time, status = excluded.status, error_message = null, updated_at = excluded.updated_at;
";

const BY_FUNCTION: &str = r"\set entity random(1, 6)
select sync_start('e' || :entity, 'incremental_sync') as id \gset
select sync_finish(:id, 'completed', 100);
";

fn main() {
    let binaries = debian_binaries();
    let cluster = Cluster::start(&binaries, &[]);
    let work = tempfile::tempdir().expect("a temporary directory");
    let url = cluster.url("postgres", "postgres");
    let schema = syncmon(work.path(), &url)
        .arg("init-db")
        .output()
        .expect("the program can be started");
    assert!(schema.status.success(), "{schema:?}");
    let scripts =
        [("by-hand.sql", BY_HAND), ("by-function.sql", BY_FUNCTION)].map(|(name, text)| {
            let path = work.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        });
    println!("milliseconds a run, medians of {ROUNDS} rounds in turn:");
    for (clients, transactions) in [(1, 2000), (50, 400)] {
        let once = || {
            scripts
                .each_ref()
                .map(|script| latency(&binaries, &url, script, clients, transactions))
        };
        once();
        let rounds: Vec<[f64; 2]> = (0..ROUNDS).map(|_| once()).collect();
        let [by_hand, by_function] =
            [0, 1].map(|which| median(rounds.iter().map(|round| round[which])));
        let ratio = median(rounds.iter().map(|round| round[1] / round[0]));
        println!(
            "  {clients:>2} clients: by hand {by_hand:7.3}, by the functions {by_function:7.3}, ratio {ratio:.2}"
        );
    }
}

/// What `pgbench` says that a run takes on average, in milliseconds.
fn latency(binaries: &Path, url: &str, script: &Path, clients: u32, transactions: u32) -> f64 {
    let output = Command::new(binaries.join("pgbench"))
        .args(["--no-vacuum", "--jobs", "2"])
        .args(["--client", &clients.to_string()])
        .args(["--transactions", &transactions.to_string()])
        .arg("--file")
        .arg(script)
        .arg(url)
        .output()
        .expect("pgbench can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    text.lines()
        .find_map(|line| line.strip_prefix("latency average = ")?.strip_suffix(" ms"))
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no latency in {text}"))
}
