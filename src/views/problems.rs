//! The problems of the last days, each in a plain sentence.

use serde::Serialize;

use super::meaning::{Why, error_of_failure, newest_error};
use super::times::{Speaker, counted, length};
use super::{page_path, sentences, words};
use crate::health::{Assessment, EntityAssessment, Health, Past, Problem, Reason, problems};
use crate::text::{apart, file_stem};

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
    match entity.reason {
        // The grounds say it all.
        Reason::NeverSynced => grounds,
        Reason::Fresh
        | Reason::Late
        | Reason::Missed
        | Reason::Overdue
        | Reason::Failed
        | Reason::Unconfirmed
        | Reason::Stuck
        | Reason::ClockSkew
        | Reason::Hidden
        | Reason::OutOfDate => {
            format!("{}. {grounds}", sentences::short(entity, entity.reason))
        }
    }
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
            let since = speaker.dated(at);
            Some(Coming {
                from: at.timestamp_millis(),
                sentence: if assessment.is_old_at(at) {
                    not_known_since(&name, &since)
                } else {
                    format!("{name} has not been up to date since {since}.")
                },
                page: page_path(&entity.policy.entity_type),
            })
        })
        .collect();
    coming.sort_by_key(|coming| std::cmp::Reverse(coming.from));
    coming
}

/// Of a time that nobody has read.
fn not_known_since(name: &str, since: &str) -> String {
    format!("{name} is not known to have been up to date since {since}.")
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
    Told {
        anchor: anchor(entity, problem.from.timestamp()),
        health: words::health(health),
        sentence: if !problem.failed && assessment.is_old_at(problem.from) {
            not_known_since(&apart(&entity.policy.name), &speaker.dated(problem.from))
        } else {
            let words = match entity.policy.schedule {
                Some(_) => &BY_SCHEDULE,
                None => &BY_AGE,
            };
            sentence(problem, &apart(&entity.policy.name), words, speaker)
        },
        page: page_path(&entity.policy.entity_type),
        ended: problem.until.is_some(),
        why: recorded
            .and_then(|&at| error_of_failure(entity, at))
            .map(Why::in_short),
    }
}

/// How time is spoken of during which nothing failed, but something was missing.
struct Words {
    late: &'static str,
    late_or_overdue: &'static str,
    late_then_overdue: &'static str,
    late_and_overdue: &'static str,
}

const BY_AGE: Words = Words {
    late: "late",
    late_or_overdue: "late or overdue",
    late_then_overdue: "late, then overdue,",
    late_and_overdue: "late, overdue",
};

const BY_SCHEDULE: Words = Words {
    late: "behind schedule",
    late_or_overdue: "behind schedule",
    late_then_overdue: "behind schedule",
    late_and_overdue: "behind schedule",
};

/// "Products failed on Sat 21 Nov, 03:10; up to date again after 58 min."
fn sentence(problem: &Problem, name: &str, words: &Words, speaker: Speaker) -> String {
    let from = speaker.dated(problem.from);
    match problem.until {
        None => {
            let state = lasting_state(problem, words);
            format!("{name} has been {state} since {from}.")
        }
        Some(until) => {
            let took = length(until - problem.from);
            if problem.first == Past::Failed && !problem.late && !problem.overdue {
                let failed = match problem.failures.len() {
                    1 => format!("failed on {from}"),
                    2 => format!("failed twice from {from} on"),
                    many => format!("failed {many} times from {from} on"),
                };
                format!("{name} {failed}; up to date again after {took}.")
            } else {
                let until = speaker.dated(until);
                let state = ended_state(problem, words);
                format!("{name} was {state} from {from} until {until} ({took}).")
            }
        }
    }
}

fn lasting_state(problem: &Problem, words: &Words) -> String {
    match (problem.failed, problem.overdue, problem.late) {
        (true, true, _) | (true, _, true) => format!("{} or failing", words.late),
        (true, false, false) => "failing".to_owned(),
        (false, true, _) => words.late_or_overdue.to_owned(),
        (false, false, _) => words.late.to_owned(),
    }
}

