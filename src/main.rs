//! Parses the command line, runs the command, turns its result into an exit code.

use std::process::ExitCode;

use clap::Parser;
use syncmon::{cli::Cli, commands};

fn main() -> ExitCode {
    // The files may set options. Help and usage errors do not depend on them.
    let environment = commands::load_environment();
    let command = Cli::parse().command;
    match environment.and_then(|()| commands::run(command)) {
        Ok(outcome) => outcome.into(),
        Err(error) => commands::report(&error),
    }
}
