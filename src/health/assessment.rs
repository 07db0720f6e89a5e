//! Snapshot, policy and moment, judged: the whole assessment of one build.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::actions::of_actions;
use super::evidence::CLOCK_TOLERANCE;
use super::freshness::{age, by_clock};
use super::notices::{clock_difference, notices};
use super::time_in_state::{Span, time_in_state};
use super::untraced::untraced;
use super::unusual::unusual_runs;
use super::{Activity, EntityPolicy, Evidence, Health, Notice, Policy, Reason, Turns, Unusual};
use crate::model::{DatabaseFacts, Observation, Snapshot};

/// Whether the database could be read for this build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Read,
    Unreachable {
        /// The first build that failed.
        since: DateTime<Utc>,
        /// One plain sentence, without technical terms or secrets.
        message: String,
    },
}

/// What a build has to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// `None`: the database could not be read, now or ever before.
    pub snapshot: Option<Snapshot>,
    pub source: Source,
}

/// The verdict on one entity, with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityAssessment {
    pub policy: EntityPolicy,
    pub observation: Observation,
    pub evidence: Evidence,
    pub reason: Reason,
    /// Now minus last success, never negative; `None` without a success.
    pub age: Option<TimeDelta>,
    pub activity: Activity,
    pub turns: Turns,
    /// The first expected run that the last success does not meet, gone by or to come; `None` without a schedule.
    pub unmet: Option<DateTime<Utc>>,
    /// When the next run is expected: one that is due and may still succeed in time, else the next to come due;
    /// `None` without a schedule.
    pub next_due: Option<DateTime<Utc>>,
    /// Runs of the days that are listed which were expected and left no trace, by their due times, oldest first.
    pub untraced: Vec<DateTime<Utc>>,
    /// The health of every moment since the first evidence.
    pub past: Vec<Span>,
    pub notices: Vec<Notice>,
    /// Of the listed runs those that are unusual, by their places. It changes no health.
    pub unusual: BTreeMap<usize, Vec<Unusual>>,
}

impl EntityAssessment {
    pub fn health(&self) -> Health {
        self.reason.health()
    }

    /// What is unusual about the listed run at this place; nothing about most.
    pub fn unusual_at(&self, place: usize) -> &[Unusual] {
        self.unusual.get(&place).map_or(&[], Vec::as_slice)
    }
}

/// The verdict on everything, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    pub generated_at: DateTime<Utc>,
    /// When the data was read; `None` if it never was.
    pub as_of: Option<DateTime<Utc>>,
    /// Until when the verdicts may be believed.
    pub valid_until: Option<DateTime<Utc>>,
    /// From when on all runs are known; `None` if the data was never read.
    pub history_since: Option<DateTime<Utc>>,
    pub source: Source,
    pub health: Health,
    pub database: DatabaseFacts,
    /// Configured entities in their order, then any others that the database knows, by name.
    pub entities: Vec<EntityAssessment>,
}

impl Assessment {
    /// The entities with their places, worst first, otherwise in their order. Those of which nothing worse is
    /// known than that the data is old come after those that have a problem of their own.
    pub fn worst_first(&self) -> Vec<(usize, &EntityAssessment)> {
        let mut entities: Vec<_> = self.entities.iter().enumerate().collect();
        entities.sort_by_key(|(_, entity)| {
            let is_merely_old = entity.reason == Reason::OutOfDate;
            (std::cmp::Reverse(entity.health()), is_merely_old)
        });
        entities
    }

    /// Whether the verdicts may not be believed any more at this moment.
    pub fn is_old_at(&self, at: DateTime<Utc>) -> bool {
        self.valid_until.is_some_and(|until| at > until)
    }
}

/// What weighs on every entity's verdict alike.
struct Weather {
    /// In which weekdays are told.
    zone: Tz,
    /// Nothing was ever read: nothing is known of any entity.
    never_read: bool,
    /// What is shown was read in the future: a clock was set since.
    read_ahead: Option<DateTime<Utc>>,
    /// What stands against green, if anything does.
    doubt: Option<Reason>,
    /// From when on all runs are listed; `None` if nothing was ever read.
    listed_since: Option<DateTime<Utc>>,
    /// Up to when the evidence was read.
    known_until: DateTime<Utc>,
}

