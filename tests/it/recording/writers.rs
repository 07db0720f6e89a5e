//! Many writers at once.

use std::thread;

use sqlx::Row;

use crate::campaign::{Campaign, Step};
use crate::sandbox::Sandbox;
use crate::sql::{ask, hold};
use crate::wrapped::until;
use crate::year::ENTITIES;

const WRITERS: usize = 50;

#[test]
fn no_run_of_fifty_writers_is_lost_doubled_or_half_recorded() {
    let campaign = Campaign::named("recording", "50 writers at once");
    for step in campaign.steps(1, 10) {
        records_at_once(&step);
    }
    campaign.ends("{runs} runs");
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
    let half = "sync_log where duration_seconds is null or records_processed is null
        or (status = 'failed') <> (error_details is not null)";
    // The state is what the newest run by start that has ended wrote.
    let elsewhere = "sync_state s
        join lateral (select * from sync_log l where l.entity_type = s.entity_type
                      order by timestamp desc, id desc limit 1) l on true
        where (s.status = 'success') <> (l.status = 'completed')
           or s.updated_at <> l.timestamp + l.duration_seconds * interval '1 second'";
    for (counted, from, expected) in [
        ("*", "sync_log", runs),
        ("distinct metadata ->> 'run'", "sync_log", runs),
        ("*", half, 0),
        ("*", elsewhere, 0),
    ] {
        let count = format!("select count({counted})::text from {from}");
        let counted = ask(world.owner_url(), &count);
        assert_eq!(counted, [expected.to_string()], "{count}");
    }
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
        assert_eq!(state, ["failed refused t"], "before: {known_before}");
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
    world.execute("select sync_start('sales', 'a', '{\"newer\": true}')");
    let lock = "begin; select pg_advisory_xact_lock(hashtextextended('syncmon sales', 0));
         select from sync_state where entity_type = 'sales' for update";
    let end =
        "select sync_finish(id, 'failed', 0, 'refused') from sync_log where metadata ? 'newer'";
    let waiting = "select 'waits' from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'";
    thread::scope(|scope| {
        let mut somebody = hold(url, lock);
        scope.spawn(|| world.execute(end));
        until("somebody waits", || !ask(url, waiting).is_empty());
        somebody.rows(written);
        somebody.rows("commit");
    });
}

/// As the role that may do nothing else. A deadlock would be an error.
fn write(url: &str, writer: usize, runs: usize) {
    let mut connection = hold(url, "set role syncmon_rw");
    for run in 0..runs {
        let entity = ENTITIES[(writer + run) % ENTITIES.len()];
        let failed = (writer * 7 + run).is_multiple_of(5);
        let end = ["'completed', 5", "'failed', 0, 'refused'"][usize::from(failed)];
        let metadata = format!("{{\"run\": \"{writer}-{run}\"}}");
        let start = format!("select sync_start('{entity}', 'incremental_sync', '{metadata}')");
        let id: i64 = connection.rows(&start)[0].get(0);
        connection.rows(&format!("select sync_finish({id}, {end})"));
    }
}
