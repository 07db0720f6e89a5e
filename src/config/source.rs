//! Values of the file, checked, with refusals that name file, line, key and remedy.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use toml::Spanned;

use super::file::EntityTable;
use crate::failure::UsageError;
use crate::health::{EntityPolicy, Thresholds};

/// No threshold, interval or timeout may be longer than this.
const LONGEST: TimeDelta = TimeDelta::days(3660);

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

    fn refuse(&self, span: Range<usize>, key: &str, problem: &str) -> UsageError {
        UsageError::new(format!(
            "{}, line {}, {key}: {problem}",
            self.path.display(),
            self.line(span.start)
        ))
    }

    /// What the TOML reader refused: bad syntax, unknown keys, wrong types.
    pub fn syntax(&self, error: &toml::de::Error) -> UsageError {
        let start = error
            .span()
            .map_or(0, |span| span.start.min(self.text.len()));
        let line = self.line(start);
        let written = self.text.lines().nth(line - 1).unwrap_or_default();
        let key = written.split('=').next().unwrap_or_default().trim();
        let message = error.message().trim_end().replace('\n', "; ");
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
        let Some(value) = value else {
            return Ok(default);
        };
        let parsed = humantime::parse_duration(value.as_ref())
            .ok()
            .and_then(|duration| TimeDelta::from_std(duration).ok())
            .filter(|duration| *duration >= TimeDelta::seconds(1) && *duration <= LONGEST);
        parsed.ok_or_else(|| {
            let problem = format!(
                "{:?} is not a duration between 1 second and 10 years; write for example \"2h\" or \"90min\"",
                value.as_ref()
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
        let duration = self.duration(key, value, TimeDelta::seconds(default_seconds))?;
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
                value.as_ref()
            );
            self.refuse(value.span(), "time_zone", &problem)
        })
    }

    pub fn entities(
        &self,
        tables: &[EntityTable],
        defaults: Thresholds,
    ) -> Result<Vec<EntityPolicy>, UsageError> {
        if tables.is_empty() {
            return Err(self.refuse(
                0..0,
                "entities",
                "the list is empty; name at least one entity or take it away",
            ));
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
                    "{entity_type:?} is configured twice; keep one of the two"
                )));
            }
            let thresholds = [&table.late_after, &table.overdue_after, &table.stuck_after];
            entities.push(EntityPolicy {
                entity_type: entity_type.clone(),
                name: table.name.as_ref().map_or_else(
                    || crate::text::name_of(entity_type),
                    |name| name.as_ref().clone(),
                ),
                table: table.table.as_ref().map(|table| table.as_ref().clone()),
                thresholds: self.thresholds(thresholds, defaults)?,
            });
        }
        Ok(entities)
    }
}

fn written(duration: TimeDelta) -> String {
    humantime::format_duration(duration.to_std().unwrap_or_default()).to_string()
}
