//! Other programs, the real ones, read what is written for them.

mod badge;
mod check;
mod feed;
mod metrics;
mod statuspage;
mod switches;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sandbox::Sandbox;

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

pub fn all_well() -> String {
    let six = [
        "customers",
        "outlets",
        "products",
        "sales",
        "sale_line_items",
        "inventory",
    ];
    six.map(|entity| synced(entity, "2026-11-22T19:22:00Z"))
        .concat()
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
    let mut process = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; ./tests/run installs it"));
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {told}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{program}: {error}"))
}
