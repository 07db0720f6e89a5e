//! A run as it is told to the database: `docs/recording.md`. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A run as it is told to the database. What it knows already it does not take twice: the key is the run's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub key: Uuid,
    pub entity_type: String,
    pub action: String,
    /// By this machine's clock.
    pub started_at: DateTime<Utc>,
    /// `None` while it is going on, and for ever where nobody was left to see its end.
    pub end: Option<End>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    pub succeeded: bool,
    /// In seconds, to the millisecond; `None` where nobody measured it.
    pub duration: Option<f64>,
    pub error: Option<String>,
    #[serde(flatten)]
    pub result: RunResult,
}

/// What a command can say of its own run, in the file that `SYNCMON_RESULT` names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunResult {
    pub records_processed: Option<i32>,
    pub last_version: Option<i64>,
    pub metadata: Option<serde_json::Value>,
}

impl Report {
    pub fn begun(entity_type: &str, action: &str, started_at: DateTime<Utc>) -> Report {
        Report {
            key: Uuid::new_v4(),
            entity_type: entity_type.to_owned(),
            action: action.to_owned(),
            started_at,
            end: None,
        }
    }

    /// The status of the run, in the word of `sync_log`.
    pub fn status(&self) -> &'static str {
        match &self.end {
            None => "started",
            Some(End {
                succeeded: true, ..
            }) => "completed",
            Some(End {
                succeeded: false, ..
            }) => "failed",
        }
    }
}
