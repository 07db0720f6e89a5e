//! An SQLite file that cannot be read.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::campaign::Campaign;
use crate::folders::MANIFEST;
use crate::golden;
use crate::outage::{
    FIRST_FAILURE, HEALED, filled, is_healed, only_line, says_that_it_is_away, survives, told,
};
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{ended, unprivileged};

#[test]
fn the_sqlite_file_is_missing() {
    let world = filled(Sandbox::sqlite());
    let (file, elsewhere) = (world.path("sync.sqlite"), world.path("elsewhere"));
    survives(
        "SQLite: the file is missing",
        world,
        moves(&file, &elsewhere),
        moves(&elsewhere, &file),
    );
}

#[test]
fn the_sqlite_file_is_no_database() {
    let world = filled(Sandbox::sqlite());
    let (file, elsewhere) = (world.path("sync.sqlite"), world.path("elsewhere"));
    survives(
        "SQLite: the file is no database",
        world,
        |world| moves(&file, &elsewhere)(world).file("sync.sqlite", &"nonsense ".repeat(1000)),
        moves(&elsewhere, &file),
    );
}

#[test]
fn the_sqlite_file_may_not_be_read() {
    let world = filled(Sandbox::sqlite());
    let (file, elsewhere) = (world.path("sync.sqlite"), world.path("elsewhere"));
    survives(
        "SQLite: the path is that of a directory",
        world,
        |world| {
            let world = moves(&file, &elsewhere)(world);
            fs::create_dir(&file).unwrap();
            world
        },
        |world| {
            fs::remove_dir(&file).unwrap();
            moves(&elsewhere, &file)(world)
        },
    );
}

#[test]
fn the_sqlite_file_is_locked() {
    let lock = RefCell::new(None);
    survives(
        "SQLite: another program has locked the file",
        filled(Sandbox::sqlite()),
        |world| {
            lock.replace(Some(SqliteLock::on(&world)));
            world
        },
        |world| {
            lock.replace(None);
            world
        },
    );
}

#[test]
fn the_sqlite_tables_are_missing() {
    for table in ["sync_log", "sync_state"] {
        survives(
            &format!("SQLite: there is no table {table}"),
            filled(Sandbox::sqlite()),
            |world| world.sql(&format!("alter table {table} rename to mislaid")),
            |world| world.sql(&format!("alter table mislaid rename to {table}")),
        );
    }
}

#[test]
fn a_sqlite_column_is_missing() {
    survives(
        "SQLite: a column is missing",
        filled(Sandbox::sqlite()),
        |world| world.sql("alter table sync_log rename column duration_seconds to duration"),
        |world| world.sql("alter table sync_log rename column duration to duration_seconds"),
    );
}

/// A copy that ended early: its first page still says how many there should be.
#[test]
fn the_sqlite_file_is_cut_off() {
    let world = filled(Sandbox::sqlite());
    let file = world.path("sync.sqlite");
    let whole = fs::read(&file).unwrap();
    survives(
        "SQLite: the file is cut off",
        world,
        |world| {
            fs::write(&file, &whole[..8192]).unwrap();
            world
        },
        |world| {
            fs::write(&file, &whole).unwrap();
            world
        },
    );
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
    assert_eq!(world.build_at(NOW).code, 0);
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
    is_healed(&world);
    campaign.ends(&format!("{} lengths", campaign.tally("lengths")));
}

