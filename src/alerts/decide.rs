//! What a build has to tell, next to what was told before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{About, Kind, Occasion, Rules, Seen};
use crate::health::Health;

/// What was told, and what has been seen since but not often enough.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Entities that were told to be anything but green, or that begin to be.
    entities: BTreeMap<String, Told>,
    /// Yellow means that it cannot be read.
    database: Told,
    /// What lasts of what was told.
    syncs_problem: Option<Lasting>,
    database_problem: Option<Lasting>,
    /// What was told before is not known.
    lost: bool,
}

/// A problem that people know of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lasting {
    since: DateTime<Utc>,
    last_told: DateTime<Utc>,
}

/// What people know of an entity's health.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    health: Health,
    /// The newest builds, oldest first, as far as all of them saw worse, or all of them saw better.
    otherwise: Vec<(DateTime<Utc>, Health)>,
}

impl Default for Told {
    fn default() -> Told {
        Told {
            health: Health::Green,
            otherwise: Vec::new(),
        }
    }
}

/// A change that was seen often enough, and the first build that saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Worse(DateTime<Utc>),
    Better(DateTime<Utc>),
}

impl Told {
    /// Takes in what one more build has seen.
    fn see(&mut self, seen: Health, now: DateTime<Utc>, after: usize) -> Option<Change> {
        let is_worse = seen > self.health;
        self.otherwise
            .retain(|&(_, before)| seen != self.health && (before > self.health) == is_worse);
        if seen == self.health {
            return None;
        }
        self.otherwise.push((now, seen));
        let too_many = self.otherwise.len().saturating_sub(after);
        self.otherwise.drain(..too_many);
        if self.otherwise.len() < after {
            return None;
        }
        let first = self.otherwise[0].0;
        let healths = self.otherwise.iter().map(|&(_, health)| health);
        // As far as all of these builds agree.
        self.health = if is_worse {
            healths.min()
        } else {
            healths.max()
        }?;
        let known = self.health;
        let open = self
            .otherwise
            .iter()
            .rposition(|&(_, health)| health == known);
        self.otherwise.drain(..=open?);
        Some(if is_worse {
            Change::Worse(first)
        } else {
            Change::Better(first)
        })
    }

    /// Green as it was told, and as it was seen.
    fn is_quiet(&self) -> bool {
        self.health == Health::Green && self.otherwise.is_empty()
    }
}

impl Memory {
    /// Nothing is known of what was told.
    pub fn lost() -> Memory {
        Memory {
            lost: true,
            ..Memory::default()
        }
    }
}

/// What this build has to tell, and what to remember of it.
pub fn decide(
    mut memory: Memory,
    seen: &Seen,
    rules: Rules,
    now: DateTime<Utc>,
) -> (Memory, Vec<Occasion>) {
    let database = memory.of_database(seen, rules, now);
    let syncs = match seen {
        Seen::Away => None,
        Seen::Read(healths) => memory.of_syncs(healths, rules, now),
    };
    let occasions = database.into_iter().chain(syncs).collect();
    (memory, occasions)
}

impl Memory {
    fn of_database(&mut self, seen: &Seen, rules: Rules, now: DateTime<Utc>) -> Option<Occasion> {
        let health = match seen {
            Seen::Away => Health::Yellow,
            Seen::Read(_) => Health::Green,
        };
        let occasion = match self.database.see(health, now, rules.after) {
            Some(Change::Worse(since)) => Some(begun(&mut self.database_problem, since, now)),
            Some(Change::Better(until)) => ended(&mut self.database_problem, until),
            None if *seen == Seen::Away => reminded(&mut self.database_problem, rules, now),
            None => None,
        };
        occasion.map(|told| told.occasion(About::Database, Vec::new(), now))
    }

    fn of_syncs(
        &mut self,
        healths: &BTreeMap<String, Health>,
        rules: Rules,
        now: DateTime<Utc>,
    ) -> Option<Occasion> {
        // Of an entity that is not there any more nothing can be expected.
        self.entities
            .retain(|entity, _| healths.contains_key(entity));
        let changes: Vec<Change> = healths
            .iter()
            .filter_map(|(entity, &health)| {
                let told = self.entities.entry(entity.clone()).or_default();
                told.see(health, now, rules.after)
            })
            .collect();
        self.entities.retain(|_, told| !told.is_quiet());
        let worse = changes.iter().filter_map(|change| match change {
            Change::Worse(since) => Some(*since),
            Change::Better(_) => None,
        });
        let better = changes.iter().filter_map(|change| match change {
            Change::Better(until) => Some(*until),
            Change::Worse(_) => None,
        });
        let affected = self.affected(healths);
        let all_well = self
            .entities
            .values()
            .all(|told| told.health == Health::Green);
        let told = if let Some(since) = worse.min() {
            Some(begun(&mut self.syncs_problem, since, now))
        } else if all_well {
            ended(&mut self.syncs_problem, better.max().unwrap_or(now))
        } else if affected.is_empty() {
            None
        } else {
            reminded(&mut self.syncs_problem, rules, now)
        };
        if told.is_some() {
            self.lost = false;
        } else if self.lost && self.entities.is_empty() {
            self.lost = false;
            return Some(afresh(now).occasion(About::Syncs, affected, now));
        }
        told.map(|told| told.occasion(About::Syncs, affected, now))
    }

    /// The entities that people are told to be ill, and that still are.
    fn affected(&self, healths: &BTreeMap<String, Health>) -> Vec<String> {
        let ill = |entity: &&String| {
            self.entities
                .get(*entity)
                .is_some_and(|told| told.health != Health::Green)
        };
        healths
            .iter()
            .filter(|(_, health)| **health != Health::Green)
            .map(|(entity, _)| entity)
            .filter(ill)
            .cloned()
            .collect()
    }
}

/// What is told of a problem.
struct Telling {
    kind: Kind,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

impl Telling {
    fn occasion(self, about: About, affected: Vec<String>, at: DateTime<Utc>) -> Occasion {
        Occasion {
            about,
            kind: self.kind,
            since: self.since,
            until: self.until,
            at,
            affected,
        }
    }
}

fn begun(problem: &mut Option<Lasting>, since: DateTime<Utc>, now: DateTime<Utc>) -> Telling {
    let kind = match problem {
        Some(_) => Kind::Worse,
        None => Kind::Problem,
    };
    let lasting = problem.get_or_insert(Lasting {
        since,
        last_told: now,
    });
    lasting.last_told = now;
    Telling {
        kind,
        since: lasting.since,
        until: None,
    }
}

fn ended(problem: &mut Option<Lasting>, until: DateTime<Utc>) -> Option<Telling> {
    problem.take().map(|lasting| Telling {
        kind: Kind::Recovery,
        since: lasting.since,
        until: Some(until),
    })
}

fn reminded(problem: &mut Option<Lasting>, rules: Rules, now: DateTime<Utc>) -> Option<Telling> {
    let lasting = problem.as_mut()?;
    // A clock that was set back must not mean silence until it has caught up.
    lasting.last_told = lasting.last_told.min(now);
    if now - lasting.last_told < rules.remind {
        return None;
    }
    lasting.last_told = now;
    Some(Telling {
        kind: Kind::Reminder,
        since: lasting.since,
        until: None,
    })
}

fn afresh(now: DateTime<Utc>) -> Telling {
    Telling {
        kind: Kind::Afresh,
        since: now,
        until: None,
    }
}
