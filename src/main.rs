//! Parses the command line, runs the command, turns its result into an exit code.

use std::panic::catch_unwind;
use std::process::ExitCode;

use clap::Parser;
use syncmon::{cli::Cli, commands};

fn main() -> ExitCode {
    commands::remember_faults();
    catch_unwind(run).unwrap_or_else(|_| commands::report(&commands::take_fault()))
}

fn run() -> ExitCode {
    // The files may set options. Help and usage errors do not depend on them.
    let environment = commands::load_environment();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refusal) => return commands::refuse_command_line(&refusal),
    };
    match commands::run(environment, command) {
        Ok(outcome) => outcome.into(),
        Err(error) => commands::report(&error),
    }
}
