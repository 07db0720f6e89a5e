//! An answer on its way in: believed only when it is whole.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::{Unreadable, decode};
use crate::model::{DatabaseFacts, Observation};

/// No true answer is larger: an entity has at most a megabyte, and a shop has some ten of them.
const MOST_BYTES: usize = 256 << 20;
const MOST_ROWS: u64 = 100_000;

/// What has come of the answer so far.
#[derive(Default)]
pub struct Taken {
    facts: Option<DatabaseFacts>,
    entities: Vec<Observation>,
    names: HashSet<String>,
    rows: u64,
    bytes: usize,
    ended: bool,
}

impl Taken {
    /// One more row. The one without an entity is about the database itself.
    pub fn take(
        &mut self,
        entity_type: Option<&str>,
        json: &str,
        clock: Option<DateTime<Utc>>,
    ) -> Result<(), Unreadable> {
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(json.len());
        if self.rows > MOST_ROWS {
            return Err(Unreadable::endless("100,000 rows"));
        }
        if self.bytes > MOST_BYTES {
            return Err(Unreadable::endless("256 MiB"));
        }
        let Some(entity_type) = entity_type else {
            let facts =
                decode::facts(json, clock).map_err(|error| Unreadable::unexpected(&error))?;
            return match self.facts.replace(facts) {
                None => Ok(()),
                Some(_) => Err(Unreadable::incomplete(
                    "there are two rows about the database itself",
                )),
            };
        };
        if !self.names.insert(entity_type.to_owned()) {
            return Err(Unreadable::doubled(entity_type));
        }
        let observation = decode::observation(entity_type, json)
            .map_err(|error| Unreadable::unexpected(&error))?;
        self.entities.push(observation);
        Ok(())
    }

    /// The other side says that these were all rows.
    pub fn end(&mut self, rows: u64) -> Result<(), Unreadable> {
        if self.ended || rows != self.rows {
            return Err(Unreadable::incomplete(format!(
                "{} of {rows} rows have come",
                self.rows
            )));
        }
        self.ended = true;
        Ok(())
    }

    /// There is nobody to say so.
    pub fn end_here(&mut self) {
        self.ended = true;
    }

    /// Everything, if nothing is missing.
    pub fn whole(self) -> Result<(DatabaseFacts, Vec<Observation>), Unreadable> {
        match self.facts {
            Some(facts) if self.ended => Ok((facts, self.entities)),
            Some(_) => Err(Unreadable::incomplete("the answer has no end")),
            None => Err(Unreadable::incomplete(
                "the answer does not begin with the row about the database itself",
            )),
        }
    }
}
