//! Many writers at once.

use std::thread;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::campaign::{Campaign, Step};
use crate::sandbox::Sandbox;
use crate::sql::ask;
use crate::year::ENTITIES;

const WRITERS: usize = 50;

#[test]
fn no_run_of_fifty_writers_is_lost_doubled_or_half_recorded() {
    let campaign = Campaign::named("recording", "50 writers at once");
    for step in campaign.steps(1, 10) {
        records_at_once(&step);
    }
    campaign.ends(&format!("{} runs", campaign.tally("runs")));
}

fn records_at_once(step: &Step) {
    let world = Sandbox::postgres();
    let each = 20;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let url = world.owner_url();
            scope.spawn(move || write(url, writer, each));
        }
    });
    let runs = WRITERS * each;
    let count = |what: &str| ask(world.owner_url(), &format!("select ({what})::text"))[0].clone();
    assert_eq!(count("select count(*) from sync_log"), runs.to_string());
    assert_eq!(
        count("select count(distinct metadata ->> 'run') from sync_log"),
        runs.to_string()
    );
    assert_eq!(
        count(
            "select count(*) from sync_log where duration_seconds is null or records_processed is null
                 or (status = 'failed') <> (error_details is not null)"
        ),
        "0"
    );
    // The state is what the newest run by start that has ended wrote.
    assert_eq!(
        count(
            "select count(*) from sync_state s
             join lateral (select * from sync_log l where l.entity_type = s.entity_type
                           order by timestamp desc, id desc limit 1) l on true
             where (s.status = 'success') <> (l.status = 'completed')
                or s.updated_at <> l.timestamp + l.duration_seconds * interval '1 second'"
        ),
        "0"
    );
    step.count("runs", runs);
}

/// The older run reads the clock after the newer one, but comes to the state before it.
#[test]
fn of_two_runs_that_end_at_once_the_newer_one_is_the_state() {
    let before = "select sync_finish(sync_start('sales', 'a'), 'completed', 1)";
    for known_before in [true, false] {
        let world = Sandbox::postgres();
        if known_before {
            world.execute(before);
        }
        world.execute("select sync_start('sales', 'a', '{\"older\": true}')");
        let older = "select sync_finish(id, 'completed', 5) from sync_log where metadata ? 'older'";
        comes_before_a_run_that_ends(&world, older);
        let state = "select concat_ws(' ', s.status, s.error_message, s.updated_at = l.timestamp + l.duration_seconds * interval '1 second')
             from sync_state s join sync_log l using (entity_type) order by l.timestamp desc limit 1";
        let state = ask(world.owner_url(), state);
        assert_eq!(
            state,
            ["failed refused t"],
            "a state before: {known_before}"
        );
    }
    // What a script writes a second after the end of a run stays.
    let world = Sandbox::postgres().sql(before);
    let script = "select pg_sleep(1.1);
         update sync_state set status = 'success', last_sync_time = clock_timestamp(), updated_at = clock_timestamp()";
    comes_before_a_run_that_ends(&world, script);
    let state = ask(world.owner_url(), "select status from sync_state");
    assert_eq!(state, ["success"]);
}

/// A run that was begun here fails, and waits for the state, which somebody else has locked and writes meanwhile.
fn comes_before_a_run_that_ends(world: &Sandbox, written: &str) {
    let url = world.owner_url();
    runtime().block_on(async {
        let mut somebody = PgConnection::connect(url).await.unwrap();
        let mut newer = PgConnection::connect(url).await.unwrap();
        told(&mut newer, "select sync_start('sales', 'a', '{\"newer\": true}')").await;
        told(&mut somebody, "begin").await;
        told(
            &mut somebody,
            "select pg_advisory_xact_lock(hashtextextended('syncmon sales', 0));
             select from sync_state where entity_type = 'sales' for update",
        )
        .await;
        let waiting = tokio::spawn(async move {
            let end = "select sync_finish(id, 'failed', 0, 'refused') from sync_log where metadata ? 'newer'";
            told(&mut newer, end).await;
        });
        until_somebody_waits(url).await;
        told(&mut somebody, written).await;
        told(&mut somebody, "commit").await;
        waiting.await.unwrap();
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn told(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}

async fn until_somebody_waits(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    for _ in 0..1000 {
        let row = sqlx::query(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if sqlx::Row::get::<i64, _>(&row, 0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits");
}

/// As the role that may do nothing else. A deadlock would be an error.
fn write(url: &str, writer: usize, runs: usize) {
    runtime().block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for run in 0..runs {
            let entity = ENTITIES[(writer + run) % ENTITIES.len()];
            let end = if (writer * 7 + run).is_multiple_of(5) {
                "'failed', 0, 'refused'"
            } else {
                "'completed', 5"
            };
            let start = format!(
                "set role syncmon_rw; select sync_start('{entity}', 'incremental_sync', '{{\"run\": \"{writer}-{run}\"}}')"
            );
            let rows = sqlx::raw_sql(AssertSqlSafe(start))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let id: i64 = sqlx::Row::get(&rows[0], 0);
            let finish = format!("select sync_finish({id}, {end})");
            sqlx::raw_sql(AssertSqlSafe(finish))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
    });
}
