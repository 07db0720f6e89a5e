//! What the scripts have always written, and what the functions write, with the verdict after every single write.

use crate::sandbox::Sandbox;

const STARTED: &str = "insert into sync_log (entity_type, action, status) values ('sales', 'incremental_sync', 'started')";
const COMPLETED: &str =
    "update sync_log set status = 'completed', duration_seconds = 0.1, records_processed = 5
    where id = (select max(id) from sync_log)";
const FAILED: &str =
    "update sync_log set status = 'failed', duration_seconds = 0.1, error_details = '404 Not Found'
    where id = (select max(id) from sync_log)";
const STATE_SUCCESS: &str =
    "insert into sync_state (entity_type, status, last_sync_time, updated_at)
    values ('sales', 'success', now(), now()) on conflict (entity_type) do update
    set status = 'success', last_sync_time = now(), updated_at = now(), error_message = null";
const STATE_FAILED: &str = "insert into sync_state (entity_type, status, last_sync_time, updated_at, error_message)
    values ('sales', 'failed', now(), now(), '404 Not Found') on conflict (entity_type) do update
    set status = 'failed', last_sync_time = now(), updated_at = now(), error_message = '404 Not Found'";
const FINISHED_AT_ONCE: &str =
    "insert into sync_log (entity_type, action, status, duration_seconds)
    values ('sales', 'extract_from_sales', 'completed', 0)";

const START: &str = "select sync_start('sales', 'incremental_sync')";
const FINISH: &str = "select sync_finish((select max(id) from sync_log), 'completed', 5)";
const FAIL: &str =
    "select sync_finish((select max(id) from sync_log), 'failed', 0, '404 Not Found')";

const NEVER: &str = "red never_synced";
const GREEN: &str = "green fresh";
const RED: &str = "red failed";

/// Each write with the verdict that follows it.
fn follow(what: &str, writes: &[(&str, &str)]) {
    let world = Sandbox::postgres();
    for (number, (sql, verdict)) in writes.iter().enumerate() {
        world.execute(sql);
        assert_eq!(world.build_now().code, 0);
        assert_eq!(
            world.verdict("sales"),
            *verdict,
            "{what}, write {number}: {sql}"
        );
    }
}

#[test]
fn what_the_scripts_write_is_judged_rightly_after_every_write() {
    follow(
        "log, then state",
        &[
            (STARTED, NEVER),
            (COMPLETED, GREEN),
            (STATE_SUCCESS, GREEN),
            (STARTED, GREEN),
            (FAILED, RED),
            (STATE_FAILED, RED),
            (STARTED, RED),
            (COMPLETED, GREEN),
            (STATE_SUCCESS, GREEN),
        ],
    );
    follow(
        "only the state",
        &[
            (STATE_SUCCESS, GREEN),
            (STATE_FAILED, RED),
            (STATE_SUCCESS, GREEN),
        ],
    );
    follow(
        "only a finished row",
        &[(FINISHED_AT_ONCE, GREEN), (FINISHED_AT_ONCE, GREEN)],
    );
    follow(
        "the state is never written",
        &[
            (STARTED, NEVER),
            (COMPLETED, GREEN),
            (STARTED, GREEN),
            (COMPLETED, GREEN),
        ],
    );
    follow(
        "the state says success whatever happens",
        &[
            (STARTED, NEVER),
            (COMPLETED, GREEN),
            (STATE_SUCCESS, GREEN),
            (STARTED, GREEN),
            (FAILED, RED),
        ],
    );
    follow(
        "a killed run, then another",
        &[(STARTED, NEVER), (STARTED, NEVER), (COMPLETED, GREEN)],
    );
    follow(
        "a success without a time",
        &[
            (
                "insert into sync_state (entity_type, status) values ('sales', 'success')",
                "red unconfirmed",
            ),
            (STARTED, "red unconfirmed"),
            (COMPLETED, GREEN),
        ],
    );
    follow(
        "never_synced, though the log knows better",
        &[
            (
                "insert into sync_state (entity_type, status) values ('sales', 'never_synced')",
                NEVER,
            ),
            (STARTED, NEVER),
            (COMPLETED, GREEN),
        ],
    );
}

#[test]
fn what_the_functions_write_is_judged_rightly_after_every_write() {
    follow(
        "the functions",
        &[
            (START, NEVER),
            (FINISH, GREEN),
            (START, GREEN),
            (FAIL, RED),
            (START, RED),
            (FINISH, GREEN),
        ],
    );
    follow(
        "the functions after the scripts",
        &[
            (STARTED, NEVER),
            (COMPLETED, GREEN),
            (STATE_SUCCESS, GREEN),
            (START, GREEN),
            (FAIL, RED),
            (START, RED),
            (FINISH, GREEN),
        ],
    );
    follow(
        "the scripts after the functions",
        &[
            (START, NEVER),
            (FINISH, GREEN),
            (STARTED, GREEN),
            (FAILED, RED),
            (STATE_FAILED, RED),
            (START, RED),
            (FINISH, GREEN),
        ],
    );
    follow(
        "only the state, then the functions",
        &[
            (STATE_SUCCESS, GREEN),
            (START, GREEN),
            (FAIL, RED),
            (START, RED),
            (FINISH, GREEN),
        ],
    );
    follow(
        "a script's killed run",
        &[(STARTED, NEVER), (START, NEVER), (FINISH, GREEN)],
    );
}
