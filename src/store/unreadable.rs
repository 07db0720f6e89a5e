//! Why a database could not be read: once for the engineer, once for everybody else.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// The database could not be read. Exit code 75: the page is published all the same, and says so.
#[derive(Debug)]
pub struct Unreadable {
    /// One plain sentence without technical terms.
    pub plain: &'static str,
    /// What happened, on what, and what to do next; may still need masking.
    pub technical: String,
}

impl Unreadable {
    fn new(plain: &'static str, what: impl AsRef<str>, remedy: &str) -> Unreadable {
        Unreadable {
            plain,
            technical: format!("{}; {remedy}", what.as_ref()),
        }
    }

    /// Connecting took longer than it may.
    pub fn connect_timeout(after: Duration) -> Unreadable {
        Unreadable::new(
            "The database did not answer.",
            format!("no connection within {}", humantime::format_duration(after)),
            "check that the server runs and that a firewall lets this machine through",
        )
    }

    /// The answer took longer than it may.
    pub fn read_timeout(after: Duration) -> Unreadable {
        Unreadable::new(
            "The database took too long to answer.",
            format!(
                "no complete answer within {}",
                humantime::format_duration(after)
            ),
            "check the server's load, and that syncmon init-db has created the index",
        )
    }

    /// The answer is not in the agreed shape.
    pub fn unexpected(error: &anyhow::Error) -> Unreadable {
        Unreadable::new(
            "The database gave an answer that cannot be understood.",
            format!("unexpected answer: {error:#}"),
            "check the column types of sync_state and sync_log against schema.sql",
        )
    }

    pub fn from_sqlx(error: &sqlx::Error) -> Unreadable {
        match error {
            sqlx::Error::Database(error) => from_database(&**error),
            sqlx::Error::Io(error) => from_io(error),
            sqlx::Error::Tls(error) => tls(&error.to_string()),
            sqlx::Error::Protocol(text) => from_protocol(text),
            other => Unreadable::new("The database could not be read.", other.to_string(), MORE),
        }
    }

    /// `schema.sql` was refused. It is one transaction: nothing has been changed.
    pub fn from_schema(error: &sqlx::Error) -> Unreadable {
        let refusal = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let Some(error) = refusal else {
            return Unreadable::from_sqlx(error);
        };
        let remedy = match (error.hint(), error.code()) {
            (Some(hint), _) => hint,
            (None, "42501") => {
                "connect as a superuser, or as a role that owns the database and its tables and has CREATEROLE"
            }
            (None, "55P03") => {
                "another program keeps a table locked; run syncmon init-db again when it has ended"
            }
            (None, _) => "nothing was changed; run syncmon init-db --print with psql to see more",
        };
        let what = format!("{} (SQLSTATE {})", error.message(), error.code());
        Unreadable::new("The tables could not be created.", what, remedy)
    }
}

fn from_protocol(text: &str) -> Unreadable {
    // What follows in parentheses is a place in the driver's source code.
    let text = text.split(" (sqlx").next().unwrap_or(text);
    // The very first answer is one byte, which the driver takes for zero if none comes.
    if text.ends_with("SSLRequest: 0x00") {
        return broken("the connection was closed without an answer");
    }
    Unreadable::new(
        "Something answers that is not the expected database.",
        format!("this is no PostgreSQL server, or no answer of one ({text})"),
        "check host and port in DATABASE_URL",
    )
}

fn broken(what: &str) -> Unreadable {
    Unreadable::new(
        "The connection to the database broke.",
        what,
        "the next build tries again; if it stays so, look into the server's log",
    )
}

fn tls(text: &str) -> Unreadable {
    Unreadable::new(
        "The database's identity could not be confirmed.",
        format!("no trusted encrypted connection: {text}"),
        "check sslmode, sslrootcert and the host name in DATABASE_URL",
    )
}

