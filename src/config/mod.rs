//! What the user decided: `syncmon.toml`, validated once, with every refusal naming file, line,
//! key and remedy.

mod alerts;
mod appearance;
mod expectations;
mod file;
mod outputs;
#[cfg(test)]
pub(crate) mod properties;
mod reading;
mod source;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use url::Url;

use crate::brand::Brand;
use crate::failure::UsageError;
use crate::health::{EntityPolicy, Owner, Policy, Thresholds};
pub use alerts::Alerts;
use expectations::Expectations;
use file::File;
pub use outputs::Outputs;
use source::Source;
pub use source::site_address;

/// Everything that a build needs to know and does not learn from the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub title: String,
    /// Where the site is served, with a slash at its end; messages and feeds lead there.
    pub url: Option<Url>,
    pub brand: Brand,
    /// The zone in which the pages speak.
    pub time_zone: Tz,
    pub policy: Policy,
    pub alerts: Alerts,
    /// What is written into the site for other programs.
    pub outputs: Outputs,
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

impl Config {
    /// The file that is in force: `explicit`, else `./syncmon.toml`, else `/etc/syncmon/syncmon.toml`, else none.
    pub fn file_in_force(explicit: Option<&Path>) -> Option<PathBuf> {
        let usual = ["syncmon.toml", "/etc/syncmon/syncmon.toml"];
        match explicit {
            Some(path) => Some(path.to_owned()),
            // A link to nowhere is not passed over in silence.
            None => usual
                .iter()
                .map(PathBuf::from)
                .find(|path| path.symlink_metadata().is_ok()),
        }
    }

    /// Reads [`Config::file_in_force`].
    pub fn load(explicit: Option<&Path>) -> Result<Config, UsageError> {
        let Some(path) = Config::file_in_force(explicit) else {
            return Config::parse("", Path::new("syncmon.toml"));
        };
        let text = reading::text_of(&path)?;
        let source = Source {
            text: &text,
            path: &path,
        };
        let file = source.file()?;
        let mut config = Config::validated(&source, &file)?;
        config.brand.logo = source.logo(file.logo.as_ref())?;
        Ok(config)
    }

    /// Reads the text of a configuration file, but not the files that it names. `path` is only for
    /// messages.
    pub fn parse(text: &str, path: &Path) -> Result<Config, UsageError> {
        let source = Source { text, path };
        Config::validated(&source, &source.file()?)
    }

    fn validated(source: &Source, file: &File) -> Result<Config, UsageError> {
        let defaults = Thresholds::default();
        let thresholds = source.thresholds(
            [&file.late_after, &file.overdue_after, &file.stuck_after],
            defaults,
        )?;
        let expected = source.expectations(file)?;
        let owner = source.owner(file.owner.as_ref(), file.contact.as_ref(), None)?;
        let entities = match &file.entities {
            None => built_in(thresholds, &expected, owner.as_ref()),
            Some(tables) => source.entities(tables, thresholds, &expected, owner.as_ref())?,
        };
        let interval =
            source.duration("interval", file.interval.as_ref(), TimeDelta::minutes(5))?;
        Ok(Config {
            title: source
                .shown("title", file.title.as_ref())?
                .unwrap_or_else(|| "Sync status".to_owned()),
            url: source.url(file.url.as_ref())?,
            brand: Brand {
                logo: None,
                accent: source.accent(file.accent.as_ref())?,
                footer: source.footer(file.footer.as_ref())?,
            },
            time_zone: expected.zone,
            policy: Policy {
                entities,
                thresholds,
                schedule: expected.schedule,
                pauses: expected.pauses,
                actions: expected.actions,
                owner,
                zone: expected.zone,
                interval,
                history_days: source.history_days(file.history_days.as_ref())?,
            },
            alerts: source.alerts(file.alerts.as_ref())?,
            outputs: file.outputs.as_ref().map(Outputs::from).unwrap_or_default(),
            connect_timeout: source.timeout(
                "connect_timeout",
                file.connect_timeout.as_ref(),
                10,
            )?,
            build_timeout: source.timeout("build_timeout", file.build_timeout.as_ref(), 60)?,
        })
    }
}

fn built_in(
    thresholds: Thresholds,
    expected: &Expectations,
    owner: Option<&Owner>,
) -> Vec<EntityPolicy> {
    BUILT_IN
        .iter()
        .map(|&(entity_type, name, table)| EntityPolicy {
            entity_type: entity_type.to_owned(),
            name: name.to_owned(),
            table: Some(table.to_owned()),
            thresholds,
            schedule: expected.schedule.clone(),
            pauses: expected.pauses.clone(),
            actions: expected.actions.clone(),
            owner: owner.cloned(),
        })
        .collect()
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
    fn the_address_of_the_site_ends_with_a_slash() {
        for written in ["https://example.org/sync", "https://example.org/sync/"] {
            let config = parse(&format!("url = \"{written}\"")).unwrap();
            let url = config.url.map(String::from);
            assert_eq!(url.as_deref(), Some("https://example.org/sync/"));
        }
        assert_eq!(parse("").unwrap().url, None);
    }

    #[test]
    fn a_thousand_entities_are_the_most() {
        let entities = |number| {
            let types = (0..number).map(|index| {
                format!(
                    "entity_type = \"e{index}\"
"
                )
            });
            format!(
                "[[entities]]
{}",
                types.collect::<Vec<_>>().join(
                    "[[entities]]
"
                )
            )
        };
        let config = parse(&entities(1000)).unwrap();
        assert_eq!(config.policy.entities.len(), 1000);
        assert_eq!(
            refusal(&entities(1001)),
            "syncmon.toml, line 2002, entities: more than 1000 entities are configured; keep fewer"
        );
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
            (
                "url = \"https://ro:secret@example.org/\"",
                1,
                "url",
                "https://status.example.org/",
            ),
            ("url = \"example.org\"", 1, "url", "https://"),
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
            ("[outputs]\nfeeds = true", 2, "feeds", "spelling"),
        ] {
            let message = refusal(text);
            let place = format!("syncmon.toml, line {line}, {key}");
            assert!(message.starts_with(&place), "{text:?}: {message}");
            assert!(message.contains(remedy), "{text:?}: {message}");
        }
    }
}
