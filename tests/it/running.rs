//! `syncmon run`, `record`, `flush` and `prune`: whatever happens around them, the job runs and its run is recorded
//! truthfully, once.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::os::unix::process::{CommandExt, ExitStatusExt};

use crate::campaign::{Campaign, Step};
use crate::cluster::{Cluster, debian_binaries};
use crate::sandbox::{Ended, Sandbox};
use crate::sql::{ask, hold};

const RUN: [&str; 6] = [
    "run",
    "sales",
    "--action",
    "incremental_sync",
    "--state-dir",
    "state",
];

/// A job, run by the program.
fn command(world: &Sandbox, options: &[&str], script: &str) -> Command {
    let mut arguments: Vec<&str> = RUN.to_vec();
    arguments.extend(options);
    arguments.extend(["--", "bash", "-c", script]);
    let mut command = world.command(&arguments);
    // Not what a terminal's keys interrupt: then signals would not have to be handed on.
    command.process_group(0);
    command
}

fn run(world: &Sandbox, script: &str) -> Ended {
    run_with(world, &[], script)
}

fn run_with(world: &Sandbox, options: &[&str], script: &str) -> Ended {
    let output = command(world, options, script).output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn postgres() -> Sandbox {
    let world = Sandbox::postgres();
    let url = Cluster::shared().url("syncmon_rw", &world.database());
    world.with_url(&url)
}

/// The databases that runs are recorded in, each as whoever may do nothing else.
fn both() -> [Sandbox; 2] {
    [postgres(), Sandbox::sqlite()]
}

/// All rows of a query as text, cells between bars.
fn rows(world: &Sandbox, columns: &str, rest: &str) -> Vec<String> {
    let cells: Vec<String> = columns
        .split(", ")
        .map(|column| format!("coalesce(cast({column} as text), '-')"))
        .collect();
    let sql = format!("select {} {rest}", cells.join(" || '|' || "));
    if world.url().starts_with("sqlite:") {
        let path = world.url().trim_start_matches("sqlite:").to_owned();
        let output = Command::new("python3")
            .args([
                "-c",
                "import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(repr(row[0]))",
                &path,
                &sql,
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        told.lines()
            .map(|line| line[1..line.len() - 1].replace("\\n", "\n"))
            .collect()
    } else {
        ask(world.owner_url(), &sql)
    }
}

fn runs(world: &Sandbox) -> Vec<String> {
    rows(
        world,
        "status, records_processed, error_details, last_version",
        "from sync_log order by \"timestamp\", id",
    )
}

fn state(world: &Sandbox) -> Vec<String> {
    rows(
        world,
        "status, last_version, error_message",
        "from sync_state",
    )
}

/// What waits in the state directory.
fn waiting(world: &Sandbox) -> usize {
    let folder = world.path("state/runs");
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries
            .filter(|entry| {
                let path = entry.as_ref().unwrap().path();
                path.extension().is_some_and(|kind| kind == "json")
            })
            .count()
    })
}

#[test]
fn a_job_runs_as_if_nobody_were_there_and_is_recorded() {
    for world in both() {
        let ended = run(
            &world,
            "echo out; echo err >&2; read line; echo \"<$line>\"; exit 0",
        );
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (0, "out\n<>\n", "err\n")
        );
        assert_eq!(runs(&world), ["completed|-|-|-"]);
        assert_eq!(state(&world), ["success|-|-"]);
        let ended = run(&world, "echo one; echo went wrong >&2; exit 3");
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (3, "one\n", "went wrong\n")
        );
        assert_eq!(runs(&world)[1], "failed|-|exit code 3\nwent wrong|-");
        assert_eq!(state(&world), ["failed|-|exit code 3\nwent wrong"]);
        assert_eq!(waiting(&world), 0);
    }
}

