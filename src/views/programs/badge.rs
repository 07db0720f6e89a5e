//! `badge.svg` and `badge.json`: the verdict in one line with the moment that it is of, so that an old one does not
//! pass for green.

use serde::Serialize;

use super::{Report, as_xml};
use crate::health::Health;
use crate::text::apart;
use crate::views::words;

/// What stands on the left.
const LABEL: &str = "syncs";

/// How wide a letter is on average, and what lies around it, in tenths of a pixel: the drawing stretches the text to
/// the width that is reckoned here, whatever the font.
const LETTER: usize = 62;
const PADDING: usize = 60;
/// The shape that stands for the health, with the gap behind it.
const SHAPE: usize = 170;

/// The drawing; lengths in pixels, as text.
#[derive(Debug, Serialize)]
pub struct Badge {
    /// For those who do not see it, with the whole date.
    pub title: String,
    pub health: &'static str,
    pub colour: &'static str,
    pub label: &'static str,
    pub message: String,
    pub width: String,
    pub label_width: String,
    pub label_text_width: String,
    pub message_at: String,
    pub shape_at: String,
    pub message_width: String,
    pub message_text_width: String,
}

/// What shields.io wants to know for drawing one itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    schema_version: u32,
    label: &'static str,
    message: String,
    color: &'static str,
    /// Where something is wrong: whoever shows it cannot have it in another colour then.
    is_error: bool,
}

pub fn badge(report: Report) -> Badge {
    let message = message(report);
    let health = report.assessment.health;
    let label_text = LABEL.len() * LETTER;
    let message_text = message.chars().count() * LETTER;
    let label_width = label_text + 2 * PADDING;
    let message_width = PADDING + SHAPE + message_text + PADDING;
    Badge {
        title: as_xml(&format!(
            "{}: {}. {}",
            apart(report.site.title),
            verdict(report),
            report.dated()
        )),
        health: words::health(health),
        colour: colour(health),
        label: LABEL,
        message,
        width: pixels(label_width + message_width),
        label_width: pixels(label_width),
        label_text_width: pixels(label_text),
        shape_at: pixels(label_width + PADDING),
        message_at: pixels(label_width + PADDING + SHAPE),
        message_width: pixels(message_width),
        message_text_width: pixels(message_text),
    }
}

pub fn endpoint(report: Report) -> Endpoint {
    Endpoint {
        schema_version: 1,
        label: LABEL,
        message: message(report),
        color: colour(report.assessment.health),
        is_error: report.assessment.health != Health::Green,
    }
}

/// "all up to date · as of 22 Nov 12:05 PST"
fn message(report: Report) -> String {
    let demo = if report.site.demo { "demo · " } else { "" };
    let speaker = report.site.speaker;
    let moment = if let Some(as_of) = report.assessment.as_of {
        format!("as of {}", speaker.stamped(as_of))
    } else {
        let built = report.assessment.generated_at;
        format!("never read as of {}", speaker.stamped(built))
    };
    format!("{demo}{} · {moment}", verdict(report))
}

fn verdict(report: Report) -> String {
    let entities = &report.assessment.entities;
    let ill = entities
        .iter()
        .filter(|entity| entity.health() != Health::Green)
        .count();
    match (report.is_readable(), ill) {
        (false, _) => "database cannot be read".to_owned(),
        (true, 0) => "all up to date".to_owned(),
        (true, 1) => format!("1 of {} needs attention", entities.len()),
        (true, _) => format!("{ill} of {} need attention", entities.len()),
    }
}

/// The pages' own, on which white can be read, as six digits.
fn colour(health: Health) -> &'static str {
    match health {
        Health::Green => "1a7f4b",
        Health::Yellow => "8a6100",
        Health::Red => "b3261e",
    }
}

fn pixels(tenths: usize) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
