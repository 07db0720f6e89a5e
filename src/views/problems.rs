//! The problems of the last days, each in a plain sentence.

mod sentence;

use serde::Serialize;

use super::meaning::{Why, error_of_failure, newest_error};
use super::times::{Speaker, counted};
use super::{page_path, sentences, words};
use crate::health::{Assessment, EntityAssessment, Health, Problem, Reason, problems};
use crate::text::{apart, file_stem};
use sentence::{Words, not_known_since, sentence};

/// Of how many days, today included, the overview tells the problems.
pub const PROBLEM_DAYS: u32 = 7;

/// How many that are over it tells at most, with those that last; the history has them all.
const MOST_TOLD: usize = 10;

/// The overview's list.
#[derive(Debug, Serialize)]
pub struct Problems {
    /// What will be a problem if nothing new is heard of an entity; shown by the page's script.
    pub coming: Vec<Coming>,
    /// Newest first.
    pub told: Vec<Told>,
    /// How many more there were, in words; `None` if these are all.
    pub more: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Told {
    /// The same from build to build, so that what was unfolded stays so.
    pub anchor: String,
    pub health: &'static str,
    pub sentence: String,
    pub page: String,
    /// It is over.
    pub ended: bool,
    pub why: Option<Why>,
}

#[derive(Debug, Serialize)]
pub struct Coming {
    /// Milliseconds since 1970.
    pub from: i64,
    pub sentence: String,
    pub page: String,
}

pub fn told(assessment: &Assessment, speaker: Speaker) -> Problems {
    let since = speaker.start_of_history(PROBLEM_DAYS);
    let mut all: Vec<(Problem, &EntityAssessment)> = assessment
        .entities
        .iter()
        .flat_map(|entity| {
            let found = problems(&entity.past, entity.evidence.state_failure, since);
            found.into_iter().map(move |problem| (problem, entity))
        })
        .collect();
    for (problem, entity) in &mut all {
        if !is_ill_by_evidence(entity.reason) {
            problem.until.get_or_insert(speaker.now);
        }
    }
    all.sort_by_key(|(problem, _)| std::cmp::Reverse(problem.from));
    let lasting = all.iter().filter(|(problem, _)| problem.until.is_none());
    let mut room = MOST_TOLD.saturating_sub(lasting.count());
    let number = all.len();
    all.retain(|(problem, _)| {
        let fits = problem.until.is_none() || room > 0;
        room -= usize::from(problem.until.is_some() && fits);
        fits
    });
    let more = number - all.len();
    let told = |entity: &EntityAssessment| {
        let is_told = |(problem, other): &&(Problem, &EntityAssessment)| {
            problem.until.is_none() && other.policy.entity_type == entity.policy.entity_type
        };
        all.iter().find(is_told).is_some()
    };
    let doubts = assessment
        .entities
        .iter()
        .filter(|entity| entity.health() != Health::Green && !told(entity))
        .map(|entity| doubt(entity, assessment, speaker));
    Problems {
        coming: coming(assessment, speaker),
        told: doubts
            .chain(
                all.iter()
                    .map(|(problem, entity)| tell(problem, entity, assessment, speaker)),
            )
            .collect(),
        more: (more > 0).then(|| {
            let more = i64::try_from(more).unwrap_or(i64::MAX);
            counted(more, "earlier problem", "earlier problems")
        }),
    }
}

/// Whether the reason follows from evidence and age: then the past ends with it. Clocks, stuck runs and hidden
/// tables say nothing about the past.
fn is_ill_by_evidence(reason: Reason) -> bool {
    match reason {
        Reason::Failed | Reason::Overdue | Reason::Late | Reason::Missed => true,
        Reason::Fresh
        | Reason::NeverSynced
        | Reason::Unconfirmed
        | Reason::Stuck
        | Reason::ClockSkew
        | Reason::Hidden
        | Reason::OutOfDate => false,
    }
}

/// What is wrong now, without a beginning that could be told.
fn doubt(entity: &EntityAssessment, assessment: &Assessment, speaker: Speaker) -> Told {
    Told {
        anchor: anchor(entity, "now"),
        health: words::health(entity.health()),
        sentence: doubtful(entity, assessment.is_old_at(speaker.now), speaker),
        page: page_path(&entity.policy.entity_type),
        ended: false,
        why: newest_error(entity)
            .filter(|_| entity.reason == Reason::Failed && assessment.as_of.is_some())
            .map(Why::in_short),
    }
}

fn doubtful(entity: &EntityAssessment, is_old: bool, speaker: Speaker) -> String {
    let grounds = sentences::grounds(entity, entity.reason, is_old, speaker);
    if entity.reason == Reason::NeverSynced {
        // They say it all.
        return grounds;
    }
    format!("{}. {grounds}", sentences::short(entity, entity.reason))
}

fn anchor(entity: &EntityAssessment, since: impl std::fmt::Display) -> String {
    format!("problem-{}-{since}", file_stem(&entity.policy.entity_type))
}

/// Newest first. Only what is not ill by evidence already will be late.
fn coming(assessment: &Assessment, speaker: Speaker) -> Vec<Coming> {
    let mut coming: Vec<Coming> = assessment
        .entities
        .iter()
        .filter(|entity| !is_ill_by_evidence(entity.reason))
        .filter_map(|entity| {
            let at = entity.turns.yellow_at?;
            let name = apart(&entity.policy.name);
            Some(Coming {
                from: at.timestamp_millis(),
                sentence: if assessment.is_old_at(at) {
                    not_known_since(&name, at, speaker)
                } else {
                    format!(
                        "{name} has not been up to date since {}.",
                        speaker.dated(at)
                    )
                },
                page: page_path(&entity.policy.entity_type),
            })
        })
        .collect();
    coming.sort_by_key(|coming| std::cmp::Reverse(coming.from));
    coming
}

fn tell(
    problem: &Problem,
    entity: &EntityAssessment,
    assessment: &Assessment,
    speaker: Speaker,
) -> Told {
    let health = if problem.failed || problem.overdue {
        Health::Red
    } else {
        Health::Yellow
    };
    let recorded = problem.failures.last();
    let name = apart(&entity.policy.name);
    Told {
        anchor: anchor(entity, problem.from.timestamp()),
        health: words::health(health),
        sentence: if !problem.failed && assessment.is_old_at(problem.from) {
            not_known_since(&name, problem.from, speaker)
        } else {
            sentence(problem, &name, &Words::of(entity), speaker)
        },
        page: page_path(&entity.policy.entity_type),
        ended: problem.until.is_some(),
        why: recorded
            .and_then(|&at| error_of_failure(entity, at))
            .map(Why::in_short),
    }
}
