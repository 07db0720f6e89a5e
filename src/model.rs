//! What was recorded: entities, runs, states and the snapshot that holds them.
//!
//! Everything here is data. What it *means* is decided in [`crate::health`]; the words are those
//! of `docs/verdict.md`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};

/// What a writer recorded of a run, or of an entity's state.
///
/// Both tables share this vocabulary (`docs/verdict.md`, "Words"). A recorded status is never a
/// health: health is what syncmon concludes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// `success`, `succeeded`, `completed`, `complete`, `ok`.
    Completed,
    /// `failed`, `failure`, `error`.
    Failed,
    /// `started`, `running`, `in_progress`.
    Started,
    /// `pending`: says that something is to come; neither success nor failure.
    Pending,
    /// `never_synced`: neither success nor failure.
    NeverSynced,
    /// NULL.
    Unrecorded,
    /// Any other word, kept as it was written.
    Other(String),
}

impl Status {
    /// Reads a recorded word, trimmed and without regard to case.
    pub fn parse(recorded: Option<&str>) -> Status {
        let Some(word) = recorded else {
            return Status::Unrecorded;
        };
        let word = word.trim();
        match word.to_lowercase().as_str() {
            "success" | "succeeded" | "completed" | "complete" | "ok" => Status::Completed,
            "failed" | "failure" | "error" => Status::Failed,
            "started" | "running" | "in_progress" => Status::Started,
            "pending" => Status::Pending,
            "never_synced" => Status::NeverSynced,
            _ => Status::Other(word.to_owned()),
        }
    }

    /// Whether a run with this status has ended.
    pub fn is_an_end(&self) -> bool {
        match self {
            Status::Completed | Status::Failed => true,
            Status::Started
            | Status::Pending
            | Status::NeverSynced
            | Status::Unrecorded
            | Status::Other(_) => false,
        }
    }

    /// The word to publish: one per meaning, or the writer's own where it has none.
    pub fn word(&self) -> &str {
        match self {
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Started => "started",
            Status::Pending => "pending",
            Status::NeverSynced => "never_synced",
            Status::Unrecorded => "unrecorded",
            Status::Other(word) => word,
        }
    }
}

/// The row of `sync_state` for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    pub status: Status,
    pub last_sync_time: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Cleaned, shortened, secrets masked.
    pub error: Option<String>,
}

/// One row of `sync_log`: one attempt at syncing one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: i64,
    pub started_at: DateTime<Utc>,
    pub action: String,
    pub status: Status,
    /// As recorded, in seconds; `None` where it is NULL or no number.
    pub duration_seconds: Option<f64>,
    pub records_processed: Option<i64>,
    /// Cleaned, shortened, secrets masked.
    pub error: Option<String>,
}

impl Run {
    /// When a completed or failed run ended: its start plus its duration, where NULL, negative and
    /// NaN count as 0. A run of any other status has no finish.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        if !self.status.is_an_end() {
            return None;
        }
        let seconds = self.duration_seconds.unwrap_or(0.0);
        // 1e11 s are over 3,000 years: beyond it only the direction matters.
        let seconds = if seconds > 0.0 {
            seconds.min(1e11)
        } else {
            0.0
        };
        #[expect(clippy::cast_possible_truncation, reason = "bounded by 1e17 above")]
        let micros = (seconds * 1e6).round() as i64;
        let finished = self
            .started_at
            .checked_add_signed(TimeDelta::microseconds(micros));
        Some(finished.map_or(LATEST, |at| at.min(LATEST)))
    }
}

/// The earliest moment that is told apart: the beginning of the year 1.
pub const EARLIEST: DateTime<Utc> =
    DateTime::from_timestamp_micros(-62_135_596_800_000_000).expect("within chrono's range");

/// The latest moment that is told apart: the end of the year 9999, as RFC 3339 can write it.
pub const LATEST: DateTime<Utc> =
    DateTime::from_timestamp_micros(253_402_300_799_000_000).expect("within chrono's range");

/// All runs of one entity that share a recorded status and an action, in compact form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    pub status: Status,
    pub action: String,
    /// The newest finish that lies before the window of [`Outcomes::finishes`].
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub before: Option<DateTime<Utc>>,
    /// Every finish within the last 90 days, and any later.
    pub finishes: Moments,
    /// Rows without a timestamp: no evidence, but said.
    pub untimed: u64,
    /// Rows whose duration is negative or NaN: counted as 0, but said.
    pub odd_durations: u64,
}

/// What runs from before the listed ones did, as far as later ones are compared with it. They share a recorded
/// status and an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    pub status: Status,
    pub action: String,
    /// Oldest first.
    pub runs: Vec<Measured>,
}

/// When a run started, how many records it processed, how many seconds it took: as in [`Run`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured(
    #[serde(with = "chrono::serde::ts_microseconds")] pub DateTime<Utc>,
    pub Option<i64>,
    pub Option<f64>,
);

/// Everything that was recorded of one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// As it stands in the database; text of any kind.
    pub entity_type: String,
    pub state: Option<SyncState>,
    pub outcomes: Vec<Outcomes>,
    /// All runs since [`Snapshot::history_since`] and at least the newest 50, by start, then id;
    /// newest first.
    pub runs: Vec<Run>,
    /// There are too many runs since then: only the newest are listed.
    pub runs_cut: bool,
    /// The newest of the last 91 days that started before [`Snapshot::history_since`], of every action that is
    /// frequent enough; some of them are among [`Observation::runs`] as well.
    pub measures: Vec<Measures>,
    /// The newest 20 runs that left an error text; newest first.
    pub errors: Vec<Run>,
}

