//! The configuration: any text is refused in one line with its place, or means something sane.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::Config;
use crate::generators::mutations::bent_text;
use crate::generators::{Volume, fuzz};
use crate::health::{Reading, Source, Thresholds, assess};
use crate::model::{LATEST, Snapshot};
use crate::text::misleads;

const VOLUME: Volume = Volume {
    sampled: 1_000,
    whole: 200_000,
};

/// Configurations, some with a mistake.
const SEEDS: &[&str] = &[
    include_str!("../../syncmon.example.toml"),
    "title = \"Museum\"\ntime_zone = \"UTC\"\ninterval = \"5min\"\n",
    "logo = \"logo.svg\"\naccent = \"#8a1c4a\"\nfooter = \"\"\"\na@b.example\nhttps://c.example/\"\"\"\n",
    "late_after = \"2h\"\noverdue_after = \"12h\"\nstuck_after = \"1h 30min\"\n",
    "connect_timeout = \"10s\"\nbuild_timeout = '60s'\n",
    "[[entities]]\nentity_type = \"sales\"\nname = \"Sales\"\nlate_after = \"90min\"\n\
     [[entities]]\nentity_type = \"outlets\"\ntable = \"\"\"t\"\"\"\noverdue_after = \"2days\"\n",
    "entities = [{ entity_type = \"a\" }, { entity_type = \"b\", stuck_after = \"1s\" }]\n",
    "\u{feff}title = \"Gr\\u00f6\u{df}e\"\r\n\r\ninterval = \"1year\"\r\n",
    "[entities]\nentity_type = 5\n",
    "title = 1979-05-27T07:32:00Z\ninterval = [1, 2.5, true]\n",
];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "title", "logo", "accent", "footer", "\"#8a1c4a\"", "#", "https://", "@b.example", "time_zone", "interval", "late_after", "overdue_after", "stuck_after", "connect_timeout",
    "build_timeout", "entities", "entity_type", "name", "table", " = ", "=", "[[entities]]\n", "[", "]",
    "[[", "]]", "{", "}", ",", ".", "\"", "'", "\"\"\"", "'''", "\\u0000", "\\u202e", "\\n", "\\", "#",
    "\n", "\r\n", "\r", "\t", " ", "\"2h\"", "\"12h\"", "\"1s\"", "\"3660days\"", "\"1ms\"", "\"0s\"",
    "\"99999999999999999999y\"", "\"1y 1y 1y\"", "\"-1h\"", "1e400", "0x7fffffffffffffff", "inf", "nan",
    "true", "\u{feff}", "\u{0}", "\u{1b}[2J", "\u{202e}", "\u{2028}", "\u{85}", "é", "\u{1f469}",
    "entity_type = \"sales\"\n", "postgres://ro:S3cretPw@h/db", "\"America/Los_Angeles\"", "\"UTC\"",
];

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("syncmon.toml")).map_err(|refusal| refusal.to_string())
}

/// "syncmon.toml, line 3, …" in one line, with a line that the text has.
pub(crate) fn is_a_refusal(message: &str, text: &str) -> TestCaseResult {
    let hidden = |c: char| c.is_control() || misleads(c);
    prop_assert!(!message.contains(hidden), "{:?}", message);
    prop_assert!(message.len() < 2000, "{}", message);
    let place = message.strip_prefix("syncmon.toml, line ");
    let line = place.and_then(|rest| rest.split(',').next()?.parse::<usize>().ok());
    let lines = text.matches('\n').count() + 1;
    prop_assert!(
        line.is_some_and(|line| (1..=lines).contains(&line)),
        "{}",
        message
    );
    prop_assert!(
        message.contains("; ") || message.contains(", so "),
        "what next? {}",
        message
    );
    Ok(())
}

fn are_sane(thresholds: Thresholds) -> TestCaseResult {
    let Thresholds {
        late_after,
        overdue_after,
        stuck_after,
    } = thresholds;
    let bounds = TimeDelta::seconds(1)..=TimeDelta::days(3660);
    for duration in [late_after, overdue_after, stuck_after] {
        prop_assert!(bounds.contains(&duration), "{:?}", thresholds);
    }
    prop_assert!(late_after <= overdue_after, "{:?}", thresholds);
    Ok(())
}

