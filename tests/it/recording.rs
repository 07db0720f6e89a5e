//! The functions by which scripts report their runs, in a real PostgreSQL.

mod advisor;
mod python;
mod roles;
mod sequences;
mod writers;

use crate::sandbox::Sandbox;
use crate::sql::{ask, refusal};
use crate::wrapped::until;

/// Whoever asks as `syncmon_rw` may do nothing but call the functions.
fn recorded(world: &Sandbox, sql: &str) -> Vec<String> {
    ask(
        world.owner_url(),
        &format!("set role syncmon_rw; select ({sql})::text"),
    )
}

fn refused(world: &Sandbox, sql: &str) -> Option<String> {
    refusal(
        world.owner_url(),
        &format!("set role syncmon_rw; select {sql}"),
    )
}

/// "status last_sync_time last_version error" of an entity's state.
fn state(world: &Sandbox, entity: &str) -> Vec<String> {
    ask(
        world.owner_url(),
        &format!(
            "select concat_ws(' ', status, coalesce(last_sync_time::text, 'never'), last_version, error_message)
             from sync_state where entity_type = '{entity}'"
        ),
    )
}

/// The rows of an entity's runs, oldest first, without their times.
fn runs(world: &Sandbox, entity: &str) -> Vec<String> {
    ask(
        world.owner_url(),
        &format!(
            "select concat_ws(' ', action, status, case when duration_seconds >= 0 then 'timed' end,
                 records_processed, error_details, last_version, metadata)
             from sync_log where entity_type = '{entity}' order by timestamp, id"
        ),
    )
}

/// A run of sales that was begun.
fn begin(world: &Sandbox) {
    recorded(world, "sync_start('sales', 'incremental_sync')");
}

#[test]
fn a_start_stands_in_the_log_and_leaves_the_state_alone() {
    let world = Sandbox::postgres().sql(
        "insert into sync_state (entity_type, status, last_sync_time, last_version)
         values ('sales', 'success', '2026-11-22 10:00:00+00', 7)",
    );
    let before = state(&world, "sales");
    let start = "sync_start('sales', 'incremental_sync', '{\"host\": \"shop\"}')";
    assert_eq!(recorded(&world, start), ["1"]);
    let expected = ["incremental_sync started {\"host\": \"shop\"}"];
    assert_eq!(runs(&world, "sales"), expected);
    assert_eq!(state(&world, "sales"), before);
    recorded(&world, "sync_start('outlets', 'incremental_sync')");
    assert!(state(&world, "outlets").is_empty());
}

#[test]
fn an_end_stands_in_both_tables_at_the_databases_time() {
    let world = Sandbox::postgres();
    let start = "sync_start('sales', 'incremental_sync', '{\"page\": 1}')";
    recorded(&world, start);
    world.execute("update sync_log set timestamp = timestamp - interval '68.25 seconds'");
    let end = "sync_finish(1, ' Success ', 10738, null, 42, '{\"pages\": 3}')";
    recorded(&world, end);
    let expected = "incremental_sync completed timed 10738 42 {\"page\": 1, \"pages\": 3}";
    assert_eq!(runs(&world, "sales"), [expected]);
    let agreement = "select concat_ws(' ', s.status, s.last_version, s.error_message is null,
            s.last_sync_time = s.updated_at, s.created_at = s.updated_at,
            s.last_sync_time = l.timestamp + l.duration_seconds * interval '1 second',
            l.duration_seconds between 68.25 and 120, clock_timestamp() - s.updated_at < interval '1 minute')
        from sync_state s join sync_log l using (entity_type)";
    let agrees = ask(world.owner_url(), agreement);
    assert_eq!(agrees, ["success 42 t t t t t t"]);
}

#[test]
fn a_failure_moves_neither_the_last_success_nor_the_last_version() {
    let world = Sandbox::postgres();
    let ends = |end: &str| {
        begin(&world);
        recorded(&world, end);
        state(&world, "sales").remove(0)
    };
    let success = ends("sync_finish(1, 'completed', 5, null, 100)");
    let time = success.strip_prefix("success ").unwrap();
    let failed = ends("sync_finish(2, 'failed', 0, '404 Not Found', 200)");
    assert_eq!(failed, format!("failed {time} 404 Not Found"));
    let success = ends("sync_finish(3, 'completed')");
    assert!(success.starts_with("success "), "{success}");
    assert!(success.ends_with(" 100"), "no version given: {success}");
}

#[test]
fn a_run_ends_once() {
    let world = Sandbox::postgres();
    begin(&world);
    let end = "sync_finish(1, 'completed', 5, null, 100, '{\"a\": 1}')";
    recorded(&world, end);
    let rows = || [state(&world, "sales"), runs(&world, "sales")];
    let ended = rows();
    for same in [
        end,
        "sync_finish(1, 'ok', 5)",
        "sync_finish(1, 'completed')",
    ] {
        recorded(&world, same);
        assert_eq!(rows(), ended, "{same}");
    }
    for other in [
        "sync_finish(1, 'failed')",
        "sync_finish(1, 'completed', 6)",
        "sync_finish(1, 'completed', 5, 'warned')",
        "sync_finish(1, 'completed', 5, null, 101)",
        "sync_finish(1, 'completed', 5, null, 100, '{\"a\": 2}')",
    ] {
        assert_eq!(refused(&world, other).as_deref(), Some("55000"), "{other}");
        assert_eq!(rows(), ended, "{other}");
    }
}

