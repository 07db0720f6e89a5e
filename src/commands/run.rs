//! `syncmon run`: a command, with its start and its end recorded. Recording never stops the command.

use std::io::Read;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use chrono::{SubsecRound, Utc};

use super::Outcome;
use super::delivering::{deliver, limits};
use super::progress::Progress;
use super::telling::say;
use crate::cli::RunOptions;
use crate::config::Config;
use crate::kept::state_directory;
use crate::masking::mask_known;
use crate::recording::{Ending, Job, Own, Pending, carry_out, trouble};
use crate::report::{End, Report, RunResult};
use crate::store::Database;

/// A result file may be as large as this.
const LARGEST_RESULT: u64 = 1 << 20;

const LATER: &str = "this run is recorded later";

/// Where reports go; whatever is wrong with it is said, and the command runs all the same.
struct Records {
    pending: Option<Pending>,
    database: Option<Database>,
    connect: Duration,
}

pub fn run(options: &RunOptions) -> Result<Outcome> {
    let records = Records::open(options);
    let mut report = Report::begun(
        &options.entity,
        &options.action,
        Utc::now().trunc_subsecs(6),
    );
    let own = records.keep(&report);
    let result_file = records
        .pending
        .as_ref()
        .map(|pending| pending.result_file(&report));
    let job = Job {
        program: options.command[0].clone(),
        arguments: options.command[1..].to_vec(),
        result_file: result_file.clone(),
        keeps_output: !options.no_output,
    };
    let begun = Instant::now();
    let (ending, lasted, told) = std::thread::scope(|scope| {
        // The command does not wait for the database.
        let telling = scope.spawn(|| said(records.deliver(own.as_ref(), true), LATER));
        let ending = carry_out(&job);
        let lasted = begun.elapsed();
        (
            ending,
            lasted,
            telling.join().is_ok_and(|told| told.is_some()),
        )
    });
    let secrets = records.secrets();
    report.end = Some(end(
        &ending,
        lasted,
        options,
        result_file.as_deref(),
        &secrets,
    ));
    drop(own);
    if records.keep(&report).is_some() {
        let delivered = records.deliver(None, false);
        // Once is enough.
        if told {
            said(delivered, LATER);
        }
    }
    match ending {
        Ending::Ended { status, .. } => Ok(Outcome::Ended(status)),
        Ending::NotStarted(error) => {
            say(&format!(
                "{} cannot be started: {error}",
                options.command[0].to_string_lossy()
            ))?;
            Ok(Outcome::NotStarted(error.kind()))
        }
    }
}

impl Records {
    fn open(options: &RunOptions) -> Records {
        let pending =
            state_directory(options.state_dir.as_deref()).and_then(|state| Pending::within(&state));
        let config = Config::load(options.config.as_deref());
        Records {
            pending: said(pending, "this run cannot be recorded"),
            database: said(super::database(), LATER),
            connect: said(
                config.map_err(anyhow::Error::from),
                "the configuration is passed over",
            )
            .map_or(Duration::from_secs(10), |config| config.connect_timeout),
        }
    }

    fn keep(&self, report: &Report) -> Option<Own> {
        let kept = self.pending.as_ref()?.keep(report);
        said(kept, "this run cannot be recorded")
    }

