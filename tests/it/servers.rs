//! A server of its own that is full, stops, starts and restarts while it is being read.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::cluster::{Cluster, debian_binaries};
use crate::outage::{filled, survives};
use crate::sandbox::Sandbox;
use crate::sql::{Meanwhile, ask, hold, try_to_hold, wait_until_open};

const CONNECTIONS: usize = 6;

/// One server, which one test at a time may stop.
fn server() -> (&'static Arc<Cluster>, MutexGuard<'static, ()>) {
    static SERVER: OnceLock<Arc<Cluster>> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = SERVER.get_or_init(|| {
        let settings = [
            &*format!("max_connections = {CONNECTIONS}"),
            "superuser_reserved_connections = 0",
            "max_wal_senders = 0",
            "autovacuum = off",
            "hot_standby = off",
        ];
        Arc::new(Cluster::start(&debian_binaries(), &settings))
    });
    (server, turn)
}

#[test]
fn the_server_has_as_many_clients_as_it_takes() {
    let (server, _turn) = server();
    let world = filled(Sandbox::postgres_in(server));
    let others = RefCell::new(Vec::new());
    let url = server.url("postgres", "postgres");
    survives(
        "the server has too many clients",
        world,
        |world| {
            // The connections of a test before may still be ending.
            while others.borrow().len() < CONNECTIONS {
                if let Ok(other) = try_to_hold(&url, "select 1") {
                    others.borrow_mut().push(other);
                }
            }
            world
        },
        |world| {
            others.borrow_mut().clear();
            wait_until_open(&url);
            world
        },
    );
}

/// With a session that nobody ends, shutting down takes as long as that one.
#[test]
fn the_server_is_shutting_down() {
    let (server, _turn) = server();
    let world = filled(Sandbox::postgres_in(server));
    let url = server.url("postgres", "postgres");
    let session = RefCell::new(None);
    survives(
        "the server is shutting down",
        world,
        |world| {
            session.replace(Some(hold(&url, "select 1")));
            server.control("-m smart -W stop");
            while !server.log().contains("received smart shutdown request") {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            world
        },
        |world| {
            session.replace(None);
            while server.directory.join("data/postmaster.pid").exists() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            server.control("start");
            world
        },
    );
}

/// A server that recovers from a crash, or that follows another one, says the same for long.
#[test]
fn the_server_is_not_accepting_connections_yet() {
    let (server, _turn) = server();
    let world = filled(Sandbox::postgres_in(server));
    let signal = server.directory.join("data/standby.signal");
    survives(
        "the server does not accept connections yet",
        world,
        |world| {
            std::fs::write(&signal, "").unwrap();
            server.control("-m fast restart");
            world
        },
        |world| {
            std::fs::remove_file(&signal).unwrap();
            server.control("-m immediate restart");
            wait_until_open(world.owner_url());
            world
        },
    );
}

/// Whenever the statement is at work, the server restarts in this way.
fn survives_restarts(fault: &str, mode: &'static str) {
    let (server, _turn) = server();
    let world = filled(Sandbox::postgres_in(server));
    let restarting = RefCell::new(None);
    survives(
        fault,
        world,
        |world| {
            let world = world.sql(
                "alter table sync_state rename to real_state;
                 create view sync_state as
                     select entity_type, last_sync_time, pg_sleep(30)::text as status,
                         error_message, updated_at from real_state;
                 insert into real_state (entity_type) values ('sales');
                 grant select on sync_state to syncmon_ro",
            );
            let url = server.url("postgres", "postgres");
            restarting.replace(Some(Meanwhile::repeat(move || {
                let sleeping = "select '' from pg_stat_activity where wait_event = 'PgSleep'";
                if !ask(&url, sleeping).is_empty() {
                    server.control(&format!("-m {mode} restart"));
                    wait_until_open(&url);
                }
            })));
            world
        },
        |world| {
            restarting.replace(None);
            wait_until_open(world.owner_url());
            world.sql(
                "drop view sync_state; delete from real_state;
                 alter table real_state rename to sync_state",
            )
        },
    );
}

#[test]
fn the_server_restarts_in_the_middle_of_the_statement() {
    survives_restarts("the server restarts in the middle of the statement", "fast");
}

#[test]
fn the_server_crashes_in_the_middle_of_the_statement() {
    survives_restarts(
        "the server crashes in the middle of the statement",
        "immediate",
    );
}
