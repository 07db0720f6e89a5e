//! The server answers, and refuses: each refusal has its own remedy.

use std::cell::RefCell;

use crate::cluster::Cluster;
use crate::golden;
use crate::outage::{
    self, FIRST_FAILURE, filled, is_healed, is_healed_at, only_line, says_that_it_is_away, survives,
};
use crate::sandbox::{NOW, Sandbox};
use crate::sql::{Meanwhile, ask, hold};

#[test]
fn the_password_is_wrong() {
    let world = filled(Sandbox::postgres());
    let role = format!("guarded_{}", world.database());
    world.execute(&format!(
        "do $$ begin
             create role password_required;
         exception when duplicate_object or unique_violation then null;
         end $$;
         create role {role} login password 'r1ghtPassw0rd' in role syncmon_ro, password_required"
    ));
    let url =
        |password: &str| Cluster::shared().url(&format!("{role}:{password}"), &world.database());
    let (right, wrong) = (url("r1ghtPassw0rd"), url("wr0ngPassw0rd"));
    survives(
        "the password is wrong",
        world.with_url(&right),
        |world| world.with_url(&wrong),
        |world| world.with_url(&right),
    );
}

#[test]
fn there_is_no_such_role() {
    let world = filled(Sandbox::postgres());
    let right = world.url().to_owned();
    let wrong = Cluster::shared().url("nobody", &world.database());
    survives(
        "there is no such role",
        world,
        |world| world.with_url(&wrong),
        |world| world.with_url(&right),
    );
}

#[test]
fn there_is_no_such_database() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    let elsewhere = Cluster::shared().url("postgres", "postgres");
    let rename = |from: &str, to: &str| {
        crate::sandbox::execute(&elsewhere, &format!("alter database {from} rename to {to}"));
    };
    let gone = format!("{name}_gone");
    survives(
        "there is no such database",
        world,
        |world| {
            rename(&name, &gone);
            world
        },
        |world| {
            rename(&gone, &name);
            world
        },
    );
}

#[test]
fn there_is_no_such_table() {
    for table in ["sync_log", "sync_state"] {
        survives(
            &format!("there is no table {table}"),
            filled(Sandbox::postgres()),
            |world| world.sql(&format!("alter table {table} rename to mislaid")),
            |world| world.sql(&format!("alter table mislaid rename to {table}")),
        );
    }
}

/// Every column that the statement names, and no other: the database goes on without those.
#[test]
fn a_column_is_missing() {
    let columns = [
        ("sync_log", "id"),
        ("sync_log", "timestamp"),
        ("sync_log", "entity_type"),
        ("sync_log", "action"),
        ("sync_log", "status"),
        ("sync_log", "duration_seconds"),
        ("sync_log", "records_processed"),
        ("sync_log", "error_details"),
        ("sync_state", "entity_type"),
        ("sync_state", "last_sync_time"),
        ("sync_state", "status"),
        ("sync_state", "error_message"),
        ("sync_state", "updated_at"),
    ];
    let world = filled(Sandbox::postgres());
    assert_eq!(world.build_at(NOW).code, 0);
    let mut told = String::new();
    for (table, column) in columns {
        world.execute(&format!("alter table {table} rename {column} to mislaid"));
        let away = world.build_at(FIRST_FAILURE);
        says_that_it_is_away(&world, &away);
        let line = only_line(&away);
        assert!(
            line.contains(column) && line.contains("does not exist"),
            "{line}"
        );
        told = outage::told(&world, &away);
        world.execute(&format!("alter table {table} rename mislaid to {column}"));
        is_healed_at(&world, NOW);
    }
    golden::section("messages.txt", "a column is missing", &told);
    for (table, column) in [("sync_log", "metadata"), ("sync_state", "created_at")] {
        world.execute(&format!("alter table {table} drop {column}"));
        is_healed(&world);
    }
}

/// As a table that somebody made by hand may have them.
#[test]
fn the_state_has_two_rows_of_one_entity() {
    survives(
        "the state has two rows of one entity",
        filled(Sandbox::postgres()),
        |world| {
            world.sql(
                "alter table sync_state drop constraint sync_state_pkey;
                 insert into sync_state (entity_type, last_sync_time, status) values
                     ('sales', '2026-11-22T19:22:00Z', 'success'),
                     ('sales', '2026-11-22T19:23:00Z', 'failed')",
            )
        },
        |world| world.sql("delete from sync_state"),
    );
}

