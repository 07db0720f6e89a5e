//! What a build has to go on: the new snapshot, or what is known from before and why there is no
//! newer.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::telling::say;
use crate::health::{Reading, Source};
use crate::kept::{Earlier, Kept};
use crate::model::Snapshot;
use crate::store::{Database, Unreadable};
use crate::views::hidden_tables;

/// A reading, and whether what has to be kept for the next build was kept: a build that could not
/// keep it publishes first and fails then.
pub struct Taken {
    pub reading: Reading,
    pub keeping: Result<()>,
}

/// Makes the best of what the store returned at `now`, and says on standard error what is wrong.
pub fn make_the_best_of(
    taken: Result<Snapshot, Unreadable>,
    kept: &Kept,
    database: &Database,
    now: DateTime<Utc>,
) -> Taken {
    match taken {
        Ok(snapshot) if snapshot.database.hidden_tables.is_empty() => Taken {
            keeping: kept.keep_snapshot(&snapshot),
            reading: Reading {
                snapshot: Some(snapshot),
                source: Source::Read,
            },
        },
        Ok(blind) => {
            let technical = hidden_tables(&blind.database);
            let plain = "The database hides part of the sync records from syncmon.";
            away(&technical, plain, Some(blind), kept, database, now)
        }
        Err(unreadable) => {
            let technical = unreadable.technical(database.secrets());
            away(&technical, unreadable.plain, None, kept, database, now)
        }
    }
}

/// Nothing new, or only part of it.
fn away(
    technical: &str,
    plain: &str,
    part: Option<Snapshot>,
    kept: &Kept,
    database: &Database,
    now: DateTime<Utc>,
) -> Taken {
    let (since, keeping) = match kept.outage_since(now) {
        Ok(since) => (since, Ok(())),
        Err(error) => (now, Err(error)),
    };
    let (earlier, lost) = match kept.snapshot() {
        Earlier::Known(earlier) => (Some(earlier), String::new()),
        Earlier::Nothing => (None, String::new()),
        Earlier::Unusable(why) => (
            None,
            format!("; what was read before cannot be shown, for {why}"),
        ),
    };
    let said = say(&format!(
        "the database could not be read ({}): {technical}{lost}",
        database.identity()
    ));
    let snapshot = match (part, earlier) {
        (Some(part), Some(earlier)) => Some(part.with_hidden_from(earlier)),
        (part, earlier) => part.or(earlier),
    };
    let message = plain.to_owned();
    Taken {
        reading: Reading {
            snapshot,
            source: Source::Unreachable { since, message },
        },
        keeping: keeping.and(said),
    }
}
