//! What a command is at, for somebody who waits at a terminal: one line, which goes away again. Pipes and logs see
//! nothing of it, unless each step is asked for with --verbose.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::telling::{clear, say_as_it_is, show};

enum Manner {
    /// Nobody waits, or wants to know.
    Hidden,
    /// Each step takes the place of the one before.
    Line,
    /// Each step stays, with the time that has passed.
    Log,
}

/// The steps of a command. The line goes away with this. Failing to tell a step keeps nothing from being done, but is
/// a failure in the end.
pub struct Progress {
    manner: Manner,
    started: Instant,
    told: Result<()>,
}

impl Progress {
    pub fn begin(quiet: bool) -> Progress {
        let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let watched = std::io::stderr().is_terminal() && !dumb;
        let manner = if watched && !quiet {
            Manner::Line
        } else {
            Manner::Hidden
        };
        Progress {
            manner,
            started: Instant::now(),
            told: Ok(()),
        }
    }

    /// With every step in a line that stays, if it is `verbose`.
    pub fn verbose(mut self, verbose: bool) -> Progress {
        if verbose {
            self.manner = Manner::Log;
        }
        self
    }

    pub fn step(&mut self, what: &str) {
        match self.manner {
            Manner::Line => show(what),
            Manner::Log if self.told.is_ok() => {
                let passed = self.started.elapsed().as_millis();
                self.told = say_as_it_is(&format!("{passed:>6} ms  {what}"));
            }
            Manner::Hidden | Manner::Log => {}
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether somebody sees a line that each step replaces.
    pub fn is_line(&self) -> bool {
        matches!(self.manner, Manner::Line)
    }

    /// Whether every step was told so far.
    pub fn told(&mut self) -> Result<()> {
        std::mem::replace(&mut self.told, Ok(()))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        clear();
    }
}