/// A build at the ends of the calendar does not come to grief over it.
fn is_sane(config: &Config) -> TestCaseResult {
    are_sane(config.policy.thresholds)?;
    let bounds = Duration::from_secs(1)..=Duration::from_hours(24);
    prop_assert!(bounds.contains(&config.connect_timeout));
    prop_assert!(bounds.contains(&config.build_timeout));
    prop_assert!((1..=1000).contains(&config.policy.entities.len()));
    let hidden = |c: char| c.is_control() || misleads(c);
    let legible = |text: &str| {
        !text.trim().is_empty() && text.chars().count() <= 200 && !text.contains(hidden)
    };
    prop_assert!(legible(&config.title), "{:?}", config.title);
    if let Some(footer) = &config.brand.footer {
        prop_assert!(footer.chars().count() <= 500, "{:?}", footer);
        prop_assert!(!footer.replace('\n', "").contains(hidden), "{:?}", footer);
    }
    if let Some(accent) = config.brand.accent {
        let style = accent.style();
        prop_assert_eq!(style.matches(['{', '}', ';']).count(), 8, "{}", style);
    }
    for entity in &config.policy.entities {
        are_sane(entity.thresholds)?;
        prop_assert!(
            legible(&entity.name) && legible(&entity.entity_type),
            "{:?}",
            entity
        );
        prop_assert!(entity.table.as_deref().is_none_or(legible), "{:?}", entity);
    }
    for as_of in [DateTime::UNIX_EPOCH, LATEST] {
        let snapshot = Snapshot {
            as_of,
            history_since: as_of,
            database: crate::model::DatabaseFacts::default(),
            entities: Vec::new(),
        };
        let reading = Reading {
            snapshot: Some(snapshot),
            source: Source::Read,
        };
        let assessment = assess(reading, &config.policy, as_of);
        prop_assert!(assessment.valid_until > assessment.as_of);
    }
    Ok(())
}

#[test]
fn any_configuration_is_refused_with_its_place_or_is_sane() {
    fuzz(
        "the configuration",
        VOLUME,
        &bent_text(SEEDS, WORDS),
        |text| match parse(&text) {
            Ok(config) => is_sane(&config),
            Err(refusal) => is_a_refusal(&refusal, &text),
        },
    );
}

/// The units of a duration, in nanoseconds, as the manual of humantime lists them.
const UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("nsec", 1),
    ("us", 1_000),
    ("usec", 1_000),
    ("ms", 1_000_000),
    ("msec", 1_000_000),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("seconds", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("minutes", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("hr", 3_600_000_000_000),
    ("hours", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("days", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
    ("weeks", 604_800_000_000_000),
    ("M", 2_630_016_000_000_000),
    ("months", 2_630_016_000_000_000),
    ("y", 31_557_600_000_000_000),
    ("years", 31_557_600_000_000_000),
];

/// A duration in parts, each with the space after it, most of them of a sensible size.
fn parts() -> impl Strategy<Value = Vec<(u64, (&'static str, u128), &'static str)>> {
    let number = prop_oneof![
        6 => 0_u64..200,
        2 => any::<u32>().prop_map(u64::from),
        1 => any::<u64>(),
        1 => select(vec![u64::MAX, i64::MAX as u64, 316_224_000, 316_224_001, 3660, 3661]),
    ];
    vec((number, select(UNITS), select(vec![" ", "", "  "])), 1..5)
}

#[test]
fn a_duration_is_exactly_what_its_text_says() {
    fuzz("durations", VOLUME, &parts(), |parts| {
        let text: Vec<String> = parts
            .iter()
            .map(|(number, (unit, _), space)| format!("{number}{unit}{space}"))
            .collect();
        let text = text.concat();
        let meant = parts
            .iter()
            .try_fold(0_u128, |sum, (number, (_, unit), _)| {
                u128::from(*number).checked_mul(*unit)?.checked_add(sum)
            });
        let second = 1_000_000_000_u128;
        let allowed = meant.filter(|meant| (second..=3660 * 86_400 * second).contains(meant));
        match (parse(&format!("interval = \"{text}\"")), allowed) {
            (Ok(config), Some(meant)) => {
                let read = config.policy.interval.to_std().unwrap().as_nanos();
                prop_assert_eq!(read, meant, "{}", text);
            }
            (Err(refusal), None) => is_a_refusal(&refusal, &text)?,
            (read, allowed) => prop_assert!(false, "{text}: {allowed:?}, but {read:?}"),
        }
        Ok(())
    });
}
