//! Telling the database of runs: `sync_record` in PostgreSQL, the same in SQLite.

use std::path::Path;
use std::time::Duration;

use chrono::SecondsFormat;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::time::timeout;

use super::{Database, Limits, Unreadable, runs_in_sqlite};
use crate::report::Report;

/// Why a run was not recorded.
#[derive(Debug)]
pub enum NotRecorded {
    /// Not now: it is worth another try.
    Unreachable(Unreadable),
    /// Never: what is told of it cannot be so.
    Refused(Unreadable),
}

/// A connection that runs are told over.
pub struct Recorder {
    connection: Connected,
    limit: Duration,
}

enum Connected {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Recorder {
    pub async fn connect(database: &Database, limits: Limits) -> Result<Recorder, Unreadable> {
        let limit = database.connect_limit(limits.connect);
        let connecting = async {
            Ok(match database {
                Database::Postgres(postgres) => Connected::Postgres(
                    PgConnection::connect_with(&postgres.options)
                        .await
                        .map_err(|error| Unreadable::from_sqlx(&error))?,
                ),
                Database::Sqlite(path) => Connected::Sqlite(open(path, limit).await?),
            })
        };
        let connection = timeout(limit, connecting)
            .await
            .map_err(|_elapsed| Unreadable::connect_timeout(limit))??;
        Ok(Recorder {
            connection,
            limit: limits.read,
        })
    }

    /// Tells of a run. With `now`, a run that the database has not heard of begins at this moment by its clock, else
    /// when the report says.
    pub async fn record(&mut self, report: &Report, now: bool) -> Result<(), NotRecorded> {
        let told = async {
            match &mut self.connection {
                Connected::Postgres(connection) => {
                    let statement = statement(report, now);
                    sqlx::raw_sql(AssertSqlSafe(statement))
                        .execute(connection)
                        .await
                        .map(|_| ())
                }
                Connected::Sqlite(connection) => runs_in_sqlite::record(connection, report).await,
            }
        };
        match timeout(self.limit, told).await {
            Err(_elapsed) => Err(NotRecorded::Unreachable(Unreadable::read_timeout(
                self.limit,
            ))),
            Ok(Err(error)) if is_final(&error) => Err(NotRecorded::Refused(of_recording(&error))),
            Ok(Err(error)) => Err(NotRecorded::Unreachable(of_recording(&error))),
            Ok(Ok(())) => Ok(()),
        }
    }

    pub async fn close(self) {
        let farewell = async {
            match self.connection {
                Connected::Postgres(connection) => connection.close().await,
                Connected::Sqlite(connection) => connection.close().await,
            }
        };
        let _ = timeout(Duration::from_secs(1), farewell).await;
    }
}

pub(super) async fn open(path: &Path, patience: Duration) -> Result<SqliteConnection, Unreadable> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(patience)
        .disable_statement_logging();
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))
}

/// One message, which poolers pass on: a prepared statement some would lose.
fn statement(report: &Report, now: bool) -> String {
    let started = (!now).then(|| {
        report
            .started_at
            .to_rfc3339_opts(SecondsFormat::Micros, true)
    });
    let end = report.end.as_ref();
    let result = end.map(|end| &end.result);
    format!(
        "select public.sync_record({}::uuid, {}, {}, '{}', {}::timestamptz, {}::numeric, {}::integer, {}, {}::bigint, {}::jsonb)",
        literal(Some(&report.key.to_string())),
        literal(Some(&report.entity_type)),
        literal(Some(&report.action)),
        report.status(),
        literal(started.as_deref()),
        number(end.and_then(|end| end.duration)),
        number(result.and_then(|result| result.records_processed)),
        literal(end.and_then(|end| end.error.as_deref())),
        number(result.and_then(|result| result.last_version)),
        literal(
            result
                .and_then(|result| result.metadata.as_ref())
                .map(ToString::to_string)
                .as_deref()
        ),
    )
}

/// Between quotation marks, since a minus before the smallest number of its type counts as an operation of its own.
fn number(number: Option<impl ToString>) -> String {
    number.map_or_else(
        || "null".to_owned(),
        |number| format!("'{}'", number.to_string()),
    )
}

/// A text as PostgreSQL reads it whatever its settings. It takes no NUL.
fn literal(text: Option<&str>) -> String {
    text.map_or_else(
        || "null".to_owned(),
        |text| {
            let text = text
                .replace('\0', "\u{fffd}")
                .replace('\\', "\\\\")
                .replace('\'', "''");
            format!("E'{text}'")
        },
    )
}

/// Whether the database would say the same of it every time: a value that cannot be, a run that has ended otherwise.
fn is_final(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error();
    let code = refusal.and_then(sqlx::error::DatabaseError::code);
    match error {
        sqlx::Error::Encode(_) => true,
        _ => code.is_some_and(|code| {
            code.len() == 5 && (code.starts_with("22") || code.starts_with("23") || code == "55000")
        }),
    }
}

fn of_recording(error: &sqlx::Error) -> Unreadable {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    let remedy = match code.as_deref() {
        Some("42883" | "42P01" | "42703") => {
            "run syncmon init-db with an administrator's connection string"
        }
        Some("42501") => "connect as syncmon_rw, which may record runs",
        Some("25006") => "connect as syncmon_rw: this role only reads",
        _ => return Unreadable::from_sqlx(error),
    };
    let what = error
        .as_database_error()
        .map_or_else(String::new, |error| error.message().to_owned());
    Unreadable::new("The run could not be recorded.", what, remedy)
}
