//! SIGTERM and SIGINT end the program at once, as they always do: until a site is published, nothing
//! lies on disk that would have to be cleared away. While it is being published they wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Does `work` to its end, whatever asks the program to stop meanwhile. That it was asked then does
/// not matter any more: the end is moments away.
pub fn undisturbed<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let at_once = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&at_once))
            .context("signals cannot be held off while publishing")?;
    }
    let done = work();
    at_once.store(true, Ordering::SeqCst);
    done
}