fn ended_state(problem: &Problem, words: &Words) -> String {
    match (problem.failed, problem.overdue) {
        (true, true) => format!("{} and failing", words.late_and_overdue),
        (true, false) => format!("{} and failing", words.late),
        (false, true) => words.late_then_overdue.to_owned(),
        (false, false) => words.late.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn said(from: &str, until: Option<&str>, past: &[Past], words: &Words) -> String {
        let begun = at(from);
        let problem = Problem {
            from: begun,
            until: until.map(at),
            first: past[0],
            late: past.contains(&Past::Late),
            overdue: past.contains(&Past::Overdue),
            failed: past.contains(&Past::Failed),
            failures: past
                .iter()
                .filter(|past| **past == Past::Failed)
                .map(|_| begun + TimeDelta::hours(1))
                .collect(),
        };
        let speaker = Speaker {
            zone: chrono_tz::America::Los_Angeles,
            now: at("2026-11-22T20:05:00Z"),
        };
        sentence(&problem, "Sales", words, speaker)
    }

    #[test]
    fn each_problem_is_said_in_one_plain_sentence() {
        use Past::{Failed, Late, Overdue};
        let night = "2026-11-21T10:00:00Z";
        let noon = Some("2026-11-21T20:30:00Z");
        for (from, until, past, expected) in [
            (
                night,
                None,
                &[Failed][..],
                "Sales has been failing since Sat 21 Nov, 02:00.",
            ),
            (
                night,
                None,
                &[Late],
                "Sales has been late since Sat 21 Nov, 02:00.",
            ),
            (
                night,
                None,
                &[Late, Overdue],
                "Sales has been late or overdue since Sat 21 Nov, 02:00.",
            ),
            (
                night,
                None,
                &[Failed, Late],
                "Sales has been late or failing since Sat 21 Nov, 02:00.",
            ),
            (
                night,
                noon,
                &[Failed],
                "Sales failed on Sat 21 Nov, 02:00; up to date again after 10 h 30 min.",
            ),
            (
                night,
                noon,
                &[Failed, Failed],
                "Sales failed twice from Sat 21 Nov, 02:00 on; up to date again after 10 h 30 min.",
            ),
            (
                "2026-11-22T19:22:00Z",
                Some("2026-11-22T19:25:00Z"),
                &[Failed],
                "Sales failed on Sun 22 Nov, 11:22; up to date again after 3 min.",
            ),
            (
                night,
                noon,
                &[Late],
                "Sales was late from Sat 21 Nov, 02:00 until Sat 21 Nov, 12:30 (10 h 30 min).",
            ),
            (
                night,
                noon,
                &[Late, Overdue],
                "Sales was late, then overdue, from Sat 21 Nov, 02:00 until Sat 21 Nov, 12:30 (10 h 30 min).",
            ),
            (
                night,
                noon,
                &[Late, Failed],
                "Sales was late and failing from Sat 21 Nov, 02:00 until Sat 21 Nov, 12:30 (10 h 30 min).",
            ),
        ] {
            assert_eq!(said(from, until, past, &BY_AGE), expected);
        }
        for (until, past, expected) in [
            (
                None,
                &[Late, Overdue][..],
                "Sales has been behind schedule since Sat 21 Nov, 02:00.",
            ),
            (
                noon,
                &[Late, Overdue],
                "Sales was behind schedule from Sat 21 Nov, 02:00 until Sat 21 Nov, 12:30 (10 h 30 min).",
            ),
            (
                None,
                &[Failed, Late],
                "Sales has been behind schedule or failing since Sat 21 Nov, 02:00.",
            ),
        ] {
            assert_eq!(said(night, until, past, &BY_SCHEDULE), expected);
        }
    }
}
