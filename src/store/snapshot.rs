//! The one statement that touches the tables, and the snapshot made from its rows.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Either, Row};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::database::Postgres;
use super::decode::{MEASURED_AMONG, MEASURED_RUNS, MOST_RUNS};
use super::taken::Taken;
use super::watched::{say_connected, watched};
use super::{Database, Unreadable};
use crate::model::{DatabaseFacts, Observation, Snapshot};

const POSTGRES_STATEMENT: &str = include_str!("snapshot.postgres.sql");
const SQLITE_STATEMENT: &str = include_str!("snapshot.sqlite.sql");

/// How far back evidence is read moment by moment; older, only the newest counts.
const WINDOW: TimeDelta = TimeDelta::days(91);

/// How long reading may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connect: Duration,
    /// From the first byte asked for to the last one read.
    pub read: Duration,
}

/// The statement for this kind of database, as it is sent at `now`. All runs since `history_since`
/// are listed.
pub fn statement(database: &Database, now: DateTime<Utc>, history_since: DateTime<Utc>) -> String {
    let text = match database {
        Database::Postgres(_) => POSTGRES_STATEMENT,
        Database::Sqlite(_) => SQLITE_STATEMENT,
    };
    let micros = |at: DateTime<Utc>| at.timestamp_micros().to_string();
    text.replace("{window_start}", &micros(now - WINDOW))
        .replace("{history_start}", &micros(history_since))
        .replace("{most_runs}", &MOST_RUNS.to_string())
        .replace("{measured_runs}", &MEASURED_RUNS.to_string())
        .replace("{measured_among}", &MEASURED_AMONG.to_string())
}

/// Takes a snapshot. `as_of` is the builder's moment; `clock_given` says that it was set by hand
/// and cannot be compared with the database's. All runs since `history_since` are listed.
pub async fn read(
    database: &Database,
    as_of: DateTime<Utc>,
    clock_given: bool,
    history_since: DateTime<Utc>,
    limits: Limits,
) -> Result<Snapshot, Unreadable> {
    let statement = statement(database, as_of, history_since);
    let clock = (!clock_given).then_some(as_of);
    let patience = database.connect_limit(limits.connect);
    let reading = watched(database, limits, move |database, connected| async move {
        match database {
            Database::Postgres(postgres) => {
                read_postgres(&postgres, statement, clock, connected).await
            }
            Database::Sqlite(path) => {
                drop(connected);
                read_sqlite(&path, statement, clock, patience).await
            }
        }
    });
    let (database, mut entities) = reading.await?;
    entities.sort_unstable_by(|a, b| a.entity_type.cmp(&b.entity_type));
    Ok(Snapshot {
        as_of,
        history_since,
        database,
        entities,
    })
}

type Read = Result<(DatabaseFacts, Vec<Observation>), Unreadable>;

/// Rows are decoded as they arrive: no more than one of them is held at a time.
async fn read_postgres(
    postgres: &Postgres,
    statement: String,
    clock: Option<DateTime<Utc>>,
    connected: oneshot::Sender<()>,
) -> Read {
    let mut connection = PgConnection::connect_with(&postgres.options)
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))?;
    say_connected(connected)?;
    let mut taken = Taken::default();
    {
        // One Query message, one round trip, and no prepared statement that a pooler could lose.
        let mut parts = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_many(&mut connection);
        while let Some(part) = next(&mut parts).await? {
            let row: PgRow = match part {
                Either::Left(result) => {
                    taken.end(result.rows_affected())?;
                    continue;
                }
                Either::Right(row) => row,
            };
            let entity_type: Option<&str> = column(&row, 0)?;
            taken.take(entity_type, column(&row, 1)?, clock)?;
        }
    }
    // Everything has been read: a farewell that fails changes nothing.
    let _ = timeout(Duration::from_secs(1), connection.close()).await;
    taken.whole()
}

/// Opens a file without any right to write it.
pub(super) async fn open_read_only(
    path: &Path,
    busy_limit: Duration,
) -> Result<SqliteConnection, Unreadable> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(busy_limit)
        .disable_statement_logging();
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))
}

async fn read_sqlite(
    path: &Path,
    statement: String,
    clock: Option<DateTime<Utc>>,
    connect_limit: Duration,
) -> Read {
    let mut connection = open_read_only(path, connect_limit).await?;
    let mut taken = Taken::default();
    {
        let mut rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch(&mut connection);
        while let Some(row) = next(&mut rows).await? {
            let row: SqliteRow = row;
            // SQLite stores text without checking that it is UTF-8.
            let entity_type: Option<&[u8]> = column(&row, 0)?;
            let json: &[u8] = column(&row, 1)?;
            let entity_type = entity_type.map(name);
            let json = String::from_utf8_lossy(json);
            taken.take(entity_type.as_deref(), &json, clock)?;
        }
    }
    let _ = connection.close().await;
    // SQLite runs in this very process: nobody could end the answer early.
    taken.end_here();
    taken.whole()
}

/// A name, with bytes that are no UTF-8 as `\xff`: two names that differ stay apart.
fn name(bytes: &[u8]) -> String {
    bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().to_owned() + &chunk.invalid().escape_ascii().to_string())
        .collect()
}

async fn next<R>(
    rows: &mut (impl TryStreamExt<Ok = R, Error = sqlx::Error> + Unpin),
) -> Result<Option<R>, Unreadable> {
    rows.try_next()
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))
}

fn column<'r, R, T>(row: &'r R, index: usize) -> Result<T, Unreadable>
where
    R: Row,
    usize: sqlx::ColumnIndex<R>,
    T: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    row.try_get(index)
        .map_err(|error| Unreadable::from_sqlx(&error))
}
