//! Incidents: stretches of trouble, each with what happened in it.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::{Component, entity_id, id, millis, page_id, status, titled};
use crate::changes::{Access, Change, Trouble, outages, troubles};
use crate::health::Health;
use crate::views::programs::{Report, reason_word};

/// As many as Statuspage returns, unless more than these last.
const MOST: usize = 50;

/// How many of what happened in one are told: the newest.
const MOST_UPDATES: usize = 50;

#[derive(Debug, Serialize)]
pub struct Incident {
    id: String,
    name: String,
    status: &'static str,
    #[serde(serialize_with = "millis")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "millis")]
    updated_at: DateTime<Utc>,
    monitoring_at: Option<String>,
    #[serde(serialize_with = "millis_or_null")]
    resolved_at: Option<DateTime<Utc>>,
    impact: &'static str,
    /// The page about it.
    shortlink: String,
    #[serde(serialize_with = "millis")]
    started_at: DateTime<Utc>,
    page_id: String,
    /// Newest first.
    #[serde(rename = "incident_updates")]
    updates: Vec<Update>,
    components: Vec<Component>,
}

impl Incident {
    pub fn lasts(&self) -> bool {
        self.resolved_at.is_none()
    }
}

#[derive(Debug, Serialize)]
struct Update {
    id: String,
    status: &'static str,
    body: String,
    incident_id: String,
    #[serde(serialize_with = "millis")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "millis")]
    updated_at: DateTime<Utc>,
    #[serde(serialize_with = "millis")]
    display_at: DateTime<Utc>,
    affected_components: Vec<Affected>,
    deliver_notifications: bool,
    custom_tweet: Option<String>,
    tweet_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Affected {
    code: String,
    name: String,
    old_status: &'static str,
    new_status: &'static str,
}

/// What happened once in an incident.
struct Step {
    at: DateTime<Utc>,
    status: &'static str,
    /// What happened, and the word by which it is told apart.
    body: String,
    word: &'static str,
}

/// Whom an incident is about.
struct About<'a> {
    /// `None`: the database.
    entity_type: Option<&'a str>,
    component_id: String,
    name: String,
}

/// The newest, and all that last, newest first.
pub fn incidents(report: Report, components: &[Component]) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for (entity_type, record) in &report.journal.entities {
        let about = About {
            entity_type: Some(entity_type),
            component_id: entity_id(entity_type),
            name: report.name(entity_type),
        };
        for trouble in told(troubles(&record.changes), report) {
            incidents.push(of_entity(&trouble, &about, components, report));
        }
    }
    let about = About {
        entity_type: None,
        component_id: id(&["component", "database"]),
        name: "Database".to_owned(),
    };
    for trouble in told(outages(&report.journal.database), report) {
        incidents.push(of_database(&trouble, &about, components, report));
    }
    incidents.sort_by(|a, b| {
        b.started_at
            .cmp(&a.started_at)
            .then_with(|| a.id.cmp(&b.id))
    });
    let lasting = incidents.iter().filter(|incident| incident.lasts()).count();
    let mut room = MOST.saturating_sub(lasting);
    incidents.retain(|incident| {
        let is_told = incident.lasts() || room > 0;
        room -= usize::from(!incident.lasts() && is_told);
        is_told
    });
    incidents
}

/// Those that lasted into the last 90 days, of which only the newest have a chance to be told.
fn told<'a, C>(
    mut troubles: Vec<Trouble<'a, C>>,
    report: Report,
) -> impl Iterator<Item = Trouble<'a, C>> {
    let newest = troubles.len().saturating_sub(MOST + 1);
    let since = report.since();
    troubles
        .drain(newest..)
        .filter(move |trouble| trouble.until.is_none_or(|until| until > since))
        .collect::<Vec<_>>()
        .into_iter()
}

fn of_entity(
    trouble: &Trouble<Change>,
    about: &About,
    components: &[Component],
    report: Report,
) -> Incident {
    let changes = trouble.changes.iter();
    let worst = changes.clone().map(|change| change.reason.health()).max();
    let named = changes
        .clone()
        .rev()
        .find(|change| Some(change.reason.health()) == worst);
    let steps = changes.map(|change| Step {
        at: change.at,
        status: status(change.reason.health()),
        body: titled(&about.name, change.reason),
        word: reason_word(change.reason),
    });
    Incident {
        name: named.map_or_else(
            || about.name.clone(),
            |named| titled(&about.name, named.reason),
        ),
        impact: match worst {
            Some(Health::Red) => "major",
            Some(Health::Yellow) => "minor",
            Some(Health::Green) | None => "none",
        },
        ..incident(
            trouble.from,
            trouble.until,
            steps.collect(),
            about,
            components,
            report,
        )
    }
}

fn of_database(
    trouble: &Trouble<Access>,
    about: &About,
    components: &[Component],
    report: Report,
) -> Incident {
    let steps = trouble.changes.iter().map(|access| {
        let (status, word, body) = if access.readable {
            ("operational", "readable", "The database can be read again")
        } else {
            (
                "partial_outage",
                "unreadable",
                "The database cannot be read",
            )
        };
        Step {
            at: access.at,
            status,
            body: body.to_owned(),
            word,
        }
    });
    Incident {
        name: "The database cannot be read".to_owned(),
        impact: "minor",
        ..incident(
            trouble.from,
            trouble.until,
            steps.collect(),
            about,
            components,
            report,
        )
    }
}

/// Without its name and impact.
fn incident(
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    steps: Vec<Step>,
    about: &About,
    components: &[Component],
    report: Report,
) -> Incident {
    let micros = from.timestamp_micros().to_string();
    let incident_id = id(&["incident", &about.component_id, &micros]);
    let mut old_status = "operational";
    let mut updates: Vec<Update> = Vec::with_capacity(steps.len());
    let updated_at = steps.last().map_or(from, |step| step.at);
    for step in steps {
        updates.push(update(&step, old_status, &incident_id, about, report));
        old_status = step.status;
    }
    updates.reverse();
    updates.truncate(MOST_UPDATES);
    Incident {
        id: incident_id,
        name: String::new(),
        status: if until.is_some() {
            "resolved"
        } else {
            "investigating"
        },
        created_at: from,
        updated_at,
        monitoring_at: None,
        resolved_at: until,
        impact: "none",
        shortlink: report.page(about.entity_type),
        started_at: from,
        page_id: page_id(),
        updates,
        components: components
            .iter()
            .filter(|component| component.id == about.component_id)
            .cloned()
            .collect(),
    }
}

fn update(
    step: &Step,
    old_status: &'static str,
    incident_id: &str,
    about: &About,
    report: Report,
) -> Update {
    let micros = step.at.timestamp_micros().to_string();
    Update {
        id: id(&["update", incident_id, &micros, step.word]),
        status: if step.status == "operational" {
            "resolved"
        } else {
            "investigating"
        },
        body: format!(
            "{}, from {} on.",
            step.body,
            report.site.speaker.in_full(step.at)
        ),
        incident_id: incident_id.to_owned(),
        created_at: step.at,
        updated_at: step.at,
        display_at: step.at,
        affected_components: vec![Affected {
            code: about.component_id.clone(),
            name: about.name.clone(),
            old_status,
            new_status: step.status,
        }],
        deliver_notifications: false,
        custom_tweet: None,
        tweet_id: None,
    }
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn millis_or_null<S: Serializer>(at: &Option<DateTime<Utc>>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => millis(at, to),
        None => to.serialize_none(),
    }
}
