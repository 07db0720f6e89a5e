//! The command line.

mod check;
mod manual;
mod publish;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use check::{CheckFormat, CheckOptions};
pub use manual::{CompletionsOptions, ManualOptions};
pub use publish::PublishOptions;

/// A static status page that says, truthfully, whether the data syncs are working.
#[derive(Debug, Parser)]
#[command(name = "syncmon", version, about, max_term_width = 100)]
#[command(after_help = "Try it without a database:  syncmon build --demo\n\
    Exit codes: 0 done; 75 the database could not be read and the page says so;\n\
    2 usage or configuration; 1 anything else.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Reads the database once, judges every entity and publishes the site
    Build(BuildOptions),
    /// Publishes a site that was built elsewhere and sent here
    Publish(PublishOptions),
    /// Reads the database once, judges, and tells a monitoring system
    Check(CheckOptions),
    /// Creates the tables, the index and the reading role where they are missing
    InitDb(InitDbOptions),
    /// Runs a command, and records its start and its end
    Run(RunOptions),
    /// Records a run that has ended
    Record(RecordOptions),
    /// Records the runs that could not be recorded when they happened
    Flush(FlushOptions),
    /// Deletes old runs from the log
    Prune(PruneOptions),
    /// Sends a test message through every channel that is configured for alerts
    Notify(NotifyOptions),
    /// Looks at every link from database to reader, and says how to mend what is wrong
    Doctor(DoctorOptions),
    /// The look of the pages: what they are made of, as files to change
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// Prints what a shell needs to complete these commands and their options
    Completions(CompletionsOptions),
    /// Writes the manual pages, one a command, into a directory
    Manual(ManualOptions),
}

/// What `build` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "DATABASE_URL names the database: postgres://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:PATH.\n\
    It is read from the environment, else from .env.local, else from .env, as is every option.\n\n\
    Examples:\n  \
    syncmon build --demo                      a site with invented data, in public/\n  \
    DATABASE_URL=sqlite:sync.db syncmon build\n  \
    syncmon build -q --out /var/lib/syncmon/site   from cron: silent unless something is wrong\n\n\
    Exit codes: 0 published (whatever the colours), or another build is at work; 75 the database\n\
    could not be read and the page says so; 2 usage or configuration; 1 anything else."
)]
pub struct BuildOptions {
    /// Directory to publish the site into
    #[arg(
        long,
        value_name = "DIR",
        env = "SYNCMON_OUT",
        default_value = "public"
    )]
    pub out: PathBuf,

    /// Configuration file [default: ./syncmon.toml, else /etc/syncmon/syncmon.toml, else none]
    #[arg(long, value_name = "FILE", env = "SYNCMON_CONFIG")]
    pub config: Option<PathBuf>,

    /// Use an embedded database with 90 days of invented history
    #[arg(long, env = "SYNCMON_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    pub demo: bool,

    /// Judge as if it were this moment (RFC 3339), for tests and reproducible builds
    #[arg(long, value_name = "RFC3339", env = "SYNCMON_NOW", value_parser = moment)]
    pub now: Option<DateTime<Utc>>,

    /// Directory with templates that replace the built-in ones of the same name; syncmon templates
    /// export makes one
    #[arg(long, value_name = "DIR", env = "SYNCMON_TEMPLATES")]
    pub templates: Option<PathBuf>,

    /// Where the last good snapshot is kept
    /// [default: $STATE_DIRECTORY, else $XDG_STATE_HOME/syncmon, else ~/.local/state/syncmon]
    #[arg(long, value_name = "DIR", env = "SYNCMON_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// File for the metrics of the build, in the text format of Prometheus
    #[arg(long, value_name = "FILE", env = "SYNCMON_METRICS_FILE")]
    pub metrics_file: Option<PathBuf>,

    /// Print nothing unless something is wrong
    #[arg(short, long, env = "SYNCMON_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,

    /// Say what is being done, and how long it takes; wins over --quiet
    #[arg(short, long, env = "SYNCMON_VERBOSE", value_parser = clap::builder::FalseyValueParser::new())]
    pub verbose: bool,
}

