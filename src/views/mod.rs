//! The assessment in words. Pure: whatever a template prints is decided and formatted here.

mod entity;
mod overview;
mod parts;
mod sentences;
mod status;
mod times;
mod words;

pub use entity::{EntityPage, entity_page};
pub use overview::{OverviewPage, overview_page};
pub use status::{Status, status};
pub use times::Speaker;

use crate::health::{Assessment, DayStart};
use crate::text::file_stem;

/// How many days the strips show.
const STRIP_DAYS: i64 = 90;

/// What every page of a site has in common.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    pub title: &'a str,
    /// The data is invented, and every page says so.
    pub demo: bool,
    pub speaker: Speaker,
    pub policy: &'a crate::health::Policy,
}

impl Site<'_> {
    pub fn days(&self) -> Vec<DayStart> {
        self.speaker.days(STRIP_DAYS)
    }
}

/// The path of an entity's page within the site.
pub fn page_path(entity_type: &str) -> String {
    format!("entities/{}.html", file_stem(entity_type))
}

/// The verdict and one line an entity, for a terminal.
pub fn terminal(assessment: &Assessment, site: Site) -> String {
    let width =
        |of: fn(&str) -> usize, texts: &[String]| texts.iter().map(|t| of(t)).max().unwrap_or(0);
    let count: fn(&str) -> usize = |text| text.chars().count();
    let names: Vec<_> = assessment
        .entities
        .iter()
        .map(|e| e.policy.name.clone())
        .collect();
    let words: Vec<_> = assessment
        .entities
        .iter()
        .map(|e| words::reason(e.reason).to_owned())
        .collect();
    let (name_width, word_width) = (width(count, &names), width(count, &words));
    let mut text = format!("{}\n\n", sentences::summary(assessment, site.speaker));
    for ((entity, name), word) in assessment.entities.iter().zip(&names).zip(&words) {
        let health = words::health(entity.health());
        let when = match (entity.evidence.last_success, entity.age) {
            (Some(at), Some(age)) => {
                format!("{} ({})", times::ago(age), site.speaker.briefly(at))
            }
            _ => "no success on record".to_owned(),
        };
        text.push_str(&format!(
            "  {health:<6}  {name:<name_width$}  {word:<word_width$}  {when}\n"
        ));
    }
    text
}
