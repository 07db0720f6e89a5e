//! A run as it is told to the database: `docs/recording.md`. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    pub metadata: Option<Value>,
}

/// How deep metadata may be nested. A report has to be read again from its file, in which it lies deeper.
const DEEPEST: usize = 64;

impl RunResult {
    /// What a result file says; or why it is none, in one line.
    ///
    /// Databases hold no NUL: in texts of the metadata the replacement character stands for it.
    pub fn parse(text: &str) -> Result<RunResult, String> {
        let mut result: RunResult =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(metadata) = result.metadata.take() {
            if depth(&metadata) > DEEPEST {
                return Err(format!("metadata is nested deeper than {DEEPEST} levels"));
            }
            result.metadata = Some(without_nul(metadata));
        }
        Ok(result)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
    }
}

fn without_nul(value: Value) -> Value {
    let cleaned = |text: String| text.replace('\0', "\u{fffd}");
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
        Value::String(text) => Value::String(cleaned(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (cleaned(name), without_nul(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
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

#[cfg(test)]
mod properties;
