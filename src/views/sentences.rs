//! Sentences: the verdict on everything, the detail of one entity, the notices.

use chrono::{DateTime, Utc};

use super::times::{Speaker, every, span};
use crate::health::{Assessment, EntityAssessment, Health, Notice, Reason, Source};
use crate::text::apart;

/// The verdict in one sentence.
pub fn summary(assessment: &Assessment, speaker: Speaker) -> String {
    let entities = assessment.worst_first();
    let problems: Vec<_> = entities
        .iter()
        .map(|&(_, entity)| entity)
        .filter(|entity| entity.health() != Health::Green)
        .collect();
    let verdict = match problems.as_slice() {
        [] => all_well(
            entities.len(),
            entities
                .first()
                .map(|(_, entity)| entity.policy.name.as_str()),
        ),
        problems => wrong(problems, entities.len(), speaker),
    };
    match (&assessment.source, assessment.as_of) {
        (Source::Read, _) => verdict,
        (Source::Unreachable { .. }, None) => {
            "The database could not be read, so nothing is known yet".to_owned()
        }
        (Source::Unreachable { .. }, Some(as_of)) if problems.is_empty() => format!(
            "The database cannot be read; at {} all was up to date",
            speaker.time_then_day(as_of)
        ),
        (Source::Unreachable { .. }, Some(_)) => format!("The database cannot be read. {verdict}"),
    }
}

/// What is wrong with some entities, worst first, of so many, in one sentence.
pub fn wrong(problems: &[&EntityAssessment], of: usize, speaker: Speaker) -> String {
    let at_fault = |entity: &EntityAssessment| short(entity, entity.reason);
    let said = |entity: &EntityAssessment| as_said(entity, entity.reason);
    match problems {
        [] => String::new(),
        [only] => alone(only, only.reason, speaker),
        [first, second] => format!("{}, {}", at_fault(first), at_fault(second)),
        [first, rest @ ..]
            if problems.len() == of && rest.iter().all(|other| said(other) == said(first)) =>
        {
            together(problems.len(), said(first))
        }
        [first, second, rest @ ..] => {
            let more = if rest.len() == 1 { "needs" } else { "need" };
            format!(
                "{}, {}, and {} more {more} attention",
                at_fault(first),
                at_fault(second),
                rest.len()
            )
        }
    }
}

/// "All 6 syncs are up to date"
pub fn all_well(count: usize, name: Option<&str>) -> String {
    match (count, name) {
        (1, Some(name)) => format!("{} is up to date", apart(name)),
        _ => format!("All {count} syncs are up to date"),
    }
}

/// What is wrong with all of them, three or more, in the same way: "All 6 syncs are failing".
fn together(count: usize, reason: Reason) -> String {
    format!("All {count} syncs {}", of_many(reason))
}

/// What is said of many for a reason: "are failing".
pub fn of_many(reason: Reason) -> String {
    let predicate = predicate(reason);
    match predicate.split_once(' ') {
        Some(("has", rest)) => format!("have {rest}"),
        Some(("is", rest)) => format!("are {rest}"),
        _ => predicate.to_owned(),
    }
}

/// An entity's problem beside others: "Sales is late".
pub fn short(entity: &EntityAssessment, reason: Reason) -> String {
    let said = as_said(entity, reason);
    format!("{} {}", apart(&entity.policy.name), predicate(said))
}

/// In which words a reason is said of an entity: where part of the record is hidden, nobody knows that it has never
/// synced.
pub fn as_said(entity: &EntityAssessment, reason: Reason) -> Reason {
    if reason == Reason::NeverSynced && is_partly_hidden(entity) {
        Reason::Hidden
    } else {
        reason
    }
}

/// What is said of an entity for a reason, after its name.
pub fn predicate(reason: Reason) -> &'static str {
    match reason {
        Reason::Fresh => "is up to date",
        Reason::Late => "is late",
        Reason::Missed => "missed a run",
        Reason::Overdue => "is overdue",
        Reason::Failed => "is failing",
        Reason::NeverSynced => "has never synced",
        Reason::Unconfirmed => "is unconfirmed",
        Reason::Stuck => "is stuck",
        Reason::ClockSkew => "has a clock problem",
        Reason::Hidden => "is not readable",
        Reason::OutOfDate => "is out of date",
    }
}

/// An entity's problem when it is the only one: "Inventory has not synced since …".
pub fn alone(entity: &EntityAssessment, reason: Reason, speaker: Speaker) -> String {
    let since = || {
        entity
            .evidence
            .last_success
            .map(|at| not_since(&entity.policy.name, at, speaker))
    };
    match reason {
        Reason::Overdue | Reason::Late | Reason::Missed => {
            since().unwrap_or_else(|| short(entity, reason))
        }
        Reason::Fresh
        | Reason::Failed
        | Reason::NeverSynced
        | Reason::Unconfirmed
        | Reason::Stuck
        | Reason::ClockSkew
        | Reason::Hidden
        | Reason::OutOfDate => short(entity, reason),
    }
}

/// "Inventory has not synced since Saturday 21 November, 02:00"
fn not_since(name: &str, at: DateTime<Utc>, speaker: Speaker) -> String {
    format!(
        "{} has not synced since {}",
        apart(name),
        speaker.day_and_time(at)
    )
}

