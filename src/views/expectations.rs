//! What is expected of an entity, in words: the legend, and when its next run is due.

use chrono::{DateTime, TimeDelta, Utc};

use super::times::{Speaker, span};
use crate::health::{EntityAssessment, EntityPolicy, Policy, Schedule, Thresholds};
use crate::text::apart;

/// So many runs to come are told by a page that is left open.
const COMING_RUNS: usize = 12;

/// The legend's lines for green, yellow and red, from what is really in force.
pub fn legend(policy: &Policy, speaker: Speaker) -> [String; 3] {
    let limits = policy.thresholds;
    let (late, overdue) = (span(limits.late_after), span(limits.overdue_after));
    let stuck = span(limits.stuck_after);
    let doubt = format!("a run going on for more than {stuck}, or something else in doubt");
    match &policy.schedule {
        Some(schedule) => [
            format!(
                "Up to date: the runs expected {} succeeded",
                in_words(schedule, speaker)
            ),
            format!(
                "Missed a run: none succeeded within {} of its time, {doubt}",
                span(schedule.grace)
            ),
            "Overdue or failing: two or more expected runs did not succeed, the last run failed, or no \
             success is on record"
                .to_owned(),
        ],
        None => [
            format!("Up to date: synced within {late}"),
            if limits.late_after < limits.overdue_after {
                format!("Late: last synced {late} to {overdue} ago, {doubt}")
            } else {
                format!("In doubt: {doubt}")
            },
            format!(
                "Overdue or failing: over {overdue} ago, the last run failed, or no success is on record"
            ),
        ],
    }
}

/// "Sales: late after 1 hour, overdue after 6 hours", for an entity of which something else is expected than
/// usual; `None` where it is the same.
pub fn exception(entity: &EntityPolicy, usual: &Policy, speaker: Speaker) -> Option<String> {
    let mut said = Vec::new();
    if let Some(schedule) = &entity.schedule {
        if entity.schedule != usual.schedule {
            let grace = span(schedule.grace);
            let expected = in_words(schedule, speaker);
            said.push(format!("expected {expected}, missed {grace} later"));
        }
    } else if usual.schedule.is_some() || ages(entity.thresholds) != ages(usual.thresholds) {
        let (late, overdue) = ages(entity.thresholds);
        said.push(format!("late after {}", span(late)));
        said.push(format!("overdue after {}", span(overdue)));
    }
    if entity.thresholds.stuck_after != usual.thresholds.stuck_after {
        said.push(format!(
            "stuck after {}",
            span(entity.thresholds.stuck_after)
        ));
    }
    if let Some(actions) = &entity.actions {
        said.push(format!("only runs of {} count", actions.join(", ")));
    }
    (!said.is_empty()).then(|| format!("{}: {}", apart(&entity.name), said.join(", ")))
}

fn ages(limits: Thresholds) -> (TimeDelta, TimeDelta) {
    (limits.late_after, limits.overdue_after)
}

/// "at 02:00", with the zone if it is not the page's.
fn in_words(schedule: &Schedule, speaker: Speaker) -> String {
    let described = schedule.cron.describe();
    let described = described.trim_end_matches('.').replacen("At ", "at ", 1);
    let described = described.replacen("at every", "every", 1);
    if schedule.time_zone == speaker.zone {
        described
    } else {
        format!("{described} ({})", schedule.time_zone)
    }
}

/// When the next run is expected, as seen from the speaker's moment: "next expected tomorrow 02:00 PST".
pub fn next_expected(
    entity: &EntityAssessment,
    assessed: DateTime<Utc>,
    speaker: Speaker,
) -> Option<String> {
    let schedule = entity.policy.schedule.as_ref()?;
    let now = speaker.now;
    if let Some(due) = entity.unmet
        && (due..=due + schedule.grace).contains(&now)
    {
        return Some(format!("expected since {}", speaker.briefly(due)));
    }
    let next = coming(entity, assessed).find(|&due| due > now)?;
    Some(format!("next expected {}", speaker.soon(next)))
}

/// The moments at which that changes, of a page written at `assessed`.
pub fn moments(
    entity: &EntityAssessment,
    assessed: DateTime<Utc>,
) -> impl Iterator<Item = DateTime<Utc>> + '_ {
    let just_after = |at: DateTime<Utc>| at + TimeDelta::milliseconds(1);
    let grace = entity
        .policy
        .schedule
        .as_ref()
        .map(|schedule| schedule.grace);
    let given_up = entity
        .unmet
        .zip(grace)
        .map(|(due, grace)| just_after(due + grace));
    coming(entity, assessed).chain(given_up.filter(move |&at| at > assessed))
}

fn coming(
    entity: &EntityAssessment,
    assessed: DateTime<Utc>,
) -> impl Iterator<Item = DateTime<Utc>> + '_ {
    entity.policy.expected_after(assessed).take(COMING_RUNS)
}
