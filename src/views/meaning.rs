//! What a problem means: its consequence, its cause and whom to ask, in a CFO's words.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::times::Speaker;
use crate::health::{Cause, EntityAssessment, FailureRecord, Owner, Reason, SAME_RUN};
use crate::model::Status;
use crate::text::{apart, excerpt};

/// What follows from an entity's verdict for whoever reads reports; empty while it is up to date. Once the data may
/// not be believed any more (it `is_old`), what is missing can have arrived since.
pub fn consequence(
    entity: &EntityAssessment,
    reason: Reason,
    is_old: bool,
    speaker: Speaker,
) -> String {
    let Records {
        name,
        are,
        them,
        later,
    } = Records::called(&entity.policy.name);
    let complete = entity
        .evidence
        .last_success
        .map(|at| format!("{name} {are} complete up to {}", speaker.day_and_time(at)));
    match (reason, complete) {
        (Reason::Fresh, _) => String::new(),
        (Reason::Late | Reason::Missed | Reason::Overdue | Reason::Failed, Some(complete))
            if !is_old =>
        {
            format!("{complete}; later {later} are missing from Supabase reports.")
        }
        (
            Reason::Late
            | Reason::Missed
            | Reason::Overdue
            | Reason::Failed
            | Reason::Stuck
            | Reason::ClockSkew
            | Reason::Hidden
            | Reason::OutOfDate,
            Some(complete),
        ) => format!(
            "{complete}, as far as is known; later {later} may be missing from Supabase reports."
        ),
        (Reason::Failed | Reason::NeverSynced, None) => format!(
            "No copy of {name} is known to be complete; Supabase reports on {them} cannot be relied on."
        ),
        (
            Reason::Late
            | Reason::Missed
            | Reason::Overdue
            | Reason::Stuck
            | Reason::ClockSkew
            | Reason::Hidden
            | Reason::OutOfDate,
            None,
        )
        | (Reason::NeverSynced, Some(_))
        | (Reason::Unconfirmed, _) => format!(
            "Nobody knows how complete {name} {are}; Supabase reports on {them} cannot be relied on."
        ),
    }
}

/// How to speak of an entity's records: "Sales are complete …, later sales …", but "Inventory is
/// complete …, later records …".
struct Records {
    name: String,
    are: &'static str,
    them: &'static str,
    later: String,
}

impl Records {
    fn called(name: &str) -> Records {
        let is_plural = name.ends_with('s') && !name.ends_with("ss") && !name.ends_with("us");
        let is_plain = |word: &str| {
            let mut letters = word.chars();
            letters.next().is_some_and(|c| c.is_ascii_uppercase())
                && letters.all(|c| c.is_ascii_lowercase())
        };
        let (are, them) = if is_plural {
            ("are", "them")
        } else {
            ("is", "it")
        };
        Records {
            name: apart(name),
            are,
            them,
            later: if is_plural && name.split(' ').all(is_plain) {
                name.to_ascii_lowercase()
            } else {
                "records".to_owned()
            },
        }
    }
}

/// What a recognised cause is to somebody who reads no logs.
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::DiskFull => "There was no space left to store the records (disk full).",
        Cause::ForeignKey => {
            "A record refers to another one that is not there (foreign key violated)."
        }
        Cause::RateLimited => "Too many requests were made in too short a time (rate limited).",
        Cause::TokenRefused => {
            "Access was refused: a token or password is wrong, expired or withdrawn (token refused)."
        }
        Cause::RouteNotFound => "The address that was asked does not exist (route not found).",
        Cause::Timeout => "The other side took too long to answer (timeout).",
        Cause::Network => "The other side could not be reached over the network.",
    }
}

/// Why runs failed: in words where the cause is recognised, and as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    pub cause: Option<&'static str>,
    pub error: String,
}

impl Why {
    /// The same with as much of the text as a list has room for.
    pub fn in_short(error: &str) -> Why {
        Why {
            error: excerpt(error),
            ..Why::of(error)
        }
    }