#[test]
fn a_job_tells_of_its_own_run() {
    for world in both() {
        let result =
            "{\"records_processed\": 12, \"last_version\": 7, \"metadata\": {\"pages\": 3}}";
        run(&world, &format!("echo '{result}' > \"$SYNCMON_RESULT\""));
        assert_eq!(runs(&world), ["completed|12|-|7"]);
        assert_eq!(state(&world), ["success|7|-"]);
        let metadata = rows(&world, "metadata", "from sync_log");
        let metadata: Value = serde_json::from_str(&metadata[0]).unwrap();
        assert_eq!(metadata, serde_json::json!({"pages": 3}));
        run_with(&world, &["--records-file", "count"], "echo 34 > count");
        assert_eq!(runs(&world)[1], "completed|34|-|-");
        for bad in ["no json", "[1]", "{\"records_processed\": \"many\"}", ""] {
            let ended = run(&world, &format!("echo '{bad}' > \"$SYNCMON_RESULT\""));
            assert_eq!(ended.code, 0);
            assert!(ended.stderr.contains("holds no result"), "{bad}: {ended:?}");
        }
        assert_eq!(runs(&world).len(), 6);
        assert!(runs(&world)[2..].iter().all(|run| run == "completed|-|-|-"));
        let left = std::fs::read_dir(world.path("state/runs")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"], "no result file stays");
    }
}

#[test]
fn whatever_a_result_file_says_the_end_of_the_run_is_recorded() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let odd = [
        r#"{"records_processed": 5, "metadata": {"a\u0000b": "c\u0000", "d": ["\ud83d\ude00"]}}"#
            .to_owned(),
        format!(r#"{{"records_processed": 5, "metadata": {}}}"#, deep(64)),
        format!(r#"{{"records_processed": 5, "metadata": {}}}"#, deep(65)),
        format!(r#"{{"records_processed": 5, "metadata": {}}}"#, deep(126)),
        format!(
            r#"{{"records_processed": 5, "metadata": {}}}"#,
            deep(100_000)
        ),
        r#"{"records_processed": -2147483648, "last_version": -9223372036854775808}"#.to_owned(),
        r#"{"metadata": [1e308, -1e-300, 18446744073709551615, -9223372036854775808, 0.1]}"#
            .to_owned(),
        r#"{"metadata": "'); drop table sync_log; --\\'"}"#.to_owned(),
    ];
    for world in both() {
        for (said, before) in odd.iter().zip(0..) {
            std::fs::write(world.path("said"), said).unwrap();
            let ended = run(&world, "cp said \"$SYNCMON_RESULT\"");
            assert_eq!(ended.code, 0, "{said}: {ended:?}");
            assert_eq!(runs(&world).len(), before + 1, "{said}: {ended:?}");
            let newest = runs(&world).pop().unwrap();
            assert!(
                newest.starts_with("completed|"),
                "{said}: {newest}, {ended:?}"
            );
        }
        let metadata = rows(&world, "metadata", "from sync_log order by id");
        let first: Value = serde_json::from_str(&metadata[0]).unwrap();
        assert_eq!(
            first,
            serde_json::json!({"a\u{fffd}b": "c\u{fffd}", "d": ["\u{1f600}"]})
        );
        assert!(!world.path("state/runs").read_dir().unwrap().any(|entry| {
            entry
                .unwrap()
                .path()
                .extension()
                .is_some_and(|kind| kind == "refused")
        }));
    }
}

#[test]
fn a_killed_job_is_a_failed_run_that_names_the_signal() {
    let world = postgres();
    for (signal, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11)] {
        let mut job = command(&world, &[], &format!("kill -{signal} $$"));
        let status = job.stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.signal(), Some(number), "{status:?}");
        let newest = runs(&world).pop().unwrap();
        assert_eq!(
            newest,
            format!("failed|-|killed by signal {number} (SIG{signal})|-")
        );
    }
}

#[test]
fn signals_reach_the_job() {
    let world = postgres();
    for (signal, name) in [
        (Signal::TERM, "TERM"),
        (Signal::INT, "INT"),
        (Signal::USR1, "USR1"),
    ] {
        let script = format!(
            "trap 'echo got {name} >&2; exit 7' {name}; echo ready; while :; do sleep 0.05; done"
        );
        let mut job = command(&world, &[], &script);
        let mut child = job
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for("ready\n", child.stdout.as_mut().unwrap());
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(7), "{ended:?}");
        let newest = runs(&world).pop().unwrap();
        assert_eq!(newest, format!("failed|-|exit code 7\ngot {name}|-"));
    }
}

/// Reads until this has come.
fn wait_for(what: &str, from: &mut impl std::io::Read) {
    let mut seen = vec![0; what.len()];
    from.read_exact(&mut seen).unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), what);
}

