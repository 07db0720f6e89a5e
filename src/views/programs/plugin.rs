//! The output of a monitoring plugin: one line with performance data, then a line an entity, as the guidelines of the
//! Monitoring Plugins project have it.

use std::fmt::{Display, Write};

use chrono::TimeDelta;

use super::label_of;
use crate::health::{Assessment, EntityAssessment, Health};
use crate::text::file_stem;
use crate::views::sentences;
use crate::views::times::Speaker;

/// No duration is longer in the output, so that every number is one that programs can read.
const LONGEST: f64 = 1e11;

/// The verdict on these entities, for Nagios, Icinga and others.
pub fn plugin(assessment: &Assessment, speaker: Speaker) -> String {
    let data: Vec<String> = assessment.entities.iter().flat_map(performance).collect();
    let summary = on_one_line(&sentences::summary(assessment, speaker));
    let mut text = format!(
        "SYNCMON {} - {summary} | {}\n",
        state(assessment.health),
        data.join(" ")
    );
    let is_old = assessment.is_old_at(speaker.now);
    for (_, entity) in assessment.worst_first() {
        let name = on_one_line(&entity.policy.name);
        let detail = on_one_line(&sentences::detail(entity, is_old, speaker));
        writeln!(text, "[{}] {name}: {detail}", state(entity.health()))
            .expect("writing to a string");
    }
    text
}

/// That nobody knows, and why.
pub fn unknown(why: &str) -> String {
    format!("SYNCMON UNKNOWN - {}\n", on_one_line(why))
}

fn state(health: Health) -> &'static str {
    match health {
        Health::Green => "OK",
        Health::Yellow => "WARNING",
        Health::Red => "CRITICAL",
    }
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`: the age of the newest success, then how long the newest run took
/// and what it processed. U is what is not known.
fn performance(entity: &EntityAssessment) -> [String; 3] {
    let label = quotable(&entity.policy.entity_type);
    let [warning, critical] = limits(entity).map(|limit| {
        let limit = limit.map(|limit| milliseconds(limit.num_milliseconds()));
        limit.unwrap_or_default()
    });
    let run = entity.observation.runs.first();
    let age = entity.age.map(|age| milliseconds(age.num_milliseconds()));
    let duration = run
        .and_then(|run| run.duration_seconds)
        .filter(|&seconds| seconds >= 0.0)
        .map(|seconds| (seconds.min(LONGEST) * 1000.0).round() / 1000.0);
    let records = run
        .and_then(|run| run.records_processed)
        .filter(|&records| records >= 0);
    [
        format!("'{label}_age'={};{warning};{critical};0", known(age, "s")),
        format!("'{label}_duration'={};;;0", known(duration, "s")),
        format!("'{label}_records'={};;;0", known(records, "")),
    ]
}

/// Beyond which ages it is yellow and red. Without a success only an age that is the same after each can be told.
fn limits(entity: &EntityAssessment) -> [Option<TimeDelta>; 2] {
    match (entity.evidence.last_success, &entity.policy.schedule) {
        (Some(at), _) => entity.policy.limits_after(at),
        (None, None) => {
            let limits = entity.policy.thresholds;
            [limits.late_after, limits.overdue_after].map(Some)
        }
        (None, Some(_)) => [None, None],
    }
}

fn known(value: Option<impl Display>, unit: &str) -> String {
    value.map_or_else(|| "U".to_owned(), |value| format!("{value}{unit}"))
}

/// As seconds.
fn milliseconds(count: i64) -> String {
    let written = format!("{}.{:03}", count / 1000, count % 1000);
    written
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// A label may hold neither of the marks that end it or its text.
fn quotable(entity_type: &str) -> String {
    let label = label_of(entity_type);
    if label.contains(['\'', '=', '|']) || label.contains(char::is_whitespace) {
        file_stem(entity_type)
    } else {
        label
    }
}

/// Text as far as the first bar, or the end of the line, is what such programs take for text.
fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "¦")
}
