//! One problem in one sentence.

use chrono::{DateTime, Utc};

use super::super::times::{Speaker, length};
use crate::health::{EntityAssessment, Past, Problem};

/// Of a time that nobody has read.
pub fn not_known_since(name: &str, since: DateTime<Utc>, speaker: Speaker) -> String {
    format!(
        "{name} is not known to have been up to date since {}.",
        speaker.dated(since)
    )
}

/// How time is spoken of during which nothing failed, but something was missing.
pub struct Words {
    late: &'static str,
    late_or_overdue: &'static str,
    late_then_overdue: &'static str,
    late_and_overdue: &'static str,
}

impl Words {
    /// Where runs are expected at times of their own, nobody has to hear of ages.
    pub fn of(entity: &EntityAssessment) -> Words {
        match entity.policy.schedule {
            Some(_) => BY_SCHEDULE,
            None => BY_AGE,
        }
    }
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
pub fn sentence(problem: &Problem, name: &str, words: &Words, speaker: Speaker) -> String {
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
    use chrono::TimeDelta;

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
