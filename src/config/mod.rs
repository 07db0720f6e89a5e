//! What the user decided: `syncmon.toml`, validated once, with every refusal naming file, line,
//! key and remedy.

mod file;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use toml::Spanned;

use crate::failure::UsageError;
use crate::health::{EntityPolicy, Policy, Thresholds};
use file::{EntityTable, File};

/// Everything that a build needs to know and does not learn from the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub title: String,
    /// The zone in which the pages speak.
    pub time_zone: Tz,
    pub policy: Policy,
    /// How long connecting to the database may take.
    pub connect_timeout: Duration,
    /// How long a whole build may take.
    pub build_timeout: Duration,
}

/// The six kinds of records that are copied from Lightspeed Retail: entity, name, table.
const BUILT_IN: [(&str, &str, &str); 6] = [
    ("customers", "Customers", "lightspeed_customers"),
    ("outlets", "Outlets", "lightspeed_outlets"),
    ("products", "Products", "lightspeed_products"),
    ("sales", "Sales", "lightspeed_sales"),
    (
        "sale_line_items",
        "Sale Line Items",
        "lightspeed_sale_line_items",
    ),
    ("inventory", "Inventory", "lightspeed_inventory"),
];

/// No threshold, interval or timeout may be longer than this.
const LONGEST: TimeDelta = TimeDelta::days(3660);

impl Config {
    /// Reads `explicit`, else `./syncmon.toml`, else `/etc/syncmon/syncmon.toml`, else nothing.
    pub fn load(explicit: Option<&Path>) -> Result<Config, UsageError> {
        let usual = ["syncmon.toml", "/etc/syncmon/syncmon.toml"];
        let found = match explicit {
            Some(path) => Some(path.to_owned()),
            None => usual.iter().map(PathBuf::from).find(|path| path.exists()),
        };
        let Some(path) = found else {
            return Config::parse("", Path::new("syncmon.toml"));
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            UsageError::new(format!(
                "the configuration {} cannot be read ({error}); check the path and its permissions",
                path.display()
            ))
        })?;
        Config::parse(&text, &path)
    }

    /// Reads the text of a configuration file. `path` is only for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Config, UsageError> {
        let source = Source { text, path };
        let file: File = toml::from_str(text).map_err(|error| source.syntax(&error))?;
        let defaults = Thresholds::default();
        let thresholds = source.thresholds(
            [&file.late_after, &file.overdue_after, &file.stuck_after],
            defaults,
        )?;
        let entities = match &file.entities {
            None => built_in(thresholds),
            Some(tables) => source.entities(tables, thresholds)?,
        };
        let interval =
            source.duration("interval", file.interval.as_ref(), TimeDelta::minutes(5))?;
        Ok(Config {
            title: file
                .title
                .map_or_else(|| "Sync status".to_owned(), Spanned::into_inner),
            time_zone: source.zone(file.time_zone.as_ref())?,
            policy: Policy {
                entities,
                thresholds,
                interval,
            },
            connect_timeout: source.timeout(
                "connect_timeout",
                file.connect_timeout.as_ref(),
                10,
            )?,
            build_timeout: source.timeout("build_timeout", file.build_timeout.as_ref(), 60)?,
        })
    }
}

fn built_in(thresholds: Thresholds) -> Vec<EntityPolicy> {
    BUILT_IN
        .iter()
        .map(|&(entity_type, name, table)| EntityPolicy {
            entity_type: entity_type.to_owned(),
            name: name.to_owned(),
            table: Some(table.to_owned()),
            thresholds,
        })
        .collect()
}

/// A configuration file's text, to say where in it something is wrong.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
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
    fn syntax(&self, error: &toml::de::Error) -> UsageError {
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

    fn duration(
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

    fn timeout(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
        default_seconds: i64,
    ) -> Result<Duration, UsageError> {
        let duration = self.duration(key, value, TimeDelta::seconds(default_seconds))?;
        Ok(duration.to_std().unwrap_or(Duration::MAX))
    }

    /// Late, overdue and stuck, in this order, each with its default.
    fn thresholds(
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

    fn zone(&self, value: Option<&Spanned<String>>) -> Result<Tz, UsageError> {
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

    fn entities(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, UsageError> {
        Config::parse(text, Path::new("syncmon.toml"))
    }

    fn refusal(text: &str) -> String {
        parse(text)
            .expect_err("this configuration is wrong")
            .to_string()
    }

    #[test]
    fn nothing_configured_means_six_entities_in_los_angeles() {
        let config = parse("").unwrap();
        let names: Vec<_> = config
            .policy
            .entities
            .iter()
            .map(|e| e.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "Customers",
                "Outlets",
                "Products",
                "Sales",
                "Sale Line Items",
                "Inventory"
            ]
        );
        assert_eq!(config.time_zone, chrono_tz::America::Los_Angeles);
        assert_eq!(config.policy.validity(), TimeDelta::minutes(15));
        assert_eq!(config.policy.thresholds.late_after, TimeDelta::hours(2));
        assert_eq!(config.policy.thresholds.overdue_after, TimeDelta::hours(12));
        assert_eq!(config.policy.thresholds.stuck_after, TimeDelta::hours(1));
    }

    #[test]
    fn entities_inherit_the_thresholds_that_they_do_not_set() {
        let config = parse(
            "late_after = \"90min\"\n[[entities]]\nentity_type = \"sales\"\noverdue_after = \"1day\"\n",
        )
        .unwrap();
        let [sales] = config.policy.entities.as_slice() else {
            panic!("one entity")
        };
        assert_eq!(sales.name, "Sales");
        assert_eq!(sales.table, None);
        assert_eq!(sales.thresholds.late_after, TimeDelta::minutes(90));
        assert_eq!(sales.thresholds.overdue_after, TimeDelta::days(1));
    }

    #[test]
    fn refusals_name_file_line_key_and_remedy() {
        for (text, line, key, remedy) in [
            (
                "title = \"x\"\nlate_affter = \"2h\"",
                2,
                "late_affter",
                "spelling",
            ),
            (
                "\n\ntime_zone = \"Mars/Olympus\"",
                3,
                "time_zone",
                "America/Los_Angeles",
            ),
            ("interval = \"5 parsecs\"", 1, "interval", "\"90min\""),
            ("interval = \"0s\"", 1, "interval", "\"90min\""),
            ("interval = 5", 1, "interval", "syncmon.example.toml"),
            ("late_after = \"13h\"", 1, "late_after", "longer"),
            (
                "late_after = \"3h\"\noverdue_after = \"2h\"",
                2,
                "overdue_after",
                "longer",
            ),
            (
                "title = \"a\"\ntitle = \"b\"",
                2,
                "title",
                "correct this line",
            ),
            ("entities = []", 1, "entities", "at least one"),
            (
                "[[entities]]\nname = \"x\"",
                1,
                "[[entities]]",
                "correct this line",
            ),
            (
                "[[entities]]\nentity_type = \"a\"\n[[entities]]\nentity_type = \"a\"",
                4,
                "entity_type",
                "keep one",
            ),
            (
                "[[entities]]\nentity_type = \"a\"\ncolour = 1",
                3,
                "colour",
                "spelling",
            ),
        ] {
            let message = refusal(text);
            let place = format!("syncmon.toml, line {line}, {key}");
            assert!(message.starts_with(&place), "{text:?}: {message}");
            assert!(message.contains(remedy), "{text:?}: {message}");
        }
    }
}