/// What `init-db` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "DATABASE_URL names the database, as for syncmon build, and the role that will own what is\n\
    created: a superuser, or a role that owns the database and its tables and has CREATEROLE.\n\
    It is safe to repeat, and safe over tables that hold rows."
)]
pub struct InitDbOptions {
    /// Print the SQL instead of applying it
    #[arg(long)]
    pub print: bool,
}

/// What `run` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "The command runs whatever becomes of the recording: what the database cannot be told now is kept in\n\
    the state directory, and told by the next syncmon run, record or flush. Its exit code, its streams and its\n\
    signals pass through. The end of what it writes to standard error becomes the error of a run that fails.\n\n\
    It may write JSON into the file that SYNCMON_RESULT names:\n  \
    {\"records_processed\": 10738, \"last_version\": 42, \"metadata\": {\"pages\": 3}}\n\n\
    Example:\n  \
    syncmon run sales --action incremental_sync -- python3 sync_sales.py --since yesterday"
)]
pub struct RunOptions {
    /// What is synced, as in sync_state and sync_log
    #[arg(value_name = "ENTITY", value_parser = named)]
    pub entity: String,

    /// What kind of run it is
    #[arg(long, value_name = "NAME", default_value = "run", value_parser = named)]
    pub action: String,

    /// A file in which the command leaves the number of its records
    #[arg(long, value_name = "FILE")]
    pub records_file: Option<PathBuf>,

    /// Keep what the command writes out of the record
    #[arg(long)]
    pub no_output: bool,

    /// Configuration file, as for syncmon build
    #[arg(long, value_name = "FILE", env = "SYNCMON_CONFIG")]
    pub config: Option<PathBuf>,

    /// Where runs are kept that the database does not know yet, as for syncmon build
    #[arg(long, value_name = "DIR", env = "SYNCMON_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// The command and its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

/// What `record` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --started-at the run has just ended. Exit codes: 0 recorded; 75 the database cannot be reached,\n\
    and the run is kept for the next syncmon run, record or flush; 2 usage or configuration; 1 anything else.\n\n\
    Example:\n  \
    syncmon record sales failed --duration 12s --error 'no answer from the shop'"
)]
pub struct RecordOptions {
    /// What was synced, as in sync_state and sync_log
    #[arg(value_name = "ENTITY", value_parser = named)]
    pub entity: String,

    /// How the run ended
    #[arg(value_enum)]
    pub status: RecordedStatus,

    /// What kind of run it was
    #[arg(long, value_name = "NAME", default_value = "run", value_parser = named)]
    pub action: String,

    /// When it started (RFC 3339)
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub started_at: Option<DateTime<Utc>>,

    /// How long it took, for example 68s
    #[arg(long, value_name = "DURATION", value_parser = time_of_a_run)]
    pub duration: Option<Duration>,

    /// How many records it processed
    #[arg(long, value_name = "NUMBER")]
    pub records: Option<i32>,

    /// The newest version that it has copied
    #[arg(long, value_name = "NUMBER")]
    pub last_version: Option<i64>,

    /// Why it failed
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,

    /// Where runs are kept that the database does not know yet, as for syncmon build
    #[arg(long, value_name = "DIR", env = "SYNCMON_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RecordedStatus {
    Completed,
    Failed,
}

/// What `flush` is asked for.
#[derive(Debug, Args)]
pub struct FlushOptions {
    /// Where runs are kept that the database does not know yet, as for syncmon build
    #[arg(long, value_name = "DIR", env = "SYNCMON_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// Print nothing unless something is wrong
    #[arg(short, long, env = "SYNCMON_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,
}

/// What `prune` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "Of each entity the newest success and the newest failure stay, however old, and so does every run that\n\
    has not ended. Rows are deleted a thousand at a time. The role in DATABASE_URL must be allowed to\n\
    delete from sync_log: the owner, or Supabase's service_role.\n\n\
    Example:\n  \
    syncmon prune --keep 400d --dry-run"
)]
pub struct PruneOptions {
    /// How long runs are kept, for example 400d; the pages show 90 days
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub keep: std::time::Duration,

    /// Say how many would be deleted, and delete none
    #[arg(long)]
    pub dry_run: bool,
}

