//! What the user decided: environment files, configuration, connection string.

use std::path::Path;

use super::{Link, Seen};
use crate::config::Config;
use crate::views::counted;

/// An environment file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFile {
    pub name: String,
    /// The value of `DATABASE_URL` that is in force stands in it.
    pub names_the_database: bool,
    /// Not only its owner may read it.
    pub open_to_others: bool,
}

pub struct ConfigurationFacts<'a> {
    pub environment: &'a [EnvironmentFile],
    /// Why an environment file was refused.
    pub environment_refused: Option<&'a str>,
    /// The configuration file that is in force, if there is one.
    pub file: Option<&'a Path>,
    /// What it says, or why it was refused.
    pub config: Result<&'a Config, &'a str>,
}

pub fn configuration(facts: &ConfigurationFacts) -> Seen {
    let summary = facts.config.map_or_else(
        |_| String::new(),
        |config| {
            let entities = i64::try_from(config.policy.entities.len()).unwrap_or(i64::MAX);
            let entities = counted(entities, "entity", "entities");
            let zone = config.time_zone;
            match facts.file {
                Some(file) => format!("{}: {entities}, {zone}", file.display()),
                None => format!("no syncmon.toml: {entities}, {zone}"),
            }
        },
    );
    let mut seen = Seen::new(Link::Configuration, summary);
    if let Some(refusal) = facts.environment_refused {
        let (says, remedy) = super::taken_apart(refusal);
        seen = seen.problem(says, remedy);
    }
    if let Err(refusal) = facts.config {
        let (says, remedy) = super::taken_apart(refusal);
        seen = seen.problem(says, remedy);
    }
    for file in facts.environment {
        if file.names_the_database && file.open_to_others {
            seen = seen.advice(
                format!(
                    "{} holds the connection string, and other users of this machine may read it",
                    file.name
                ),
                format!("chmod 600 {}", file.name),
            );
        }
    }
    seen
}

/// The connection string: which database it names, or why it was refused.
pub fn database(identity: Result<&str, &str>, environment: &[EnvironmentFile]) -> Seen {
    match identity {
        Ok(identity) => {
            let from = environment
                .iter()
                .find(|file| file.names_the_database)
                .map_or("the environment", |file| &file.name);
            Seen::new(Link::Database, format!("{identity}, from {from}"))
        }
        Err(refusal) => Seen::refused(Link::Database, refusal),
    }
}
