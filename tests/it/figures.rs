//! What the campaigns came to: `./tests/run` prints it at its end, `docs/reliability.md` quotes it.

use std::fs::OpenOptions;
use std::io::Write;

/// Adds a line such as "SIGKILL at random moments: 1000 kills, 0 violations" to the figures of
/// this run. Called at the end of a campaign, after its last assertion.
pub fn report(line: &str) {
    println!("{line}");
    let Some(path) = std::env::var_os("SYNCMON_TEST_FIGURES") else {
        return;
    };
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .unwrap();
    // In one write: tests run side by side.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