fn from_io(error: &std::io::Error) -> Unreadable {
    use std::io::ErrorKind;
    let text = error.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => Unreadable::new(
            "The database server is not running, or does not accept connections.",
            "connection refused",
            "check that the server runs and listens on this host and port",
        ),
        ErrorKind::InvalidData => tls(&text),
        ErrorKind::NotFound => Unreadable::new(
            "The database server is not running, or does not accept connections.",
            format!("the server's socket is not there ({text})"),
            "check that the server runs, and the directory of its socket",
        ),
        ErrorKind::UnexpectedEof => {
            broken("the connection was closed before the answer was complete")
        }
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            broken(&format!(
                "the connection was closed before the answer was complete ({text})"
            ))
        }
        _ if text.contains("lookup") || text.contains("name or service") => Unreadable::new(
            "The database's address could not be found.",
            format!("the host name cannot be resolved ({text})"),
            "check the host in DATABASE_URL and this machine's DNS",
        ),
        _ => Unreadable::new(
            "The database could not be reached.",
            text,
            "check the network, and that the server runs",
        ),
    }
}

const NO_SYNC_TABLES: &str = "The database does not have the sync tables in the expected form.";
const NO_ENTRY: &str = "The database did not let syncmon in.";
const BUSY: &str = "The database is busy.";
const MORE: &str = "run the same connection string with psql to see more";

/// Existing tables are not changed by `init-db`: only a look at them helps.
const COMPARE: &str =
    "compare the columns of sync_state and sync_log with those that syncmon init-db --print shows";

fn from_sqlite(error: &SqliteError) -> Unreadable {
    let message = error.message();
    let code: u32 = error
        .code()
        .and_then(|code| code.parse().ok())
        .unwrap_or_default();
    // The lowest byte is the kind of error, the rest says more about it.
    match code & 0xff {
        1 if message.contains("no such table") => Unreadable::new(
            NO_SYNC_TABLES,
            message,
            "run syncmon init-db with the same DATABASE_URL",
        ),
        1 if message.contains("no such column") => {
            Unreadable::new(NO_SYNC_TABLES, message, COMPARE)
        }
        5 | 6 => Unreadable::new(BUSY, message, "the next build tries again"),
        11 => Unreadable::new(
            "The database file is damaged.",
            message,
            "bring the file back from a backup",
        ),
        14 => Unreadable::new(
            "The database file could not be opened.",
            message,
            "check the path in DATABASE_URL and the file's permissions",
        ),
        26 => Unreadable::new(
            "The database file is not a database.",
            message,
            "check the path in DATABASE_URL",
        ),
        _ => Unreadable::new(
            "The database file could not be read.",
            format!("{message} (SQLite code {code})"),
            "check that the path in DATABASE_URL names a file, its permissions and the disk",
        ),
    }
}

fn from_database(error: &dyn DatabaseError) -> Unreadable {
    if let Some(error) = error.try_downcast_ref::<SqliteError>() {
        return from_sqlite(error);
    }
    let code = error.code().unwrap_or_default().into_owned();
    // The server's own words only: Display would add lines of its source code.
    let message = error.message();
    let what = format!("{message} (SQLSTATE {code})");
    match code.as_str() {
        "28P01" => Unreadable::new(NO_ENTRY, what, "check the password in DATABASE_URL"),
        "28000" => Unreadable::new(
            NO_ENTRY,
            what,
            "check the role in DATABASE_URL, and pg_hba.conf on the server",
        ),
        "3D000" => Unreadable::new(
            "The database does not exist under the configured name.",
            what,
            "check the database name in DATABASE_URL",
        ),
        "42P01" => Unreadable::new(
            NO_SYNC_TABLES,
            what,
            "run syncmon init-db with an administrator's connection string",
        ),
        "42703" | "42883" | "42804" => Unreadable::new(NO_SYNC_TABLES, what, COMPARE),
        "42501" => Unreadable::new(
            "The database does not let syncmon read the sync tables.",
            what,
            "grant select on sync_state and sync_log to the role in DATABASE_URL (syncmon init-db does it for syncmon_ro)",
        ),
        "57014" => Unreadable::new(
            "The database took too long to answer.",
            what,
            "check the server's load and the role's statement_timeout, and that syncmon init-db has created the index",
        ),
        "53300" => Unreadable::new(
            "The database has no free connection.",
            what,
            "use a pooler, or raise max_connections on the server",
        ),
        "57P01" | "57P02" | "57P03" => Unreadable::new(
            "The database server is restarting or shutting down.",
            what,
            "the next build tries again",
        ),
        "XX000" if message.contains("Tenant or user not found") => Unreadable::new(
            NO_ENTRY,
            what,
            "check host and user (role.PROJECT) of the pooler, and that the project is not paused",
        ),
        _ => Unreadable::new("The database could not be read.", what, MORE),
    }
}
