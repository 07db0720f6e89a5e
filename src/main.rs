//! Parses the command line, runs the command, turns its result into an exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use syncmon::{cli::Cli, commands};

fn main() -> ExitCode {
    commands::remember_faults();
    // The files may set options. Help and usage errors do not depend on them.
    let environment = commands::load_environment();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refusal) => return commands::refuse_command_line(&refusal),
    };
    let run = AssertUnwindSafe(|| commands::run(environment, command));
    match catch_unwind(run).unwrap_or_else(|_| Err(commands::take_fault())) {
        Ok(outcome) => outcome.into(),
        Err(error) => commands::report(&error),
    }
}
