//! Creating the tables: `schema.sql` in full, or its SQLite counterpart.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection};
use tokio::time::timeout;

use super::{Database, Unreadable};

/// `schema.sql`, as it is applied to PostgreSQL.
pub const POSTGRES_SCHEMA: &str = include_str!("../../schema.sql");
const SQLITE_SCHEMA: &str = include_str!("schema.sqlite.sql");

/// What older databases lack. SQLite has no "if not exists" for columns.
const SQLITE_COLUMNS: [(&str, &str, &str); 3] = [
    ("sync_log", "run_key", "text"),
    ("sync_log", "last_version", "bigint"),
    ("sync_state", "last_version", "bigint"),
];

/// No run is recorded twice.
const SQLITE_KEYS: &str = "create unique index if not exists sync_log_run_key_idx on sync_log (run_key) where run_key is not null";

/// Applies the schema; safe to repeat, and safe over tables that hold rows.
pub async fn apply_schema(database: &Database, connect_limit: Duration) -> Result<()> {
    let applied = match database {
        Database::Postgres(postgres) => apply_to_postgres(postgres, connect_limit).await,
        Database::Sqlite(path) => apply_to_sqlite(path).await,
    };
    applied.map_err(|unreadable| {
        anyhow!(
            "the schema could not be applied to {}: {}",
            database.identity(),
            unreadable.technical(database.secrets())
        )
    })
}

/// Makes a new SQLite database at `path`, replacing any file there, and runs `inserts` in it, one after the other.
pub async fn fill(path: &Path, inserts: impl Iterator<Item = String>) -> Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(anyhow!("{} cannot be replaced: {error}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    let begin = ["begin".to_owned(), SQLITE_SCHEMA.to_owned()];
    let script = begin.into_iter().chain(inserts);
    let script = script.chain(["commit".to_owned()]);
    // The next demo replaces it, so nothing has to outlive a loss of power.
    let options = writable(path).synchronous(SqliteSynchronous::Off);
    execute_in_sqlite(options, script)
        .await
        .map_err(|unreadable| anyhow!("{}: {}", path.display(), unreadable.technical(&[])))
}

async fn apply_to_postgres(
    postgres: &super::database::Postgres,
    connect_limit: Duration,
) -> Result<(), Unreadable> {
    let mut connection = timeout(connect_limit, PgConnection::connect_with(&postgres.options))
        .await
        .map_err(|_elapsed| Unreadable::connect_timeout(connect_limit))?
        .map_err(|error| Unreadable::from_sqlx(&error))?;
    sqlx::raw_sql(POSTGRES_SCHEMA)
        .execute(&mut connection)
        .await
        .map_err(|error| Unreadable::from_schema(&error))?;
    let _ = timeout(Duration::from_secs(1), connection.close()).await;
    Ok(())
}

async fn apply_to_sqlite(path: &Path) -> Result<(), Unreadable> {
    execute_in_sqlite(writable(path), [SQLITE_SCHEMA.to_owned()]).await?;
    for (table, column, kind) in SQLITE_COLUMNS {
        let added = format!("alter table {table} add column {column} {kind}");
        if !has_column(path, table, column).await? {
            execute_in_sqlite(writable(path), [added]).await?;
        }
    }
    execute_in_sqlite(writable(path), [SQLITE_KEYS.to_owned()]).await
}

async fn has_column(path: &Path, table: &str, column: &str) -> Result<bool, Unreadable> {
    let options = SqliteConnectOptions::new().filename(path);
    let found = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let number: i64 =
            sqlx::query_scalar("select count(*) from pragma_table_info(?) where name = ?")
                .bind(table)
                .bind(column)
                .fetch_one(&mut connection)
                .await?;
        connection.close().await?;
        Ok(number > 0)
    };
    found.await.map_err(|error| Unreadable::from_sqlx(&error))
}

fn writable(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
}

async fn execute_in_sqlite(
    options: SqliteConnectOptions,
    script: impl IntoIterator<Item = String>,
) -> Result<(), Unreadable> {
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))?;
    for statement in script {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .map_err(|error| Unreadable::from_sqlx(&error))?;
    }
    connection
        .close()
        .await
        .map_err(|error| Unreadable::from_sqlx(&error))
}
