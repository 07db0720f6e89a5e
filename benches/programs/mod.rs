//! The program under measurement, what it takes, and the middle of it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub fn syncmon(directory: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncmon"));
    command
        .current_dir(directory)
        .env("DATABASE_URL", url)
        .stdout(Stdio::null());
    command
}

pub fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.status().expect("the program can be started");
    assert!(status.success(), "{command:?}: {status}");
    started.elapsed()
}

/// In megabytes, as GNU time reports it.
pub fn peak_memory(command: &Command) -> f64 {
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%M"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        time.env(name, value.expect("no variable is taken away"));
    }
    let output = time
        .current_dir(command.get_current_dir().expect("a directory"))
        .output()
        .expect("GNU time is installed (Debian package: time)");
    let text = String::from_utf8_lossy(&output.stderr);
    text.trim()
        .lines()
        .last()
        .and_then(|kilobytes| kilobytes.parse::<f64>().ok())
        .expect("a number")
        / 1024.0
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
