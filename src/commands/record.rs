//! `syncmon record`: a run, told of after the fact. `syncmon flush`: what could not be delivered before.

use anyhow::Result;
use chrono::{SubsecRound, TimeDelta, Utc};

use super::Outcome;
use super::delivering::{Delivered, deliver, limits};
use super::progress::Progress;
use super::telling::{say, tell};
use crate::cli::{FlushOptions, RecordOptions, RecordedStatus};
use crate::config::Config;
use crate::kept::state_directory;
use crate::masking::mask_known;
use crate::recording::Pending;
use crate::report::{End, Report, RunResult};

pub async fn record(options: &RecordOptions) -> Result<Outcome> {
    let database = super::database()?;
    let connect = Config::load(None)?.connect_timeout;
    let pending = Pending::within(&state_directory(options.state_dir.as_deref())?)?;
    let lasted = options.duration.unwrap_or_default();
    let ended_now = Utc::now() - TimeDelta::from_std(lasted)?;
    let started_at = options.started_at.unwrap_or(ended_now).trunc_subsecs(6);
    let report = Report {
        end: Some(End {
            succeeded: matches!(options.status, RecordedStatus::Completed),
            duration: options.duration.map(|duration| duration.as_secs_f64()),
            error: options
                .error
                .as_deref()
                .map(|error| mask_known(error, database.secrets())),
            result: RunResult {
                records_processed: options.records,
                last_version: options.last_version,
                metadata: None,
            },
        }),
        ..Report::begun(&options.entity, &options.action, started_at)
    };
    drop(pending.keep(&report)?);
    let progress = Progress::begin(false);
    let delivered = deliver(&pending, &database, limits(connect), None, false, progress).await?;
    outcome(&delivered)
}

pub async fn flush(options: &FlushOptions) -> Result<Outcome> {
    let database = super::database()?;
    let connect = Config::load(None)?.connect_timeout;
    let pending = Pending::within(&state_directory(options.state_dir.as_deref())?)?;
    let progress = Progress::begin(options.quiet);
    let delivered = deliver(&pending, &database, limits(connect), None, false, progress).await?;
    if !options.quiet {
        tell(&format!(
            "{} of the runs that were waiting are recorded now.\n",
            delivered.recorded
        ))?;
    }
    outcome(&delivered)
}

fn outcome(delivered: &Delivered) -> Result<Outcome> {
    match &delivered.trouble {
        None => Ok(Outcome::Done),
        Some(trouble) => {
            say(&format!(
                "not recorded yet, and kept for the next syncmon run, record or flush: {trouble}"
            ))?;
            Ok(Outcome::Unreadable)
        }
    }
}
