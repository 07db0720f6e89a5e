//! The findings for programs. The shape is a contract, see README.md.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::lines::conclusion;
use super::{Condition, Finding, Seen};

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    looked_at: String,
    ok: bool,
    problems: Vec<&'a str>,
    summary: String,
    links: Vec<LinkReport<'a>>,
}

#[derive(Serialize)]
struct LinkReport<'a> {
    link: &'a str,
    name: &'a str,
    state: &'a str,
    summary: Option<&'a str>,
    findings: Vec<FindingReport<'a>>,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    kind: &'a str,
    says: &'a str,
    remedy: Option<&'a str>,
}

/// All links as one JSON document, looked at from `now` on.
pub fn json(links: &[Seen], now: DateTime<Utc>) -> String {
    let problems: Vec<&str> = links
        .iter()
        .filter(|seen| seen.condition() == Condition::Problem)
        .map(|seen| seen.link.id())
        .collect();
    let report = Report {
        schema_version: 1,
        looked_at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
        ok: problems.is_empty(),
        problems,
        summary: conclusion(links),
        links: links.iter().map(link).collect(),
    };
    let text = serde_json::to_string_pretty(&report).expect("texts and flags are JSON");
    text + "\n"
}

fn link(seen: &Seen) -> LinkReport<'_> {
    LinkReport {
        link: seen.link.id(),
        name: seen.link.name(),
        state: seen.condition().word(),
        summary: Some(&*seen.summary).filter(|summary| !summary.is_empty()),
        findings: seen.findings.iter().map(finding).collect(),
    }
}

fn finding(finding: &Finding) -> FindingReport<'_> {
    FindingReport {
        kind: if finding.is_problem {
            "problem"
        } else {
            "note"
        },
        says: &finding.says,
        remedy: finding.remedy.as_deref(),
    }
}
