//! `api/v2/`: the verdicts in the shape of Atlassian Statuspage, for clients of that.
//!
//! Green is `operational`, yellow `degraded_performance`, red `major_outage`. Syncmon's own look at the database is a
//! component as well: `partial_outage` while it cannot be read, `major_outage` if it never was.

mod incidents;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::{Report, number_of};
use crate::health::{EntityAssessment, Health};
use crate::text::apart;
use crate::views::sentences;
use crate::views::status::rfc3339;
use incidents::{Incident, incidents};

/// `api/v2/summary.json`: incidents are those that last.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    #[serde(flatten)]
    overview: &'a Overview,
    components: &'a [Component],
    incidents: Vec<&'a Incident>,
    scheduled_maintenances: [(); 0],
}

/// `api/v2/status.json`.
#[derive(Debug, Serialize)]
pub struct Overview {
    #[serde(flatten)]
    head: Head,
    status: Rollup,
}

/// `api/v2/components.json`.
#[derive(Debug, Serialize)]
pub struct Components<'a> {
    #[serde(flatten)]
    head: &'a Head,
    components: &'a [Component],
}

/// `api/v2/incidents.json`: newest first, those that are over as well.
#[derive(Debug, Serialize)]
pub struct Incidents<'a> {
    #[serde(flatten)]
    head: &'a Head,
    incidents: &'a [Incident],
}

/// What each of the documents begins with.
#[derive(Debug, Serialize)]
struct Head {
    page: Page,
    syncmon: Truth,
}

#[derive(Debug, Serialize)]
struct Page {
    id: String,
    name: String,
    /// Empty where nobody said at which address the site is served.
    url: String,
    time_zone: &'static str,
    /// When the data was read.
    #[serde(serialize_with = "millis")]
    updated_at: DateTime<Utc>,
}

/// What Statuspage has no words for: how far to believe it.
#[derive(Debug, Serialize)]
struct Truth {
    #[serde(serialize_with = "rfc3339")]
    generated_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    as_of: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    valid_until: Option<DateTime<Utc>>,
    database_readable: bool,
    demo: bool,
}

/// The verdict on everything.
#[derive(Debug, Serialize)]
struct Rollup {
    indicator: &'static str,
    description: String,
}

#[derive(Debug, Clone, Serialize)]
struct Component {
    id: String,
    name: String,
    status: &'static str,
    #[serde(serialize_with = "millis")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "millis")]
    updated_at: DateTime<Utc>,
    position: usize,
    description: String,
    showcase: bool,
    group_id: Option<String>,
    page_id: String,
    group: bool,
    only_show_if_degraded: bool,
}

/// All four documents, which share most of what they say.
#[derive(Debug)]
pub struct Statuspage {
    overview: Overview,
    components: Vec<Component>,
    /// Newest first.
    incidents: Vec<Incident>,
}

impl Statuspage {
    pub fn summary(&self) -> Summary<'_> {
        let incidents = self.incidents.iter();
        Summary {
            overview: &self.overview,
            components: &self.components,
            incidents: incidents.filter(|incident| incident.lasts()).collect(),
            scheduled_maintenances: [],
        }
    }

    pub fn overview(&self) -> &Overview {
        &self.overview
    }

    pub fn components(&self) -> Components<'_> {
        Components {
            head: &self.overview.head,
            components: &self.components,
        }
    }

    pub fn incidents(&self) -> Incidents<'_> {
        Incidents {
            head: &self.overview.head,
            incidents: &self.incidents,
        }
    }
}

