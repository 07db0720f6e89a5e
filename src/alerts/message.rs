//! What people are told: the occasion, and the finished message.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::health::{Health, Reason};
use crate::text::fnv1a;

/// What a message is about: the syncs, or the database that tells of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Syncs,
    Database,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Problem,
    /// Of a problem that was told: another entity, or red instead of yellow.
    Worse,
    /// A problem that was told lasts.
    Reminder,
    Recovery,
    /// All is well, after what was told before has been lost.
    Afresh,
    /// Somebody wants to know whether messages arrive.
    Test,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    pub about: About,
    pub kind: Kind,
    /// The first build that saw the problem.
    pub since: DateTime<Utc>,
    /// The first build that saw it gone; `None` while it lasts.
    pub until: Option<DateTime<Utc>>,
    /// The build that tells it.
    pub at: DateTime<Utc>,
    /// The entity types that are affected now.
    pub affected: Vec<String>,
}

impl Occasion {
    /// By which a repeated message can be recognised: the same for the same occasion with this database.
    pub fn key(&self, database: &str) -> String {
        let occasion = format!(
            "{database}\n{:?} {:?} {} {}",
            self.about,
            self.kind,
            self.since.timestamp_micros(),
            self.at.timestamp_micros()
        );
        format!("syncmon-{:016x}", fnv1a(occasion))
    }
}

/// An entity that a message names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    pub entity_type: String,
    pub name: String,
    pub health: Health,
    pub reason: Reason,
    /// Why it is judged so.
    pub grounds: String,
    /// What follows from it.
    pub consequence: String,
    /// Whom to ask; `None` if nobody is configured.
    pub ask: Option<String>,
}

/// A message in words, the same for every channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same whenever this message is repeated.
    pub key: String,
    pub kind: Kind,
    pub about: About,
    pub at: DateTime<Utc>,
    pub since: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
    /// The title of the site.
    pub site: String,
    /// Where the page is served; `None` if not configured.
    pub url: Option<String>,
    /// One line.
    pub subject: String,
    /// Plain text of several lines.
    pub text: String,
    pub entities: Vec<Affected>,
}
