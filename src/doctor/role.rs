//! Who reads, and that it can do nothing else.

use super::{Link, Seen, listed};
use crate::store::{Examination, Role};
use crate::views::identifier;

const READER: &str = "connect as syncmon_ro, which syncmon init-db makes: put it in place of the role in DATABASE_URL";

pub fn role(examination: &Examination) -> Seen {
    let Some(role) = &examination.role else {
        return Seen::new(Link::Role, "a file knows no roles; it is opened read-only");
    };
    let seen = beyond_reading(role);
    if seen.findings.is_empty() {
        habits(
            Seen::new(
                Link::Role,
                format!("{} may read the sync tables, and write nothing", role.name),
            ),
            role,
        )
    } else {
        seen
    }
}

/// What a role may do that a status page never needs. Of several reasons the greatest is said.
fn beyond_reading(role: &Role) -> Seen {
    let seen = Seen::new(Link::Role, "");
    let name = &role.name;
    if role.superuser {
        return seen.problem(
            format!("{name} is a superuser: whoever learns its password owns the server"),
            READER,
        );
    }
    if !role.owns.is_empty() {
        return seen.problem(
            format!(
                "{name} owns {}, and so may change and drop what the page is about",
                listed(&role.owns)
            ),
            READER,
        );
    }
    let mut seen = seen;
    if role.bypasses_row_security {
        seen = seen.problem(
            format!("{name} bypasses row security (BYPASSRLS): it sees every row of every table that it may read"),
            READER,
        );
    }
    if !role.writes.is_empty() {
        let tables: Vec<String> = role.writes.iter().map(|w| w.table.clone()).collect();
        let mut privileges: Vec<String> = Vec::new();
        for privilege in role.writes.iter().flat_map(|writable| &writable.privileges) {
            if !privileges.contains(privilege) {
                privileges.push(privilege.clone());
            }
        }
        let privileges = privileges.join(", ");
        let on: Vec<String> = tables
            .iter()
            .map(|t| format!("public.{}", identifier(t)))
            .collect();
        seen = seen.problem(
            format!("{name} may write {} ({privileges})", listed(&tables)),
            format!(
                "connect as syncmon_ro, or: revoke {} on {} from {};",
                privileges.to_lowercase(),
                on.join(", "),
                identifier(name)
            ),
        );
    }
    seen
}

/// Settings that keep an accident small.
fn habits(mut seen: Seen, role: &Role) -> Seen {
    let alter = format!("alter role {}", identifier(&role.name));
    if !role.reads_only {
        seen = seen.advice(
            format!(
                "the transactions of {} are not read-only by default",
                role.name
            ),
            format!("{alter} set default_transaction_read_only = on;"),
        );
    }
    if role.statement_timeout_ms == 0 {
        seen = seen.advice(
            format!("a statement of {} may run for ever", role.name),
            format!("{alter} set statement_timeout = '30s';"),
        );
    }
    seen
}
