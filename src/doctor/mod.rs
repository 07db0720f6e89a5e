//! `syncmon doctor`: what is found along the chain, from the configuration to the reader, and how to mend it. Pure:
//! facts come in, conclusions in words go out. One file a link.

mod cadence;
mod clock;
mod configuration;
mod connection;
mod lines;
mod output;
mod published;
mod report;
mod rhythm;
mod role;
mod rows;
mod served;
mod state;
mod tables;

pub use cadence::thresholds;
pub use clock::clock;
pub use configuration::{ConfigurationFacts, EnvironmentFile, configuration, database};
pub use connection::{connection, no_connection};
pub use lines::{Paper, progress, text};
pub use output::{Grounds, no_output, output};
pub use published::{Publication, StatusFile, published};
pub use report::json;
pub use role::role;
pub use rows::rows;
pub use served::{Plain, Step, Visit, is_local, served};
pub use state::{Keeping, no_state, state};
pub use tables::{index, tables};

use crate::masking::hide_known;

/// The links of the chain, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Configuration,
    Database,
    Connection,
    Role,
    Tables,
    Index,
    Rows,
    Clock,
    Thresholds,
    Output,
    State,
    Published,
    Served,
}

impl Link {
    /// What people read.
    pub fn name(self) -> &'static str {
        match self {
            Link::Configuration => "Configuration",
            Link::Database => "Database",
            Link::Connection => "Connection",
            Link::Role => "Role",
            Link::Tables => "Tables",
            Link::Index => "Index",
            Link::Rows => "Rows",
            Link::Clock => "Clock",
            Link::Thresholds => "Thresholds",
            Link::Output => "Output",
            Link::State => "State",
            Link::Published => "Last publish",
            Link::Served => "Served page",
        }
    }

    /// What programs read; never changes.
    pub fn id(self) -> &'static str {
        match self {
            Link::Configuration => "configuration",
            Link::Database => "database",
            Link::Connection => "connection",
            Link::Role => "role",
            Link::Tables => "tables",
            Link::Index => "index",
            Link::Rows => "rows",
            Link::Clock => "clock",
            Link::Thresholds => "thresholds",
            Link::Output => "output",
            Link::State => "state",
            Link::Published => "last_publish",
            Link::Served => "served_page",
        }
    }
}

/// How a link does. Ordered: worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It could not be looked at, or there was no need to.
    Skipped,
    Ok,
    /// It holds; something is worth knowing.
    Note,
    Problem,
}

impl Condition {
    pub fn word(self) -> &'static str {
        match self {
            Condition::Skipped => "skipped",
            Condition::Ok => "ok",
            Condition::Note => "note",
            Condition::Problem => "problem",
        }
    }
}

/// Something that was found on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub is_problem: bool,
    pub says: String,
    /// What to do about it; a problem always has one.
    pub remedy: Option<String>,
}

/// A link that was looked at, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub link: Link,
    /// What there is, in one sentence; empty where only the findings tell.
    pub summary: String,
    pub findings: Vec<Finding>,
    skipped: bool,
}

impl Seen {
    pub fn new(link: Link, summary: impl Into<String>) -> Seen {
        Seen {
            link,
            summary: summary.into(),
            findings: Vec::new(),
            skipped: false,
        }
    }

    /// A link that was not looked at, for this reason: "there is no connection".
    pub fn skipped(link: Link, because: &str) -> Seen {
        Seen {
            skipped: true,
            ..Seen::new(link, format!("not looked at, because {because}"))
        }
    }

    /// A link of which there is nothing to say but this.
    pub fn broken(link: Link, says: impl Into<String>, remedy: impl Into<String>) -> Seen {
        Seen::new(link, "").problem(says, remedy)
    }

    /// The same from a message that ends with what to do: "what, on what; what to do next".
    pub fn refused(link: Link, message: &str) -> Seen {
        let (says, remedy) = taken_apart(message);
        Seen::broken(link, says, remedy)
    }

    #[must_use]
    pub fn problem(mut self, says: impl Into<String>, remedy: impl Into<String>) -> Seen {
        self.findings.push(Finding {
            is_problem: true,
            says: says.into(),
            remedy: Some(remedy.into()),
        });
        self
    }

    /// Something that could be better.
    #[must_use]
    pub fn advice(mut self, says: impl Into<String>, remedy: impl Into<String>) -> Seen {
        self.findings.push(Finding {
            is_problem: false,
            says: says.into(),
            remedy: Some(remedy.into()),
        });
        self
    }

    /// Something that is as it is.
    #[must_use]
    pub fn note(mut self, says: impl Into<String>) -> Seen {
        self.findings.push(Finding {
            is_problem: false,
            says: says.into(),
            remedy: None,
        });
        self
    }

    pub fn condition(&self) -> Condition {
        if self.skipped {
            Condition::Skipped
        } else if self.findings.iter().any(|finding| finding.is_problem) {
            Condition::Problem
        } else if self.findings.is_empty() {
            Condition::Ok
        } else {
            Condition::Note
        }
    }

    /// The same without these secrets, in whatever form a text repeats them, and in one line a text.
    #[must_use]
    pub fn without(mut self, secrets: &[String]) -> Seen {
        let clean = |text: &str| {
            let line: Vec<&str> = text.split_whitespace().collect();
            hide_known(&line.join(" "), secrets)
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect::<String>()
        };
        self.summary = clean(&self.summary);
        for finding in &mut self.findings {
            finding.says = clean(&finding.says);
            finding.remedy = finding.remedy.as_deref().map(clean);
        }
        self
    }
}

/// A message "what, on what; what to do next" in its two parts.
fn taken_apart(message: &str) -> (String, String) {
    let parts = message
        .split_once("; ")
        .filter(|(_, remedy)| !remedy.starts_with("or "))
        .or_else(|| message.split_once(": "));
    match parts {
        Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
        None => (message.to_owned(), "correct this first".to_owned()),
    }
}

/// "Sales", "Sales and Outlets", "Sales, Outlets and 4 more".
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides() {
        let seen = Seen::new(Link::Role, "reads as syncmon_ro");
        assert_eq!(seen.condition(), Condition::Ok);
        let seen = seen.note("it may take its time");
        assert_eq!(seen.condition(), Condition::Note);
        let seen = seen.problem("it may write", "revoke it");
        assert_eq!(seen.condition(), Condition::Problem);
        assert_eq!(
            Seen::skipped(Link::Role, "x").condition(),
            Condition::Skipped
        );
    }

    #[test]
    fn a_message_is_taken_apart_where_its_remedy_begins() {
        let parts = |message| taken_apart(message);
        assert_eq!(
            parts("a.toml, line 3, x: unknown; take it away; really"),
            (
                "a.toml, line 3, x: unknown".into(),
                "take it away; really".into()
            )
        );
        assert_eq!(
            parts("no database: set DATABASE_URL to this; or try that"),
            (
                "no database".into(),
                "set DATABASE_URL to this; or try that".into()
            )
        );
        assert_eq!(
            parts("no idea"),
            ("no idea".into(), "correct this first".into())
        );
    }

    #[test]
    fn no_text_keeps_a_secret_or_a_line_end() {
        let secrets = ["S3cret".to_owned()];
        let seen = Seen::new(Link::Database, "a S3cret\nhere")
            .problem("b S3cret\u{7}", "c S3cret")
            .without(&secrets);
        assert_eq!(seen.summary, "a [masked] here");
        assert_eq!(seen.findings[0].says, "b [masked]\u{fffd}");
        assert_eq!(seen.findings[0].remedy.as_deref(), Some("c [masked]"));
    }
}
