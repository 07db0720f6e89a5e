//! Deleting what nobody needs any more of the log.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use tokio::time::timeout;

use super::database::Postgres;
use super::runs::open;
use super::{Database, Limits, Unreadable};

/// How many rows one transaction deletes: no lock lasts.
const BATCH: u64 = 1000;

const POSTGRES: &str = include_str!("prune.postgres.sql");
const SQLITE: &str = include_str!("prune.sqlite.sql");

/// Which runs of the log are old: those that have ended and started before a moment.
#[derive(Debug, Clone, Copy)]
pub struct Old {
    pub before: DateTime<Utc>,
    /// They are only counted.
    pub dry: bool,
}

impl Old {
    /// The statement that counts or deletes them, a batch at a time.
    fn statement(self, doomed: &str) -> String {
        let moment = self.before.to_rfc3339_opts(SecondsFormat::Micros, true);
        let doomed = doomed.replace("{before}", &moment);
        if self.dry {
            format!("{doomed} select count(*) from doomed")
        } else {
            format!(
                "{doomed} delete from sync_log where id in (select id from doomed order by id limit {BATCH})"
            )
        }
    }
}

/// Deletes old runs in small batches, but each entity's newest success and newest failure; returns how many, or would
/// be. `told` hears after each batch how many are gone.
pub async fn prune(
    database: &Database,
    old: Old,
    limits: Limits,
    told: impl FnMut(u64),
) -> Result<u64, Unreadable> {
    let done = match database {
        Database::Postgres(postgres) => in_postgres(postgres, old, limits, told).await?,
        Database::Sqlite(path) => in_sqlite(path, old, limits, told).await?,
    };
    done.map_err(|error| Unreadable::from_sqlx(&error))
}

type Done = Result<sqlx::Result<u64>, Unreadable>;

async fn in_postgres(
    postgres: &Postgres,
    old: Old,
    limits: Limits,
    mut told: impl FnMut(u64),
) -> Done {
    let statement = old.statement(POSTGRES);
    let mut connection: PgConnection = timeout(
        limits.connect,
        PgConnection::connect_with(&postgres.options),
    )
    .await
    .map_err(|_elapsed| Unreadable::connect_timeout(limits.connect))?
    .map_err(|error| Unreadable::from_sqlx(&error))?;
    let mut gone = 0;
    loop {
        let query = sqlx::raw_sql(AssertSqlSafe(statement.clone()));
        if old.dry {
            let row = query.fetch_one(&mut connection).await;
            return Ok(row.and_then(|row| row.try_get(0)).map(i64::unsigned_abs));
        }
        let batch = match query.execute(&mut connection).await {
            Ok(done) => done.rows_affected(),
            Err(error) => return Ok(Err(error)),
        };
        gone += batch;
        told(gone);
        if batch < BATCH {
            return Ok(Ok(gone));
        }
    }
}

async fn in_sqlite(path: &Path, old: Old, limits: Limits, mut told: impl FnMut(u64)) -> Done {
    let statement = old.statement(SQLITE);
    let mut connection: SqliteConnection = open(path, limits.connect).await?;
    let mut gone = 0;
    loop {
        let query = sqlx::raw_sql(AssertSqlSafe(statement.clone()));
        if old.dry {
            let row = query.fetch_one(&mut connection).await;
            return Ok(row.and_then(|row| row.try_get(0)).map(i64::unsigned_abs));
        }
        let batch = match query.execute(&mut connection).await {
            Ok(done) => done.rows_affected(),
            Err(error) => return Ok(Err(error)),
        };
        gone += batch;
        told(gone);
        if batch < BATCH {
            return Ok(Ok(gone));
        }
    }
}