#[test]
fn whatever_a_job_does_its_run_is_recorded_truthfully() {
    let world = Sandbox::sqlite();
    let campaign = Campaign::named("recording", "megabytes that a job writes");
    let megabytes = campaign.size(50, 1024);
    for (what, script, code, recorded) in [
        (
            "closes its streams",
            "exec <&- >&- 2>&-; exit 4".to_owned(),
            4,
            "failed|-|exit code 4|-",
        ),
        (
            "forks a daemon",
            "sleep 30 <&- >&- & disown; echo gone >&2; exit 5".to_owned(),
            5,
            "failed|-|exit code 5\ngone|-",
        ),
        (
            "writes no UTF-8",
            "printf 'a\\377b' >&2; exit 6".to_owned(),
            6,
            "failed|-|exit code 6\na\u{fffd}b|-",
        ),
        (
            "writes nothing",
            "exit 8".to_owned(),
            8,
            "failed|-|exit code 8|-",
        ),
        (
            "shows a secret",
            "echo token=Hunter2SecretWord for $MY_TOKEN >&2; exit 9".to_owned(),
            9,
            "failed|-|exit code 9\ntoken=[masked] for [masked]|-",
        ),
    ] {
        let begun = Instant::now();
        let output = command(&world, &[], &script)
            .env("MY_TOKEN", "Another5ecret")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{what}: {output:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        assert_eq!(runs(&world).pop().unwrap(), recorded, "{what}");
    }

    let flood = format!(
        "head -c {megabytes}M /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo the end >&2; exit 1"
    );
    let mut job = Command::new("/usr/bin/env");
    job.args(["bash", "-c", "ulimit -v 600000; exec \"$@\" 2>/dev/null"]);
    let inner = command(&world, &[], &flood);
    job.arg("bash")
        .arg(inner.get_program())
        .args(inner.get_args());
    job.current_dir(world.root())
        .env("DATABASE_URL", world.url())
        .env("HOME", world.root());
    assert_eq!(job.status().unwrap().code(), Some(1));
    let newest = runs(&world).pop().unwrap();
    assert!(newest.ends_with("are left out)\nthe end|-"), "{newest}");
    campaign.ends(&format!("{megabytes} MB"));

    run_with(&world, &["--no-output"], "echo private >&2; exit 2");
    assert_eq!(runs(&world).pop().unwrap(), "failed|-|exit code 2|-");

    let missing = world.run(&[
        "run",
        "sales",
        "--state-dir",
        "state",
        "--",
        "no-such-program",
    ]);
    assert_eq!(missing.code, 127, "{missing:?}");
    assert!(
        runs(&world)
            .pop()
            .unwrap()
            .starts_with("failed|-|the command cannot be started: ")
    );
}

/// A job that ignores SIGTERM goes on, and so does whoever waits for it.
#[test]
fn a_job_that_ignores_sigterm_is_waited_for() {
    let world = postgres();
    let mut job = command(&world, &[], "trap '' TERM; echo ready; sleep 1; exit 0");
    let mut child = job.stdout(Stdio::piped()).spawn().unwrap();
    wait_for("ready\n", child.stdout.as_mut().unwrap());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(runs(&world), ["completed|-|-|-"]);
}

#[test]
fn without_a_database_the_job_runs_and_its_run_is_told_later_once_and_in_order() {
    let (server, world) = stoppable();
    server.control("-m fast stop");
    for (script, code) in [("echo one > done-1", 0), ("echo two > done-2; exit 3", 3)] {
        let ended = run(&world, script);
        assert_eq!(ended.code, code, "{ended:?}");
        let later = ended.stderr.matches("this run is recorded later");
        assert_eq!(later.count(), 1, "{ended:?}");
    }
    assert!(world.path("done-1").exists() && world.path("done-2").exists());
    let told = world.run(&[
        "record",
        "outlets",
        "completed",
        "--records",
        "5",
        "--state-dir",
        "state",
    ]);
    assert_eq!(told.code, 75, "{told:?}");
    assert_eq!(world.run(&["flush", "--state-dir", "state"]).code, 75);
    assert_eq!(waiting(&world), 3);
    let happened = chrono::Utc::now();
    sleep(Duration::from_secs(2));
    server.control("-w start");
    for expected in ["3 of the runs", "0 of the runs"] {
        let flushed = world.run(&["flush", "--state-dir", "state"]);
        assert_eq!(flushed.code, 0, "{flushed:?}");
        assert!(flushed.stdout.starts_with(expected), "{flushed:?}");
    }
    assert_eq!(
        runs(&world),
        [
            "completed|-|-|-",
            "failed|-|exit code 3|-",
            "completed|5|-|-"
        ]
    );
    let late = rows(
        &world,
        "count(*)",
        &format!(
            "from sync_log where \"timestamp\" < '{}'",
            happened.to_rfc3339()
        ),
    );
    assert_eq!(late, ["3"], "the times at which they happened");
}

/// A server that may be stopped, and a world in it.
fn stoppable() -> (Cluster, Sandbox) {
    let server = Cluster::start(&debian_binaries(), &[]);
    let world = Sandbox::postgres_in(&server);
    let url = server.url("syncmon_rw", &world.database());
    let world = world
        .with_url(&url)
        .file("syncmon.toml", "connect_timeout = \"2s\"\n");
    (server, world)
}

fn is_recorded_once_the_server_is_back(server: &Cluster, world: &Sandbox) {
    assert_eq!(waiting(world), 1);
    server.control("-w start");
    for _ in 0..2 {
        let flushed = world.run(&["flush", "--state-dir", "state"]);
        assert_eq!(flushed.code, 0, "{flushed:?}");
        assert_eq!(runs(world), ["completed|-|-|-"]);
        assert_eq!(state(world), ["success|-|-"]);
    }
    assert_eq!(waiting(world), 0);
}

#[test]
fn a_database_that_stops_between_start_and_end_is_told_of_the_end_later() {
    let (server, world) = stoppable();
    let mut job = command(&world, &[], "until [ -e go ]; do sleep 0.05; done");
    let mut child = job.stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while runs(&world) != ["started|-|-|-"] {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(20));
    }
    server.control("-m fast stop");
    std::fs::write(world.path("go"), "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    is_recorded_once_the_server_is_back(&server, &world);
}

#[test]
fn a_database_that_stops_while_the_end_is_told_is_told_again() {
    let (server, world) = stoppable();
    // The end has to wait for the state, and is cut off there.
    let import = hold(world.owner_url(), "begin; lock table sync_state");
    let mut child = command(&world, &[], "exit 0")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waits = "select count(*)::text from pg_locks where not granted";
    let deadline = Instant::now() + Duration::from_secs(10);
    while ask(world.owner_url(), waits) != ["1"] {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(20));
    }
    server.control("-m immediate stop");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(import);
    is_recorded_once_the_server_is_back(&server, &world);
}

