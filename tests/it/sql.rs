//! Questions to a PostgreSQL server, asked past the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::runtime::Runtime;

/// The first column of every row, which has to be text.
pub fn ask(url: &str, sql: &str) -> Vec<String> {
    let answer = runtime().block_on(async {
        let mut connection = connect(url).await.unwrap();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await;
        connection.close().await.unwrap();
        rows
    });
    let rows = answer.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// The SQLSTATE with which the server refuses this; `None` if it does not.
pub fn refusal(url: &str, sql: &str) -> Option<String> {
    runtime().block_on(async {
        let mut connection = connect(url).await.unwrap();
        let ended = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await;
        connection.close().await.unwrap();
        let error = ended.err()?;
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        Some(code.map_or_else(|| error.to_string(), Into::into))
    })
}

/// A connection that stays open, with whatever it has locked.
pub struct Held {
    runtime: Runtime,
    connection: PgConnection,
}

impl Held {
    /// The rows of what is run over this connection.
    pub fn rows(&mut self, sql: &str) -> Vec<PgRow> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows);
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// Runs SQL and keeps the connection open.
pub fn hold(url: &str, sql: &str) -> Held {
    try_to_hold(url, sql).unwrap()
}

/// The same where the server may refuse.
pub fn try_to_hold(url: &str, sql: &str) -> sqlx::Result<Held> {
    let runtime = runtime();
    let connection = runtime.block_on(async {
        let mut connection = connect(url).await?;
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await?;
        Ok::<_, sqlx::Error>(connection)
    })?;
    Ok(Held {
        runtime,
        connection,
    })
}

/// Waits until the server lets this role in.
pub fn wait_until_open(url: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let connected = runtime().block_on(async {
            let connection = connect(url).await?;
            connection.close().await
        });
        match connected {
            Ok(()) => return,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Something that is done again and again until this is dropped.
pub struct Meanwhile {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Meanwhile {
    pub fn repeat(work: impl Fn() + Send + 'static) -> Meanwhile {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                work();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Meanwhile {
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Meanwhile {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// Poolers refuse what the driver would ask for besides.
async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    PgConnection::connect_with(&options.extra_float_digits(None)).await
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
