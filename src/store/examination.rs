//! What `syncmon doctor` wants to know of a database besides what a build reads: the role, the tables, the index.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Deserialize;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::database::Postgres;
use super::snapshot::open_read_only;
use super::watched::{say_connected, watched};
use super::{Database, Limits, Unreadable};

const POSTGRES: &str = include_str!("examination.postgres.sql");
const SQLITE: &str = include_str!("examination.sqlite.sql");

/// A database that let syncmon in, and what it says of itself, if it answered.
#[derive(Debug)]
pub struct Examined {
    /// How long connecting took.
    pub connected_in: Duration,
    pub says: Result<Examination, Unreadable>,
    /// From the beginning of connecting to the middle of the answer: when the database read its clock.
    pub clock_read_after: Duration,
}

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Examination {
    /// The version of the server, or of SQLite.
    pub server: String,
    /// In microseconds since 1970.
    pub clock: i64,
    /// The protocol, such as "TLSv1.3", of the server's own connection: to syncmon, or to a pooler in between. `None`
    /// if it is not encrypted.
    pub encryption: Option<String>,
    /// `None` where there are no roles.
    pub role: Option<Role>,
    /// The role may use schema `public`.
    pub enters_schema: bool,
    /// `sync_state` and `sync_log`, as far as they are there.
    pub tables: Vec<Table>,
}

/// A role, and what it may do beyond reading. The tables are those that a sync writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Role {
    pub name: String,
    pub superuser: bool,
    pub bypasses_row_security: bool,
    /// `default_transaction_read_only` is on.
    pub reads_only: bool,
    /// 0 if statements may take any time.
    pub statement_timeout_ms: i64,
    /// Tables that belong to it, or to a role of which it is a member.
    pub owns: Vec<String>,
    pub writes: Vec<Writable>,
}

/// A table that a role may write.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Writable {
    pub table: String,
    /// Of `INSERT`, `UPDATE`, `DELETE` and `TRUNCATE`.
    pub privileges: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Table {
    pub name: String,
    pub readable: bool,
    /// It has rows of its own, and so could have an index; a view has not.
    pub stored: bool,
    pub columns: Vec<Column>,
    /// There is a whole index that begins with `entity_type`, `timestamp`.
    pub indexed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Column {
    pub name: String,
    /// As PostgreSQL calls it; in SQLite as it was declared.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Connects as a build does, and asks. An error means that there was no connection.
pub async fn examine(database: &Database, limits: Limits) -> Result<Examined, Unreadable> {
    let begun = Instant::now();
    let patience = database.connect_limit(limits.connect);
    watched(database, limits, move |database, connected| async move {
        match database {
            Database::Postgres(postgres) => in_postgres(&postgres, begun, connected).await,
            Database::Sqlite(path) => {
                drop(connected);
                let connection = open_read_only(&path, patience).await?;
                Ok(in_sqlite(connection, begun).await)
            }
        }
    })
    .await
}

async fn in_postgres(
    postgres: &Postgres,
    begun: Instant,
    connected: oneshot::Sender<()>,
) -> Result<Examined, Unreadable> {
    let mut connection = PgConnection::connect_with(&postgres.options)
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))?;
    say_connected(connected)?;
    let connected_in = begun.elapsed();
    let answered = sqlx::raw_sql(POSTGRES)
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get::<String, _>(0));
    let examined = examined(answered, connected_in, begun.elapsed());
    let _ = timeout(Duration::from_secs(1), connection.close()).await;
    Ok(examined)
}

async fn in_sqlite(mut connection: sqlx::SqliteConnection, begun: Instant) -> Examined {
    let connected_in = begun.elapsed();
    let answered = sqlx::raw_sql(SQLITE)
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get::<String, _>(0));
    let examined = examined(answered, connected_in, begun.elapsed());
    let _ = connection.close().await;
    examined
}

fn examined(
    answered: sqlx::Result<String>,
    connected_in: Duration,
    answered_in: Duration,
) -> Examined {
    let says = answered
        .map_err(|error| Unreadable::from_sqlx(&error))
        .and_then(|json| {
            serde_json::from_str(&json)
                .context("about the role and the tables")
                .map_err(|error| Unreadable::unexpected(&error))
        });
    Examined {
        connected_in,
        says,
        clock_read_after: (connected_in + answered_in) / 2,
    }
}
