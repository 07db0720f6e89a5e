//! The two tables and the index: what a build reads of them.

use super::{Link, Seen, listed};
use crate::store::{Examination, Table};
use crate::views::identifier;

/// What a column may be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Moment,
    Seconds,
    Whole,
}

impl Kind {
    /// The types that serve, as PostgreSQL calls them. The first is that of `schema.sql`.
    fn types(self) -> &'static [&'static str] {
        match self {
            Kind::Text => &["text", "character varying", "character", "citext"],
            Kind::Moment => &["timestamp with time zone"],
            Kind::Seconds => &["numeric", "double precision", "real"],
            Kind::Whole => &["integer", "bigint", "smallint"],
        }
    }
}

/// What is read of each table.
const READ: [(&str, &[(&str, Kind)]); 2] = [
    (
        "sync_state",
        &[
            ("entity_type", Kind::Text),
            ("last_sync_time", Kind::Moment),
            ("status", Kind::Text),
            ("error_message", Kind::Text),
            ("updated_at", Kind::Moment),
        ],
    ),
    (
        "sync_log",
        &[
            ("id", Kind::Whole),
            ("timestamp", Kind::Moment),
            ("entity_type", Kind::Text),
            ("action", Kind::Text),
            ("status", Kind::Text),
            ("duration_seconds", Kind::Seconds),
            ("records_processed", Kind::Whole),
            ("error_details", Kind::Text),
        ],
    ),
];

const INIT: &str = "run syncmon init-db with an administrator's connection string";

pub fn tables(examination: &Examination) -> Seen {
    // SQLite keeps whatever it is given in a column of any type.
    let is_typed = examination.role.is_some();
    let mut seen = Seen::new(
        Link::Tables,
        "sync_state and sync_log have the columns that are read",
    );
    let role = examination.role.as_ref();
    if let Some(role) = role.filter(|_| !examination.enters_schema) {
        return Seen::broken(
            Link::Tables,
            format!("{} may not use schema public", role.name),
            format!(
                "grant usage on schema public to {};",
                identifier(&role.name)
            ),
        );
    }
    let missing: Vec<String> = READ
        .iter()
        .filter(|(name, _)| found(examination, name).is_none())
        .map(|(name, _)| (*name).to_owned())
        .collect();
    if !missing.is_empty() {
        seen.summary.clear();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        seen = seen.problem(format!("{} {verb} missing", listed(&missing)), INIT);
    }
    for (name, columns) in READ {
        let Some(table) = found(examination, name) else {
            continue;
        };
        let before = seen.findings.len();
        if let Some(role) = role.filter(|_| !table.readable) {
            seen = seen.problem(
                format!("{} may not read {name}", role.name),
                format!(
                    "grant select on public.{name} to {};",
                    identifier(&role.name)
                ),
            );
        }
        for (column, kind) in columns {
            seen = check(seen, table, column, *kind, is_typed);
        }
        if seen.findings.len() > before {
            seen.summary.clear();
        }
    }
    seen
}

fn check(seen: Seen, table: &Table, column: &str, kind: Kind, is_typed: bool) -> Seen {
    let name = &table.name;
    let found = table.columns.iter().find(|found| found.name == column);
    let serving = kind.types();
    match found {
        None => seen.problem(
            format!("{name} has no column {column}"),
            "compare its columns with those that syncmon init-db --print shows, and add what is missing",
        ),
        Some(found) if is_typed && !serving.contains(&found.kind.as_str()) => seen.problem(
            format!("{name}.{column} is {}, and not {}", found.kind, serving[0]),
            retyped(name, column, &found.kind, serving[0]),
        ),
        Some(_) => seen,
    }
}

/// The statement that makes a column of another type.
fn retyped(table: &str, column: &str, from: &str, to: &str) -> String {
    let using = if from == "timestamp without time zone" {
        format!(" using {column:?} at time zone 'UTC'")
    } else {
        String::new()
    };
    format!("alter table public.{table} alter column {column:?} type {to}{using};")
}

/// The index without which a large log is read from end to end.
pub fn index(examination: &Examination) -> Seen {
    let columns = "sync_log (entity_type, \"timestamp\" desc)";
    match found(examination, "sync_log") {
        None => Seen::skipped(Link::Index, "sync_log is missing"),
        Some(table) if table.indexed => Seen::new(Link::Index, format!("on {columns}")),
        Some(table) if !table.stored => Seen::new(Link::Index, "").note(
            "sync_log is no table but a view: what is behind it needs an index that begins with entity_type and timestamp",
        ),
        Some(_) => Seen::broken(
            Link::Index,
            "sync_log has no index that begins with entity_type and timestamp: each build reads all of it",
            format!("run syncmon init-db as the owner, or: create index concurrently on public.{columns};"),
        ),
    }
}

fn found<'a>(examination: &'a Examination, name: &str) -> Option<&'a Table> {
    examination.tables.iter().find(|table| table.name == name)
}
