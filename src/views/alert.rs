//! Alerts in words: the same words as on the page, for people who do not have it before them.

use chrono::{DateTime, Utc};

use super::meaning::{Ask, Why, consequence, newest_error};
use super::times::{counted, length};
use super::{Site, Speaker, sentences, words};
use crate::alerts::{About, Affected, Kind, Message, Occasion, Undelivered};
use crate::health::{Assessment, EntityAssessment, Health, Reason, Source};
use crate::text::apart;

/// What a site tells of an occasion; `key` is that of the occasion, `url` where the page is served.
pub fn alert(
    occasion: &Occasion,
    key: String,
    assessment: &Assessment,
    site: Site,
    url: Option<&str>,
) -> Message {
    let affected: Vec<&EntityAssessment> = assessment
        .worst_first()
        .into_iter()
        .map(|(_, entity)| entity)
        .filter(|entity| occasion.affected.contains(&entity.policy.entity_type))
        .collect();
    let subject = subject(occasion, &affected, assessment, site.speaker);
    let mut paragraphs = vec![format!("{subject}."), timing(occasion, site.speaker)];
    paragraphs.extend(background(occasion, assessment, site.speaker));
    let entities: Vec<Affected> = affected
        .iter()
        .map(|entity| named(entity, assessment, site.speaker))
        .collect();
    paragraphs.extend(affected.iter().zip(&entities).map(told));
    paragraphs.push(closing(site.speaker, url));
    Message {
        key,
        kind: occasion.kind,
        about: occasion.about,
        at: occasion.at,
        since: occasion.since,
        until: occasion.until,
        site: site.title.to_owned(),
        url: url.map(str::to_owned),
        subject,
        text: paragraphs.join("\n\n"),
        entities,
    }
}

/// What `syncmon notify --test` sends.
pub fn test_message(key: String, site: Site, url: Option<&str>) -> Message {
    let subject = "This is a test; nothing is wrong".to_owned();
    let now = site.speaker.now;
    let text = [
        format!("{subject}."),
        format!(
            "Somebody ran syncmon notify --test on {}. Alerts will arrive where this did.",
            site.speaker.day_and_time(now)
        ),
        closing(site.speaker, url),
    ];
    Message {
        key,
        kind: Kind::Test,
        about: About::Syncs,
        at: now,
        since: now,
        until: None,
        site: site.title.to_owned(),
        url: url.map(str::to_owned),
        subject,
        text: text.join("\n\n"),
        entities: Vec::new(),
    }
}

/// The sentence that says it all.
fn subject(
    occasion: &Occasion,
    affected: &[&EntityAssessment],
    assessment: &Assessment,
    speaker: Speaker,
) -> String {
    let wrong = || match occasion.about {
        About::Database => "The database cannot be read".to_owned(),
        About::Syncs => sentences::wrong(affected, assessment.entities.len(), speaker),
    };
    match (occasion.kind, occasion.about) {
        (Kind::Problem, _) => wrong(),
        (Kind::Worse, _) => format!("Worse: {}", wrong()),
        (Kind::Reminder, _) => format!("Still: {}", wrong()),
        (Kind::Recovery, About::Database) => "The database can be read again".to_owned(),
        (Kind::Recovery, About::Syncs) if assessment.health == Health::Green => {
            format!("{} again", sentences::summary(assessment, speaker))
        }
        (Kind::Recovery, About::Syncs) => "What was wrong is over".to_owned(),
        (Kind::Afresh | Kind::Test, _) => sentences::summary(assessment, speaker),
    }
}

/// Since when it lasts, or how long it has lasted.
fn timing(occasion: &Occasion, speaker: Speaker) -> String {
    let since = speaker.day_and_time(occasion.since);
    let lasted = |until: DateTime<Utc>| length(until - occasion.since);
    match (occasion.kind, occasion.until) {
        (Kind::Problem, _) => format!("Seen first on {since}."),
        (Kind::Worse | Kind::Reminder, _) => format!(
            "The problem was seen first on {since}, {} ago.",
            lasted(occasion.at)
        ),
        (Kind::Recovery, Some(until)) => format!(
            "The problem lasted {}: from {since} to {}.",
            lasted(until),
            speaker.day_and_time(until)
        ),
        (Kind::Recovery, None) => format!("The problem was seen first on {since}."),
        (Kind::Afresh | Kind::Test, _) => {
            "What was told before is not known any more: the file that keeps it could not be read. \
             Should you be waiting for the end of a problem, it is over."
                .to_owned()
        }
    }
}

/// What else matters where the database is, or was, away; nothing where it is about the syncs.
fn background(occasion: &Occasion, assessment: &Assessment, speaker: Speaker) -> Option<String> {
    match (occasion.about, &assessment.source) {
        (About::Syncs, _) => None,
        (About::Database, Source::Unreachable { message, .. }) => Some(match assessment.as_of {
            Some(as_of) => format!(
                "{message} The page shows what was read on {}, and goes on judging by that. How the syncs \
                 are doing since then is not known; they are judged anew as soon as the database can be read.",
                speaker.in_full(as_of)
            ),
            None => format!(
                "{message} Nothing from before is at hand, so nothing is known of the syncs."
            ),
        }),
        (About::Database, Source::Read) => {
            Some(format!("{}.", sentences::summary(assessment, speaker)))
        }
    }
}

fn named(entity: &EntityAssessment, assessment: &Assessment, speaker: Speaker) -> Affected {
    let is_old = assessment.is_old_at(speaker.now);
    Affected {
        entity_type: entity.policy.entity_type.clone(),
        name: entity.policy.name.clone(),
        health: entity.health(),
        reason: entity.reason,
        grounds: grounds(entity, is_old, speaker),
        consequence: consequence(entity, entity.reason, is_old, speaker),
        ask: entity.policy.owner.as_ref().map(|owner| {
            let ask = Ask::of(owner);
            let contact = ask.contact.map(|contact| format!(", {contact}"));
            format!("{}{}", ask.name, contact.unwrap_or_default())
        }),
    }
}

/// Why it is judged so; if it failed, also why it did, where the error says so.
fn grounds(entity: &EntityAssessment, is_old: bool, speaker: Speaker) -> String {
    let grounds = sentences::grounds(entity, entity.reason, is_old, speaker);
    let cause = newest_error(entity)
        .filter(|_| entity.reason == Reason::Failed)
        .and_then(|error| Why::of(error).cause);
    match cause {
        Some(cause) => format!("{grounds} {cause}"),
        None => grounds,
    }
}

/// A paragraph on an entity.
fn told((entity, words): (&&EntityAssessment, &Affected)) -> String {
    let mut lines = vec![
        format!(
            "{}: {}",
            apart(&words.name),
            words::reason(entity.reason).to_lowercase()
        ),
        words.grounds.clone(),
        words.consequence.clone(),
    ];
    lines.extend(words.ask.as_ref().map(|ask| format!("Ask {ask}.")));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn closing(speaker: Speaker, url: Option<&str>) -> String {
    let zone = format!("All times are in the time zone {}.", speaker.zone.name());
    match url {
        Some(url) => format!("{url}\n{zone}"),
        None => zone,
    }
}

/// What the page says of a channel through which alerts do not get out.
pub fn undelivered(channel: &Undelivered, speaker: Speaker) -> String {
    let waiting = i64::try_from(channel.waiting).unwrap_or(i64::MAX);
    format!(
        "Alerts are not getting out by {} since {}. {} {}; each build tries again.",
        channel.channel,
        speaker.day_and_time(channel.since),
        channel.message,
        counted(waiting, "message waits", "messages wait")
    )
}