/// Nobody may look at the file but its owner, and syncmon is somebody else.
#[test]
fn the_sqlite_file_belongs_to_somebody_else() {
    let world = filled(Sandbox::sqlite());
    let build = |now| {
        let arguments = [
            "build",
            "--out",
            "site",
            "--state-dir",
            "state",
            "--now",
            now,
        ];
        ended(&mut unprivileged(&world, &arguments))
    };
    let file = world.path("sync.sqlite");
    assert_eq!(build(NOW).code, 0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let away = build(FIRST_FAILURE);
    says_that_it_is_away(&world, &away);
    golden::section(
        "messages.txt",
        "SQLite: the file may not be read",
        &told(&world, &away),
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(build(HEALED).code, 0);
    assert_eq!(world.verdict("sales"), "green fresh");
}

/// A writer was killed between writing its journal and the database.
#[test]
fn a_hot_journal_is_left_behind() {
    let world = filled(Sandbox::sqlite());
    assert_eq!(world.build_at(NOW).code, 0);
    killed_while_writing(&world, "delete");
    assert!(world.path("sync.sqlite-journal").exists());
    is_away_until_its_writer_returns(&world, "SQLite: a journal is left behind");
}

/// The same with a write-ahead log, from which nothing has to be undone.
#[test]
fn a_write_ahead_log_is_left_behind() {
    let world = filled(Sandbox::sqlite());
    assert_eq!(world.build_at(NOW).code, 0);
    killed_while_writing(&world, "wal");
    assert!(world.path("sync.sqlite-wal").exists());
    is_healed(&world);
}

/// What the journal says has to be undone first, which a reader may not do: what was being written
/// must not be shown. The writer's next start brings the file back.
fn is_away_until_its_writer_returns(world: &Sandbox, fault: &str) {
    let away = world.build_at(FIRST_FAILURE);
    says_that_it_is_away(world, &away);
    golden::section("messages.txt", fault, &told(world, &away));
    let opened = python(
        world,
        "list(sqlite3.connect('sync.sqlite').execute('select count(*) from sync_log'))",
    );
    assert!(opened.status.success(), "{opened:?}");
    is_healed(world);
}

/// A program that dies in the middle of a transaction that has already reached the file.
fn killed_while_writing(world: &Sandbox, journal: &str) {
    let script = format!(
        "c = sqlite3.connect('sync.sqlite', isolation_level=None)
c.execute('pragma journal_mode = {journal}')
c.execute('pragma cache_size = 1')
c.execute('pragma cache_spill = 1')
c.execute('begin immediate')
for i in range(300):
    c.execute(\"insert into sync_log (timestamp, entity_type, action, status) values ('2026-11-22T19:59:00Z', 'sales', ?, 'failed')\", ('x' * 500,))
os.kill(os.getpid(), 9)"
    );
    let killed = python(world, &script);
    assert_eq!(killed.status.code(), None, "{killed:?}");
}

fn python(world: &Sandbox, script: &str) -> Output {
    Command::new("python3")
        .args(["-c", &format!("import os, sqlite3\n{script}")])
        .current_dir(world.root())
        .output()
        .unwrap()
}

/// Another program writes as fast as it can: each build shows one state or says why not.
#[test]
fn another_program_is_writing_into_the_sqlite_file() {
    for journal in ["delete", "wal"] {
        let campaign = Campaign::named("sqlite", &format!("beside a writer, journal {journal}"));
        let world = filled(Sandbox::sqlite());
        let script = format!(
            "import os, sqlite3, time
c = sqlite3.connect('sync.sqlite', isolation_level=None, timeout=20)
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
        let mut writer = Command::new("python3")
            .args(["-c", &script])
            .current_dir(world.root())
            .spawn()
            .unwrap();
        while !world.path("writing").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        for step in campaign.steps(10, 200) {
            step.count("builds", 1);
            let ended = world.build_at(NOW);
            if ended.code == 75 {
                assert!(
                    only_line(&ended).contains("database is locked"),
                    "{ended:?}"
                );
                continue;
            }
            assert_eq!((ended.code, &*ended.stderr), (0, ""), "{journal}");
            assert_eq!(world.verdict("sales"), "green fresh");
            let entities = world.status()["entities"].as_array().unwrap().len();
            assert!(
                entities == 1 || world.verdict("pair") == "green fresh",
                "half of a pair"
            );
            step.count("read", 1);
        }
        let [builds, read] = ["builds", "read"].map(|what| campaign.tally(what));
        assert!(read > 0, "{journal}: nothing was ever read");
        campaign.ends(&format!("{builds} builds, {read} read the database"));
        fs::write(world.path("enough"), "").unwrap();
        assert!(writer.wait().unwrap().success());
    }
}

fn moves(from: &PathBuf, to: &PathBuf) -> impl FnOnce(Sandbox) -> Sandbox {
    move |world| {
        fs::rename(from, to).unwrap();
        world
    }
}

/// An exclusive lock on an SQLite database, as a long import holds it.
struct SqliteLock {
    _runtime: tokio::runtime::Runtime,
    _connection: sqlx::SqliteConnection,
}

impl SqliteLock {
    fn on(world: &Sandbox) -> SqliteLock {
        use sqlx::Connection;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let connection = runtime.block_on(async {
            let mut connection = sqlx::SqliteConnection::connect(world.url()).await.unwrap();
            sqlx::raw_sql("begin exclusive")
                .execute(&mut connection)
                .await
                .unwrap();
            connection
        });
        SqliteLock {
            _runtime: runtime,
            _connection: connection,
        }
    }
}
