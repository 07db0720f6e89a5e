//! What a server or a pooler says when it refuses, and what helps: by SQLSTATE.

use sqlx::error::DatabaseError;

use super::{Unreadable, poolers};

pub const NO_SYNC_TABLES: &str = "The database does not have the sync tables in the expected form.";
pub const NO_ENTRY: &str = "The database did not let syncmon in.";
pub const BUSY: &str = "The database is busy.";
pub const MORE: &str = "run the same connection string with psql to see more";
pub const NO_DATABASE: &str = "The database does not exist under the configured name.";
const NOT_ALLOWED: &str = "The database does not let syncmon read the sync tables.";
pub const NO_CONNECTION: &str = "The database has no free connection.";
const UNREADABLE: &str = "The database could not be read.";
const TOO_LONG: &str = "The database took too long to answer.";
const TRIES_AGAIN: &str = "the next build tries again";

/// Existing tables are not changed by `init-db`: only a look at them helps.
pub const COMPARE: &str =
    "compare the columns of sync_state and sync_log with those that syncmon init-db --print shows";

pub fn from_server(error: &dyn DatabaseError) -> Unreadable {
    let code = error.code().unwrap_or_default().into_owned();
    // The server's own words only: Display would add lines of its source code.
    let message = error.message();
    let what = match (message, code.as_str()) {
        ("", "") => "refused without a reason".to_owned(),
        (_, "") => message.to_owned(),
        _ => format!("{message} (SQLSTATE {code})"),
    };
    let (plain, remedy) = entry(&code)
        .or_else(|| tables(&code, message))
        .or_else(|| capacity(&code))
        .or_else(|| poolers::advice(message))
        .unwrap_or((UNREADABLE, MORE));
    Unreadable::new(plain, what, remedy)
}

/// For everybody, and what helps.
pub type Advice = (&'static str, &'static str);

/// Getting in at all.
fn entry(code: &str) -> Option<Advice> {
    Some(match code {
        "28P01" => (NO_ENTRY, "check role and password in DATABASE_URL"),
        "28000" => (
            NO_ENTRY,
            "check the role in DATABASE_URL, and pg_hba.conf on the server",
        ),
        "3D000" => (NO_DATABASE, "check the database name in DATABASE_URL"),
        "57P03" => (
            "The database server is starting, recovering or shutting down.",
            "the next build tries again; if it stays so, look into the server's log",
        ),
        "57P01" | "57P02" => (
            "The database server is restarting or shutting down.",
            "the next build tries again; if it stays so, look into the server's log for who ended the connection",
        ),
        _ => return None,
    })
}

/// Reading the two tables.
fn tables(code: &str, message: &str) -> Option<Advice> {
    Some(match code {
        "42P01" => (
            NO_SYNC_TABLES,
            "run syncmon init-db with an administrator's connection string",
        ),
        "42703" | "42883" | "42804" => (NO_SYNC_TABLES, COMPARE),
        "42501" if message.contains("schema") => (
            NOT_ALLOWED,
            "grant usage on schema public, and select on sync_state and sync_log, to the role in DATABASE_URL (syncmon init-db does it for syncmon_ro)",
        ),
        "42501" => (
            NOT_ALLOWED,
            "grant select on sync_state and sync_log to the role in DATABASE_URL (syncmon init-db does it for syncmon_ro)",
        ),
        "25006" => (
            UNREADABLE,
            "reading must not write: look for a view or a function behind sync_state and sync_log that does",
        ),
        "XX001" | "XX002" => (
            "The database is damaged.",
            "look into the server's log, and bring the table or the index back (reindex, or a backup)",
        ),
        _ => return None,
    })
}

/// Having the time, the connections and the room.
fn capacity(code: &str) -> Option<Advice> {
    Some(match code {
        "57014" => (
            TOO_LONG,
            "check the server's load and the role's statement_timeout, and that syncmon init-db has created the index",
        ),
        "53300" => (
            NO_CONNECTION,
            "use a pooler, or raise max_connections on the server or the limit of the role or the database",
        ),
        "53100" | "53200" | "53400" => (
            "The database server has run out of disk or memory.",
            "make room on the server",
        ),
        "40001" | "40P01" | "55P03" => (BUSY, TRIES_AGAIN),
        _ => return None,
    })
}