/// What `notify` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "Channels stand in syncmon.toml: [alerts.email], [alerts.webhook], [alerts.command]. Their\n\
    secrets come from the environment, .env.local or .env: SYNCMON_SMTP_USER,\n\
    SYNCMON_SMTP_PASSWORD, SYNCMON_WEBHOOK_URL.\n\
    Each channel is told of in a line: ok, or what failed and what to do.\n\n\
    Exit codes: 0 all took the message; 1 at least one did not; 2 no channel, usage or configuration."
)]
pub struct NotifyOptions {
    /// Send a message that says that it is a test
    #[arg(long, required = true)]
    pub test: bool,

    /// Configuration file, as for syncmon build
    #[arg(long, value_name = "FILE", env = "SYNCMON_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What `doctor` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is written: not to the database, not to the site, not to the state directory.\n\
    Run it as the user of the build, in the same environment: then what it says holds for a build.\n\
    With SYNCMON_DOCTOR_USER and SYNCMON_DOCTOR_PASSWORD in the environment it also looks behind\n\
    the password.\n\n\
    Exit codes: 0 no problem, whatever the notes; 1 a problem; 2 usage.\n\n\
    Example:\n  \
    syncmon doctor --out /var/lib/syncmon/site --url https://status.example.org/"
)]
pub struct DoctorOptions {
    /// Directory that the site is published into
    #[arg(
        long,
        value_name = "DIR",
        env = "SYNCMON_OUT",
        default_value = "public"
    )]
    pub out: PathBuf,

    /// Configuration file, as for syncmon build
    #[arg(long, value_name = "FILE", env = "SYNCMON_CONFIG")]
    pub config: Option<PathBuf>,

    /// Where the last good snapshot is kept, as for syncmon build
    #[arg(long, value_name = "DIR", env = "SYNCMON_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// Where the site is served, without user and password [default: url in the configuration]
    #[arg(long, value_name = "URL", value_parser = address)]
    pub url: Option<url::Url>,

    /// Say it in JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum TemplatesCommand {
    /// Writes the built-in templates, style sheet, script and icons into a directory
    Export(ExportOptions),
}

/// What `templates export` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "What is written replaces the built-in file of the same name in a build with --templates DIR.\n\
    Keep the files that you change and take the others away: what stays there stays as it is when\n\
    syncmon is updated. The title, a logo, an accent colour and a footer need no templates: they are\n\
    keys of syncmon.toml.\n\n\
    Templates:\n  \
    base.html          around every page: head, header, footer\n  \
    overview.html      index.html\n  \
    entity.html        entities/NAME.html\n  \
    why.html           in both: what is wrong, and whom to ask\n  \
    history.html       the pages in history/\n  \
    history_row.html   in those: a run\n\
    README.md, written with them, tells what each is given. Assets lie in assets/.\n\n\
    Example:\n  \
    syncmon templates export look\n  \
    editor look/assets/syncmon.css\n  \
    syncmon build --demo --templates look"
)]
pub struct ExportOptions {
    /// Directory to write into; made if it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Overwrite files that differ from the built-in ones
    #[arg(long)]
    pub force: bool,

    /// Print nothing unless something is wrong
    #[arg(short, long, env = "SYNCMON_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,
}

/// A moment that calendars and arithmetic can cope with.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let example = "write for example 2026-11-22T20:05:00Z";
    let moment = DateTime::parse_from_rfc3339(text.trim())
        .map_err(|error| format!("{error}; {example}"))?
        .with_timezone(&Utc);
    let usable = 0..253_370_764_800;
    if usable.contains(&moment.timestamp()) {
        Ok(moment)
    } else {
        Err(format!("lies before 1970 or after 9998; {example}"))
    }
}

/// Where a site is served.
fn address(text: &str) -> Result<url::Url, String> {
    crate::config::site_address(text).ok_or_else(|| {
        "is not the address of a site, without user and password; write for example \
         https://status.example.org/"
            .to_owned()
    })
}

/// A name that says something.
fn named(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err("is empty; name what is synced, for example sales".to_owned());
    }
    Ok(text.to_owned())
}

/// How long a run took: at most ten years.
fn time_of_a_run(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(3660 * 24);
    match humantime::parse_duration(text) {
        Ok(lasted) if lasted <= LONGEST => Ok(lasted),
        Ok(_) => Err("no run takes more than 10 years; write for example 68s".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