#[test]
fn what_cannot_be_recorded_is_refused_with_what_to_do() {
    let world = Sandbox::postgres();
    begin(&world);
    let record = "sync_record(gen_random_uuid(), 'sales', 'incremental_sync',";
    for (call, code) in [
        ("sync_finish(2, 'completed')", "P0002"),
        ("sync_finish(null, 'completed')", "P0002"),
        ("sync_finish(1, 'started')", "22023"),
        ("sync_finish(1, 'done')", "22023"),
        ("sync_finish(1, null)", "22023"),
        ("sync_start(null, 'incremental_sync')", "23502"),
        ("sync_start('sales', null)", "23502"),
        ("sync_record(null, 'sales', 'a', 'completed')", "22004"),
        (&format!("{record} 'done')"), "22023"),
        (&format!("{record} 'failed', null, -1)"), "22023"),
        (&format!("{record} 'failed', null, 'NaN')"), "22023"),
    ] {
        assert_eq!(refused(&world, call).as_deref(), Some(code), "{call}");
    }
    assert_eq!(runs(&world, "sales"), ["incremental_sync started"]);
    assert!(state(&world, "sales").is_empty());
}

#[test]
fn a_late_end_of_an_older_run_overwrites_nothing_that_a_newer_one_wrote() {
    for (newer, older) in [
        ("'completed', 5, null, 120", "'failed', 0, 'late'"),
        ("'failed', 0, 'newer'", "'completed', 5, null, 100"),
        ("'completed', 5, null, 120", "'completed', 5, null, 100"),
    ] {
        let world = Sandbox::postgres();
        recorded(&world, "sync_start('sales', 'a')");
        recorded(&world, "sync_start('sales', 'b')");
        recorded(&world, &format!("sync_finish(2, {newer})"));
        let written = state(&world, "sales");
        recorded(&world, &format!("sync_finish(1, {older})"));
        assert_eq!(state(&world, "sales"), written, "{older} after {newer}");
        assert!(
            !runs(&world, "sales")[0].contains("started"),
            "the log has it"
        );
    }
}

#[test]
fn a_run_that_is_told_of_later_has_the_times_at_which_it_happened() {
    let world = Sandbox::postgres();
    let key = "'7d6f0c1a-0000-4000-8000-000000000001', 'sales', 'incremental_sync'";
    let time = "'2026-11-22 10:00:00+00'";
    let begun = format!("sync_record({key}, 'started', {time})");
    let ended =
        format!("sync_record({key}, 'completed', {time}, 68.25, 10738, null, 42, '{{\"a\": 1}}')");
    for told in [&begun, &begun, &ended, &ended, &begun] {
        assert_eq!(recorded(&world, told), ["1"], "{told}");
    }
    let expected = "incremental_sync completed timed 10738 42 {\"a\": 1}";
    assert_eq!(runs(&world, "sales"), [expected]);
    let times = "select concat_ws(' ', l.timestamp at time zone 'UTC', l.duration_seconds, s.last_sync_time at time zone 'UTC')
         from sync_log l join sync_state s using (entity_type)";
    let times = ask(world.owner_url(), times);
    assert_eq!(times, ["2026-11-22 10:00:00 68.25 2026-11-22 10:01:08.25"]);
    // A start with the same key begins nothing twice either.
    let start = "sync_start('sales', 'a', null, '7d6f0c1a-0000-4000-8000-000000000002')";
    assert_eq!(recorded(&world, start), recorded(&world, start));
    assert_eq!(runs(&world, "sales").len(), 2);
    let of_another = ended.replace("'sales'", "'outlets'");
    assert_eq!(refused(&world, &of_another).as_deref(), Some("22023"));
}

#[test]
fn a_run_that_is_told_of_later_takes_nothing_from_a_newer_state() {
    let world = Sandbox::postgres().sql(
        "insert into sync_state (entity_type, status, last_sync_time, updated_at, last_version)
         values ('sales', 'success', '2026-11-22 12:00:00+00', '2026-11-22 12:00:00+00', 9)",
    );
    let written = state(&world, "sales");
    for status in ["completed", "failed"] {
        let more = format!("'sales', 'a', '{status}', '2026-11-22 10:00:00+00', 5");
        recorded(&world, &format!("sync_record(gen_random_uuid(), {more})"));
        assert_eq!(state(&world, "sales"), written, "{status}");
    }
}

#[test]
fn a_state_from_the_future_does_not_outlive_the_next_run() {
    let world = Sandbox::postgres().sql(
        "insert into sync_state (entity_type, status, last_sync_time, updated_at)
         values ('sales', 'success', now() + interval '1 day', now() + interval '1 day')",
    );
    begin(&world);
    recorded(&world, "sync_finish(1, 'completed')");
    let past = "select (last_sync_time <= clock_timestamp())::text from sync_state";
    assert_eq!(ask(world.owner_url(), past), ["true"]);
}

/// An update of a column with an index would write the row anew into every index.
#[test]
fn the_end_of_a_run_stays_within_its_page() {
    let world = Sandbox::postgres();
    for run in 1..=50 {
        begin(&world);
        recorded(&world, &format!("sync_finish({run}, 'completed', {run})"));
    }
    // The server counts when a session has ended, which may be a moment after its client has gone.
    let counted = "select n_tup_upd || ' ' || (n_tup_hot_upd >= 45) from pg_stat_user_tables where relname = 'sync_log'";
    until("nearly all updates stayed", || {
        ask(world.owner_url(), counted) == ["50 true"]
    });
}
