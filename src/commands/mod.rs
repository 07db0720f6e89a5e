//! What the program does: one file a command, each reads as a recipe.

mod alerting;
pub mod build;
mod check;
mod deadline;
mod delivering;
mod doctor;
mod examining;
mod init_db;
mod manual;
mod measuring;
mod notify;
mod progress;
mod prune;
mod publish;
mod reading;
mod record;
mod remembering;
mod run;
mod stopping;
mod telling;
mod templates;

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::cli::{Command, TemplatesCommand};
use crate::failure::UsageError;
use crate::health::Health;
use crate::store::Database;
use telling::say;
pub use telling::{refuse_command_line, remember_faults, take_fault};

/// How a command ended, if not with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The database could not be read, and the published page says so; or a run is kept until it can be told of; or
    /// a site that was sent here has to be sent again.
    Unreadable,
    /// Not every channel took the test message, and it was said why.
    NotAllDelivered,
    /// A link of the chain does not hold, and that was said.
    Broken,
    /// The command that was run ended so.
    Ended(ExitStatus),
    /// It could not be started.
    NotStarted(ErrorKind),
    /// A check came to this.
    Judged(Health),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Done | Outcome::Judged(Health::Green) => ExitCode::SUCCESS,
            Outcome::Unreadable => ExitCode::from(75),
            Outcome::NotAllDelivered | Outcome::Broken => ExitCode::FAILURE,
            Outcome::Ended(status) => passed_through(status),
            Outcome::NotStarted(ErrorKind::NotFound) => ExitCode::from(127),
            Outcome::NotStarted(_) => ExitCode::from(126),
            Outcome::Judged(Health::Yellow) => ExitCode::from(1),
            Outcome::Judged(Health::Red) => ExitCode::from(2),
        }
    }
}

/// Ends as a command has ended, by the same signal if it was one.
fn passed_through(status: ExitStatus) -> ExitCode {
    if let Some(number) = status.signal() {
        let _ = signal_hook::low_level::emulate_default_handler(number);
        if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
        return ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX));
    }
    ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    )
}

/// Runs one command to its end. Environment files that cannot be read stop every command but two: `syncmon run` says
/// so, and runs what it was given; for `syncmon doctor` it is a finding.
pub fn run(environment: Result<()>, command: Command) -> Result<Outcome> {
    let refused = match (&command, environment) {
        (_, Ok(())) => None,
        (Command::Run(_), Err(error)) => {
            let _ = say(&format!("{error:#}"));
            None
        }
        (Command::Doctor(_), Err(error)) => Some(error),
        (_, Err(error)) => return Err(error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime cannot be started; check the limits on open files")?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Build(options) => build::run(options).await,
            Command::Publish(options) => publish::run(&options),
            Command::Check(options) => check::run(&options).await,
            Command::InitDb(options) => init_db::run(&options).await,
            Command::Run(options) => run::run(&options),
            Command::Record(options) => record::record(&options).await,
            Command::Flush(options) => record::flush(&options).await,
            Command::Prune(options) => prune::run(&options).await,
            Command::Notify(options) => notify::test(&options),
            Command::Doctor(options) => doctor::run(&options, refused).await,
            Command::Templates(TemplatesCommand::Export(options)) => templates::export(&options),
            Command::Completions(options) => manual::completions(&options),
            Command::Manual(options) => manual::write_pages(&options),
        }
    });
    // A name look-up that hangs must not keep the program from ending.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

/// Says on standard error, in one line, what went wrong; the exit code tells whose turn it is. Of a check it tells
/// that nobody knows.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if check::is_asked_for() {
        return check::end_unknown(&format!("{error:#}"));
    }
    let told = say(&format!("{error:#}"));
    match (told, error.downcast_ref::<UsageError>()) {
        (Ok(()) | Err(_), Some(_)) => ExitCode::from(2),
        (Ok(()) | Err(_), None) => ExitCode::FAILURE,
    }
}

/// The credential that a service is given, in the form of the environment files.
const CREDENTIAL: &str = "syncmon.env";

/// The files that variables are read from, whether they are there or not, in this order: what systemd hands to a
/// service (`LoadCredential=syncmon.env:FILE`, see systemd.exec(5)), then `.env.local` and `.env` in the current
/// directory.
fn environment_files() -> Vec<PathBuf> {
    let handed = std::env::var_os("CREDENTIALS_DIRECTORY")
        .filter(|folder| !folder.is_empty())
        .map(|folder| PathBuf::from(folder).join(CREDENTIAL));
    let own = [".env.local", ".env"].map(PathBuf::from);
    handed.into_iter().chain(own).collect()
}

/// Reads the environment files; what is already set wins.
pub fn load_environment() -> Result<()> {
    for file in environment_files() {
        let name = file.display();
        let text = match std::fs::read(&file) {
            Ok(bytes) => String::from_utf8(bytes).ok(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(_) => None,
        };
        let Some(text) = text else {
            return Err(UsageError::new(format!(
                "{name} is there but cannot be read; check its permissions and that it is UTF-8"
            ))
            .into());
        };
        // No variable can hold one: to set it would be the end of the program.
        if let Some(place) = text.find('\0') {
            return Err(UsageError::new(format!(
                "{name}, line {}, holds a NUL character, as in a file that is not UTF-8 or was damaged; write \
                 it anew as UTF-8",
                line_at(&text, place)
            ))
            .into());
        }
        // The error itself would repeat the line, which may hold a password.
        if let Err(error) = dotenvy::from_read(text.as_bytes()) {
            let place = match &error {
                dotenvy::Error::LineParse(broken, _) => text.find(broken.as_str()),
                _ => None,
            };
            let line = match place {
                Some(place) => format!(", line {}", line_at(&text, place)),
                None => ": a line".to_owned(),
            };
            return Err(UsageError::new(format!(
                "{name}{line} is not of the form NAME='value'; put values with spaces, # or $ between \
                 single quotes"
            ))
            .into());
        }
    }
    Ok(())
}

/// The number of the line in which a place of a text lies, from 1.
fn line_at(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
}

/// The database that the environment names.
fn database() -> Result<Database> {
    let set = |name: &str| match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => None,
        Ok(value) => Some(Ok(value)),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => Some(Err(anyhow!(UsageError::new(format!(
            "{name} is not UTF-8; write it anew"
        ))))),
    };
    if let Some(url) = set("DATABASE_URL") {
        let insecure = set("SYNCMON_INSECURE_TLS").is_some_and(|v| v.is_ok_and(|v| v == "1"));
        return Ok(Database::parse(&url?, insecure)?);
    }
    let supabase = [
        "SUPABASE_URL",
        "SUPABASE_KEY",
        "SUPABASE_SERVICE_KEY",
        "SUPABASE_ANON_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "NEXT_PUBLIC_SUPABASE_URL",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY",
    ];
    let message = match supabase.iter().find(|name| set(name).is_some()) {
        Some(name) => format!(
            "DATABASE_URL is not set; {name} is, but syncmon needs a PostgreSQL connection string: \
             Supabase shows it under Connect, at the top of the project's page (choose the session \
             pooler); put it into .env.local as DATABASE_URL='postgres://…'"
        ),
        None => "no database: set DATABASE_URL to postgres://USER:PASSWORD@HOST:PORT/DATABASE or \
                 sqlite:PATH, in the environment, .env.local or .env (for the service in /etc/syncmon/env); \
                 or try syncmon build --demo"
            .to_owned(),
    };
    Err(UsageError::new(message).into())
}
