//! SIGTERM and SIGINT end a build at any moment, and leave nothing half done.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::Cluster;
use crate::folders::{LATER, build_into};
use crate::gate::{Gate, Manner};
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{spawned, through, until};

fn start(world: &Sandbox, more: &[&str]) -> Child {
    let build = world.command(&[&build_into("site", LATER)[..], more].concat());
    // Whoever runs the tests in the background lets them ignore SIGINT, and that is inherited.
    spawned(&mut through(&["env", "--default-signal=INT,TERM"], &build))
}

/// So long that a build ends within half a minute only if it heeds the signal.
const PATIENT: &str = "connect_timeout = \"10min\"\nbuild_timeout = \"20min\"\n";

/// The build ends at once and by the very signal; the site is as it was, and nothing lies about.
fn ends_by(signal: Signal, mut child: Child, world: &Sandbox) {
    let before = world.site();
    let begun = Instant::now();
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(signal.as_raw()), "{status:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(world.site(), before);
    assert!(!world.path(".site.syncmon/site/index.html").exists() || before.is_empty());
}

#[test]
fn a_build_that_waits_for_the_database_can_be_stopped() {
    // The text makes the answer much longer than what is let through of it.
    let world = Sandbox::postgres().sql(&format!(
        "insert into sync_state (entity_type, status, error_message) values ('sales', 'failed', '{}')",
        "x".repeat(3000)
    ));
    let port = Cluster::shared().port;
    let gate = Gate::before(port);
    let url = world
        .url()
        .replace(&port.to_string(), &gate.port.to_string());
    let world = world.with_url(&url).file("syncmon.toml", PATIENT);
    world.build();
    for signal in [Signal::TERM, Signal::INT] {
        for manner in [Manner::Silent, Manner::StallAfter(1500)] {
            gate.turn(manner);
            // The tree before this one is cleared away first: then only a new one could be there.
            let _ = fs::remove_dir_all(world.path(".site.syncmon/site"));
            let child = start(&world, &[]);
            until("it asks the database", || !gate.heard().is_empty());
            std::thread::sleep(Duration::from_millis(50));
            ends_by(signal, child, &world);
        }
    }
    gate.turn(Manner::Open);
    world.build();
}

#[test]
fn a_build_that_a_template_keeps_busy_can_be_stopped() {
    let world = crate::folders::world();
    world.succeeds(&build_into("site", NOW));
    let world = world.file("syncmon.toml", PATIENT).file(
        "look/overview.html",
        "{% for i in range(end=100000) %}{% for j in range(end=100000) %}{% endfor %}{% endfor %}",
    );
    for signal in [Signal::TERM, Signal::INT] {
        let child = start(&world, &["--templates", "look"]);
        std::thread::sleep(Duration::from_secs(1));
        ends_by(signal, child, &world);
    }
}
