//! Parses the command line, runs the command, turns its result into an exit code.

use std::process::ExitCode;

use clap::Parser;
use syncmon::{cli::Cli, commands};

fn main() -> ExitCode {
    if let Err(error) = commands::load_environment() {
        return commands::report(&error);
    }
    match commands::run(Cli::parse().command) {
        Ok(outcome) => outcome.into(),
        Err(error) => commands::report(&error),
    }
}
