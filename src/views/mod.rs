//! The assessment in words. Pure: whatever a template prints is decided and formatted here.

mod alert;
mod charts;
mod entity;
mod expectations;
mod footer;
mod history;
mod meaning;
mod notices;
mod overview;
mod parts;
mod problems;
pub mod programs;
mod runs;
mod sentences;
mod shares;
mod status;
mod strip;
mod times;
mod turns;
mod unusual;
mod words;

pub use alert::{alert, test_message};
pub use entity::EntityPage;
pub use history::{History, HistoryPage, HistoryRun, history};
pub use notices::{hidden_tables, identifier};
pub use overview::OverviewPage;
pub use status::{Status, status};
pub use times::{Speaker, ago, counted, length};

use std::fmt::Write;

use url::Url;

use crate::health::Assessment;
use crate::text::file_stem;

/// How many days the strips show.
const STRIP_DAYS: i64 = 90;

/// What every page of a site has in common.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    pub title: &'a str,
    /// Plain text that its owner wants to stand below every page.
    pub footer: Option<&'a str>,
    /// The data is invented, and every page says so.
    pub demo: bool,
    pub speaker: Speaker,
    pub policy: &'a crate::health::Policy,
    /// Where alerts do not get out; `None` if nobody is to be alerted.
    pub undelivered: Option<&'a [crate::alerts::Undelivered]>,
    /// Where it is served, with a slash at its end.
    pub url: Option<&'a Url>,
    /// It has a feed, to which its pages lead.
    pub feed: bool,
}

/// Every page of a site.
pub struct Pages {
    pub overview: OverviewPage,
    /// With their paths within the site.
    pub entities: Vec<(String, EntityPage)>,
}

/// Puts a whole assessment into words.
pub fn pages(assessment: &Assessment, site: Site) -> Pages {
    let days = site.speaker.days(STRIP_DAYS);
    let strips: Vec<_> = assessment
        .entities
        .iter()
        .map(|entity| strip::strip_of(entity, assessment.valid_until, site, &days))
        .collect();
    let overview = overview::overview_page(assessment, &strips, site);
    let entities = assessment
        .entities
        .iter()
        .zip(strips)
        .map(|(entity, strip)| {
            let path = page_path(&entity.policy.entity_type);
            (path, entity::entity_page(assessment, entity, strip, site))
        })
        .collect();
    Pages { overview, entities }
}

/// The path of an entity's page within the site.
pub fn page_path(entity_type: &str) -> String {
    format!("entities/{}.html", file_stem(entity_type))
}

/// The path of the page with all its runs of the last days.
fn history_path(entity_type: &str) -> String {
    format!("history/entities/{}.html", file_stem(entity_type))
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
            _ if assessment.as_of.is_none() => "not known".to_owned(),
            _ => "no success on record".to_owned(),
        };
        writeln!(
            text,
            "  {health:<6}  {name:<name_width$}  {word:<word_width$}  {when}"
        )
        .expect("writing to a string");
    }
    text
}
