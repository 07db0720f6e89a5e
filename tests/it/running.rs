//! `syncmon run`, `record`, `flush` and `prune`: whatever happens around them, the job runs and its run is recorded
//! truthfully, once.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::campaign::{Campaign, Step};
use crate::cluster::{Cluster, debian_binaries};
use crate::generations::names;
use crate::golden::Told;
use crate::sandbox::{Ended, Sandbox};
use crate::sql::{ask, hold};
use crate::wrapped::{end_of, ended, spawned, through, until};

/// A job, run by the program.
fn command(world: &Sandbox, options: &str, script: &str) -> Command {
    let line = format!("run sales --action incremental_sync --state-dir state {options}");
    let mut arguments: Vec<&str> = line.split_whitespace().collect();
    arguments.extend(["--", "bash", "-c", script]);
    let mut command = world.command(&arguments);
    // Not what a terminal's keys interrupt: then signals would not have to be handed on.
    command.process_group(0);
    command
}

fn run(world: &Sandbox, script: &str) -> Ended {
    ended(&mut command(world, "", script))
}

/// A line of arguments such as "record sales completed".
fn syncmon(world: &Sandbox, line: &str) -> Ended {
    let line = format!("{line} --state-dir state");
    world.run(&line.split_whitespace().collect::<Vec<_>>())
}

/// A world in this server, recorded in as whoever may do nothing else.
fn recorded_in(server: &Cluster) -> Sandbox {
    let world = Sandbox::postgres_in(server);
    let url = server.url("syncmon_rw", &world.database());
    world.with_url(&url)
}

fn postgres() -> Sandbox {
    recorded_in(Cluster::shared())
}

fn both() -> [Sandbox; 2] {
    [postgres(), Sandbox::sqlite()]
}

/// Prints the first column of every row.
const ASK_SQLITE: &str = "
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(row[0], end='\\0')";

/// All rows of a query as text, cells between bars.
fn rows(world: &Sandbox, columns: &str, rest: &str) -> Vec<String> {
    let cell = |column| format!("coalesce(cast({column} as text), '-')");
    let cells: Vec<String> = columns.split(", ").map(cell).collect();
    let sql = format!("select {} {rest}", cells.join(" || '|' || "));
    let Some(path) = world.url().strip_prefix("sqlite:") else {
        return ask(world.owner_url(), &sql);
    };
    let mut python = Command::new("python3");
    let told = ended(python.args(["-c", ASK_SQLITE, path, &sql])).exits(0);
    let cells = told.stdout.split_terminator('\0');
    cells.map(str::to_owned).collect()
}

fn runs(world: &Sandbox) -> Vec<String> {
    let columns = "status, records_processed, error_details, last_version";
    rows(world, columns, "from sync_log order by \"timestamp\", id")
}

fn newest(world: &Sandbox) -> String {
    runs(world).pop().unwrap()
}

fn state(world: &Sandbox) -> Vec<String> {
    let columns = "status, last_version, error_message";
    rows(world, columns, "from sync_state")
}

/// How many files of this kind lie among the runs that have yet to be told.
fn kept(world: &Sandbox, kind: &str) -> usize {
    let is_one = |name: &String| Path::new(name).extension().is_some_and(|own| own == kind);
    let names = names(&world.path("state/runs")).into_iter();
    names.filter(is_one).count()
}

#[test]
fn a_job_runs_as_if_nobody_were_there_and_is_recorded() {
    for world in both() {
        let script = "echo out; echo err >&2; read line; echo \"<$line>\"";
        let ended = run(&world, script);
        let said = (ended.code, &*ended.stdout, &*ended.stderr);
        assert_eq!(said, (0, "out\n<>\n", "err\n"));
        assert_eq!(runs(&world), ["completed|-|-|-"]);
        assert_eq!(state(&world), ["success|-|-"]);
        let ended = run(&world, "echo one; echo went wrong >&2; exit 3");
        let said = (ended.code, &*ended.stdout, &*ended.stderr);
        assert_eq!(said, (3, "one\n", "went wrong\n"));
        assert_eq!(runs(&world)[1], "failed|-|exit code 3\nwent wrong|-");
        assert_eq!(state(&world), ["failed|-|exit code 3\nwent wrong"]);
        assert_eq!(kept(&world, "json"), 0);
    }
}

