//! The overview: the verdict in one sentence, one row an entity.

use serde::Serialize;

use super::notices::notice;
use super::parts::{Frame, Strip, Verdict, frame, newest_run, verdict};
use super::{Site, page_path, sentences, words};
use crate::health::{Assessment, EntityAssessment, Health};

/// `index.html`.
#[derive(Debug, Serialize)]
pub struct OverviewPage {
    pub frame: Frame,
    pub health: &'static str,
    pub summary: String,
    /// Worst first where something is wrong.
    pub rows: Vec<Row>,
    pub legend: [String; 3],
    pub exceptions: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    /// Among entities that are equally well or ill.
    pub place: usize,
    pub verdict: Verdict,
    pub page: String,
    pub newest_run: Option<String>,
    /// "late after 13:22 PST"
    pub next: Option<String>,
    pub strip: Strip,
    pub notices: Vec<String>,
}

/// `strips` belong to the entities of the assessment, in its order.
pub fn overview_page(assessment: &Assessment, strips: &[Strip], site: Site) -> OverviewPage {
    let defaults = site.policy.thresholds;
    let own_limits = |entity: &&EntityAssessment| {
        let own = entity.policy.thresholds;
        (own.late_after, own.overdue_after) != (defaults.late_after, defaults.overdue_after)
    };
    OverviewPage {
        frame: frame(assessment, site),
        health: words::health(assessment.health),
        summary: sentences::summary(assessment, site.speaker),
        rows: assessment
            .worst_first()
            .into_iter()
            .map(|(place, _)| row(assessment, place, strips[place].clone(), site))
            .collect(),
        legend: sentences::legend(defaults),
        exceptions: assessment
            .entities
            .iter()
            .filter(own_limits)
            .map(sentences::exception)
            .collect(),
    }
}

fn row(assessment: &Assessment, place: usize, strip: Strip, site: Site) -> Row {
    let entity = &assessment.entities[place];
    let turns = entity.turns;
    let next = match (entity.health(), turns.yellow_at, turns.red_at) {
        (Health::Green, Some(at), _) => Some(format!("late after {}", site.speaker.briefly(at))),
        (Health::Yellow, None, Some(at)) => {
            Some(format!("overdue after {}", site.speaker.briefly(at)))
        }
        (Health::Green | Health::Yellow | Health::Red, _, _) => None,
    };
    Row {
        verdict: verdict(assessment, entity, site.speaker),
        place,
        page: page_path(&entity.policy.entity_type),
        newest_run: newest_run(entity, site.speaker),
        next,
        strip,
        notices: entity
            .notices
            .iter()
            .map(|n| notice(n, site.speaker))
            .collect(),
    }
}