/// What the verdict on one entity rests on, in a sentence or two, by itself.
pub fn detail(entity: &EntityAssessment, is_old: bool, speaker: Speaker) -> String {
    let grounds = grounds(entity, entity.reason, is_old, speaker);
    match (entity.reason, entity.evidence.last_success) {
        (Reason::Overdue, Some(at)) if entity.policy.schedule.is_none() => format!(
            "{} (more than {}).",
            not_since(&entity.policy.name, at, speaker),
            span(entity.policy.thresholds.overdue_after)
        ),
        (
            Reason::Late
            | Reason::Missed
            | Reason::Overdue
            | Reason::Failed
            | Reason::Stuck
            | Reason::ClockSkew
            | Reason::Hidden
            | Reason::OutOfDate,
            _,
        ) => format!("{grounds} {}", last_success(entity, speaker)),
        (Reason::Fresh | Reason::NeverSynced | Reason::Unconfirmed, _) => grounds,
    }
}

fn last_success(entity: &EntityAssessment, speaker: Speaker) -> String {
    match entity.evidence.last_success {
        Some(at) => format!("The last success was on {}.", speaker.day_and_time(at)),
        None => "There is no record of a success.".to_owned(),
    }
}

/// Why an entity is judged as it is, were the reason this one; for pages, which say beside it up to when
/// it is complete. Once the data may not be believed any more (it `is_old`), what is not known to have happened
/// can have happened.
pub fn grounds(
    entity: &EntityAssessment,
    reason: Reason,
    is_old: bool,
    speaker: Speaker,
) -> String {
    let name = apart(&entity.policy.name);
    let limits = entity.policy.thresholds;
    let has_not_succeeded = if is_old {
        "is not known to have succeeded"
    } else {
        "has not succeeded"
    };
    match reason {
        Reason::Fresh => last_success(entity, speaker),
        Reason::Late => format!("{name} should sync at least {}.", every(limits.late_after)),
        Reason::Missed => match entity.unmet {
            Some(due) => format!(
                "The run expected on {} {has_not_succeeded}.",
                speaker.day_and_time(due)
            ),
            None => format!("An expected run {has_not_succeeded}."),
        },
        Reason::Overdue => match entity.unmet {
            Some(due) if is_old => format!(
                "Two or more expected runs are not known to have succeeded, the first of them on {}.",
                speaker.day_and_time(due)
            ),
            Some(due) => format!(
                "Two or more expected runs have not succeeded, the first of them on {}.",
                speaker.day_and_time(due)
            ),
            None if is_old => {
                format!(
                    "No success is known for more than {}.",
                    span(limits.overdue_after)
                )
            }
            None => format!(
                "No sync has succeeded for more than {}.",
                span(limits.overdue_after)
            ),
        },
        Reason::Failed => match entity.evidence.newest_failure {
            Some(failure) => format!("The sync failed on {}.", speaker.day_and_time(failure.at)),
            None => "The sync failed.".to_owned(),
        },
        Reason::NeverSynced if is_partly_hidden(entity) => {
            format!("No record of {name} can be seen; part of the record is hidden from syncmon.")
        }
        Reason::NeverSynced | Reason::Unconfirmed if entity.evidence.future_success.is_some() => {
            format!("The only success on record of {name} lies in the future.")
        }
        Reason::NeverSynced => format!("{name} has never been synced, as far as is recorded."),
        Reason::Unconfirmed => match entity.observation.state {
            Some(_) => format!("A success of {name} is recorded, but not when it happened."),
            None => "Nothing is known: the database could not be read.".to_owned(),
        },
        Reason::Stuck => format!(
            "A run has not ended for more than {}.",
            span(limits.stuck_after)
        ),
        Reason::ClockSkew => "Clocks disagree, so freshness cannot be confirmed.".to_owned(),
        Reason::Hidden => "Part of the record is hidden from syncmon.".to_owned(),
        Reason::OutOfDate => "This was read too long ago to be relied on.".to_owned(),
    }
}

pub fn is_partly_hidden(entity: &EntityAssessment) -> bool {
    entity
        .notices
        .iter()
        .any(|notice| matches!(notice, Notice::HiddenTable { .. }))
}

/// Since when, and why, the database cannot be read; `None` while it can.
pub fn banner(assessment: &Assessment, speaker: Speaker) -> Option<String> {
    let Source::Unreachable { since, message } = &assessment.source else {
        return None;
    };
    Some(match assessment.as_of {
        Some(_) => format!(
            "The database has not been readable since {}. {message}",
            speaker.day_and_time(*since)
        ),
        None => format!(
            "The database has not been readable since {}. {message} Nothing from before is at hand, so \
             there is nothing to show yet. Ask whoever runs syncmon to look at its error output; \
             after the next good build this page fills by itself.",
            speaker.day_and_time(*since)
        ),
    })
}

/// What was read when, and how to know that the page is old.
pub struct Validity {
    pub read: String,
    pub until: String,
    /// The same once it is over.
    pub over: String,
}

pub fn validity(assessment: &Assessment, speaker: Speaker) -> Option<Validity> {
    let (as_of, until) = (assessment.as_of?, assessment.valid_until?);
    Some(Validity {
        read: format!("Read on {}.", speaker.in_full(as_of)),
        until: format!(
            "If it is later than {}, do not rely on this page.",
            speaker.time_then_day(until)
        ),
        over: format!(
            "It could be relied on until {}.",
            speaker.time_then_day(until)
        ),
    })
}
