//! The problems of the last days, each in a plain sentence.

use serde::Serialize;

use super::meaning::{Why, error_of_failure};
use super::times::{Speaker, counted, length};
use super::{page_path, words};
use crate::health::{Assessment, EntityAssessment, Health, Past, Problem, problems};
use crate::text::{apart, excerpt};

/// Of how many days, today included, the overview tells the problems.
pub const PROBLEM_DAYS: u32 = 7;

/// How many it tells; the history has them all.
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
            let found = problems(&entity.past, since);
            found.into_iter().map(move |problem| (problem, entity))
        })
        .collect();
    all.sort_by_key(|(problem, _)| std::cmp::Reverse(problem.from));
    let more = all.len().saturating_sub(MOST_TOLD);
    Problems {
        coming: assessment
            .entities
            .iter()
            .filter_map(|entity| coming(entity, speaker))
            .collect(),
        told: all
            .iter()
            .take(MOST_TOLD)
            .map(|(problem, entity)| tell(problem, entity, speaker))
            .collect(),
        more: (more > 0).then(|| {
            let more = i64::try_from(more).unwrap_or(i64::MAX);
            counted(more, "earlier problem", "earlier problems")
        }),
    }
}

fn coming(entity: &EntityAssessment, speaker: Speaker) -> Option<Coming> {
    let at = entity.turns.yellow_at?;
    Some(Coming {
        from: at.timestamp_millis(),
        sentence: format!(
            "{} has been late since {}.",
            apart(&entity.policy.name),
            speaker.dated(at)
        ),
        page: page_path(&entity.policy.entity_type),
    })
}

fn tell(problem: &Problem, entity: &EntityAssessment, speaker: Speaker) -> Told {
    let health = if problem.failed || problem.overdue {
        Health::Red
    } else {
        Health::Yellow
    };
    let recorded = problem.failures.last().and_then(|&at| {
        let seen = &entity.observation;
        error_of_failure(seen.errors.iter().chain(&seen.runs), at).or_else(|| {
            let of_the_state = entity.evidence.state_failure == Some(at);
            let error = seen.state.as_ref()?.error.as_deref();
            error.filter(|_| of_the_state)
        })
    });
    Told {
        health: words::health(health),
        sentence: sentence(problem, &apart(&entity.policy.name), speaker),
        page: page_path(&entity.policy.entity_type),
        ended: problem.until.is_some(),
        why: recorded.map(|error| Why::of(&excerpt(error))),
    }
}

/// "Products failed on Sat 21 Nov, 03:10; up to date again after 58 min."
fn sentence(problem: &Problem, name: &str, speaker: Speaker) -> String {
    let from = speaker.dated(problem.from);
    match problem.until {
        None => format!("{name} {} since {from}.", lasting_state(problem)),
        Some(until) => {
            let took = length(until - problem.from);
            if problem.first == Past::Failed && !problem.late && !problem.overdue {
                let failed = match problem.failures.len() {
                    1 => "failed".to_owned(),
                    many => format!("failed {many} times"),
                };
                let on = if problem.failures.len() == 1 {
                    "on"
                } else {
                    "from"
                };
                format!("{name} {failed} {on} {from}; up to date again after {took}.")
            } else {
                let until = speaker.dated(until);
                let state = ended_state(problem);
                format!("{name} was {state} from {from} until {until} ({took}).")
            }
        }
    }
}

fn lasting_state(problem: &Problem) -> &'static str {
    match (problem.failed, problem.overdue, problem.late) {
        (true, true, _) | (true, _, true) => "has been late or failing",
        (true, false, false) => "has been failing",
        (false, true, _) => "has been late or overdue",
        (false, false, _) => "has been late",
    }
}

fn ended_state(problem: &Problem) -> &'static str {
    match (problem.failed, problem.overdue) {
        (true, true) => "late, overdue and failing",
        (true, false) => "late and failing",
        (false, true) => "late, then overdue,",
        (false, false) => "late",
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn said(from: &str, until: Option<&str>, past: &[Past]) -> String {
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
        sentence(&problem, "Sales", speaker)
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
                "Sales failed 2 times from Sat 21 Nov, 02:00; up to date again after 10 h 30 min.",
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
            assert_eq!(said(from, until, past), expected);
        }
    }
}
