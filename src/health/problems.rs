//! What was wrong, and from when until when: the problems of the last days.

use chrono::{DateTime, Utc};

use super::evidence::SAME_RUN;
use super::time_in_state::{Past, Span};
use crate::model::{EARLIEST, LATEST};

/// A stretch of time without a gap during which an entity was not green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub from: DateTime<Utc>,
    /// `None` while it lasts.
    pub until: Option<DateTime<Utc>>,
    /// What it began with.
    pub first: Past,
    /// It was late, overdue, failing at some time.
    pub late: bool,
    pub overdue: bool,
    pub failed: bool,
    /// When runs failed meanwhile, oldest first.
    pub failures: Vec<DateTime<Utc>>,
}

impl Problem {
    fn begun_with(span: &Span) -> Problem {
        Problem {
            from: moment(span.from),
            until: None,
            first: span.past,
            late: false,
            overdue: false,
            failed: false,
            failures: Vec::new(),
        }
    }

    fn goes_on_with(&mut self, span: &Span) {
        match span.past {
            Past::Fresh => {}
            Past::Late | Past::Missed => self.late = true,
            Past::Overdue => self.overdue = true,
            Past::Failed => {
                self.failed = true;
                self.failures.push(moment(span.from));
            }
        }
    }
}

/// The problems that lasted into the time since `since`, newest first. The failure that `sync_state` tells of is
/// that of the run that failed within a minute of it, if there is one.
pub fn problems(
    past: &[Span],
    state_failure: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    let mut current: Option<Problem> = None;
    for span in past {
        match span.past {
            Past::Fresh => {
                if let Some(mut ended) = current.take() {
                    ended.until = Some(moment(span.from));
                    found.push(ended);
                }
            }
            Past::Late | Past::Missed | Past::Overdue | Past::Failed => current
                .get_or_insert_with(|| Problem::begun_with(span))
                .goes_on_with(span),
        }
    }
    found.extend(current);
    found.retain(|problem| problem.until.is_none_or(|until| until > since));
    for Problem { failures, .. } in &mut found {
        let told = |at: DateTime<Utc>| {
            let others = failures.iter().filter(|&&other| other != at);
            others.clone().any(|&other| (at - other).abs() <= SAME_RUN)
        };
        if let Some(twice) = state_failure.filter(|&at| failures.contains(&at) && told(at)) {
            failures.retain(|&at| at != twice);
        }
    }
    found.reverse();
    found
}

fn moment(micros: i64) -> DateTime<Utc> {
    let nearest = micros.clamp(EARLIEST.timestamp_micros(), LATEST.timestamp_micros());
    DateTime::from_timestamp_micros(nearest).unwrap_or(LATEST)
}
