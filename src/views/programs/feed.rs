//! `feed.xml`: one entry per change of verdict, for feed readers (Atom, RFC 4287).

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{Report, as_xml, number_of, reason_word};
use crate::changes::{Access, Change};
use crate::health::Reason;
use crate::text::apart;
use crate::views::{sentences, words};

/// How many changes the feed tells at most: the newest.
const MOST: usize = 500;

#[derive(Debug, Serialize)]
pub struct Feed {
    pub id: String,
    pub title: String,
    pub subtitle: String,
    /// That of the newest entry.
    pub updated: String,
    /// Where the feed itself lies.
    pub own: String,
    pub home: String,
    /// Newest first.
    pub entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
pub struct Entry {
    /// Follows from the entity, the moment and the reason, so that it never changes.
    pub id: String,
    pub title: String,
    pub at: String,
    pub page: String,
    pub categories: Vec<&'static str>,
    pub content: String,
}

/// A change as the feed sorts it: by its moment, then by what it is about.
struct News<'a> {
    at: DateTime<Utc>,
    /// `None`: the database.
    entity_type: Option<&'a str>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Reason(Reason),
    Readable(bool),
}

pub fn feed(report: Report) -> Feed {
    let news = news(report);
    let updated = news
        .first()
        .map_or(report.assessment.generated_at, |newest| newest.at);
    Feed {
        id: match report.site.url {
            Some(url) => format!("{url}feed.xml"),
            None => urn(&["feed"]),
        },
        title: as_xml(&format!("{}: changes of verdict", apart(report.site.title))),
        subtitle: report.dated(),
        updated: rfc3339(updated),
        own: report.address("feed.xml"),
        home: report.page(None),
        entries: news.iter().map(|news| entry(news, report)).collect(),
    }
}

fn news(report: Report) -> Vec<News> {
    let entities = report.journal.entities.iter();
    let of_entities = entities.flat_map(|(entity_type, record)| {
        let changes = record.changes.iter();
        changes.map(move |&Change { at, reason }| News {
            at,
            entity_type: Some(entity_type),
            what: What::Reason(reason),
        })
    });
    let accesses = report.journal.database.iter();
    let of_database = accesses.map(|&Access { at, readable }| News {
        at,
        entity_type: None,
        what: What::Readable(readable),
    });
    let mut news: Vec<_> = of_entities
        .chain(of_database)
        .filter(|news| news.at > report.since())
        .collect();
    news.sort_by_key(|news| (std::cmp::Reverse(news.at), news.entity_type));
    news.truncate(MOST);
    news
}

fn entry(news: &News, report: Report) -> Entry {
    let when = report.site.speaker.in_full(news.at);
    let (word, categories, title, content) = match (news.entity_type, news.what) {
        (Some(entity_type), What::Reason(reason)) => {
            let name = apart(&report.name(entity_type));
            let word = reason_word(reason);
            let title = format!("{name} {}", sentences::predicate(reason));
            let content = format!("{title} from {when} on.");
            (
                word,
                vec![words::health(reason.health()), word],
                title,
                content,
            )
        }
        (_, What::Readable(true) | What::Reason(_)) => (
            "readable",
            vec!["database"],
            "The database can be read again".to_owned(),
            format!("syncmon can read the database again since {when}."),
        ),
        (_, What::Readable(false)) => (
            "unreadable",
            vec!["database", "yellow"],
            "The database cannot be read".to_owned(),
            if report.assessment.as_of.is_some() {
                format!(
                    "syncmon has not been able to read the database since {when}. Verdicts rest on what was \
                     read before, and nothing new is known."
                )
            } else {
                format!(
                    "syncmon has not been able to read the database since {when}. Nothing is known yet."
                )
            },
        ),
    };
    let micros = news.at.timestamp_micros().to_string();
    let about = news
        .entity_type
        .map_or(["database", ""], |name| ["entity", name]);
    Entry {
        id: urn(&[about[0], about[1], &micros, word]),
        title: as_xml(&title),
        at: rfc3339(news.at),
        page: report.page(news.entity_type),
        categories,
        content: as_xml(&content),
    }
}

/// A name of its own for whatever these parts name, in the form of a UUID of version 8.
fn urn(parts: &[&str]) -> String {
    let halves = [number_of(parts), number_of(&[&["again"], parts].concat())];
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&halves[0].to_be_bytes());
    bytes[8..].copy_from_slice(&halves[1].to_be_bytes());
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    uuid.urn().to_string()
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
