//! A message as each way takes it: mail, JSON, a text for Slack. Pure.

use chrono::{DateTime, SecondsFormat, Utc};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::Email;
use crate::alerts::Message;

/// A message as mail to all recipients.
pub fn as_mail(
    message: &Message,
    settings: &Email,
) -> Result<lettre::Message, lettre::error::Error> {
    let from = &settings.from;
    let automatic = HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    );
    let mut mail = lettre::Message::builder()
        .from(from.clone())
        .subject(format!("{}: {}", message.site, message.subject))
        .date(message.at.into())
        .message_id(Some(format!("<{}@{}>", message.key, from.email.domain())))
        .raw_header(automatic)
        .header(ContentType::TEXT_PLAIN);
    for recipient in &settings.to {
        mail = mail.to(recipient.clone());
    }
    mail.body(message.text.clone())
}

/// A message for programs; its shape is a contract, see docs/alerts.md.
pub fn as_json(message: &Message) -> Value {
    let entities: Vec<Value> = message
        .entities
        .iter()
        .map(|entity| {
            json!({
                "entity_type": entity.entity_type,
                "name": entity.name,
                "health": entity.health,
                "reason": entity.reason,
                "grounds": entity.grounds,
                "consequence": entity.consequence,
                "ask": entity.ask,
            })
        })
        .collect();
    let lasted = message
        .until
        .map(|until| (until - message.since).num_seconds());
    json!({
        "schema_version": 1,
        "key": message.key,
        "event": message.kind,
        "about": message.about,
        "at": moment(message.at),
        "since": moment(message.since),
        "until": message.until.map(moment),
        "lasted_seconds": lasted,
        "site": message.site,
        "url": message.url,
        "subject": message.subject,
        "text": message.text,
        "entities": entities,
    })
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Its subject in bold, then its text; nothing in it is taken for markup.
pub fn for_slack(message: &Message) -> String {
    let plain = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let subject = format!("{}: {}", message.site, message.subject);
    let rest = message.text.split_once("\n\n").map_or("", |(_, rest)| rest);
    format!("*{}*\n{}", plain(&subject).replace('*', "∗"), plain(rest))
}
