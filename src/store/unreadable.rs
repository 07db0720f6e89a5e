//! Why a database could not be read: once for the engineer, once for everybody else.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use super::refusal::{self, COMPARE, NO_SYNC_TABLES};
use crate::masking::mask_known;
use crate::text;

/// The database could not be read. Exit code 75: the page is published all the same, and says so.
#[derive(Debug)]
pub struct Unreadable {
    /// One plain sentence without technical terms.
    pub plain: &'static str,
    /// What happened, and on what; in the words of whoever answered, which may be anything. Only
    /// the beginning, see [`WORDS_READ`].
    what: String,
    /// How long that is as a whole, in characters.
    length: usize,
    /// What to do next.
    remedy: String,
}

/// How much of an answer's words is looked at, in characters: there may be megabytes of them.
const WORDS_READ: usize = 10_000;

impl Unreadable {
    pub(super) fn new(plain: &'static str, what: impl AsRef<str>, remedy: &str) -> Unreadable {
        let what = what.as_ref();
        Unreadable {
            plain,
            what: what.chars().take(WORDS_READ).collect(),
            length: what.chars().count(),
            remedy: remedy.to_owned(),
        }
    }

    /// What happened, on what, and what to do next: one line of moderate length, fit to be printed,
    /// without these secrets and without anything that looks like one.
    pub fn technical(&self, secrets: &[String]) -> String {
        format!("{}; {}", self.what(secrets), self.remedy)
    }

    /// What to do next.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// What happened, and on what: one line, as [`Unreadable::technical`] begins.
    pub fn what(&self, secrets: &[String]) -> String {
        let mut masked = mask_known(&self.what, secrets);
        let mut length = masked.chars().count();
        if self.length > WORDS_READ {
            length = self.length;
            // Its end could be the beginning of a secret.
            let longest = secrets.iter().map(|secret| secret.chars().count()).max();
            let known = masked.chars().count().saturating_sub(longest.unwrap_or(0));
            masked = masked.chars().take(known).collect();
        }
        let shown = text::excerpt(&text::error_text(&masked, length as u64));
        let line: Vec<&str> = shown.split_whitespace().collect();
        line.join(" ")
    }

    /// Connecting took longer than it may.
    pub fn connect_timeout(after: Duration) -> Unreadable {
        Unreadable::new(
            "The database did not answer.",
            format!("no connection within {}", humantime::format_duration(after)),
            "check that the server runs (behind a pooler too), that its name can be looked up here, and that a firewall lets this machine through",
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
            NOT_UNDERSTOOD,
            format!("unexpected answer: {error:#}"),
            "check the column types of sync_state and sync_log against schema.sql",
        )
    }

    /// The answer breaks the rules of its own protocol.
    pub fn unintelligible() -> Unreadable {
        Unreadable::incomplete("what answers does not keep to PostgreSQL's protocol")
    }

    /// Something of the answer is missing, or it is the answer to another question.
    pub fn incomplete(what: impl AsRef<str>) -> Unreadable {
        Unreadable::new(
            NOT_UNDERSTOOD,
            what,
            "check host and port in DATABASE_URL, and what stands between (a proxy or a pooler)",
        )
    }

    /// There is one row an entity, unless `sync_state` holds several.
    pub fn doubled(entity_type: &str) -> Unreadable {
        Unreadable::new(
            NO_SYNC_TABLES,
            format!("more than one row of the entity {entity_type:?}"),
            "leave one row an entity in sync_state, and make entity_type its primary key as in schema.sql",
        )
    }

    /// The answer is larger than any that could be true.
    pub fn endless(limit: &str) -> Unreadable {
        Unreadable::new(
            NOT_UNDERSTOOD,
            format!("the answer has more than {limit}"),
            "look for invented entity types in sync_state and sync_log, and check what host and port in DATABASE_URL name",
        )
    }