#[test]
fn a_job_tells_of_its_own_run() {
    let result = r#"{"records_processed": 12, "last_version": 7, "metadata": {"pages": 3}}"#;
    for world in both() {
        run(&world, &format!("echo '{result}' > \"$SYNCMON_RESULT\""));
        assert_eq!(runs(&world), ["completed|12|-|7"]);
        assert_eq!(state(&world), ["success|7|-"]);
        let metadata = rows(&world, "metadata", "from sync_log");
        let metadata: Value = serde_json::from_str(&metadata[0]).unwrap();
        assert_eq!(metadata, json!({"pages": 3}));
        let count = "echo 34 > count";
        ended(&mut command(&world, "--records-file count", count));
        assert_eq!(newest(&world), "completed|34|-|-");
        for bad in ["no json", "[1]", "{\"records_processed\": \"many\"}", ""] {
            let ended = run(&world, &format!("echo '{bad}' > \"$SYNCMON_RESULT\"")).exits(0);
            assert!(ended.stderr.contains("holds no result"), "{bad}: {ended:?}");
            assert_eq!(newest(&world), "completed|-|-|-", "{bad}");
        }
        assert_eq!(runs(&world).len(), 6);
        assert_eq!(names(&world.path("state/runs")), ["lock"]);
    }
}

