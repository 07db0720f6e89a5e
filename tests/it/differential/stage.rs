//! Where worlds are judged: a database of each kind, filled anew for every world, and the judge.

use std::fs;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;

use super::judge::Judge;
use super::notation::{rfc3339, utc};
use super::world::{Kind, World};
use crate::cluster::Cluster;
use crate::hidden::faketime;
use crate::sandbox::{Sandbox, execute};
use crate::wrapped::ended;

/// The database's clock is what the test says it is.
const CLOCK: &str = "
    create schema clock;
    grant usage on schema clock to syncmon_ro;
    create table clock.reading (at timestamptz);
    insert into clock.reading values (null);
    grant select on clock.reading to syncmon_ro;
    create function clock.clock_timestamp() returns timestamptz language sql
        as 'select coalesce(at, pg_catalog.clock_timestamp()) from clock.reading';";

pub struct Stage {
    postgres: Sandbox,
    sqlite: Sandbox,
    runtime: Runtime,
    into_postgres: PgConnection,
    into_sqlite: SqliteConnection,
    judge: Judge,
}

impl Stage {
    pub fn new() -> Stage {
        let postgres = Sandbox::postgres().sql(CLOCK);
        postgres.execute(&format!(
            "alter role syncmon_ro in database {} set search_path = clock, pg_catalog, public",
            postgres.database()
        ));
        let sqlite = Sandbox::sqlite();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (into_postgres, into_sqlite) = runtime.block_on(async {
            let mut postgres = PgConnection::connect(postgres.owner_url()).await.unwrap();
            let mut sqlite = SqliteConnection::connect(sqlite.url()).await.unwrap();
            let utc = sqlx::raw_sql("set time zone 'UTC'");
            utc.execute(&mut postgres).await.unwrap();
            let hasty = sqlx::raw_sql("pragma synchronous = off");
            hasty.execute(&mut sqlite).await.unwrap();
            (postgres, sqlite)
        });
        Stage {
            postgres,
            sqlite,
            runtime,
            into_postgres,
            into_sqlite,
            judge: Judge::start(),
        }
    }

    /// What the independent judge says of a world.
    pub fn judged(&mut self, world: &World) -> Value {
        self.judge.judge(&world.case())
    }

    /// The program's `status.json` over PostgreSQL.
    pub fn over_postgres(&mut self, world: &World) -> Value {
        let clock = world.database_clock.map(|at| format!("'{}'", rfc3339(at)));
        let sql = format!(
            "begin; truncate sync_state, sync_log; update clock.reading set at = {};\n{}\n{}; commit",
            clock.as_deref().unwrap_or("null"),
            policies(world),
            world.sql("'Infinity'::numeric")
        );
        let filling = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.into_postgres);
        self.runtime.block_on(filling).unwrap();
        if matches!(world.kind, Kind::Hidden | Kind::Plain) {
            // What was known from before is another story.
            let _ = fs::remove_dir_all(self.postgres.path("state"));
        }
        build(&self.postgres, world, world.as_of, &[0, 75]);
        if world.kind == Kind::Away {
            self.admit(false);
            build(&self.postgres, world, world.now, &[75]);
            self.admit(true);
        }
        self.postgres.status()
    }

    /// The program's `status.json` over SQLite, which knows no roles and no clock of its own.
    pub fn over_sqlite(&mut self, world: &World) -> Value {
        let sql = format!(
            "begin; delete from sync_state; delete from sync_log;\n{}; commit",
            world.sql("9e999")
        );
        let filling = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.into_sqlite);
        self.runtime.block_on(filling).unwrap();
        let _ = fs::remove_dir_all(self.sqlite.path("state"));
        build(&self.sqlite, world, world.now, &[0]);
        self.sqlite.status()
    }

    /// Whether both databases have led to the same bytes.
    pub fn sites_are_the_same(&self) -> bool {
        self.postgres.site() == self.sqlite.site()
    }

    /// Whether the database lets anybody in.
    fn admit(&self, anybody: bool) {
        let admin = Cluster::shared().url("postgres", "postgres");
        let name = self.postgres.database();
        let sql = format!("alter database {name} allow_connections {anybody}");
        execute(&admin, &sql);
    }
}

/// The policies that let the program's role read what this world does not hide.
fn policies(world: &World) -> String {
    let of_table = |table: &str| {
        let dropped = format!("drop policy if exists syncmon_ro_select on {table};\n");
        if world.hidden.contains(&table) {
            return dropped;
        }
        let created = "for select to syncmon_ro using (true)";
        dropped + &format!("create policy syncmon_ro_select on {table} {created};\n")
    };
    of_table("sync_state") + &of_table("sync_log")
}

/// Builds when the builder's clock shows `at`.
fn build(sandbox: &Sandbox, world: &World, at: i64, codes: &[i32]) {
    fs::write(sandbox.path("syncmon.toml"), world.configuration()).unwrap();
    let ended = if world.database_clock.is_none() {
        sandbox.build_at(&rfc3339(at))
    } else {
        let at = utc(at).format("%Y-%m-%d %H:%M:%S").to_string();
        let arguments = ["build", "--out", "site", "--state-dir", "state"];
        let mut command = sandbox.command(&arguments);
        command
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME", at)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        ended(&mut command)
    };
    assert!(codes.contains(&ended.code), "{ended:?}");
}
