//! `syncmon prune`: old rows of the log are deleted.

use anyhow::{Result, anyhow};
use chrono::{TimeDelta, Utc};

use super::Outcome;
use super::delivering::limits;
use super::progress::Progress;
use super::telling::{say_as_it_is, tell};
use crate::cli::PruneOptions;
use crate::config::Config;
use crate::failure::UsageError;
use crate::store::{Old, prune};

pub async fn run(options: &PruneOptions) -> Result<Outcome> {
    let database = super::database()?;
    let connect = Config::load(None)?.connect_timeout;
    let keep = TimeDelta::from_std(options.keep)
        .ok()
        .filter(|keep| *keep >= TimeDelta::days(1))
        .ok_or_else(|| UsageError::new("--keep is less than a day; write for example 400d"))?;
    let before = Utc::now().checked_sub_signed(keep).ok_or_else(|| {
        UsageError::new("--keep is longer than any calendar; write for example 400d")
    })?;
    let mut told = 0;
    let mut progress = Progress::begin(false);
    progress.step(&format!("looking for old runs in {}", database.identity()));
    let gone = prune(
        &database,
        Old {
            before,
            dry: options.dry_run,
        },
        limits(connect),
        |gone| {
            let so_far = format!("{gone} runs deleted so far");
            if progress.is_line() {
                progress.step(&so_far);
            } else if gone / 100_000 > told {
                // In a log, every hundred thousand rows.
                told = gone / 100_000;
                let _ = say_as_it_is(&so_far);
            }
        },
    )
    .await
    .map_err(|unreadable| {
        anyhow!(
            "the log of {} could not be shortened: {}",
            database.identity(),
            unreadable.technical(database.secrets())
        )
    })?;
    let (what, day) = (if gone == 1 { "run" } else { "runs" }, before.date_naive());
    let would = if options.dry_run { "would be" } else { "were" };
    tell(&format!(
        "{gone} {what} from before {day} {would} deleted; each entity's newest success and newest failure stay.\n"
    ))?;
    Ok(Outcome::Done)
}
