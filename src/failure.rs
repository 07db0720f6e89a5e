//! What can go wrong, as far as anybody acts on the difference.

use std::fmt;

/// The command line, the environment or the configuration asks for something that cannot be done:
/// exit code 2. The message says what, on what, and what to do next, and holds no secret.
#[derive(Debug)]
pub struct UsageError(String);

impl UsageError {
    pub fn new(message: impl Into<String>) -> UsageError {
        UsageError(message.into())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}
