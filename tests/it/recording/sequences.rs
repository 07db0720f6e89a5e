//! What the scripts have always written, and what the functions write, with the verdict after every single write.

use crate::sandbox::Sandbox;

/// What each write is in SQL.
const WRITES: &str = "
    started: insert into sync_log (entity_type, action, status) values ('sales', 'incremental_sync', 'started');
    completed: update sync_log set status = 'completed', duration_seconds = 0.1, records_processed = 5
        where id = (select max(id) from sync_log where entity_type = 'sales');
    failed: update sync_log set status = 'failed', duration_seconds = 0.1, error_details = '404 Not Found'
        where id = (select max(id) from sync_log where entity_type = 'sales');
    state: insert into sync_state (entity_type, status, last_sync_time, updated_at)
        values ('sales', 'success', now(), now()) on conflict (entity_type) do update
        set status = 'success', last_sync_time = now(), updated_at = now(), error_message = null;
    state_failed: insert into sync_state (entity_type, status, last_sync_time, updated_at, error_message)
        values ('sales', 'failed', now(), now(), '404 Not Found') on conflict (entity_type) do update
        set status = 'failed', last_sync_time = now(), updated_at = now(), error_message = '404 Not Found';
    at_once: insert into sync_log (entity_type, action, status, duration_seconds)
        values ('sales', 'extract_from_sales', 'completed', 0);
    timeless: insert into sync_state (entity_type, status) values ('sales', 'success');
    never: insert into sync_state (entity_type, status) values ('sales', 'never_synced');
    start: select sync_start('sales', 'incremental_sync');
    finish: select sync_finish((select max(id) from sync_log where entity_type = 'sales'), 'completed', 5);
    fail: select sync_finish((select max(id) from sync_log where entity_type = 'sales'), 'failed', 0, '404 Not Found');";

/// What is written, and the verdict after each write: never synced, Unconfirmed, Green or Red.
const SEQUENCES: &str = "
    log, then state: started:N completed:G state:G started:G failed:R state_failed:R started:R completed:G state:G
    only the state: state:G state_failed:R state:G
    only a finished row: at_once:G at_once:G
    the state is never written: started:N completed:G started:G completed:G
    the state always says success: started:N completed:G state:G started:G failed:R
    a killed run, then another: started:N started:N completed:G
    a success without a time: timeless:U started:U completed:G
    never_synced, the log knows: never:N started:N completed:G
    the functions: start:N finish:G start:G fail:R start:R finish:G
    the functions after scripts: started:N completed:G state:G start:G fail:R start:R finish:G
    the scripts after functions: start:N finish:G started:G failed:R state_failed:R start:R finish:G
    the state, then the functions: state:G start:G fail:R start:R finish:G
    a script's killed run: started:N start:N finish:G";

/// All sequences at once, each written of an entity of its own.
#[test]
fn what_scripts_and_functions_write_is_judged_rightly_after_every_write() {
    let lines = SEQUENCES
        .trim()
        .lines()
        .map(|line| line.trim().split_once(": ").unwrap());
    let sequences: Vec<(&str, Vec<&str>)> = lines
        .map(|(what, writes)| (what, writes.split(' ').collect()))
        .collect();
    let entities = (0..sequences.len()).map(|n| format!("[[entities]]\nentity_type = \"e{n}\"\n"));
    let world = Sandbox::postgres().file("syncmon.toml", &entities.collect::<String>());
    let longest = sequences.iter().map(|(_, writes)| writes.len()).max();
    for step in 0..longest.unwrap() {
        let all = sequences.iter().enumerate();
        let now = all.filter_map(|(n, (what, writes))| {
            let (write, verdict) = writes.get(step)?.split_once(':')?;
            Some((format!("e{n}"), what, write, verdict))
        });
        let sql = now.clone().map(|(entity, _, write, _)| {
            let sql = sql_of(write).replace("'sales'", &format!("'{entity}'"));
            sql + ";\n"
        });
        world.execute(&sql.collect::<String>());
        assert_eq!(world.build_now().code, 0);
        for (entity, what, write, verdict) in now {
            let expected = match verdict {
                "N" => "red never_synced",
                "U" => "red unconfirmed",
                "G" => "green fresh",
                "R" => "red failed",
                other => panic!("{other}"),
            };
            let what = format!("{what}: after {write}, write {step}");
            assert_eq!(world.verdict(&entity), expected, "{what}");
        }
    }
}

fn sql_of(write: &str) -> &'static str {
    let mut writes = WRITES
        .split(';')
        .filter_map(|one| one.trim().split_once(": "));
    writes.find(|(name, _)| *name == write).expect(write).1
}
