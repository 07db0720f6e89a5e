//! Many writers at once.

use std::thread;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::figures;
use crate::sandbox::{Sandbox, campaign};
use crate::sql::ask;

const WRITERS: usize = 50;
const ENTITIES: [&str; 6] = [
    "customers",
    "outlets",
    "products",
    "sales",
    "sale_line_items",
    "inventory",
];

#[test]
fn no_run_of_fifty_writers_is_lost_doubled_or_half_recorded() {
    let world = Sandbox::postgres();
    let each = campaign(20, 200);
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
    figures::report(&format!(
        "{WRITERS} writers at once, {} entities: {runs} runs, 0 lost, doubled or half recorded",
        ENTITIES.len()
    ));
}

/// As the role that may do nothing else. A deadlock would be an error.
fn write(url: &str, writer: usize, runs: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
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
