//! Values of the file, checked, with refusals that name file, line, key and remedy.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use toml::Spanned;
use url::Url;

use super::expectations::Expectations;
use super::file::{EntityTable, File};
use crate::failure::UsageError;
use crate::health::{EntityPolicy, Owner, Thresholds};
use crate::text::{error_text, excerpt, misleads, word};

/// No threshold or interval may be longer than this.
const LONGEST: TimeDelta = TimeDelta::days(3660);

/// No timeout may be longer than this: SQLite counts the milliseconds in 32 bits.
const LONGEST_TIMEOUT: TimeDelta = TimeDelta::days(1);

/// How many entities can be configured: each has a page of its own.
const MOST_ENTITIES: usize = 1000;

/// Of how many days every run is shown, unless told otherwise.
const DEFAULT_HISTORY_DAYS: u32 = 7;

/// As far back as the strips go.
const MOST_HISTORY_DAYS: u32 = 90;

/// How long a title or a name can be, in characters.
const LONGEST_NAME: usize = 200;

/// A configuration file's text, to say where in it something is wrong.
pub struct Source<'a> {
    pub text: &'a str,
    pub path: &'a Path,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        self.text
            .bytes()
            .take(at)
            .filter(|&byte| byte == b'\n')
            .count()
            + 1
    }

    pub fn refuse(&self, span: Range<usize>, key: &str, problem: &str) -> UsageError {
        UsageError::new(format!(
            "{}, line {}, {key}: {problem}",
            self.path.display(),
            self.line(span.start)
        ))
    }

    /// The file as it is written.
    pub fn file(&self) -> Result<File, UsageError> {
        toml::from_str(self.text).map_err(|error| self.syntax(&error))
    }

    /// What the TOML reader refused: bad syntax, unknown keys, wrong types.
    fn syntax(&self, error: &toml::de::Error) -> UsageError {
        let start = error
            .span()
            .map_or(0, |span| span.start.min(self.text.len()));
        let line = self.line(start);
        let written = self.text.lines().nth(line - 1).unwrap_or_default();
        // A line that is no setting may be anything, a connection string for example.
        let key = word(written.split('=').next().unwrap_or_default().trim()).replace('\t', " ");
        let message = quotable(error.message().trim_end());
        let remedy = if message.starts_with("unknown field") {
            "take it away or correct its spelling"
        } else {
            "correct this line; syncmon.example.toml shows every key"
        };
        UsageError::new(format!(
            "{}, line {line}, {key}: {message}; {remedy}",
            self.path.display()
        ))
    }

    pub fn duration(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
        default: TimeDelta,
    ) -> Result<TimeDelta, UsageError> {
        let longest = (LONGEST, "10 years", "\"2h\" or \"90min\"");
        self.duration_up_to(longest, key, value, default)
    }

    /// A duration of at most as much, which is called so; with examples.
    fn duration_up_to(
        &self,
        (longest, called, examples): (TimeDelta, &str, &str),
        key: &str,
        value: Option<&Spanned<String>>,
        default: TimeDelta,
    ) -> Result<TimeDelta, UsageError> {
        let Some(value) = value else {
            return Ok(default);
        };
        let parsed = humantime::parse_duration(value.as_ref())
            .ok()
            .and_then(|duration| TimeDelta::from_std(duration).ok())
            .filter(|duration| *duration >= TimeDelta::seconds(1) && *duration <= longest);
        parsed.ok_or_else(|| {
            let problem = format!(
                "{:?} is not a duration between 1 second and {called}; write for example {examples}",
                word(value.as_ref())
            );
            self.refuse(value.span(), key, &problem)
        })
    }

    pub fn timeout(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
        default_seconds: i64,
    ) -> Result<Duration, UsageError> {
        let longest = (LONGEST_TIMEOUT, "1 day", "\"10s\" or \"1min\"");
        let default = TimeDelta::seconds(default_seconds);
        let duration = self.duration_up_to(longest, key, value, default)?;
        Ok(duration.to_std().unwrap_or(Duration::MAX))
    }

    /// Late, overdue and stuck, in this order, each with its default.
    pub fn thresholds(
        &self,
        [late, overdue, stuck]: [&Option<Spanned<String>>; 3],
        defaults: Thresholds,
    ) -> Result<Thresholds, UsageError> {
        let late_after = self.duration("late_after", late.as_ref(), defaults.late_after)?;
        let overdue_after =
            self.duration("overdue_after", overdue.as_ref(), defaults.overdue_after)?;
        if late_after > overdue_after {
            let span = overdue
                .as_ref()
                .or(late.as_ref())
                .map_or(0..0, Spanned::span);
            let problem = format!(
                "overdue_after ({}) is shorter than late_after ({}); an entity is late first and \
                 overdue later, so make overdue_after the longer one",
                written(overdue_after),
                written(late_after)
            );
            let key = if overdue.is_some() {
                "overdue_after"
            } else {
                "late_after"
            };
            return Err(self.refuse(span, key, &problem));
        }
        let stuck_after = self.duration("stuck_after", stuck.as_ref(), defaults.stuck_after)?;
        Ok(Thresholds {
            late_after,
            overdue_after,
            stuck_after,
        })
    }

    pub fn zone(&self, value: Option<&Spanned<String>>) -> Result<Tz, UsageError> {
        let Some(value) = value else {
            return Ok(chrono_tz::America::Los_Angeles);
        };
        value.as_ref().parse().map_err(|_| {
            let problem = format!(
                "{:?} is not a time zone; write a name of the IANA database such as \
                 \"America/Los_Angeles\" or \"UTC\"",
                word(value.as_ref())
            );
            self.refuse(value.span(), "time_zone", &problem)
        })
    }

    /// Where the site is served. It stands in messages and feeds, so it holds no password.
    pub fn url(&self, value: Option<&Spanned<String>>) -> Result<Option<Url>, UsageError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let Some(url) = site_address(value.as_ref()) else {
            let problem = "is not the address of a site, without user and password; write for \
                           example \"https://status.example.org/\"";
            return Err(self.refuse(value.span(), "url", problem));
        };
        Ok(Some(url))
    }

    /// A text for people to read: something, not too long, and nothing in it that misleads.
    pub fn shown(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
    ) -> Result<Option<String>, UsageError> {
        let Some(value) = value else {
            return Ok(None);
        };
        match unfit(value.as_ref(), LONGEST_NAME) {
            None => Ok(Some(value.as_ref().clone())),
            Some(problem) => Err(self.refuse(value.span(), key, &problem)),
        }
    }

    /// Whom to ask; a name without a contact does not inherit the contact of somebody else.
    pub fn owner(
        &self,
        name: Option<&Spanned<String>>,
        contact: Option<&Spanned<String>>,
        default: Option<&Owner>,
    ) -> Result<Option<Owner>, UsageError> {
        let name = self.shown("owner", name)?;
        let contact = self.shown("contact", contact)?;
        Ok(match (name, contact) {
            (None, None) => default.cloned(),
            (Some(name), contact) => Some(Owner { name, contact }),
            (None, Some(contact)) => Some(Owner {
                name: default.map_or_else(|| contact.clone(), |owner| owner.name.clone()),
                contact: Some(contact),
            }),
        })
    }

    pub fn history_days(&self, value: Option<&Spanned<i64>>) -> Result<u32, UsageError> {
        let Some(value) = value else {
            return Ok(DEFAULT_HISTORY_DAYS);
        };
        let days = u32::try_from(*value.as_ref()).ok();
        days.filter(|days| (1..=MOST_HISTORY_DAYS).contains(days))
            .ok_or_else(|| {
                let problem = format!(
                    "{} is not a number of days between 1 and {MOST_HISTORY_DAYS}; write for example 7",
                    value.as_ref()
                );
                self.refuse(value.span(), "history_days", &problem)
            })
    }

    pub fn entities(
        &self,
        tables: &[EntityTable],
        defaults: Thresholds,
        of_all: &Expectations,
        owner: Option<&Owner>,
    ) -> Result<Vec<EntityPolicy>, UsageError> {
        if tables.is_empty() {
            return Err(self.refuse(
                0..0,
                "entities",
                "the list is empty; name at least one entity or take it away",
            ));
        }
        if let Some(one_too_many) = tables.get(MOST_ENTITIES) {
            let problem = format!("more than {MOST_ENTITIES} entities are configured; keep fewer");
            return Err(self.refuse(one_too_many.entity_type.span(), "entities", &problem));
        }
        let mut entities: Vec<EntityPolicy> = Vec::with_capacity(tables.len());
        for table in tables {
            let entity_type = table.entity_type.as_ref();
            let refuse =
                |problem: &str| self.refuse(table.entity_type.span(), "entity_type", problem);
            if entity_type.trim().is_empty() {
                return Err(refuse(
                    "is empty; write it as the sync scripts do, for example \"sales\"",
                ));
            }
            if entities
                .iter()
                .any(|known| known.entity_type == *entity_type)
            {
                return Err(refuse(&format!(
                    "{:?} is configured twice; keep one of the two",
                    word(entity_type)
                )));
            }
            self.shown("entity_type", Some(&table.entity_type))?;
            let thresholds = [&table.late_after, &table.overdue_after, &table.stuck_after];
            let expected = self.expectations_of(table, of_all)?;
            entities.push(EntityPolicy {
                entity_type: entity_type.clone(),
                name: self
                    .shown("name", table.name.as_ref())?
                    .unwrap_or_else(|| crate::text::name_of(entity_type)),
                table: self.shown("table", table.table.as_ref())?,
                thresholds: self.thresholds(thresholds, defaults)?,
                schedule: expected.schedule,
                pauses: expected.pauses,
                actions: expected.actions,
                owner: self.owner(table.owner.as_ref(), table.contact.as_ref(), owner)?,
            });
        }
        Ok(entities)
    }
}

/// Where a site is served, with a slash at its end. `None` if that is no such address.
pub fn site_address(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

/// Why a text cannot be shown, with what to do about it; `None` if it can.
pub fn unfit(text: &str, longest: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some("is empty; write something or take the line away".to_owned());
    }
    if text.chars().nth(longest).is_some() {
        return Some(format!("is longer than {longest} characters; shorten it"));
    }
    let unseen = text.chars().find(|&c| c.is_control() || misleads(c))?;
    Some(format!(
        "holds a character that cannot be seen (U+{:04X}); take it out",
        u32::from(unseen)
    ))
}

/// What the TOML reader says, in one line; it may repeat a megabyte of the file.
pub fn quotable(message: &str) -> String {
    let length = message.chars().count();
    let beginning: String = message.chars().take(1000).collect();
    excerpt(&error_text(&beginning, length as u64))
        .replace('\n', "; ")
        .replace('\t', " ")
}

fn written(duration: TimeDelta) -> String {
    humantime::format_duration(duration.to_std().unwrap_or_default()).to_string()
}
