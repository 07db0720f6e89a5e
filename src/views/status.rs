//! `status.json`: the assessment for other programs. Its shape is a contract, see README.md.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use super::notices::notice;
use super::turns::stuck_at;
use super::unusual::unusual;
use super::{Site, sentences, words};
use crate::alerts::Undelivered;
use crate::health::{Assessment, EntityAssessment, Health, Reason, Source};
use crate::text::word;

#[derive(Debug, Serialize)]
pub struct Status {
    schema_version: u32,
    #[serde(serialize_with = "rfc3339")]
    generated_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    as_of: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    valid_until: Option<DateTime<Utc>>,
    demo: bool,
    source: SourceStatus,
    overall: Overall,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Alerts>,
    entities: Vec<EntityStatus>,
}

#[derive(Debug, Serialize)]
struct SourceStatus {
    state: &'static str,
    #[serde(serialize_with = "rfc3339")]
    since: Option<DateTime<Utc>>,
    message: Option<String>,
}

#[derive(Debug, Serialize)]
struct Overall {
    health: Health,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Alerts {
    undelivered: Vec<ChannelStatus>,
}

#[derive(Debug, Serialize)]
struct ChannelStatus {
    channel: String,
    #[serde(serialize_with = "rfc3339")]
    since: Option<DateTime<Utc>>,
    message: String,
    waiting: usize,
}

impl Alerts {
    fn of(undelivered: &[Undelivered]) -> Alerts {
        let channel = |channel: &Undelivered| ChannelStatus {
            channel: channel.channel.clone(),
            since: Some(channel.since),
            message: channel.message.clone(),
            waiting: channel.waiting,
        };
        Alerts {
            undelivered: undelivered.iter().map(channel).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct EntityStatus {
    entity_type: String,
    name: String,
    table: Option<String>,
    health: Health,
    reason: Reason,
    detail: String,
    #[serde(serialize_with = "rfc3339")]
    last_success_at: Option<DateTime<Utc>>,
    age_seconds: Option<f64>,
    last_run: Option<LastRun>,
    running: bool,
    #[serde(serialize_with = "rfc3339")]
    turns_yellow_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    turns_red_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    next_expected_at: Option<DateTime<Utc>>,
    notices: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LastRun {
    status: String,
    #[serde(serialize_with = "rfc3339")]
    started_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339")]
    finished_at: Option<DateTime<Utc>>,
    duration_seconds: Option<f64>,
    records_processed: Option<i64>,
    error: Option<String>,
    unusual: Vec<String>,
}

pub fn status(assessment: &Assessment, site: Site) -> Status {
    let source = match &assessment.source {
        Source::Read => SourceStatus {
            state: "ok",
            since: None,
            message: None,
        },
        Source::Unreachable { since, message } => SourceStatus {
            state: "unreachable",
            since: Some(*since),
            message: Some(message.clone()),
        },
    };
    Status {
        schema_version: 1,
        generated_at: Some(assessment.generated_at),
        as_of: assessment.as_of,
        valid_until: assessment.valid_until,
        demo: site.demo,
        source,
        overall: Overall {
            health: assessment.health,
            summary: sentences::summary(assessment, site.speaker),
        },
        alerts: site.undelivered.map(Alerts::of),
        entities: assessment
            .entities
            .iter()
            .map(|entity| entity_status(entity, assessment.is_old_at(site.speaker.now), site))
            .collect(),
    }
}

fn entity_status(entity: &EntityAssessment, is_old: bool, site: Site) -> EntityStatus {
    EntityStatus {
        entity_type: word(&entity.policy.entity_type),
        name: entity.policy.name.clone(),
        table: entity.policy.table.clone(),
        health: entity.health(),
        reason: entity.reason,
        detail: sentences::detail(entity, is_old, site.speaker),
        last_success_at: entity.evidence.last_success,
        #[expect(clippy::cast_precision_loss, reason = "exact for ages up to 285 years")]
        age_seconds: entity
            .age
            .and_then(|age| age.num_microseconds())
            .map(|micros| micros as f64 / 1e6),
        last_run: entity.observation.runs.first().map(|run| LastRun {
            status: words::run_status(run, true).to_owned(),
            started_at: Some(run.started_at),
            finished_at: run.finished_at(),
            duration_seconds: run.duration_seconds,
            records_processed: run.records_processed,
            error: run.error.clone(),
            unusual: entity.unusual_at(0).iter().map(unusual).collect(),
        }),
        running: entity.activity.is_running(),
        turns_yellow_at: turns_yellow_at(entity),
        turns_red_at: entity.turns.red_at,
        next_expected_at: entity.next_due,
        notices: entity
            .notices
            .iter()
            .map(|n| notice(n, site.speaker))
            .collect(),
    }
}

/// By age or schedule, or while it is green sooner, if a run that is going on gets stuck: from just after that moment on.
fn turns_yellow_at(entity: &EntityAssessment) -> Option<DateTime<Utc>> {
    let stuck = stuck_at(entity)
        .filter(|_| entity.health() == Health::Green)
        .and_then(|at| at.checked_add_signed(TimeDelta::microseconds(1)));
    [entity.turns.yellow_at, stuck].into_iter().flatten().min()
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
/// RFC 3339 in UTC with as many digits as the moment has, or null.
pub(super) fn rfc3339<S: Serializer>(
    moment: &Option<DateTime<Utc>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => to.serialize_some(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        None => to.serialize_none(),
    }
}