#[test]
fn whatever_a_result_file_says_the_end_of_the_run_is_recorded() {
    let deep = |levels: usize| {
        let metadata = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!("{{\"records_processed\": 5, \"metadata\": {metadata}}}")
    };
    let text = str::to_owned;
    let odd = [
        text(r#"{"metadata": {"a\u0000b": "c\u0000", "d": ["\ud83d\ude00"]}}"#),
        deep(64),
        deep(65),
        deep(126),
        deep(100_000),
        text(r#"{"records_processed": -2147483648, "last_version": -9223372036854775808}"#),
        text(r#"{"metadata": [1e308, -1e-300, 18446744073709551615, -9223372036854775808, 0.1]}"#),
        text(r#"{"metadata": "'); drop table sync_log; --\\'"}"#),
    ];
    for world in both() {
        for (said, before) in odd.iter().zip(0..) {
            std::fs::write(world.path("said"), said).unwrap();
            let ended = run(&world, "cp said \"$SYNCMON_RESULT\"");
            let found = (ended.code, runs(&world).len());
            assert_eq!(found, (0, before + 1), "{said}: {ended:?}");
            let newest = newest(&world);
            assert!(newest.starts_with("completed|"), "{said}: {newest}");
        }
        let metadata = rows(&world, "metadata", "from sync_log order by id");
        let first: Value = serde_json::from_str(&metadata[0]).unwrap();
        let readable = json!({"a\u{fffd}b": "c\u{fffd}", "d": ["\u{1f600}"]});
        assert_eq!(first, readable);
        assert_eq!(kept(&world, "refused"), 0);
    }
}

#[test]
fn a_killed_job_is_a_failed_run_that_names_the_signal() {
    let world = postgres();
    for (signal, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11)] {
        let mut job = command(&world, "", &format!("kill -{signal} $$"));
        let status = job.stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.signal(), Some(number), "{status:?}");
        let said = format!("failed|-|killed by signal {number} (SIG{signal})|-");
        assert_eq!(newest(&world), said);
    }
}

/// One that ignores SIGTERM goes on, and so does whoever waits for it.
#[test]
fn a_job_that_ignores_sigterm_is_waited_for() {
    let world = postgres();
    let ready = "echo ready; while :; do sleep 0.05; done";
    for (signal, script, code, recorded) in [
        (Signal::TERM, "trap 'echo got >&2; exit 7' TERM", 7, "\ngot"),
        (Signal::INT, "trap 'echo got >&2; exit 8' INT", 8, "\ngot"),
        (Signal::USR1, "trap 'exit 9' USR1", 9, ""),
    ] {
        let script = format!("{script}; {ready}");
        end_of(told_when_ready(&world, signal, &script)).exits(code);
        let recorded = format!("failed|-|exit code {code}{recorded}|-");
        assert_eq!(newest(&world), recorded);
    }
    let script = "trap '' TERM; echo ready; sleep 1; exit 0";
    end_of(told_when_ready(&world, Signal::TERM, script)).exits(0);
    assert_eq!(newest(&world), "completed|-|-|-");
}

/// A job that gets this signal once it has said that it is ready.
fn told_when_ready(world: &Sandbox, signal: Signal, script: &str) -> Child {
    let mut job = command(world, "", script);
    let job = job.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = job.spawn().unwrap();
    let mut said = [0; 6];
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"ready\n");
    kill_process(Pid::from_child(&child), signal).unwrap();
    child
}

#[test]
fn whatever_a_job_does_its_run_is_recorded_truthfully() {
    let world = Sandbox::sqlite();
    let daemon = "sleep 600 <&- >&- & echo $! > daemon; disown";
    let secrets = "echo token=Hunter2SecretWord for $MY_TOKEN >&2";
    for (does, code, said) in [
        ("exec <&- >&- 2>&-", 4, ""),
        (daemon, 5, ""),
        ("printf 'a\\377b' >&2", 6, "\na\u{fffd}b"),
        (":", 8, ""),
        (secrets, 9, "\ntoken=[masked] for [masked]"),
    ] {
        let mut job = command(&world, "", &format!("{does}; exit {code}"));
        let ended = ended(job.env("MY_TOKEN", "Another5ecret"));
        assert_eq!(ended.code, code, "{does}: {ended:?}");
        let recorded = format!("failed|-|exit code {code}{said}|-");
        assert_eq!(newest(&world), recorded, "{does}");
    }
    let daemon = std::fs::read_to_string(world.path("daemon")).unwrap();
    let daemon = Pid::from_raw(daemon.trim().parse().unwrap()).unwrap();
    kill_process(daemon, Signal::KILL).expect("nobody waited for the daemon");

    let campaign = Campaign::named("recording", "megabytes that a job writes");
    let megabytes = campaign.size(50, 1024);
    let flood = format!(
        "head -c {megabytes}M /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo the end >&2; exit 1"
    );
    let little = "ulimit -v 600000; exec \"$@\" 2>/dev/null";
    let within = ["bash", "-c", little, "bash"];
    ended(&mut through(&within, &command(&world, "", &flood))).exits(1);
    let flooded = newest(&world);
    assert!(flooded.ends_with("are left out)\nthe end|-"), "{flooded}");
    campaign.ends(&format!("{megabytes} MB"));

    let private = "echo private >&2; exit 2";
    ended(&mut command(&world, "--no-output", private));
    assert_eq!(newest(&world), "failed|-|exit code 2|-");
    let run = "run sales --state-dir state -- no-such-program".split(' ');
    assert_eq!(world.run(&run.collect::<Vec<_>>()).code, 127);
    let said = "failed|-|the command cannot be started: ";
    assert!(newest(&world).starts_with(said), "{}", newest(&world));
}

/// Whether it goes before a job runs, while it runs, or while its end is told.
#[test]
fn without_a_database_the_job_runs_and_its_run_is_told_later_once_and_in_order() {
    let server = Cluster::start(&debian_binaries(), &[]);
    let [before, between, at_the_end] = [(); 3].map(|()| recorded_in(&server));
    let waits = "until [ -e go ]; do sleep 0.05; done";
    let job = spawned(&mut command(&between, "", waits));
    until("it has begun", || runs(&between) == ["started|-|-|-"]);
    // The end has to wait for the state, and is cut off there.
    let import = hold(at_the_end.owner_url(), "begin; lock table sync_state");
    let ending = spawned(&mut command(&at_the_end, "", "exit 0"));
    let waiting_for_locks = "select count(*)::text from pg_locks where not granted";
    until("its end waits", || {
        ask(at_the_end.owner_url(), waiting_for_locks) == ["1"]
    });
    server.control("-m immediate stop");
    drop(import);
    std::fs::write(between.path("go"), "").unwrap();
    for job in [job, ending] {
        end_of(job).exits(0);
    }

    for (script, code) in [("echo one > done-1", 0), ("echo two > done-2; exit 3", 3)] {
        let ended = run(&before, script).exits(code);
        let later = ended.stderr.matches("this run is recorded later");
        assert_eq!(later.count(), 1, "{ended:?}");
    }
    assert!(before.path("done-1").exists() && before.path("done-2").exists());
    for line in ["record outlets completed --records 5", "flush"] {
        assert_eq!(syncmon(&before, line).code, 75, "{line}");
    }
    let happened = chrono::Utc::now().to_rfc3339();
    server.control("-w start");
    let all = "completed|-|-|- failed|-|exit code 3|- completed|5|-|-";
    let one = "completed|-|-|-";
    for (world, recorded, count) in [(&before, all, 3), (&between, one, 1), (&at_the_end, one, 1)] {
        for left in [count, 0] {
            assert_eq!(kept(world, "json"), left);
            let flushed = syncmon(world, "flush").exits(0);
            let said = format!("{left} of the runs");
            assert!(flushed.stdout.starts_with(&said), "{flushed:?}");
            assert_eq!(runs(world).join(" "), recorded);
        }
        let late = format!("from sync_log where \"timestamp\" > '{happened}'");
        assert_eq!(rows(world, "count(*)", &late), ["0"], "when they happened");
    }
    for world in [between, at_the_end] {
        assert_eq!(state(&world), ["success|-|-"]);
    }
}

/// What happened is not lost and not counted twice, whenever the one who watches is killed.
#[test]
fn killed_at_any_moment_it_loses_no_run_and_counts_none_twice() {
    let campaign = Campaign::named("recording", "syncmon run killed");
    for step in campaign.steps(1, 25) {
        is_killed_at_any_moment(&step);
    }
    campaign.ends("{kills} kills, {jobs} jobs begun, {runs} runs recorded");
}

fn is_killed_at_any_moment(step: &Step) {
    let world = postgres();
    let times = 12;
    for number in step.number * times..(step.number + 1) * times {
        let mut job = command(&world, "", &format!("echo {number} >> jobs; sleep 0.05"));
        let mut child = job.spawn().unwrap();
        sleep(Duration::from_millis((number as u64 * 37) % 160));
        child.kill().unwrap();
        step.count("kills", usize::from(!child.wait().unwrap().success()));
    }
    sleep(Duration::from_millis(300));
    for _ in 0..2 {
        syncmon(&world, "flush").exits(0);
    }
    assert_eq!(kept(&world, "json"), 0);
    let jobs = std::fs::read_to_string(world.path("jobs")).unwrap_or_default();
    let ran = jobs.lines().count();
    let count = |what| rows(&world, what, "from sync_log")[0].parse().unwrap();
    let recorded: usize = count("count(*)");
    assert_eq!(recorded, count("count(distinct run_key)"), "none twice");
    let possible = ran <= recorded && recorded <= times;
    assert!(possible, "{ran} jobs, {recorded} runs");
    step.count("jobs", ran);
    step.count("runs", recorded);
}

#[test]
fn a_run_is_recorded_after_the_fact() {
    for world in both() {
        let told = syncmon(
            &world,
            "record sales failed --started-at 2026-11-22T10:00:00Z --duration 68s --records 3 --error password=Hunter2Secret",
        );
        assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
        assert_eq!(runs(&world), ["failed|3|password=[masked]|-"]);
        let duration = rows(&world, "duration_seconds", "from sync_log");
        assert!(["68", "68.0"].contains(&&*duration[0]), "{duration:?}");
        let wrong = "run sales|record sales done|record sales completed --started-at yesterday|\
            record sales completed --duration long|record sales completed --duration 500000years";
        for line in wrong.split('|') {
            assert_eq!(syncmon(&world, line).code, 2, "{line}");
        }
        assert_eq!(world.run(&["record", " ", "completed"]).code, 2);
        assert_eq!(runs(&world).len(), 1);
    }
}

#[test]
fn sqlite_keeps_the_rules_of_the_functions() {
    let world = Sandbox::sqlite();
    for (status, hour, more, state) in [
        ("completed", 10, "--last-version 100", "success|T10|100|-"),
        ("failed", 11, "--error gone", "failed|T10|100|gone"),
        // An older one changes nothing.
        ("completed", 9, "--last-version 50", "failed|T10|100|gone"),
        ("completed", 12, "", "success|T12|100|-"),
    ] {
        let at = format!("--started-at 2026-11-22T{hour:02}:00:00Z");
        syncmon(&world, &format!("record sales {status} {at} {more}")).exits(0);
        let columns = "status, substr(last_sync_time,11,3), last_version, error_message";
        assert_eq!(rows(&world, columns, "from sync_state"), [state]);
    }
}

#[test]
fn old_runs_are_deleted_but_the_newest_success_and_failure_of_each_entity() {
    for world in Sandbox::both() {
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
            let rest = "from sync_log order by entity_type, \"timestamp\"";
            rows(&world, "entity_type, status", rest).join(" ")
        };
        let before = left();
        let dry = world.succeeds(&["prune", "--keep", "400d", "--dry-run"]);
        assert!(dry.stdout.starts_with("3 runs from before "), "{dry:?}");
        dry.has("would be deleted");
        assert_eq!(left(), before);
        for deleted in ["3 runs from before ", "0 runs"] {
            let said = world.succeeds(&["prune", "--keep", "400d"]).stdout;
            assert!(said.starts_with(deleted), "{said}");
            assert_eq!(
                left(),
                "outlets|completed products|completed sales|OK sales|error sales|started sales|paused"
            );
        }
        assert_eq!(world.run(&["prune", "--keep", "1h"]).code, 2);
    }
}

#[test]
fn an_older_sqlite_database_gets_what_it_lacks() {
    let world = Sandbox::bare().file("old.sqlite", "");
    let url = format!("sqlite:{}", world.path("old.sqlite").display());
    let world = world.with_url(&url).sql(
        "create table sync_log (id integer primary key, timestamp, entity_type text not null, action text not null,
             status text not null, duration_seconds numeric, records_processed integer default 0, error_details text,
             metadata jsonb);
         create table sync_state (entity_type text primary key, last_sync_time, status text, error_message text,
             created_at, updated_at);
         insert into sync_log (timestamp, entity_type, action, status) values (1, 2, 3, 4)",
    );
    for _ in 0..3 {
        world.succeeds(&["init-db"]);
    }
    run(&world, "exit 0").exits(0);
    assert_eq!(runs(&world).len(), 2);
}
