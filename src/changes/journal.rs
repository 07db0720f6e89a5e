//! The journal: what is kept of changes between builds, and how a build carries it on.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Access, Change, WINDOW};
use crate::health::{Assessment, CLOCK_TOLERANCE, EntityAssessment, Reason, Source};
use crate::model::{EARLIEST, LATEST};

/// How many changes of an entity are kept at most, and how many of the database: the newest.
const MOST: usize = 500;

/// What is known of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The first change that was ever kept of it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub since: DateTime<Utc>,
    /// Oldest first: those of the last 90 days, and the one that they begin in. No two that follow each other
    /// have the same reason.
    pub changes: Vec<Change>,
}

/// All changes of verdict that are kept of one database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Journal {
    /// By `entity_type`.
    pub entities: BTreeMap<String, Record>,
    /// Oldest first. Empty until the database could not be read for the first time.
    pub database: Vec<Access>,
}

impl Journal {
    /// This journal with what an assessment tells besides. What was there stays as it is, unless it is too old,
    /// or lies in a future that a clock set back has taken away.
    #[must_use]
    pub fn with(mut self, assessment: &Assessment) -> Journal {
        let now = assessment.generated_at;
        self.database = accesses(self.database, &assessment.source, now);
        // Of what was never read nothing is known, which is no change of its verdict.
        if assessment.as_of.is_some() {
            for entity in &assessment.entities {
                self.carry_on(entity, now);
            }
        }
        let entities = assessment.entities.iter();
        let known: BTreeSet<&str> = entities.map(|entity| &*entity.policy.entity_type).collect();
        self.entities.retain(|entity_type, record| {
            let newest = record.changes.last();
            let is_recent = newest.is_some_and(|newest| newest.at > now - WINDOW);
            is_recent || known.contains(entity_type.as_str())
        });
        self
    }

    fn carry_on(&mut self, entity: &EntityAssessment, now: DateTime<Utc>) {
        let entity_type = &entity.policy.entity_type;
        let before = self.entities.remove(entity_type);
        let since = before.as_ref().map(|record| record.since);
        let changes = changes(
            before.map_or_else(Vec::new, |record| record.changes),
            entity,
            now,
        );
        if let Some(first) = changes.first() {
            let since = since.filter(|&since| since <= now).unwrap_or(first.at);
            let record = Record { since, changes };
            self.entities.insert(entity_type.clone(), record);
        }
    }

    /// Whether every moment lies in the years 1 to 9999, so that reckoning with them cannot overflow.
    pub fn is_within_the_calendar(&self) -> bool {
        let calendar = EARLIEST..=LATEST;
        let mut records = self.entities.values();
        self.database
            .iter()
            .all(|access| calendar.contains(&access.at))
            && records.all(|record| {
                let mut changes = record.changes.iter();
                calendar.contains(&record.since)
                    && changes.all(|change| calendar.contains(&change.at))
            })
    }
}

/// What was kept of an entity, what its evidence tells of the time since, and what is concluded now.
fn changes(mut kept: Vec<Change>, entity: &EntityAssessment, now: DateTime<Utc>) -> Vec<Change> {
    kept.retain(|change| change.at <= now + CLOCK_TOLERANCE);
    let newest = kept.last().map(|change| change.at);
    for span in &entity.past {
        let from = DateTime::from_timestamp_micros(span.from);
        let at = from.unwrap_or(EARLIEST).clamp(EARLIEST, LATEST);
        let reason = span.past.reason();
        let is_told = newest.is_some_and(|newest| at <= newest);
        if !is_told && (reason != Reason::Fresh || shows_what_is_fresh(entity.reason)) {
            add(&mut kept, Change { at, reason });
        }
    }
    // A clock that was set back a little must not bring the order about.
    let at = kept.last().map_or(now, |last| last.at.max(now));
    add(
        &mut kept,
        Change {
            at,
            reason: entity.reason,
        },
    );
    let begun = kept.partition_point(|change| change.at <= now - WINDOW);
    let first = begun.saturating_sub(1).max(kept.len().saturating_sub(MOST));
    kept.drain(..first);
    kept
}

fn add(changes: &mut Vec<Change>, new: Change) {
    if changes.last().is_none_or(|last| last.reason != new.reason) {
        changes.push(new);
    }
}

/// Whether, where this is concluded, evidence of freshness in the time before may be taken at its word.
fn shows_what_is_fresh(reason: Reason) -> bool {
    match reason {
        Reason::Fresh
        | Reason::Late
        | Reason::Missed
        | Reason::Overdue
        | Reason::Failed
        | Reason::NeverSynced
        | Reason::Unconfirmed
        | Reason::Stuck => true,
        Reason::ClockSkew | Reason::Hidden | Reason::OutOfDate => false,
    }
}

fn accesses(mut kept: Vec<Access>, source: &Source, now: DateTime<Utc>) -> Vec<Access> {
    kept.retain(|access| access.at <= now + CLOCK_TOLERANCE);
    let was_readable = kept.last().is_none_or(|last| last.readable);
    let (readable, at) = match source {
        Source::Read => (true, now),
        Source::Unreachable { since, .. } => (false, (*since).min(now)),
    };
    if readable != was_readable {
        let at = kept.last().map_or(at, |last| last.at.max(at));
        kept.push(Access { at, readable });
    }
    let begun = kept.partition_point(|access| access.at <= now - WINDOW);
    let first = begun.saturating_sub(1).max(kept.len().saturating_sub(MOST));
    kept.drain(..first);
    kept
}