impl Observation {
    /// An entity of which nothing is recorded.
    pub fn empty(entity_type: &str) -> Observation {
        Observation {
            entity_type: entity_type.to_owned(),
            state: None,
            outcomes: Vec::new(),
            runs: Vec::new(),
            runs_cut: false,
            measures: Vec::new(),
            errors: Vec::new(),
        }
    }
}

/// What the database said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// The role that read; `None` where the database knows no roles.
    pub role: Option<String>,
    /// Tables that row security hides from that role altogether.
    pub hidden_tables: Vec<String>,
    /// The database's clock minus the builder's, in microseconds. `None` if the builder's clock
    /// was given by hand, so that the two cannot be compared.
    pub clock_ahead_micros: Option<i64>,
}

impl DatabaseFacts {
    /// What to call the role that read.
    pub fn role_name(&self) -> &str {
        self.role.as_deref().unwrap_or("syncmon_ro")
    }
}

/// Everything that the one statement returned, with the time at which it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub as_of: DateTime<Utc>,
    /// From here on, all runs are listed.
    pub history_since: DateTime<Utc>,
    pub database: DatabaseFacts,
    /// Ordered by `entity_type`.
    pub entities: Vec<Observation>,
}

impl Snapshot {
    /// Whether every moment lies in the years 1 to 9999, so that reckoning with them cannot overflow.
    /// True of whatever was decoded from a database; a file may say anything.
    pub fn is_within_the_calendar(&self) -> bool {
        let calendar = EARLIEST..=LATEST;
        let all = |moments: &[Option<DateTime<Utc>>]| {
            moments.iter().flatten().all(|at| calendar.contains(at))
        };
        all(&[Some(self.as_of), Some(self.history_since)])
            && self.entities.iter().all(|entity| {
                let state = entity.state.iter();
                let runs = entity.runs.iter().chain(&entity.errors);
                state
                    .clone()
                    .all(|s| all(&[s.last_sync_time, s.updated_at]))
                    && runs.clone().all(|run| all(&[Some(run.started_at)]))
                    && entity
                        .measures
                        .iter()
                        .flat_map(|measures| &measures.runs)
                        .all(|&Measured(started, _, _)| all(&[Some(started)]))
                    && entity.outcomes.iter().all(|outcomes| {
                        let finishes = outcomes.finishes.micros();
                        all(&[outcomes.before])
                            && finishes
                                .first()
                                .is_none_or(|&first| first >= EARLIEST.timestamp_micros())
                    })
            })
    }

    /// This snapshot, which row security kept from seeing some tables, with what an earlier one saw
    /// in them. It is as old as its oldest part.
    #[must_use]
    pub fn with_hidden_from(self, earlier: Snapshot) -> Snapshot {
        let hidden = |table: &str| self.database.hidden_tables.iter().any(|name| name == table);
        let (state_hidden, log_hidden) = (hidden("sync_state"), hidden("sync_log"));
        let mut entities: BTreeMap<String, Observation> = BTreeMap::new();
        for seen in self.entities {
            entities.insert(seen.entity_type.clone(), seen);
        }
        for before in earlier.entities {
            let entity = entities
                .entry(before.entity_type.clone())
                .or_insert_with(|| Observation::empty(&before.entity_type));
            if state_hidden {
                entity.state = before.state;
            }
            if log_hidden {
                entity.outcomes = before.outcomes;
                entity.runs = before.runs;
                entity.runs_cut = before.runs_cut;
                entity.measures = before.measures;
                entity.errors = before.errors;
            }
        }
        Snapshot {
            as_of: earlier.as_of.min(self.as_of),
            history_since: earlier.history_since.max(self.history_since),
            database: self.database,
            entities: entities.into_values().collect(),
        }
    }
}

/// Many moments, oldest first, in whole microseconds since 1970: a snapshot holds tens of thousands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Moments(Vec<i64>);

impl Moments {
    /// The newest moment that is not after `horizon`.
    pub fn newest_until(&self, horizon: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let within = self.count_before(horizon.timestamp_micros().saturating_add(1));
        let newest = self.0[..within].last()?;
        Some(DateTime::from_timestamp_micros(*newest).unwrap_or(LATEST))
    }

    /// How many moments lie before this one, in microseconds since 1970.
    pub fn count_before(&self, micros: i64) -> usize {
        self.0.partition_point(|&moment| moment < micros)
    }

    /// In microseconds since 1970, oldest first.
    pub fn micros(&self) -> &[i64] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<i64>> for Moments {
    /// Takes microseconds since 1970 in any order; beyond the year 9999 they count as its end.
    fn from(mut micros: Vec<i64>) -> Moments {
        for moment in &mut micros {
            *moment = (*moment).min(LATEST.timestamp_micros());
        }
        micros.sort_unstable();
        Moments(micros)
    }
}

impl FromIterator<DateTime<Utc>> for Moments {
    fn from_iter<I: IntoIterator<Item = DateTime<Utc>>>(moments: I) -> Moments {
        moments
            .into_iter()
            .map(|moment| moment.timestamp_micros())
            .collect::<Vec<_>>()
            .into()
    }
}

impl<'de> Deserialize<'de> for Moments {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Moments, D::Error> {
        Vec::<i64>::deserialize(from).map(Moments::from)
    }
}
