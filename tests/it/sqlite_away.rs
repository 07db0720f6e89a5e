//! An SQLite file that cannot be read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::campaign::Campaign;
use crate::folders::MANIFEST;
use crate::golden;
use crate::outage::{
    CONNECTS_IN_HASTE, FIRST_FAILURE, HEALED, building, filled, is_away, is_healed, only_line,
    says_that_it_is_away, shows_no_outage, survives, told, within,
};
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{ended, unprivileged};

/// Its name, and what makes it.
type Fault<'a> = (&'a str, &'a dyn Fn(&Path));

#[test]
fn a_sqlite_file_that_is_not_as_it_was_is_an_outage() {
    let mut world = filled(Sandbox::sqlite());
    let file = world.path("sync.sqlite");
    let whole = fs::read(&file).unwrap();
    let faults: [Fault; 4] = [
        ("the file is missing", &|file| {
            fs::remove_file(file).unwrap();
        }),
        ("the file is no database", &|file| {
            fs::write(file, "nonsense ".repeat(1000)).unwrap();
        }),
        ("the path is that of a directory", &|file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
        // A copy that ended early: its first page still says how many there should be.
        ("the file is cut off", &|file| {
            fs::write(file, &whole[..8192]).unwrap();
        }),
    ];
    let heals = |world| {
        let _ = fs::remove_dir(&file);
        fs::write(&file, &whole).unwrap();
        world
    };
    for (fault, breaks) in faults {
        let breaks = |world| {
            breaks(&file);
            world
        };
        world = survives(&format!("SQLite: {fault}"), world, breaks, heals);
    }
    for (fault, sql) in [
        ("there is no table sync_log", "sync_log rename to mislaid"),
        ("there is no table sync_state", "sync_state rename to gone"),
        (
            "a column is missing",
            "sync_log rename column duration_seconds to duration",
        ),
    ] {
        let breaks = |world: Sandbox| world.sql(&format!("alter table {sql}"));
        world = survives(&format!("SQLite: {fault}"), world, breaks, heals);
    }
}

/// As a long import locks it.
#[test]
fn the_sqlite_file_is_locked() {
    let world = filled(Sandbox::sqlite());
    let script = "c = sqlite3.connect('sync.sqlite', isolation_level=None)
c.execute('begin exclusive')
open('locked', 'w').close()
sys.stdin.read()";
    let locking = std::cell::RefCell::new(None);
    survives(
        "SQLite: another program has locked the file",
        world,
        |world| {
            let lock = python(&world, script).stdin(Stdio::piped()).spawn();
            locking.replace(Some(lock.unwrap()));
            comes_to_be(&world.path("locked"));
            within(world, CONNECTS_IN_HASTE)
        },
        |world| {
            let mut lock = locking.take().unwrap();
            drop(lock.stdin.take());
            assert!(lock.wait().unwrap().success());
            world
        },
    );
}

fn comes_to_be(file: &Path) {
    while !file.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Every length: what is left of the file is no database, a damaged one, or all that is asked for: the index of keys
/// lies at its end, and no page needs it.
#[test]
fn the_sqlite_file_is_cut_off_anywhere() {
    let world = filled(Sandbox::sqlite());
    let file = world.path("sync.sqlite");
    let whole = fs::read(&file).unwrap();
    assert_eq!(world.build_at(FIRST_FAILURE).code, 0);
    // The feed and the incidents tell that it was away in between; the manifest has their checksums.
    let tells = |name: &str| name.starts_with("api/") || name == "feed.xml";
    let pages = || {
        let mut site = world.site();
        site.retain(|name, _| !tells(name));
        let mut manifest: Value = serde_json::from_slice(&site[MANIFEST]).unwrap();
        let checksums = manifest["checksums"].as_object_mut().unwrap();
        checksums.retain(|name, _| !tells(name));
        site.insert(MANIFEST.to_owned(), manifest.to_string().into_bytes());
        site
    };
    let read = pages();
    world.build();
    let campaign = Campaign::named("cuts", "SQLite file");
    for step in campaign.among(12, (0..whole.len()).step_by(512)) {
        let length = step.number * 512;
        fs::write(&file, &whole[..length]).unwrap();
        let away = world.build_at(FIRST_FAILURE);
        if away.code == 0 {
            assert!(length > whole.len() - 4096, "{length} bytes");
            assert!(pages() == read, "{length} bytes");
        } else {
            assert_eq!(away.code, 75, "{length} bytes: {away:?}");
            says_that_it_is_away(&world, &away);
        }
        step.count("lengths", 1);
    }
    fs::write(&file, &whole).unwrap();
    is_healed(&world, HEALED);
    campaign.ends(&format!("{} lengths", campaign.tally("lengths")));
}

/// Nobody may look at the file but its owner, and syncmon is somebody else.
#[test]
fn the_sqlite_file_belongs_to_somebody_else() {
    let world = filled(Sandbox::sqlite());
    let build = |now| ended(&mut unprivileged(&world, &building(now)));
    let file = world.path("sync.sqlite");
    assert_eq!(build(NOW).code, 0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let away = build(FIRST_FAILURE);
    says_that_it_is_away(&world, &away);
    let text = told(&world, &away);
    golden::section("messages.txt", "SQLite: the file may not be read", &text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    shows_no_outage(&world, &build(HEALED), HEALED);
}

/// A writer was killed between writing its journal and the database. What the journal says has to be undone first,
/// which a reader may not do: what was being written must not be shown. The writer's next start brings the file back.
#[test]
fn a_hot_journal_is_left_behind() {
    let world = killed_while_writing("delete");
    assert!(world.path("sync.sqlite-journal").exists());
    let text = told(&world, &is_away(&world, FIRST_FAILURE));
    golden::section("messages.txt", "SQLite: a journal is left behind", &text);
    let script =
        "sqlite3.connect('sync.sqlite').execute('select count(*) from sync_log').fetchall()";
    assert!(python(&world, script).status().unwrap().success());
    is_healed(&world, HEALED);
}

/// The same with a write-ahead log, from which nothing has to be undone.
#[test]
fn a_write_ahead_log_is_left_behind() {
    let world = killed_while_writing("wal");
    assert!(world.path("sync.sqlite-wal").exists());
    is_healed(&world, HEALED);
}

/// A program has died in the middle of a transaction that had already reached the file.
fn killed_while_writing(journal: &str) -> Sandbox {
    let world = filled(Sandbox::sqlite());
    world.build();
    let script = format!(
        "c = sqlite3.connect('sync.sqlite', isolation_level=None)
for pragma in ('journal_mode = {journal}', 'cache_size = 1', 'cache_spill = 1'):
    c.execute('pragma ' + pragma)
c.execute('begin immediate')
for i in range(300):
    c.execute(\"insert into sync_log (timestamp, entity_type, action, status) values ('2026-11-22T19:59:00Z', 'sales', ?, 'failed')\", ('x' * 500,))
os.kill(os.getpid(), 9)"
    );
    let killed = python(&world, &script).status().unwrap();
    assert_eq!(killed.code(), None, "{killed:?}");
    world
}

fn python(world: &Sandbox, script: &str) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-c", &format!("import os, sqlite3, sys, time\n{script}")])
        .current_dir(world.root());
    command
}

/// Another program writes as fast as it can: each build shows one state or says why not.
#[test]
fn another_program_is_writing_into_the_sqlite_file() {
    for journal in ["delete", "wal"] {
        let campaign = Campaign::named("sqlite", &format!("beside a writer, journal {journal}"));
        let world = filled(Sandbox::sqlite());
        let script = format!(
            "c = sqlite3.connect('sync.sqlite', isolation_level=None, timeout=20)
c.execute('pragma journal_mode = {journal}')
open('writing', 'w').close()
while not os.path.exists('enough'):
    c.execute('begin immediate')
    c.execute(\"delete from sync_log where entity_type = 'pair'\")
    for status in ('started', 'completed'):
        c.execute(\"insert into sync_log (timestamp, entity_type, action, status) values ('2026-11-22T19:59:00Z', 'pair', 'sync', ?)\", (status,))
    c.execute('commit')
    time.sleep(0.002)"
        );
        let mut writer = python(&world, &script).spawn().unwrap();
        comes_to_be(&world.path("writing"));
        for step in campaign.steps(10, 200) {
            step.count("builds", 1);
            let ended = world.build_at(NOW);
            if ended.code == 75 {
                let busy = only_line(&ended).contains("database is locked");
                assert!(busy, "{ended:?}");
                continue;
            }
            assert_eq!((ended.code, &*ended.stderr), (0, ""), "{journal}");
            assert_eq!(world.verdict("sales"), "green fresh");
            let entities = world.status()["entities"].as_array().unwrap().len();
            let whole = entities == 1 || world.verdict("pair") == "green fresh";
            assert!(whole, "half of a pair");
            step.count("read", 1);
        }
        let [builds, read] = ["builds", "read"].map(|what| campaign.tally(what));
        assert!(read > 0, "{journal}: nothing was ever read");
        campaign.ends(&format!("{builds} builds, {read} read the database"));
        fs::write(world.path("enough"), "").unwrap();
        assert!(writer.wait().unwrap().success());
    }
}
