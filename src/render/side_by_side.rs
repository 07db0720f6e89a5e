//! Two pieces of work side by side.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

use anyhow::{Context, Result};

/// As much as the main thread has: templates may lie deep within each other.
const STACK: usize = 8 << 20;

/// What `first` and `second` come to, worked out at the same time.
pub fn both<A: Send, B>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B,
) -> Result<(A, B)> {
    scope(|scope| {
        let first = Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, first)
            .context("no thread can be started; check the limits on processes and memory")?;
        let second = second();
        let first = first.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((first, second))
    })
}
