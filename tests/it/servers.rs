//! A server of its own that is full, stops, starts and restarts while it is being read.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::cluster::{Cluster, debian_binaries};
use crate::outage::{filled, survives};
use crate::sandbox::Sandbox;
use crate::sql::{Held, Meanwhile, ask, hold, try_to_hold, wait_until_open};

const SETTINGS: [&str; 5] = [
    "max_connections = 6",
    "superuser_reserved_connections = 0",
    "max_wal_senders = 0",
    "autovacuum = off",
    "hot_standby = off",
];

/// One fault after the other: a server takes long to start.
#[test]
fn a_server_that_is_full_stops_or_restarts_is_an_outage() {
    let server = Arc::new(Cluster::start(&debian_binaries(), &SETTINGS));
    let world = filled(Sandbox::postgres_in(&server));
    let world = has_as_many_clients_as_it_takes(&server, world);
    let world = is_shutting_down(&server, world);
    let world = is_not_accepting_connections_yet(&server, world);
    let world = restarts_in_the_middle_of_the_statement(&server, world, "restarts", "fast");
    restarts_in_the_middle_of_the_statement(&server, world, "crashes", "immediate");
}

fn has_as_many_clients_as_it_takes(server: &Cluster, world: Sandbox) -> Sandbox {
    let others: RefCell<Vec<Held>> = RefCell::default();
    let url = server.url("postgres", "postgres");
    survives(
        "the server has too many clients",
        world,
        |world| {
            // The connections of a build before may still be ending.
            while others.borrow().len() < 6 {
                others.borrow_mut().extend(try_to_hold(&url, "select 1"));
            }
            world
        },
        |world| {
            others.borrow_mut().clear();
            wait_until_open(&url);
            world
        },
    )
}

/// With a session that nobody ends, shutting down takes as long as that one.
fn is_shutting_down(server: &Cluster, world: Sandbox) -> Sandbox {
    let url = server.url("postgres", "postgres");
    let session = RefCell::new(None);
    survives(
        "the server is shutting down",
        world,
        |world| {
            session.replace(Some(hold(&url, "select 1")));
            server.control("-m smart -W stop");
            while !server.log().contains("received smart shutdown request") {
                std::thread::sleep(Duration::from_millis(5));
            }
            world
        },
        |world| {
            session.replace(None);
            while server.directory.join("data/postmaster.pid").exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            server.control("start");
            world
        },
    )
}

/// A server that recovers from a crash, or that follows another one, says the same for long.
fn is_not_accepting_connections_yet(server: &Cluster, world: Sandbox) -> Sandbox {
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
    )
}

/// Whenever the statement is at work, the server restarts in this way.
fn restarts_in_the_middle_of_the_statement(
    server: &Arc<Cluster>,
    world: Sandbox,
    how: &str,
    mode: &'static str,
) -> Sandbox {
    let restarting = RefCell::new(None);
    survives(
        &format!("the server {how} in the middle of the statement"),
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
            let (server, url) = (Arc::clone(server), server.url("postgres", "postgres"));
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
    )
}
