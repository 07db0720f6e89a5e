//! `syncmon check`: reads once, judges, says so to a monitoring system. Writes nothing.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use chrono::{SubsecRound, Utc};
use clap::error::ErrorKind;

use super::Outcome;
use super::build::{limits, site};
use super::progress::Progress;
use super::telling::{say, tell};
use crate::cli::{CheckFormat, CheckOptions};
use crate::config::Config;
use crate::failure::UsageError;
use crate::health::{Assessment, EntityAssessment, Reading, Source, assess};
use crate::model::Snapshot;
use crate::store::{self, Database};
use crate::text::{apart, word};
use crate::views::{self, hidden_tables, programs};

pub async fn run(options: &CheckOptions) -> Result<Outcome> {
    let now = options.now.unwrap_or_else(Utc::now).trunc_subsecs(6);
    let config = Config::load(options.config.as_deref())?;
    let database = super::database()?;
    let site = site(&config, false, now);
    // The newest runs are enough, and come in any case.
    let since = site.speaker.start_of_history(1);
    let clock_given = options.now.is_some();
    let mut progress = Progress::begin(false);
    progress.step(&format!("reading {}", database.identity()));
    let taken = store::read(&database, now, clock_given, since, limits(&config)).await;
    let reading = Reading {
        snapshot: Some(whole(taken, &database)?),
        source: Source::Read,
    };
    let assessment = only(assess(reading, &config.policy, now), &options.entities)?;
    tell(&match options.format {
        CheckFormat::Text => views::terminal(&assessment, site),
        CheckFormat::Json => {
            let status = serde_json::to_string_pretty(&views::status(&assessment, site))?;
            format!("{status}\n")
        }
        CheckFormat::Nagios => programs::plugin(&assessment, site.speaker),
    })?;
    Ok(Outcome::Judged(assessment.health))
}

/// A snapshot that shows everything; of another nothing is known.
fn whole(taken: Result<Snapshot, store::Unreadable>, database: &Database) -> Result<Snapshot> {
    let technical = match taken {
        Ok(snapshot) if snapshot.database.hidden_tables.is_empty() => return Ok(snapshot),
        Ok(blind) => hidden_tables(&blind.database),
        Err(unreadable) => unreadable.technical(database.secrets()),
    };
    Err(anyhow!(
        "the database could not be read ({}): {technical}",
        database.identity()
    ))
}

/// The verdict on the entities that were asked for, by what the writers or the pages call them; on all if none was.
fn only(mut assessment: Assessment, asked: &[String]) -> Result<Assessment> {
    if asked.is_empty() {
        return Ok(assessment);
    }
    for name in asked {
        let mut entities = assessment.entities.iter();
        if !entities.any(|entity| goes_by(entity, name)) {
            let known = assessment.entities.iter();
            let known: Vec<String> = known
                .map(|entity| word(&entity.policy.entity_type))
                .collect();
            bail!(UsageError::new(format!(
                "there is no entity {}; there are {}",
                apart(&word(name)),
                known.join(", ")
            )));
        }
    }
    assessment
        .entities
        .retain(|entity| asked.iter().any(|name| goes_by(entity, name)));
    let healths = assessment.entities.iter().map(EntityAssessment::health);
    assessment.health = healths.max().unwrap_or(assessment.health);
    Ok(assessment)
}

fn goes_by(entity: &EntityAssessment, name: &str) -> bool {
    entity.policy.entity_type == name || entity.policy.name == name
}

/// Exit code 3, which monitoring systems know as UNKNOWN.
const UNKNOWN: u8 = 3;

/// Whether the command line asks for a check, as far as it can be told of one that means nothing.
pub fn is_asked_for() -> bool {
    std::env::args_os()
        .nth(1)
        .is_some_and(|command| command == "check")
}

/// Says that nobody knows, and why.
pub fn end_unknown(why: &str) -> ExitCode {
    // There is no worse to be said than what the code says.
    let _ = match in_its_own_form(why) {
        Some(text) => tell(&text),
        None => say(why),
    };
    ExitCode::from(UNKNOWN)
}

/// The same of a command line that means nothing, or asks for help. People were told already.
pub fn end_refused(kind: ErrorKind, refusal: &str) -> ExitCode {
    match kind {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {}
        _ => {
            let why = refusal.lines().next().unwrap_or_default();
            let _ = in_its_own_form(why).map(|text| tell(&text));
        }
    }
    ExitCode::from(UNKNOWN)
}

/// What a program finds on standard output, where the command line says that one is listening.
fn in_its_own_form(why: &str) -> Option<String> {
    let given: Vec<_> = std::env::args_os().skip(2).collect();
    let asks_for = |format: &str| {
        let joined = format!("--format={format}");
        given
            .iter()
            .any(|given| given == format || *given == *joined)
    };
    if asks_for("nagios") {
        Some(programs::unknown(why))
    } else if asks_for("json") {
        let problem = serde_json::json!({ "schema_version": 1, "error": why });
        Some(format!("{problem:#}\n"))
    } else {
        None
    }
}
