//! What is written for other programs: feed, Statuspage documents and badge.

use anyhow::{Context, Result};
use serde::Serialize;

use super::Look;
use super::built_in::BuiltIn;
use super::compressed::with_copies;
use super::side_by_side::both;
use crate::config::Outputs;
use crate::publish::OutputFile;
use crate::views::programs::{Badge, Feed, Report, badge, endpoint, feed, statuspage};

/// Part of a contract with other programs, so that no folder of one's own replaces them.
pub const TEMPLATES: &[BuiltIn] = &[
    (FEED, include_str!("../../templates/programs/feed.xml")),
    (BADGE, include_str!("../../templates/programs/badge.svg")),
];

const FEED: &str = "programs/feed.xml";
const BADGE: &str = "programs/badge.svg";

#[derive(Serialize)]
struct GivenFeed {
    feed: Feed,
}

#[derive(Serialize)]
struct GivenBadge {
    badge: Badge,
}

impl Look {
    /// The whole site but for its assets, the overview last, with the copies that save compressing.
    pub fn render_all(&self, report: Report, outputs: Outputs) -> Result<Vec<OutputFile>> {
        let (programs, readers) = both(
            || self.for_programs(report, outputs),
            || self.render(report.assessment, report.site),
        )?;
        let mut files = programs?;
        files.extend(readers?);
        with_copies(files)
    }

    /// Those that are switched on.
    fn for_programs(&self, report: Report, outputs: Outputs) -> Result<Vec<OutputFile>> {
        let mut files = Vec::new();
        if outputs.feed {
            let feed = feed(report);
            let feed = self.rendered(FEED, &GivenFeed { feed })?;
            files.push(OutputFile::new("feed.xml", feed));
        }
        if outputs.api {
            let documents = statuspage(report);
            files.push(document("api/v2/summary.json", &documents.summary())?);
            files.push(document("api/v2/status.json", documents.overview())?);
            files.push(document("api/v2/components.json", &documents.components())?);
            files.push(document("api/v2/incidents.json", &documents.incidents())?);
        }
        if outputs.badge {
            let badge = badge(report);
            let badge = self.rendered(BADGE, &GivenBadge { badge })?;
            files.push(OutputFile::new("badge.svg", badge));
            files.push(document("badge.json", &endpoint(report))?);
        }
        Ok(files)
    }
}

fn document(path: &str, content: &impl Serialize) -> Result<OutputFile> {
    let mut bytes =
        serde_json::to_vec_pretty(content).with_context(|| format!("{path} cannot be written"))?;
    bytes.push(b'\n');
    Ok(OutputFile::new(path, bytes))
}
