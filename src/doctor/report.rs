//! The findings for programs. The shape is a contract, see README.md.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::lines::conclusion;
use super::{Condition, Seen};

/// All links as one JSON document, looked at from `now` on.
pub fn json(links: &[Seen], now: DateTime<Utc>) -> String {
    let problems: Vec<&str> = links
        .iter()
        .filter(|seen| seen.condition() == Condition::Problem)
        .map(|seen| seen.link.id())
        .collect();
    let document = json!({
        "schema_version": 1,
        "looked_at": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "ok": problems.is_empty(),
        "problems": problems,
        "summary": conclusion(links),
        "links": links.iter().map(link).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn link(seen: &Seen) -> Value {
    let findings: Vec<Value> = seen
        .findings
        .iter()
        .map(|finding| {
            json!({
                "kind": if finding.is_problem { "problem" } else { "note" },
                "says": finding.says,
                "remedy": finding.remedy,
            })
        })
        .collect();
    json!({
        "link": seen.link.id(),
        "name": seen.link.name(),
        "state": seen.condition().word(),
        "summary": Some(&seen.summary).filter(|summary| !summary.is_empty()),
        "findings": findings,
    })
}
