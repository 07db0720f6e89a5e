//! The overview: the verdict in one sentence, one row an entity.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::alert::undelivered;
use super::expectations::next_expected;
use super::notices::notice;
use super::parts::{Frame, Verdict, frame, newest_run, verdict};
use super::problems::Problems;
use super::strip::Strip;
use super::times::Speaker;
use super::turns::{later, reason_at, stuck_at};
use super::{Site, expectations, page_path, problems, sentences, words};
use crate::health::{Assessment, EntityAssessment, Health, Notice};
use crate::text::file_stem;

/// `index.html`.
#[derive(Debug, Serialize)]
pub struct OverviewPage {
    pub frame: Frame,
    pub health: &'static str,
    pub summary: String,
    /// Where alerts do not get out, and why.
    pub undelivered: Vec<String>,
    /// Worst first where something is wrong.
    pub rows: Vec<Row>,
    /// Why nothing is expected of any sync at present; what holds for some of them stands in their rows.
    pub paused: Option<String>,
    pub problems: Problems,
    pub legend: [String; 3],
    pub exceptions: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    /// As a target of links, the same from build to build.
    pub anchor: String,
    /// Among entities that are equally well or ill.
    pub place: usize,
    pub verdict: Verdict,
    pub page: String,
    pub newest_run: Option<String>,
    /// What `newest_run` and `next` will say later, as JSON.
    pub newest_run_later: Option<String>,
    /// The newest run is: a notice says how.
    pub is_unusual: bool,
    /// "late after 13:22 PST"
    pub next: Option<String>,
    pub next_later: Option<String>,
    pub strip: Strip,
    pub notices: Vec<String>,
}

/// `strips` belong to the entities of the assessment, in its order.
pub fn overview_page(assessment: &Assessment, strips: &[Strip], site: Site) -> OverviewPage {
    let paused = common_pause(assessment);
    OverviewPage {
        frame: frame(assessment, site),
        health: words::health(assessment.health),
        summary: sentences::summary(assessment, site.speaker),
        undelivered: site
            .undelivered
            .unwrap_or_default()
            .iter()
            .map(|channel| undelivered(channel, site.speaker))
            .collect(),
        rows: assessment
            .worst_first()
            .into_iter()
            .map(|(place, _)| row(assessment, place, strips[place].clone(), site, paused))
            .collect(),
        paused: paused.map(|pause| notice(pause, site.speaker)),
        problems: problems::told(assessment, site.speaker),
        legend: expectations::legend(site.policy, site.speaker),
        exceptions: assessment
            .entities
            .iter()
            .filter_map(|entity| expectations::exception(&entity.policy, site.policy, site.speaker))
            .collect(),
    }
}

/// What every sync is paused for, if it is the same for two or more.
fn common_pause(assessment: &Assessment) -> Option<&Notice> {
    let (first, rest) = assessment.entities.split_first()?;
    let is_pause = |notice: &&Notice| matches!(notice, Notice::Paused { .. });
    let paused = first.notices.iter().find(is_pause)?;
    let same = |entity: &EntityAssessment| entity.notices.contains(paused);
    (!rest.is_empty() && rest.iter().all(same)).then_some(paused)
}

fn row(
    assessment: &Assessment,
    place: usize,
    strip: Strip,
    site: Site,
    paused: Option<&Notice>,
) -> Row {
    let entity = &assessment.entities[place];
    let until = assessment.valid_until;
    let newest_run = |speaker| newest_run(entity, speaker);
    let next = |speaker| match entity.policy.schedule {
        Some(_) => next_expected(entity, assessment.generated_at, speaker),
        None => next(entity, until, speaker),
    };
    Row {
        anchor: format!("sync-{}", file_stem(&entity.policy.entity_type)),
        verdict: verdict(assessment, entity, site.speaker),
        place,
        page: page_path(&entity.policy.entity_type),
        newest_run: newest_run(site.speaker),
        newest_run_later: later(entity, until, site.speaker, newest_run),
        is_unusual: !entity.unusual_at(0).is_empty(),
        next: next(site.speaker),
        next_later: later(entity, until, site.speaker, next),
        strip,
        notices: entity
            .notices
            .iter()
            .filter(|&notice| Some(notice) != paused)
            .map(|n| notice(n, site.speaker))
            .collect(),
    }
}

/// When age alone will make it worse, as seen from the speaker's moment.
fn next(
    entity: &EntityAssessment,
    valid_until: Option<DateTime<Utc>>,
    speaker: Speaker,
) -> Option<String> {
    let still_ahead = |at: Option<DateTime<Utc>>| at.filter(|&at| at > speaker.now);
    let turns = entity.turns;
    let health = reason_at(entity, valid_until, speaker.now).health();
    // At this very moment it is not stuck yet.
    let stuck = stuck_at(entity).filter(|&at| at >= speaker.now);
    match (health, still_ahead(turns.yellow_at), turns.red_at) {
        (Health::Green, late, _) => match (stuck, late) {
            (Some(at), Some(late)) if at < late => {
                Some(format!("stuck after {}", speaker.briefly(at)))
            }
            (_, Some(at)) => Some(format!("late after {}", speaker.briefly(at))),
            (_, None) => None,
        },
        (Health::Yellow, _, Some(at)) => Some(format!("overdue after {}", speaker.briefly(at))),
        (Health::Yellow, _, None) | (Health::Red, _, _) => None,
    }
}