    pub fn from_sqlx(error: &sqlx::Error) -> Unreadable {
        match error {
            sqlx::Error::Database(error) => match error.try_downcast_ref::<SqliteError>() {
                Some(error) => from_sqlite(error),
                None => refusal::from_server(&**error),
            },
            sqlx::Error::Io(error) => from_io(error),
            sqlx::Error::Tls(error) => tls(&error.to_string()),
            sqlx::Error::Protocol(text) => from_protocol(text),
            sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::Decode(_) => from_column(&error.to_string()),
            other => Unreadable::new(
                "The database could not be read.",
                other.to_string(),
                refusal::MORE,
            ),
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

const NOT_UNDERSTOOD: &str = "The database gave an answer that cannot be understood.";

fn from_column(text: &str) -> Unreadable {
    // What follows is advice for those who write in the driver's language.
    let text = text.split("; try decoding").next().unwrap_or(text);
    Unreadable::incomplete(format!("a column of the answer is not as expected: {text}"))
}

fn from_protocol(text: &str) -> Unreadable {
    // What follows in parentheses is a place in the driver's source code.
    let text = text.split(" (sqlx").next().unwrap_or(text);
    // The very first answer is one byte, which the driver takes for zero if none comes.
    if text.ends_with("SSLRequest: 0x00") {
        return broken("the connection was closed without an answer");
    }
    if text.contains("authentication m") {
        return Unreadable::new(
            refusal::NO_ENTRY,
            format!("the server demands a proof that syncmon does not have ({text})"),
            "set scram-sha-256 for syncmon's role in pg_hba.conf on the server",
        );
    }
    if text.contains("non-UTF-8") {
        return Unreadable::new(
            "The database could not be read.",
            "the server refused, with a reason that is not UTF-8",
            "look into the server's log for the reason; lc_messages = 'C' on the server makes it readable here",
        );
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

/// The words are those of the TLS library: the certificate's fault decides what helps.
fn tls(text: &str) -> Unreadable {
    let remedy = if text.contains("UnknownIssuer") {
        "give the file with the CA certificate of the database's provider as sslrootcert in DATABASE_URL"
    } else if text.contains("not valid for name") {
        "write the host in DATABASE_URL as the certificate names it, or check that it is the right host"
    } else if text.contains("expired") {
        "renew the certificate on the server, and check this machine's clock"
    } else if text.contains("not valid yet") {
        "check this machine's clock, and the certificate on the server"
    } else if text.contains("CaUsedAsEndEntity") {
        "give the server a certificate that a CA has signed, and the CA's own as sslrootcert in DATABASE_URL"
    } else if text.contains("does not support TLS") {
        "switch on ssl at the server, and check host and port in DATABASE_URL: the program that answers may be another"
    } else if text.contains("corrupt message") {
        "check host and port in DATABASE_URL: what answers speaks no TLS"
    } else if text.contains("fatal alert") {
        "look into the server's log for its reason; a demanded client certificate is given by sslcert and sslkey in DATABASE_URL"
    } else {
        "check sslmode, sslrootcert and the host name in DATABASE_URL"
    };
    Unreadable::new(
        "The database's identity could not be confirmed.",
        format!("no trusted encrypted connection: {text}"),
        remedy,
    )
}

const NOT_RUNNING: &str = "The database server is not running, or does not accept connections.";

fn from_io(error: &std::io::Error) -> Unreadable {
    use std::io::ErrorKind;
    let text = error.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => Unreadable::new(
            NOT_RUNNING,
            "connection refused",
            "check that the server runs and listens on this host and port",
        ),
        ErrorKind::InvalidData => tls(&text),
        ErrorKind::NotFound => Unreadable::new(
            NOT_RUNNING,
            format!("the server's socket is not there ({text})"),
            "check that the server runs, and the directory of its socket",
        ),
        ErrorKind::PermissionDenied => Unreadable::new(
            "The database could not be reached.",
            format!("the server may not be connected to ({text})"),
            "check the permissions of the socket's directory, and the firewall of this machine",
        ),
        // Which of them it is, is a matter of chance: a farewell and a reset overtake each other.
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => {
            broken("the connection was closed before the answer was complete")
        }
        ErrorKind::NetworkUnreachable
        | ErrorKind::HostUnreachable
        | ErrorKind::AddrNotAvailable => Unreadable::new(
            "The database could not be reached.",
            format!("no way leads from this machine to the server ({text})"),
            "check the network; if the host has an IPv6 address only, as Supabase's direct one, and this machine has none, use the session pooler's host",
        ),
        ErrorKind::TimedOut => Unreadable::new(
            "The database did not answer.",
            format!("the server does not answer ({text})"),
            "check that the server runs and that a firewall lets this machine through",
        ),
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

fn from_sqlite(error: &SqliteError) -> Unreadable {
    use sqlx::error::DatabaseError;
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
        5 | 6 => Unreadable::new(
            refusal::BUSY,
            message,
            "the next build tries again; if it stays so, look for a program that keeps the file open",
        ),
        8 => Unreadable::new(
            "The database file was left in the middle of a change.",
            format!("a program ended while it was writing ({message})"),
            "start that program again, or open the file once with sqlite3 as its owner: that undoes what was half written",
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_stays_where_a_long_text_is_cut() {
        let secret = "S3cret of many words".to_owned();
        for cut in 1..secret.len() {
            // A long value is masked and leaves room for what stands at the cut.
            let value = "x".repeat(WORDS_READ - "password= ".len() - cut);
            let text = format!("password={value} {secret}{}", "y".repeat(100));
            let shown = Unreadable::new("", text, "go on").technical(std::slice::from_ref(&secret));
            assert!(!shown.contains("S3"), "{cut}: {shown}");
        }
    }

    #[test]
    fn whatever_an_answer_says_comes_out_as_one_line_without_control_characters() {
        let text = "no\u{1b}[2J\r\nsyncmon: all is well\u{0}\u{202e}\u{9b}m".to_owned();
        let shown =
            Unreadable::new("", text.clone() + &text.repeat(50_000), "go on").technical(&[]);
        assert!(!shown.contains(char::is_control), "{shown:?}");
        assert!(shown.chars().count() < 600, "{shown}");
        assert!(shown.ends_with("… (shortened); go on"), "{shown}");
    }
}
