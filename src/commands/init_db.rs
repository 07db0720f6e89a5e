//! `syncmon init-db`: the schema, applied or printed.

use anyhow::Result;

use super::Outcome;
use super::progress::Progress;
use super::telling::tell;
use crate::cli::InitDbOptions;
use crate::config::Config;
use crate::store::{POSTGRES_SCHEMA, apply_schema};

pub async fn run(options: &InitDbOptions) -> Result<Outcome> {
    if options.print {
        tell(POSTGRES_SCHEMA)?;
        return Ok(Outcome::Done);
    }
    let database = super::database()?;
    let mut progress = Progress::begin(false);
    progress.step(&format!("creating tables in {}", database.identity()));
    apply_schema(&database, Config::load(None)?.connect_timeout).await?;
    tell(&format!(
        "The schema is in place in {}.\n",
        database.identity()
    ))?;
    Ok(Outcome::Done)
}