#[test]
fn a_column_has_another_type() {
    survives(
        "a column has another type",
        filled(Sandbox::postgres()),
        |world| world.sql("alter table sync_log alter records_processed type text using 'many'"),
        |world| world.sql("alter table sync_log alter records_processed type integer using 0"),
    );
}

#[test]
fn reading_is_not_allowed() {
    for (fault, what) in [
        ("reading the log is not allowed", "select on sync_log"),
        ("reading the state is not allowed", "select on sync_state"),
        ("reading is not allowed", "select on sync_log, sync_state"),
    ] {
        survives(
            fault,
            filled(Sandbox::postgres()),
            |world| world.sql(&format!("revoke {what} from syncmon_ro")),
            |world| world.sql(&format!("grant {what} to syncmon_ro")),
        );
    }
}

#[test]
fn the_schema_may_not_be_looked_into() {
    survives(
        "the schema may not be looked into",
        filled(Sandbox::postgres()),
        |world| world.sql("revoke usage on schema public from public, syncmon_ro"),
        |world| world.sql("grant usage on schema public to public, syncmon_ro"),
    );
}

/// Behind the name of a table anything may stand.
#[test]
fn a_view_in_place_of_a_table_writes() {
    survives(
        "reading would write",
        filled(Sandbox::postgres()),
        |world| {
            world.sql(
                "alter table sync_state rename to real_state;
                 create function note() returns text language plpgsql as $f$
                     begin create temporary table seen (at text); create table public.noted (id int); return ''; end $f$;
                 create view sync_state as
                     select entity_type, last_sync_time, note() as status, error_message, updated_at
                     from real_state;
                 insert into real_state (entity_type) values ('sales');
                 grant select on sync_state to syncmon_ro",
            )
        },
        |world| {
            world.sql(
                "drop view sync_state; delete from real_state;
                 alter table real_state rename to sync_state",
            )
        },
    );
}

#[test]
fn the_servers_time_limit_is_hit() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    let lock = RefCell::new(None);
    survives(
        "the server's time limit is hit",
        world,
        |world| {
            let held = hold(
                world.owner_url(),
                "begin; lock table sync_log in access exclusive mode",
            );
            lock.replace(Some(held));
            world.sql(&format!(
                "alter role syncmon_ro in database {name} set statement_timeout = '200ms'"
            ))
        },
        |world| {
            lock.replace(None);
            world
        },
    );
}

#[test]
fn no_connection_is_free() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    survives(
        "no connection is free",
        world,
        |world| world.sql(&format!("alter database {name} connection limit 0")),
        |world| world.sql(&format!("alter database {name} connection limit -1")),
    );
}

#[test]
fn the_role_has_no_connection_left() {
    let world = filled(Sandbox::postgres());
    let role = format!("limited_{}", world.database());
    world.execute(&format!("create role {role} login in role syncmon_ro"));
    let url = Cluster::shared().url(&role, &world.database());
    survives(
        "the role has no connection left",
        world.with_url(&format!(
            "{}?connect_timeout=1",
            url.replace('@', ":S3cret@")
        )),
        |world| world.sql(&format!("alter role {role} connection limit 0")),
        |world| world.sql(&format!("alter role {role} connection limit -1")),
    );
}

/// An administrator ends the connection while the statement waits for a lock.
#[test]
fn the_connection_is_ended_by_an_administrator() {
    let world = filled(Sandbox::postgres());
    let (owner, name) = (world.owner_url().to_owned(), world.database());
    let held = RefCell::new(None);
    survives(
        "the connection is ended by an administrator",
        world,
        |world| {
            let lock = hold(
                &owner,
                "begin; lock table sync_log in access exclusive mode",
            );
            let owner = owner.clone();
            let ending = Meanwhile::repeat(move || {
                let sql = format!(
                    "select pg_terminate_backend(pid)::text from pg_stat_activity
                     where datname = '{name}' and wait_event_type = 'Lock'"
                );
                ask(&owner, &sql);
            });
            held.replace(Some((lock, ending)));
            world
        },
        |world| {
            held.replace(None);
            world
        },
    );
}
