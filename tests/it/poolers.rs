//! A transaction pooler stands between: as strict as it comes, with one connection for everybody.

use std::cell::RefCell;
use std::process::{Child, Stdio};

use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::outage::{SETTINGS, filled, survives, through_port};
use crate::pooler::Pooler;
use crate::sandbox::{NOW, Sandbox};
use crate::sql::hold;

/// A world that is read through a pooler with these settings.
fn pooled(settings: &str) -> (Sandbox, RefCell<Option<Pooler>>) {
    let world = filled(Sandbox::postgres());
    let pooler = Pooler::with(Cluster::shared().port, "*", settings);
    let world = through_port(world, pooler.port);
    (world, RefCell::new(Some(pooler)))
}

/// The pooler stops, and starts with other settings on the same port.
fn restart(pooler: &RefCell<Option<Pooler>>, server: u16, databases: &str, settings: &str) {
    let before = pooler.take().unwrap();
    pooler.replace(Some(before.restart(server, databases, settings)));
}

/// A build into a site and with a state directory of its own.
fn start(world: &Sandbox, number: usize) -> Child {
    let (out, state) = (format!("site-{number}"), format!("state-{number}"));
    world
        .command(&[
            "build",
            "-q",
            "--out",
            &out,
            "--state-dir",
            &state,
            "--now",
            NOW,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn six_builds_at_once_share_one_connection_and_outlive_a_restart_of_the_pooler() {
    let (world, pooler) = pooled("");
    let world = world.file(
        "syncmon.toml",
        &SETTINGS
            .replace("\"1s\"", "\"5s\"")
            .replace("\"6s\"", "\"30s\""),
    );
    for round in 0..2 {
        let builds: Vec<Child> = (0..6)
            .map(|number| start(&world, 6 * round + number))
            .collect();
        for build in builds {
            let output = build.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        }
        restart(&pooler, Cluster::shared().port, "*", "");
    }
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
}

#[test]
fn the_pooler_is_there_and_the_server_behind_it_is_not() {
    let world = filled(Sandbox::postgres());
    let gate = Gate::before(Cluster::shared().port);
    let pooler = RefCell::new(Some(Pooler::with(gate.port, "*", "server_login_retry = 1")));
    let port = pooler.borrow().as_ref().unwrap().port;
    survives(
        "pooler: the server behind it is down",
        through_port(world, port),
        |world| {
            gate.turn(Manner::Refusing);
            restart(&pooler, gate.port, "*", "query_wait_timeout = 1");
            // The pooler looks at its limits now and then only.
            world.file("syncmon.toml", &SETTINGS.replace("\"1s\"", "\"3s\""))
        },
        |world| {
            gate.turn(Manner::Open);
            restart(&pooler, gate.port, "*", "server_login_retry = 1");
            world
        },
    );
}

#[test]
fn the_pooler_knows_no_such_user() {
    let (world, _pooler) = pooled("");
    let right = world.url().to_owned();
    survives(
        "pooler: no such user",
        world,
        |world| world.with_url(&right.replace("syncmon_ro", "nobody")),
        |world| world.with_url(&right),
    );
}

#[test]
fn the_pooler_knows_no_such_database() {
    let (world, pooler) = pooled("");
    let server = Cluster::shared().port;
    survives(
        "pooler: no such database",
        world,
        |world| {
            restart(&pooler, server, "another", "");
            world
        },
        |world| {
            restart(&pooler, server, "*", "");
            world
        },
    );
}

#[test]
fn the_poolers_one_connection_is_taken() {
    let (world, _pooler) = pooled("query_wait_timeout = 1");
    let taken = RefCell::new(None);
    survives(
        "pooler: its connections are all in use",
        world,
        |world| {
            taken.replace(Some(hold(world.url(), "begin; select 1")));
            world
        },
        |world| {
            taken.replace(None);
            world
        },
    );
}

#[test]
fn the_pooler_takes_no_more_clients() {
    let (world, _pooler) = pooled("max_client_conn = 1");
    let other = RefCell::new(None);
    survives(
        "pooler: it takes no more clients",
        world,
        |world| {
            other.replace(Some(hold(world.url(), "select 1")));
            world
        },
        |world| {
            other.replace(None);
            crate::sql::wait_until_open(world.url());
            world
        },
    );
}

#[test]
fn the_pooler_refuses_startup_parameters() {
    let (world, _pooler) = pooled("");
    let right = world.url().to_owned();
    survives(
        "pooler: a startup parameter that it does not take",
        world,
        |world| world.with_url(&format!("{right}?options=-c%20work_mem%3D1MB")),
        |world| world.with_url(&right),
    );
}
