//! What is written for other programs besides `status.json`: feed, Statuspage documents, badge, metrics, the line of
//! a monitoring plugin. README.md, "For other programs", tells their shapes; each carries its own date.

mod badge;
mod feed;
mod metrics;
mod plugin;
mod statuspage;

pub use badge::{Badge, Endpoint, badge, endpoint};
pub use feed::{Feed, feed};
pub use metrics::{Build, metrics};
pub use plugin::{plugin, unknown};
pub use statuspage::{Components, Incidents, Overview, Summary, statuspage};

use chrono::{DateTime, Utc};

use super::{Site, page_path};
use crate::changes::{Journal, WINDOW};
use crate::health::{Assessment, Reason, Source};
use crate::text::{file_stem, fnv1a, name_of, word};

/// What all of these are made from.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    pub assessment: &'a Assessment,
    pub journal: &'a Journal,
    pub site: Site<'a>,
}

impl Report<'_> {
    /// What to call an entity that the assessment may not know any more.
    fn name(&self, entity_type: &str) -> String {
        let mut entities = self.assessment.entities.iter();
        let known = entities.find(|entity| entity.policy.entity_type == entity_type);
        known.map_or_else(|| name_of(entity_type), |known| known.policy.name.clone())
    }

    /// The address of an entity's page, or of the overview where it has none; relative to the site where nobody
    /// said at which address that is served.
    fn page(&self, entity_type: Option<&str>) -> String {
        let mut entities = self.assessment.entities.iter();
        let known = entities.find(|entity| Some(&*entity.policy.entity_type) == entity_type);
        let path = known.map_or_else(String::new, |known| page_path(&known.policy.entity_type));
        self.address(&path)
    }

    fn address(&self, path: &str) -> String {
        match self.site.url {
            Some(url) => format!("{url}{path}"),
            None if path.is_empty() => "./".to_owned(),
            None => path.to_owned(),
        }
    }

    /// The beginning of the time of which changes are told.
    fn since(&self) -> DateTime<Utc> {
        self.assessment.generated_at - WINDOW
    }

    /// When the data was read, and until when to believe it, as a sentence that stays true: "Read on Sunday 22
    /// November 2026, 12:05 PST. If it is later than …, do not rely on this."
    fn dated(&self) -> String {
        let speaker = self.site.speaker;
        let demo = if self.site.demo {
            "Demo: all data is invented. "
        } else {
            ""
        };
        match (self.assessment.as_of, self.assessment.valid_until) {
            (Some(as_of), Some(until)) => format!(
                "{demo}Read on {}. If it is later than {}, do not rely on this.",
                speaker.in_full(as_of),
                speaker.in_full(until)
            ),
            _ => format!(
                "{demo}Written on {}; the database was never read, so nothing is known.",
                speaker.in_full(self.assessment.generated_at)
            ),
        }
    }

    fn is_readable(&self) -> bool {
        match self.assessment.source {
            Source::Read => true,
            Source::Unreachable { .. } => false,
        }
    }
}

/// A short name for an entity that programs tell it by: its own where that can be shown, otherwise that of its page.
/// No two entities have the same.
fn label_of(entity_type: &str) -> String {
    if word(entity_type) == entity_type && !entity_type.is_empty() {
        entity_type.to_owned()
    } else {
        file_stem(entity_type)
    }
}

/// A number that stands for these parts and for nothing else, the same from build to build.
fn number_of(parts: &[&str]) -> u64 {
    // So that the parts do not run into each other.
    fnv1a(parts.join("\0"))
}

/// Without the few characters that XML cannot hold, however they are written.
fn as_xml(text: &str) -> String {
    let holds = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars()
        .map(|c| if holds(c) { c } else { '\u{fffd}' })
        .collect()
}

/// As `status.json` writes it.
fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Fresh => "fresh",
        Reason::Late => "late",
        Reason::Missed => "missed",
        Reason::Overdue => "overdue",
        Reason::Failed => "failed",
        Reason::NeverSynced => "never_synced",
        Reason::Stuck => "stuck",
        Reason::ClockSkew => "clock_skew",
        Reason::Unconfirmed => "unconfirmed",
        Reason::Hidden => "hidden",
        Reason::OutOfDate => "out_of_date",
    }
}