pub fn statuspage(report: Report) -> Statuspage {
    let assessment = report.assessment;
    let components = components(report);
    Statuspage {
        incidents: incidents(report, &components),
        components,
        overview: Overview {
            head: Head {
                page: Page {
                    id: page_id(),
                    name: report.site.title.to_owned(),
                    url: report.site.url.map(ToString::to_string).unwrap_or_default(),
                    time_zone: report.site.speaker.zone.name(),
                    updated_at: assessment.as_of.unwrap_or(assessment.generated_at),
                },
                syncmon: Truth {
                    generated_at: Some(assessment.generated_at),
                    as_of: assessment.as_of,
                    valid_until: assessment.valid_until,
                    database_readable: report.is_readable(),
                    demo: report.site.demo,
                },
            },
            status: Rollup {
                indicator: indicator(report),
                description: format!(
                    "{}. {}",
                    sentences::summary(assessment, report.site.speaker),
                    report.dated()
                ),
            },
        },
    }
}

/// Critical is what leaves nothing to rely on.
fn indicator(report: Report) -> &'static str {
    let mut entities = report.assessment.entities.iter();
    match report.assessment.health {
        Health::Green => "none",
        Health::Yellow => "minor",
        Health::Red if entities.all(|entity| entity.health() == Health::Red) => "critical",
        Health::Red => "major",
    }
}

/// The entities in their order, then the database.
fn components(report: Report) -> Vec<Component> {
    let entities = report.assessment.entities.iter().enumerate();
    let mut components: Vec<_> = entities
        .map(|(place, entity)| component(report, place, entity))
        .collect();
    let accesses = &report.journal.database;
    let written = report.assessment.generated_at;
    components.push(Component {
        id: id(&["component", "database"]),
        name: "Database".to_owned(),
        status: match (report.is_readable(), report.assessment.as_of) {
            (true, _) => "operational",
            (false, Some(_)) => "partial_outage",
            (false, None) => "major_outage",
        },
        created_at: accesses.first().map_or(written, |first| first.at),
        updated_at: accesses.last().map_or(written, |last| last.at),
        position: components.len() + 1,
        description: format!(
            "Whether syncmon can read the record of the syncs. {}",
            report.dated()
        ),
        ..blank()
    });
    components
}

fn component(report: Report, place: usize, entity: &EntityAssessment) -> Component {
    let entity_type = &entity.policy.entity_type;
    let record = report.journal.entities.get(entity_type);
    let written = report.assessment.generated_at;
    let changed = record.and_then(|record| record.changes.last());
    Component {
        id: entity_id(entity_type),
        name: entity.policy.name.clone(),
        status: status(entity.health()),
        created_at: record.map_or(written, |record| record.since),
        updated_at: changed.map_or(written, |change| change.at),
        position: place + 1,
        description: format!(
            "{} {}",
            sentences::detail(
                entity,
                report.assessment.is_old_at(report.site.speaker.now),
                report.site.speaker
            ),
            report.dated()
        ),
        ..blank()
    }
}

/// What is the same of all components.
fn blank() -> Component {
    Component {
        id: String::new(),
        name: String::new(),
        status: "major_outage",
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        position: 0,
        description: String::new(),
        showcase: true,
        group_id: None,
        page_id: page_id(),
        group: false,
        only_show_if_degraded: false,
    }
}

fn status(health: Health) -> &'static str {
    match health {
        Health::Green => "operational",
        Health::Yellow => "degraded_performance",
        Health::Red => "major_outage",
    }
}

fn page_id() -> String {
    id(&["page"])
}

fn entity_id(entity_type: &str) -> String {
    id(&["component", "entity", entity_type])
}

/// Twelve small letters and digits, as those of Statuspage are, for whatever these parts name.
fn id(parts: &[&str]) -> String {
    let mut rest = number_of(parts);
    let digits = (0..12).map(|_| {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        rest /= 36;
        char::from_digit(digit, 36).unwrap_or('0')
    });
    digits.collect()
}

/// "Sales is failing", as the title of an incident.
fn titled(name: &str, reason: crate::health::Reason) -> String {
    format!("{} {}", apart(name), sentences::predicate(reason))
}

/// Statuspage writes three digits behind the second, always.
fn millis<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
