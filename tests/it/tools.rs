//! Other programs, the real ones, read what is written for them.

mod badge;
mod check;
mod feed;
mod metrics;
mod statuspage;
mod switches;

use std::process::Command;

use serde_json::Value;

use crate::golden;
use crate::sandbox::Sandbox;
use crate::wrapped::ended;

pub const WORLD: &str = include_str!("golden/world.sql");

/// Where the site is said to be served.
pub const URL: &str = "url = \"https://status.example.org/sync/\"\n";

/// Names that mean something to one format or another.
pub const HOSTILE: [&str; 6] = [
    "a'b=c|d",
    "</title><script>alert(1)</script> & \"quoted\"",
    "back\\slash\nand a line",
    "מלאי",
    "在庫 📦",
    "ends with \u{fffe}",
];

/// All six are synced, and each of the hostile names as well.
pub fn hostile() -> Sandbox {
    let mut sql = all_well();
    for name in HOSTILE {
        sql += &synced(&name.replace('\'', "''"), "2026-11-22T19:50:00Z");
    }
    Sandbox::sqlite().sql(&sql)
}

/// Those that are built in.
pub const SIX: &str = "customers outlets products sales sale_line_items inventory";

pub fn all_well() -> String {
    let synced = |entity| synced(entity, "2026-11-22T19:22:00Z");
    SIX.split(' ').map(synced).collect()
}

/// A run that took four and a half seconds for 1,086 records.
pub fn synced(entity: &str, at: &str) -> String {
    format!(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed)
         values ('{at}', '{entity}', 'incremental_sync', 'completed', 4.5, 1086);\n"
    )
}

/// The verdict on it from then on.
pub fn failed(entity: &str, at: &str) -> String {
    synced(entity, at).replace("'completed'", "'failed'")
}

/// Runs a program that knows nothing of syncmon, and takes what it prints for JSON.
pub fn read_by(program: &str, arguments: &[&str], input: &str) -> Value {
    let mut command = Command::new(program);
    let said = ended(command.args(arguments).stdin(golden::input(input))).exits(0);
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{program}: {error}"))
}
