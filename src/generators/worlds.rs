//! Worlds to be judged, put into words and rendered.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::Volume;
use crate::changes::Journal;
use crate::config::Config;
use crate::health::{Reading, Source, assess};
use crate::model::Snapshot;
use crate::render::Look;
use crate::text::misleads;
use crate::views::programs::{self, Report};
use crate::views::{self, Site, Speaker};

/// Each with a whole assessment, its pages and files.
pub(crate) const WORLDS: Volume = Volume {
    sampled: 60,
    whole: 20_000,
};

/// When a build can take place: `--now` reaches from 1970 to 9998.
pub(crate) fn a_moment() -> impl Strategy<Value = DateTime<Utc>> {
    let last = DateTime::from_timestamp(253_370_764_799, 0).unwrap();
    let usual = DateTime::from_timestamp(1_795_377_900, 0).unwrap();
    select(vec![
        DateTime::UNIX_EPOCH,
        usual,
        usual - TimeDelta::days(90),
        last,
    ])
}

pub(crate) fn a_configuration() -> impl Strategy<Value = Config> {
    let texts = vec![
        "",
        "time_zone = \"UTC\"\ninterval = \"3660days\"\nlate_after = \"3660days\"\noverdue_after = \"3660days\"",
        "time_zone = \"Pacific/Apia\"\nlate_after = \"1s\"\noverdue_after = \"1s\"\nstuck_after = \"1s\"",
        "[[entities]]\nentity_type = \"sales\"\nstuck_after = \"3660days\"",
    ];
    select(texts).prop_map(|text| Config::parse(text, Path::new("syncmon.toml")).unwrap())
}

pub(crate) fn misleading(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || misleads(c)
}

/// Without the pairs of marks that set names apart (see `text::apart`); one that stands alone or within
/// another pair misleads.
fn without_pairs(shown: &str) -> String {
    let mut left = String::new();
    let mut rest = shown;
    while let Some((before, within)) = rest.split_once('\u{2068}') {
        left.push_str(before);
        let Some((name, after)) = within.split_once('\u{2069}') else {
            break;
        };
        left.push_str(name);
        rest = after;
    }
    left + rest
}

/// Judged, put into words and rendered, it overflows nowhere and misleads nobody.
pub(crate) fn can_be_shown(
    snapshot: Snapshot,
    config: &Config,
    now: DateTime<Utc>,
    away: bool,
) -> TestCaseResult {
    let source = if away {
        Source::Unreachable {
            since: snapshot.as_of.min(now),
            message: "The database is busy.".to_owned(),
        }
    } else {
        Source::Read
    };
    let reading = Reading {
        snapshot: Some(snapshot),
        source,
    };
    let assessment = assess(reading, &config.policy, now);
    let site = Site {
        title: &config.title,
        footer: config.brand.footer.as_deref(),
        demo: false,
        speaker: Speaker {
            zone: config.time_zone,
            now,
        },
        policy: &config.policy,
        undelivered: None,
        url: config.url.as_ref(),
        feed: true,
    };
    let terminal = views::terminal(&assessment, site);
    prop_assert!(
        !without_pairs(&terminal).contains(misleading),
        "{:?}",
        terminal
    );
    let journal = Journal::default().with(&assessment);
    let again = journal.clone().with(&assessment);
    prop_assert_eq!(&again, &journal);
    prop_assert!(journal.is_within_the_calendar());
    let report = Report {
        assessment: &assessment,
        journal: &journal,
        site,
    };
    monitors_understand(report)?;
    let files =
        Look::load(None, &config.brand).and_then(|look| look.render_all(report, config.outputs));
    for file in files.map_err(|error| TestCaseError::fail(format!("{error:#}")))? {
        // Compressed copies say the same once more.
        if file.path.strip_suffix(".gz").is_some() {
            continue;
        }
        let text = String::from_utf8(file.bytes).unwrap();
        // In a file for spreadsheets lines end in CR LF, and a mark at its beginning says the encoding.
        let shown = match file.path.rsplit_once('.') {
            Some((_, "csv")) => text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
            _ => text.clone(),
        };
        prop_assert!(
            !without_pairs(&shown).contains(misleading),
            "{}: {:?}",
            file.path,
            text
        );
    }
    Ok(())
}

fn monitors_understand(report: Report) -> TestCaseResult {
    let build = programs::Build {
        took: std::time::Duration::ZERO,
        demo: false,
    };
    let metrics = programs::metrics(report.assessment, build);
    prop_assert!(
        metrics
            .lines()
            .all(|line| line.starts_with("syncmon_") || line.starts_with("# "))
    );
    let line = programs::plugin(report.assessment, report.site.speaker);
    prop_assert_eq!(line.matches('|').count(), 1, "{}", line);
    Ok(())
}