/// What happened is not lost and not counted twice, whenever the one who watches is killed.
#[test]
fn killed_at_any_moment_it_loses_no_run_and_counts_none_twice() {
    let campaign = Campaign::named("recording", "syncmon run killed");
    for step in campaign.steps(1, 25) {
        is_killed_at_any_moment(&step);
    }
    let [kills, jobs, runs] = ["kills", "jobs", "runs"].map(|what| campaign.tally(what));
    campaign.ends(&format!(
        "{kills} kills, {jobs} jobs begun, {runs} runs recorded"
    ));
}

fn is_killed_at_any_moment(step: &Step) {
    let world = postgres();
    let times = 12;
    for number in step.number * times..(step.number + 1) * times {
        let mut job = command(&world, &[], &format!("echo {number} >> jobs; sleep 0.05"));
        let mut child = job.spawn().unwrap();
        sleep(Duration::from_millis((number as u64 * 37) % 160));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            continue;
        }
        step.count("kills", 1);
    }
    sleep(Duration::from_millis(300));
    for _ in 0..2 {
        assert_eq!(world.run(&["flush", "--state-dir", "state"]).code, 0);
    }
    assert_eq!(waiting(&world), 0);
    let jobs = std::fs::read_to_string(world.path("jobs")).unwrap_or_default();
    let keys = rows(&world, "count(*), count(distinct run_key)", "from sync_log");
    let [recorded, distinct] = keys[0].split('|').collect::<Vec<_>>()[..] else {
        panic!("{keys:?}");
    };
    assert_eq!(recorded, distinct, "none twice");
    let recorded: usize = recorded.parse().unwrap();
    let ran = jobs.lines().count();
    assert!(
        ran <= recorded && recorded <= times,
        "{ran} jobs, {recorded} runs"
    );
    step.count("jobs", ran);
    step.count("runs", recorded);
}

#[test]
fn a_run_is_recorded_after_the_fact() {
    for world in both() {
        let told = world.run(&[
            "record",
            "sales",
            "failed",
            "--started-at",
            "2026-11-22T10:00:00Z",
            "--duration",
            "68s",
            "--records",
            "3",
            "--error",
            "no answer; password=Hunter2Secret",
            "--state-dir",
            "state",
        ]);
        assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
        assert_eq!(runs(&world), ["failed|3|no answer; password=[masked]|-"]);
        let duration = rows(&world, "duration_seconds", "from sync_log");
        assert!(["68", "68.0"].contains(&&*duration[0]), "{duration:?}");
        for wrong in [
            &["record", "sales", "done"][..],
            &["record", " ", "completed"],
            &["record", "sales", "completed", "--started-at", "yesterday"],
            &["record", "sales", "completed", "--duration", "long"],
            &["record", "sales", "completed", "--duration", "500000years"],
            &["run", "sales"],
        ] {
            assert_eq!(world.run(wrong).code, 2, "{wrong:?}");
        }
        assert_eq!(runs(&world).len(), 1);
    }
}

