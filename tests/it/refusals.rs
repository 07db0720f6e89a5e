//! The server answers, and refuses: each refusal has its own remedy.

use std::cell::RefCell;

use crate::cluster::Cluster;
use crate::golden;
use crate::outage::{self, FIRST_FAILURE, HEALED, filled, is_away, is_healed, only_line, survives};
use crate::sandbox::{NOW, Sandbox, execute};
use crate::secrets::guarded;
use crate::sql::{Meanwhile, ask, hold};

/// Behind the name of a table anything may stand.
const WRITING_VIEW: &str = "
    alter table sync_state rename to real_state;
    create function note() returns text language plpgsql as $f$
        begin create temporary table seen (at text); create table public.noted (id int); return ''; end $f$;
    create view sync_state as
        select entity_type, last_sync_time, note() as status, error_message, updated_at from real_state;
    insert into real_state (entity_type) values ('sales');
    grant select on sync_state to syncmon_ro";

/// As a table that somebody made by hand may have them.
const TWO_ROWS: &str = "
    alter table sync_state drop constraint sync_state_pkey;
    insert into sync_state (entity_type, last_sync_time, status) values
        ('sales', '2026-11-22T19:22:00Z', 'success'), ('sales', '2026-11-22T19:23:00Z', 'failed')";

#[test]
fn what_the_server_does_not_give_is_an_outage() {
    let mut world = filled(Sandbox::postgres());
    let name = world.database();
    let renames = ["sync_log", "sync_state"].map(|table| {
        [
            format!("there is no table {table}"),
            format!("alter table {table} rename to mislaid"),
            format!("alter table mislaid rename to {table}"),
        ]
    });
    let revokes = [
        ("reading the log is not allowed", "select on sync_log"),
        ("reading the state is not allowed", "select on sync_state"),
        ("reading is not allowed", "select on sync_log, sync_state"),
        (
            "the schema may not be looked into",
            "usage on schema public",
        ),
    ]
    .map(|(fault, what)| {
        let (revoke, grant) = (
            format!("revoke {what} from public, syncmon_ro"),
            format!("grant {what} to syncmon_ro"),
        );
        [fault.to_owned(), revoke, grant]
    });
    let limit = |limit: i32| format!("alter database {name} connection limit {limit}");
    let retype = |to: &str| format!("alter table sync_log alter records_processed type {to}");
    let others = [
        ["a column has another type", &retype("text using 'many'"), &retype("integer using 0")],
        ["no connection is free", &limit(0), &limit(-1)],
        [
            "the state has two rows of one entity",
            TWO_ROWS,
            "delete from sync_state; alter table sync_state add primary key (entity_type)",
        ],
        [
            "reading would write",
            WRITING_VIEW,
            "drop view sync_state; delete from real_state; alter table real_state rename to sync_state",
        ],
    ]
    .map(|fault| fault.map(str::to_owned));
    for [fault, breaks, heals] in renames.into_iter().chain(revokes).chain(others) {
        let breaks = |world: Sandbox| world.sql(&breaks);
        world = survives(&fault, world, breaks, |world| world.sql(&heals));
    }
}

#[test]
fn whom_the_server_does_not_let_in_suffers_an_outage() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    let role = guarded(&world, "r1ghtPassw0rd");
    let url = |role: &str| Cluster::shared().url(role, &name);
    let right = url(&format!("{role}:r1ghtPassw0rd"));
    let mut world = world.with_url(&right);
    for (fault, wrong) in [
        ("the password is wrong", &*format!("{role}:wr0ngPassw0rd")),
        ("there is no such role", "nobody"),
    ] {
        let breaks = |world: Sandbox| world.with_url(&url(wrong));
        world = survives(fault, world, breaks, |world| world.with_url(&right));
    }
    let limit = |limit: i32| format!("alter role {role} connection limit {limit}");
    survives(
        "the role has no connection left",
        world,
        |world| world.sql(&limit(0)),
        |world| world.sql(&limit(-1)),
    );
}

#[test]
fn there_is_no_such_database() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    let gone = format!("{name}_gone");
    let rename = |from: &str, to: &str| {
        let sql = format!("alter database {from} rename to {to}");
        execute(&Cluster::shared().url("postgres", "postgres"), &sql);
    };
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

/// Every column that the statement names, and no other: the database goes on without those.
#[test]
fn a_column_is_missing() {
    let of_log =
        "id timestamp entity_type action status duration_seconds records_processed error_details";
    let of_state = "entity_type last_sync_time status error_message updated_at";
    let world = filled(Sandbox::postgres());
    world.build();
    let mut told = String::new();
    for (table, columns) in [("sync_log", of_log), ("sync_state", of_state)] {
        for column in columns.split(' ') {
            world.execute(&format!("alter table {table} rename {column} to mislaid"));
            let away = is_away(&world, FIRST_FAILURE);
            let line = only_line(&away);
            let said = line.contains(column) && line.contains("does not exist");
            assert!(said, "{line}");
            told = outage::told(&world, &away);
            world.execute(&format!("alter table {table} rename mislaid to {column}"));
            is_healed(&world, NOW);
        }
    }
    golden::section("messages.txt", "a column is missing", &told);
    world.execute("alter table sync_log drop metadata; alter table sync_state drop created_at");
    is_healed(&world, HEALED);
}

/// The statement waits for a lock, until the server or an administrator loses patience.
#[test]
fn a_statement_that_is_ended_from_outside_is_an_outage() {
    let world = filled(Sandbox::postgres());
    let (owner, name) = (world.owner_url().to_owned(), world.database());
    let held = RefCell::new(None);
    let lock = || {
        hold(
            &owner,
            "begin; lock table sync_log in access exclusive mode",
        )
    };
    let own = format!("alter role syncmon_ro in database {name}");
    let release = |world: Sandbox| {
        held.replace(None);
        world
    };
    let world = survives(
        "the server's time limit is hit",
        world,
        |world| {
            held.replace(Some((lock(), None)));
            world.sql(&format!("{own} set statement_timeout = '200ms'"))
        },
        |world| release(world).sql(&format!("{own} reset statement_timeout")),
    );
    let end = format!(
        "select pg_terminate_backend(pid)::text from pg_stat_activity
         where datname = '{name}' and wait_event_type = 'Lock'"
    );
    let ending = || {
        let (owner, end) = (owner.clone(), end.clone());
        Meanwhile::repeat(move || drop(ask(&owner, &end)))
    };
    survives(
        "the connection is ended by an administrator",
        world,
        |world| {
            held.replace(Some((lock(), Some(ending()))));
            world
        },
        release,
    );
}
