//! An SQLite file that cannot be read.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use crate::outage::{filled, survives};
use crate::sandbox::Sandbox;

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
    survives(
        "SQLite: there is no such table",
        filled(Sandbox::sqlite()),
        |world| world.sql("alter table sync_log rename to mislaid"),
        |world| world.sql("alter table mislaid rename to sync_log"),
    );
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