    /// What was not delivered lies there for the next time. On a thread of its own, since the one
    /// that this runs on may have a runtime already.
    fn deliver(&self, own: Option<&Own>, begins_now: bool) -> Result<()> {
        let (Some(pending), Some(database)) = (&self.pending, &self.database) else {
            return Ok(());
        };
        let in_a_runtime = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            // While the command runs, the terminal belongs to it.
            let progress = Progress::begin(begins_now);
            let limits = limits(self.connect);
            let work = deliver(pending, database, limits, own, begins_now, progress);
            let delivered = runtime.block_on(work);
            runtime.shutdown_background();
            delivered
        };
        let delivered = std::thread::scope(|scope| scope.spawn(in_a_runtime).join())
            .unwrap_or_else(|_panic| Err(super::take_fault()))?;
        match delivered.trouble {
            None => Ok(()),
            Some(trouble) => Err(anyhow!(trouble)),
        }
    }

    /// What must not stand in an error text: passwords of the connection, and what the environment calls a secret.
    fn secrets(&self) -> Vec<String> {
        let named = |name: &str| {
            let name = name.to_ascii_uppercase();
            [
                "KEY",
                "TOKEN",
                "SECRET",
                "PASSWORD",
                "PASSWD",
                "CREDENTIAL",
                "DATABASE_URL",
                "WEBHOOK_URL",
                "PING_URL",
            ]
            .iter()
            .any(|sign| name.contains(sign))
        };
        let of_the_environment = std::env::vars_os()
            .filter(|(name, value)| named(&name.to_string_lossy()) && value.len() >= 6)
            .map(|(_, value)| value.to_string_lossy().into_owned());
        let of_the_connection = self
            .database
            .iter()
            .flat_map(|database| database.secrets().to_vec());
        of_the_connection.chain(of_the_environment).collect()
    }
}

/// Says what went wrong, and what follows from it.
fn said<T>(result: Result<T>, consequence: &str) -> Option<T> {
    result
        .map_err(|error| {
            let _ = say(&format!("{consequence}: {error:#}"));
        })
        .ok()
}

fn end(
    ending: &Ending,
    lasted: Duration,
    options: &RunOptions,
    result_file: Option<&Path>,
    secrets: &[String],
) -> End {
    let (status, errors) = match ending {
        Ending::Ended { status, errors } => (Some(*status), errors.as_str()),
        Ending::NotStarted(_) => (None, ""),
    };
    let what = match (ending, status.and_then(trouble)) {
        (Ending::NotStarted(error), _) => Some(format!("the command cannot be started: {error}")),
        (Ending::Ended { .. }, trouble) => trouble,
    };
    let mut result = result_file.map(read_result).unwrap_or_default();
    if let Some(records) = options.records_file.as_deref().and_then(read_number) {
        result.records_processed = Some(records);
    }
    End {
        succeeded: status.is_some_and(|status| ExitStatus::success(&status)),
        duration: Some((lasted.as_secs_f64() * 1000.0).round() / 1000.0),
        error: what.map(|what| mask_known(format!("{what}\n{errors}").trim_end(), secrets)),
        result,
    }
}

/// What the command has written into the file; what cannot be read is said, and recorded with the run.
fn read_result(path: &Path) -> RunResult {
    let text = match read_whole(path) {
        Ok(None) => return RunResult::default(),
        Ok(Some(text)) => Ok(text),
        Err(error) => Err(error.to_string()),
    };
    let _ = std::fs::remove_file(path);
    let read = text.and_then(|text| RunResult::parse(&text));
    read.unwrap_or_else(|why| {
        let _ = say(&format!(
            "the file that SYNCMON_RESULT names holds no result ({why}); write for example {{\"records_processed\": 12}}"
        ));
        RunResult {
            metadata: Some(serde_json::json!({ "result_file": "could not be read" })),
            ..RunResult::default()
        }
    })
}

fn read_whole(path: &Path) -> std::io::Result<Option<String>> {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_file() || found.len() > LARGEST_RESULT {
        return Err(std::io::Error::other("it is no file, or larger than 1 MiB"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(LARGEST_RESULT)
        .read_to_string(&mut text)?;
    Ok(Some(text))
}

/// The number of records that a file holds.
fn read_number(path: &Path) -> Option<i32> {
    let number = read_whole(path).map(|text| text.and_then(|text| text.trim().parse().ok()));
    if !matches!(number, Ok(Some(_))) {
        let _ = say(&format!(
            "{} holds no number of records; the run is recorded without one",
            path.display()
        ));
    }
    number.ok().flatten()
}