    pub fn of(error: &str) -> Why {
        Why {
            cause: Cause::of(error).map(cause),
            error: error.to_owned(),
        }
    }
}

/// The error that was recorded of the newest failure, if there is one.
pub fn newest_error(entity: &EntityAssessment) -> Option<&str> {
    let evidence = &entity.evidence;
    let recorded = match evidence.newest_failure?.record {
        FailureRecord::State => evidence.state_failure,
        FailureRecord::Log => evidence.log_failure,
    };
    error_of_failure(entity, recorded?)
}

/// The error of the failure at this moment. A script may write it into either table, and the state a moment
/// before or after the log.
pub fn error_of_failure(entity: &EntityAssessment, at: DateTime<Utc>) -> Option<&str> {
    let seen = &entity.observation;
    let in_the_log = seen
        .errors
        .iter()
        .chain(&seen.runs)
        .filter(|run| run.status == Status::Failed)
        .filter_map(|run| Some((run.finished_at()?, run.error.as_deref()?)));
    let in_the_state = || {
        Some((
            entity.evidence.state_failure?,
            seen.state.as_ref()?.error.as_deref()?,
        ))
    };
    in_the_log
        .chain(in_the_state())
        .map(|(moment, error)| ((moment - at).abs(), error))
        .filter(|&(distance, _)| distance <= SAME_RUN)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, error)| error)
}

/// Whom to ask, with a link where the contact is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    pub name: String,
    pub contact: Option<String>,
    pub link: Option<String>,
}

impl Ask {
    pub fn of(owner: &Owner) -> Ask {
        let contact = owner.contact.clone();
        Ask {
            name: owner.name.clone(),
            link: contact.as_deref().and_then(link),
            contact: contact.filter(|contact| *contact != owner.name),
        }
    }
}

/// Where a contact leads to, if it is a page, a mail address or a telephone number.
fn link(contact: &str) -> Option<String> {
    let contact = contact.trim();
    let is_web = |scheme| {
        contact
            .get(..8)
            .is_some_and(|start| start.to_ascii_lowercase().starts_with(scheme))
    };
    if contact.contains(char::is_whitespace) && !contact.starts_with('+') {
        return None;
    }
    if is_web("https://") || is_web("http://") {
        return Some(contact.to_owned());
    }
    if contact.starts_with('+') {
        let number: String = contact
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '+')
            .collect();
        let is_number = |c: char| c.is_ascii_digit() || "+ ()-./".contains(c);
        return contact
            .chars()
            .all(is_number)
            .then(|| format!("tel:{number}"));
    }
    let (mailbox, host) = contact.split_once('@')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    (!mailbox.is_empty()
        && host.contains('.')
        && mailbox.chars().all(plain)
        && host.chars().all(plain))
    .then(|| format!("mailto:{contact}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_spoken_of_as_their_name_is() {
        for (name, expected) in [
            ("Sales", "Sales are, later sales, on them"),
            (
                "Sale Line Items",
                "Sale Line Items are, later sale line items, on them",
            ),
            ("POS Sales", "POS Sales are, later records, on them"),
            ("Inventory", "Inventory is, later records, on it"),
            ("Order Status", "Order Status is, later records, on it"),
            ("Größen", "Größen is, later records, on it"),
        ] {
            let Records {
                name,
                are,
                them,
                later,
            } = Records::called(name);
            assert_eq!(format!("{name} {are}, later {later}, on {them}"), expected);
        }
    }

    #[test]
    fn a_contact_becomes_a_link_where_it_is_one() {
        for (contact, expected) in [
            ("ana@example.org", Some("mailto:ana@example.org")),
            ("https://example.org/x", Some("https://example.org/x")),
            ("+1 (323) 555-0100", Some("tel:+13235550100")),
            ("extension 12", None),
            ("javascript:alert(1)@x.y", None),
            ("ana@example", None),
            ("ana@example.org?subject=x", None),
            ("+1 call me", None),
        ] {
            assert_eq!(link(contact).as_deref(), expected, "{contact}");
        }
    }
}
