//! The example for Python, run for real. The calls of supabase-py become SQL as PostgREST makes it: under the
//! role of the key, with its claims, and with named arguments.

use std::path::Path;
use std::process::Command;

use super::{runs, state};
use crate::cluster::{Cluster, debian_binaries};
use crate::sandbox::{Sandbox, execute};

const CLIENT: &str = include_str!("client.py");

fn python(world: &Sandbox, script: &str) -> (i32, String) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python");
    let output = Command::new("python3")
        .arg("-c")
        .arg(format!("{CLIENT}{script}"))
        .arg(example)
        .arg(debian_binaries().join("psql"))
        .arg(world.owner_url())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 is missing; ./tests/run installs it");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn the_example_for_python_records_however_its_block_is_left() {
    let server = Cluster::start(&debian_binaries(), &[]);
    let role = "create role service_role nologin bypassrls";
    execute(&server.url("postgres", "postgres"), role);
    let world = Sandbox::empty_postgres_in(&server);
    world.succeeds(&["init-db"]);
    let blocks = "
        sales | run.records_processed = 12; run.last_version = 7 | 0 | completed timed 12 7
        outlets | run.records_processed = 3; raise ValueError(\"can't\") | 1 | failed timed 3 ValueError: can't
        products | raise KeyboardInterrupt | 130 | failed timed KeyboardInterrupt:
        customers | sys.exit(3) | 3 | failed timed SystemExit: 3
        inventory | sys.exit() | 0 | completed timed";
    for line in blocks.trim().lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [entity, block, code, recorded] = cells[..] else {
            panic!("{line}")
        };
        let begin = format!("sync_run(supabase, '{entity}', 'incremental_sync', host='shop')");
        let script = format!("with {begin} as run:\n    {block}\n");
        let (ended, said) = python(&world, &script);
        // Python ends itself by the signal that interrupted it.
        let ended = if ended == -1 { 130 } else { ended };
        assert_eq!(ended.to_string(), code, "{said}");
        let expected = format!("incremental_sync {recorded} {{\"host\": \"shop\"}}");
        let runs = runs(&world, entity).join("\n").replace(":  {", ": {");
        assert_eq!(runs, expected, "{block}");
        let failed = recorded.contains("failed");
        assert_eq!(state(&world, entity)[0].starts_with("failed never"), failed);
    }

    // What cannot be recorded does not stop the job.
    world.execute("drop function sync_start");
    let (code, said) = python(
        &world,
        "with sync_run(supabase, 'sales', 'incremental_sync') as run:\n    print('the job', file=sys.stderr)\n",
    );
    assert_eq!(code, 0, "{said}");
    for part in ["the job", "sync_start of sales was not recorded"] {
        assert!(said.contains(part), "{said}");
    }
}
