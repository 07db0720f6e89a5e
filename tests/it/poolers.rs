//! A transaction pooler stands between: as strict as it comes, with one connection for everybody.

use std::cell::RefCell;
use std::process::{Child, Stdio};

use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::one_statement::statements;
use crate::outage::{filled, survives, through};
use crate::pooler::Pooler;
use crate::sandbox::{NOW, Sandbox};
use crate::sql::{hold, wait_until_open};

/// A world that is read through a pooler with these settings.
fn pooled(settings: &str) -> (Sandbox, RefCell<Option<Pooler>>) {
    let world = filled(Sandbox::postgres());
    let pooler = Pooler::with(Cluster::shared().port, "*", settings);
    let world = through(world, pooler.port);
    (world, RefCell::new(Some(pooler)))
}

/// The pooler stops, and starts with other settings on the same port.
fn restart(pooler: &RefCell<Option<Pooler>>, server: u16, databases: &str, settings: &str) {
    let before = pooler.take().unwrap();
    pooler.replace(Some(before.restart(server, databases, settings)));
}

/// A build into a site and with a state directory of its own.
fn start(world: &Sandbox, number: usize) -> Child {
    let arguments = format!("build -q --out site-{number} --state-dir state-{number} --now {NOW}");
    let mut build = world.command(&arguments.split(' ').collect::<Vec<_>>());
    build.stdout(Stdio::piped()).stderr(Stdio::piped());
    build.spawn().unwrap()
}

#[test]
fn six_builds_at_once_share_one_connection_and_outlive_a_restart_of_the_pooler() {
    let (world, pooler) = pooled("");
    for round in 0..2 {
        let builds = (0..6).map(|number| start(&world, 6 * round + number));
        for build in builds.collect::<Vec<Child>>() {
            let output = build.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        }
        restart(&pooler, Cluster::shared().port, "*", "");
    }
    world.build();
    assert_eq!(world.verdict("sales"), "green fresh");
    let asked = statements(&world, "syncmon_ro");
    let (readings, others): (Vec<_>, Vec<_>) =
        asked.iter().partition(|text| text.contains("sync_log"));
    assert_eq!(readings.len(), 13);
    let own = others.iter().all(|text| text.contains("statement: SET "));
    assert!(own, "more than the pooler's own settings: {others:?}");
}

#[test]
fn the_pooler_is_there_and_the_server_behind_it_is_not() {
    let world = filled(Sandbox::postgres());
    let gate = Gate::before(Cluster::shared().port);
    let pooler = Pooler::with(gate.port, "*", "server_login_retry = 1");
    let world = through(world, pooler.port);
    let pooler = RefCell::new(Some(pooler));
    survives(
        "pooler: the server behind it is down",
        world,
        |world| {
            gate.turn(Manner::Refusing);
            restart(&pooler, gate.port, "*", "query_wait_timeout = 1");
            world
        },
        |world| {
            gate.turn(Manner::Open);
            restart(&pooler, gate.port, "*", "server_login_retry = 1");
            world
        },
    );
}

#[test]
fn what_the_pooler_does_not_know_or_take_is_an_outage() {
    let (world, pooler) = pooled("");
    let right = world.url().to_owned();
    let back = |world: Sandbox| world.with_url(&right);
    let world = survives(
        "pooler: no such user",
        world,
        |world| world.with_url(&right.replace("syncmon_ro", "nobody")),
        back,
    );
    let world = survives(
        "pooler: a startup parameter that it does not take",
        world,
        |world| world.with_url(&format!("{right}?options=-c%20work_mem%3D1MB")),
        back,
    );
    let know = |databases: &'static str| {
        let pooler = &pooler;
        move |world| {
            restart(pooler, Cluster::shared().port, databases, "");
            world
        }
    };
    survives(
        "pooler: no such database",
        world,
        know("another"),
        know("*"),
    );
}

#[test]
fn a_pooler_whose_connections_are_taken_is_an_outage() {
    for (fault, settings, taking) in [
        (
            "pooler: its connections are all in use",
            "query_wait_timeout = 1",
            "begin; select 1",
        ),
        (
            "pooler: it takes no more clients",
            "max_client_conn = 1",
            "select 1",
        ),
    ] {
        let (world, _pooler) = pooled(settings);
        let taken = RefCell::new(None);
        survives(
            fault,
            world,
            |world| {
                taken.replace(Some(hold(world.url(), taking)));
                world
            },
            |world| {
                taken.replace(None);
                wait_until_open(world.url());
                world
            },
        );
    }
}