#[test]
fn sqlite_keeps_the_rules_of_the_functions() {
    let world = Sandbox::sqlite();
    let record = |status: &str, at: &str, more: &[&str]| {
        let mut arguments = vec![
            "record",
            "sales",
            status,
            "--started-at",
            at,
            "--state-dir",
            "state",
        ];
        arguments.extend(more);
        assert_eq!(world.run(&arguments).code, 0);
    };
    record(
        "completed",
        "2026-11-22T10:00:00Z",
        &["--last-version", "100"],
    );
    record("failed", "2026-11-22T11:00:00Z", &["--error", "gone"]);
    let told = |what: &str| rows(&world, what, "from sync_state");
    assert_eq!(
        told("status, last_sync_time, last_version, error_message"),
        ["failed|2026-11-22T10:00:00.000000Z|100|gone"]
    );
    record(
        "completed",
        "2026-11-22T09:00:00Z",
        &["--last-version", "50"],
    );
    assert_eq!(
        told("status, last_version"),
        ["failed|100"],
        "an older one changes nothing"
    );
    record("completed", "2026-11-22T12:00:00Z", &[]);
    assert_eq!(
        told("status, last_version, error_message"),
        ["success|100|-"]
    );
}

#[test]
fn old_runs_are_deleted_but_the_newest_success_and_failure_of_each_entity() {
    for world in [Sandbox::postgres(), Sandbox::sqlite()] {
        let url = world.owner_url().to_owned();
        let world = world.with_url(&url).sql(
            "insert into sync_log (timestamp, entity_type, action, status, duration_seconds) values
                ('2020-01-01T00:00:00Z', 'sales', 'a', 'completed', 1), ('2020-01-02T00:00:00Z', 'sales', 'a', 'OK', 1),
                ('2020-01-03T00:00:00Z', 'sales', 'a', 'failed', 1), ('2020-01-04T00:00:00Z', 'sales', 'a', 'error', 1),
                ('2020-01-05T00:00:00Z', 'sales', 'a', 'started', null), ('2020-01-06T00:00:00Z', 'sales', 'a', 'paused', null),
                ('2020-01-01T00:00:00Z', 'outlets', 'a', 'completed', 1),
                ('2020-01-01T00:00:00Z', 'products', 'a', 'completed', 1), ('2099-01-01T00:00:00Z', 'products', 'a', 'completed', 1);",
        );
        let left = || {
            rows(
                &world,
                "entity_type, status",
                "from sync_log order by entity_type, \"timestamp\"",
            )
        };
        let before = left();
        let said = world.run(&["prune", "--keep", "400d", "--dry-run"]);
        assert!(
            said.stdout.starts_with("3 runs from before ")
                && said.stdout.contains("would be deleted"),
            "{said:?}"
        );
        assert_eq!(left(), before);
        let said = world.run(&["prune", "--keep", "400d"]);
        assert!(
            said.stdout.starts_with("3 runs from before ") && said.code == 0,
            "{said:?}"
        );
        assert_eq!(
            left(),
            [
                "outlets|completed",
                "products|completed",
                "sales|OK",
                "sales|error",
                "sales|started",
                "sales|paused"
            ]
        );
        assert!(
            world
                .run(&["prune", "--keep", "400d"])
                .stdout
                .starts_with("0 runs")
        );
        assert_eq!(world.run(&["prune", "--keep", "1h"]).code, 2);
    }
}

#[test]
fn an_older_sqlite_database_gets_what_it_lacks() {
    let world = Sandbox::bare();
    let url = format!("sqlite:{}", world.path("old.sqlite").display());
    Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript('create table sync_log (id integer primary key, timestamp, entity_type text not null, action text not null, status text not null, duration_seconds numeric, records_processed integer default 0, error_details text, metadata jsonb); create table sync_state (entity_type text primary key, last_sync_time, status text, error_message text, created_at, updated_at); insert into sync_log (timestamp, entity_type, action, status) values (1, 2, 3, 4)')",
        ])
        .arg(world.path("old.sqlite"))
        .status()
        .unwrap();
    let world = world.with_url(&url);
    for _ in 0..3 {
        world.succeeds(&["init-db"]);
    }
    assert_eq!(run(&world, "exit 0").code, 0);
    assert_eq!(runs(&world).len(), 2);
}
