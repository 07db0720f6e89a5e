//! What the last publish left: a page that may still be believed, or one that may not.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{Link, Seen};
use crate::health::CLOCK_TOLERANCE;
use crate::views::{Speaker, ago, length};

/// What lies in the output directory.
pub enum Publication<'a> {
    Nothing,
    /// The text of `status.json`.
    Site(&'a [u8]),
    /// A manifest, but no `status.json`.
    WithoutStatus,
}

/// As much of `status.json` as is looked at. Its shape is a contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StatusFile {
    pub generated_at: DateTime<Utc>,
    /// When the database was read; `None` if it never was.
    pub as_of: Option<DateTime<Utc>>,
    valid_until: Option<DateTime<Utc>>,
    pub demo: bool,
    source: Source,
    entities: Vec<Entity>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Source {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Entity {
    entity_type: String,
}

impl StatusFile {
    /// `None` if the text is not that of a `status.json`.
    pub fn parse(text: &[u8]) -> Option<StatusFile> {
        serde_json::from_slice(text).ok()
    }

    /// The path of an entity's page within the site; `None` if there is no entity.
    pub fn some_page(&self) -> Option<String> {
        let entity = self.entities.first()?;
        Some(crate::views::page_path(&entity.entity_type))
    }
}

const SCHEDULER: &str = "look whether builds are started (systemctl list-timers syncmon.timer, or the crontab) and \
                         what the last one said (journalctl -u syncmon)";

pub fn published(publication: &Publication, interval: TimeDelta, speaker: Speaker) -> Seen {
    let text = match publication {
        Publication::Nothing => {
            return Seen::new(Link::Published, "")
                .advice("nothing was published there yet", "run syncmon build");
        }
        Publication::WithoutStatus => {
            return Seen::broken(
                Link::Published,
                "the site has no status.json",
                "run syncmon build: it completes the site",
            );
        }
        Publication::Site(text) => text,
    };
    let Some(status) = StatusFile::parse(text) else {
        return Seen::broken(
            Link::Published,
            "status.json of the site is damaged",
            "run syncmon build: it replaces the site",
        );
    };
    let now = speaker.now;
    let age = now - status.generated_at;
    if status.demo {
        return Seen::broken(
            Link::Published,
            format!("a demo with invented data, built {}", ago(age)),
            "run syncmon build: a real site replaces it",
        );
    }
    if age < -CLOCK_TOLERANCE {
        return Seen::broken(
            Link::Published,
            format!(
                "built {} from now: this machine's clock was ahead then, or is behind now",
                length(-age)
            ),
            "set the clock, then run syncmon build",
        );
    }
    let built = format!("built {}", ago(age));
    let away = status.source.state != "ok";
    match status.valid_until {
        Some(until) if until >= now => {
            let until = speaker.briefly(until);
            let seen = Seen::new(
                Link::Published,
                format!("{built}, to be believed until {until}"),
            );
            if away { without_data(seen) } else { seen }
        }
        Some(until) => {
            let over = length(now - until);
            let seen = Seen::new(Link::Published, "");
            if away && age <= interval * 3 {
                return without_data(seen.note(format!("{built}, over data that is out of date")));
            }
            seen.problem(
                format!("{built}, and not to be believed any more for {over}"),
                SCHEDULER,
            )
        }
        None => without_data(Seen::new(Link::Published, built)),
    }
}

/// The builds run; it is the database that they could not read.
fn without_data(seen: Seen) -> Seen {
    seen.advice(
        "the page says that the database could not be read",
        "run syncmon build once the links above are in order",
    )
}