/// Judges a reading at a moment.
pub fn assess(reading: Reading, policy: &Policy, now: DateTime<Utc>) -> Assessment {
    let Reading { snapshot, source } = reading;
    let as_of = snapshot.as_ref().map(|snapshot| snapshot.as_of);
    let history_since = snapshot.as_ref().map(|snapshot| snapshot.history_since);
    // A moment of reading that lies ahead says only that a clock is wrong.
    let valid_until = as_of.map(|as_of| as_of.min(now) + policy.validity());
    let read_ahead = as_of.filter(|&as_of| as_of > now + CLOCK_TOLERANCE);
    let unreachable = matches!(source, Source::Unreachable { .. });
    let (database, observations) = snapshot
        .map(|snapshot| (snapshot.database, snapshot.entities))
        .unwrap_or_default();

    let doubt = if clock_difference(&database).is_some() || read_ahead.is_some() {
        Some(Reason::ClockSkew)
    } else if !database.hidden_tables.is_empty() {
        Some(Reason::Hidden)
    } else if unreachable && valid_until.is_some_and(|until| now > until) {
        Some(Reason::OutOfDate)
    } else {
        None
    };
    let weather = Weather {
        zone: policy.zone,
        never_read: as_of.is_none(),
        read_ahead,
        doubt,
        listed_since: history_since,
        known_until: as_of.map_or(now, |as_of| as_of.min(now)),
    };
    let entities: Vec<_> = expected_and_found(observations, policy)
        .into_iter()
        .map(|(expected, observation)| judge(expected, observation, &database, &weather, now))
        .collect();
    let worst = entities
        .iter()
        .map(EntityAssessment::health)
        .max()
        .unwrap_or(Health::Green);
    Assessment {
        generated_at: now,
        as_of,
        valid_until,
        history_since,
        health: if unreachable {
            worst.max(Health::Yellow)
        } else {
            worst
        },
        source,
        database,
        entities,
    }
}

/// Pairs each configured entity with what is recorded of it, then adds the others that were found.
fn expected_and_found(
    observations: Vec<Observation>,
    policy: &Policy,
) -> Vec<(EntityPolicy, Observation)> {
    let mut found: BTreeMap<String, Observation> = observations
        .into_iter()
        .map(|seen| (seen.entity_type.clone(), seen))
        .collect();
    let mut pairs: Vec<_> = policy
        .entities
        .iter()
        .map(|expected| {
            let observation = found
                .remove(&expected.entity_type)
                .unwrap_or_else(|| Observation::empty(&expected.entity_type));
            (expected.clone(), observation)
        })
        .collect();
    pairs.extend(found.into_values().map(|observation| {
        let unexpected = EntityPolicy {
            entity_type: observation.entity_type.clone(),
            name: crate::text::name_of(&observation.entity_type),
            table: None,
            thresholds: policy.thresholds,
            schedule: policy.schedule.clone(),
            pauses: policy.pauses.clone(),
            actions: policy.actions.clone(),
            owner: policy.owner.clone(),
        };
        (unexpected, observation)
    }));
    pairs
}

fn judge(
    policy: EntityPolicy,
    observation: Observation,
    facts: &DatabaseFacts,
    weather: &Weather,
    now: DateTime<Utc>,
) -> EntityAssessment {
    let counting = policy
        .actions
        .as_deref()
        .map(|actions| of_actions(&observation, actions));
    let counts = counting.as_ref().unwrap_or(&observation);
    let evidence = Evidence::weigh(counts, now);
    let activity = Activity::observe(counts, policy.thresholds.stuck_after, now);
    let reason = conclude(&policy, counts, &evidence, activity, weather, now);
    let unmet = evidence.last_success.and_then(|at| policy.first_unmet(at));
    let paused = policy.pauses.at(now).map(|pause| Notice::Paused {
        until: pause.until,
        why: pause.why.clone(),
    });
    let unusual = unusual_runs(&observation, weather.zone);
    let of_newest = unusual.get(&0).map_or(&[][..], Vec::as_slice);
    EntityAssessment {
        age: evidence.last_success.map(|at| age(at, now)),
        past: time_in_state(counts, &evidence, &policy, weather.known_until, now),
        turns: Turns::ahead(evidence.last_success, &policy, now),
        next_due: policy.next_due(unmet, now),
        unmet,
        untraced: weather
            .listed_since
            .map(|since| untraced(counts, &policy, since, weather.known_until))
            .unwrap_or_default(),
        notices: weather
            .read_ahead
            .map(|at| Notice::ReadAhead { at })
            .into_iter()
            .chain(paused)
            .chain(notices(counts, &evidence, activity, of_newest, facts))
            .collect(),
        unusual,
        policy,
        observation,
        evidence,
        reason,
        activity,
    }
}

/// The verdict table of `docs/verdict.md`: the first row that holds.
fn conclude(
    policy: &EntityPolicy,
    observation: &Observation,
    evidence: &Evidence,
    activity: Activity,
    weather: &Weather,
    now: DateTime<Utc>,
) -> Reason {
    if weather.never_read {
        return Reason::Unconfirmed;
    }
    if evidence.is_failing() {
        return Reason::Failed;
    }
    let Some(last_success) = evidence.last_success else {
        let claims_success = observation
            .state
            .as_ref()
            .is_some_and(|state| state.status == crate::model::Status::Completed);
        return if claims_success {
            Reason::Unconfirmed
        } else {
            Reason::NeverSynced
        };
    };
    match by_clock(last_success, policy, now) {
        Reason::Fresh => {}
        worse => return worse,
    }
    if activity.is_stuck() {
        Reason::Stuck
    } else if evidence.future_success.is_some() || evidence.future_failure.is_some() {
        Reason::ClockSkew
    } else {
        weather.doubt.unwrap_or(Reason::Fresh)
    }
}
