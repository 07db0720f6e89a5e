//! Rendering has an end, whatever a template does.

use std::process::exit;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result};

use super::telling::say;

/// Does `work`; if that takes longer than `limit`, the program ends with exit code 2. Nothing may
/// lie half done on disk meanwhile.
pub fn within<T>(limit: Duration, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (done, waiting) = channel::<()>();
    std::thread::Builder::new()
        .spawn(move || {
            if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let _ = say(&format!(
                    "rendering took longer than {}, so nothing was published; look for loops within loops in the folder given with --templates",
                    humantime::format_duration(Duration::from_secs(limit.as_secs()))
                ));
                exit(2);
            }
        })
        .context("no thread can be started; check the limits on processes and memory")?;
    let result = work();
    drop(done);
    result
}
