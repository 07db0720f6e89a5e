//! The network may do anything to the connection.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, is_root};
use crate::gate::Manner;
use crate::golden;
use crate::outage::{
    FIRST_FAILURE, HEALED, PASSWORD, SETTINGS, behind_a_gate, filled, is_whole,
    never_tells_the_password, only_line, says_that_it_is_away, survives, turn,
};
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{Mounted, ended, through};

#[test]
fn nobody_listens() {
    let (world, gate) = behind_a_gate();
    survives(
        "the server is down",
        world,
        turn(&gate, Manner::Refusing),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn nobody_answers() {
    let (world, gate) = behind_a_gate();
    survives(
        "the server does not answer",
        world,
        turn(&gate, Manner::Silent),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_connection_is_closed_at_once() {
    let (world, gate) = behind_a_gate();
    survives(
        "the connection is closed at once",
        world,
        turn(&gate, Manner::CutAfter(0)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_connection_breaks_in_the_middle_of_the_answer() {
    let (world, gate) = behind_a_gate();
    survives(
        "the connection breaks in the middle of the answer",
        world,
        turn(&gate, Manner::CutAfter(2000)),
        turn(&gate, Manner::Open),
    );
}

/// Reads for one second at most.
fn in_haste(world: Sandbox) -> Sandbox {
    world.file("syncmon.toml", &SETTINGS.replace("\"6s\"", "\"2s\""))
}

#[test]
fn the_answer_stalls() {
    let (world, gate) = behind_a_gate();
    survives(
        "the answer stalls",
        in_haste(world),
        turn(&gate, Manner::StallAfter(2000)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_handshake_stalls() {
    for bytes in [1, 100] {
        let (world, gate) = behind_a_gate();
        survives(
            "the handshake stalls",
            in_haste(world),
            turn(&gate, Manner::StallAfter(bytes)),
            turn(&gate, Manner::Open),
        );
    }
}

#[test]
fn one_byte_a_second_comes_from_the_beginning() {
    let (world, gate) = behind_a_gate();
    survives(
        "one byte a second from the beginning",
        in_haste(world),
        turn(&gate, Manner::TrickleAfter(0)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn one_byte_a_second_comes_from_the_middle_of_the_answer() {
    let (world, gate) = behind_a_gate();
    survives(
        "one byte a second from the middle of the answer",
        in_haste(world),
        turn(&gate, Manner::TrickleAfter(2000)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_connection_is_reset_at_once() {
    let (world, gate) = behind_a_gate();
    survives(
        "the connection is reset at once",
        world,
        turn(&gate, Manner::ResetAfter(0)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_connection_is_reset_in_the_middle_of_the_answer() {
    let (world, gate) = behind_a_gate();
    survives(
        "the connection is reset in the middle of the answer",
        world,
        turn(&gate, Manner::ResetAfter(2000)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn something_else_listens() {
    let (world, gate) = behind_a_gate();
    survives(
        "a web server listens",
        world,
        turn(&gate, Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        turn(&gate, Manner::Open),
    );
}

/// A database whose host has a name, which is looked up in a file of this sandbox.
struct Named {
    world: Sandbox,
    names: Mounted,
}

impl Named {
    fn new() -> Named {
        let world = filled(Sandbox::postgres());
        let url = format!(
            "postgres://syncmon_ro:{}@db.test:{}/{}",
            PASSWORD
                .replace('/', "%2F")
                .replace(' ', "%20")
                .replace('@', "%40"),
            Cluster::shared().port,
            world.database()
        );
        let world = world
            .with_url(&url)
            .env("SYNCMON_INSECURE_TLS", "1")
            .file("names", "127.0.0.1 localhost db.test\n");
        let names = Mounted::new(&world, "--bind names /etc/hosts");
        let new = Named { world, names };
        assert_eq!(new.build_at(NOW).code, 0);
        new
    }

    fn command(&self, now: &str) -> Command {
        let arguments = [
            "build",
            "--out",
            "site",
            "--state-dir",
            "state",
            "--now",
            now,
        ];
        self.world.command(&arguments)
    }

    fn build_at(&self, now: &str) -> Ended {
        ended(&mut self.names.wrap(&self.command(now)))
    }

    /// A build on a machine that has no network but itself, prepared by `script`.
    fn away(&self, script: &str) -> Ended {
        let script = format!("ip link set lo up && {script}");
        let flags = if is_root() { "-nm" } else { "-rnm" };
        let wrapper = ["unshare", flags, "bash", "-c", &script, "bash"];
        let begun = Instant::now();
        let away = ended(&mut through(&wrapper, &self.command(FIRST_FAILURE)));
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
        says_that_it_is_away(&self.world, &away);
        away
    }

    fn says(&self, fault: &str, away: &Ended) {
        let port = Cluster::shared().port.to_string();
        let message = self.world.status()["source"]["message"].clone();
        let text = format!("{}\n{}", only_line(away), message.as_str().unwrap())
            .replace(&port, "PORT")
            .replace(&self.world.database(), "DATABASE");
        golden::section("messages.txt", fault, &text);
    }

    fn heals(&self) {
        let healed = self.build_at(HEALED);
        assert_eq!((healed.code, healed.stderr.as_str()), (0, ""));
        never_tells_the_password(&self.world, &healed);
        is_whole(&self.world.path("site"));
        assert_eq!(self.world.verdict("sales"), "green fresh");
    }
}

#[test]
fn the_name_of_the_host_is_gone() {
    let named = Named::new();
    let mut away = named.away("\"$@\"");
    // What the system says depends on its resolver.
    let (before, rest) = away.stderr.split_once("resolved (").unwrap();
    let (system, after) = rest.split_once(");").unwrap();
    assert!(
        system.starts_with("failed to lookup address information: "),
        "{system}"
    );
    away.stderr = format!("{before}resolved (…);{after}");
    named.says("the host's name is gone", &away);
    named.heals();
}

#[test]
fn looking_up_the_name_of_the_host_hangs() {
    let named = Named::new();
    let world = named.world.path("resolv.conf");
    std::fs::write(&world, "nameserver 127.0.0.1\n").unwrap();
    std::fs::write(named.world.path("nsswitch.conf"), "hosts: files dns\n").unwrap();
    let away = named.away(
        r#"mount --bind resolv.conf "$(realpath /etc/resolv.conf)" && mount --bind nsswitch.conf /etc/nsswitch.conf
           python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
open("asked", "w").close()
s.recv(512)
open("asked", "w").write("yes")
time.sleep(60)' &
           silent=$!
           while [ ! -e asked ]; do sleep 0.01; done
           "$@"
           code=$?
           kill $silent
           exit $code"#,
    );
    let asked = std::fs::read_to_string(named.world.path("asked")).unwrap();
    assert_eq!(asked, "yes", "nobody asked for the name");
    named.says("looking up the host's name hangs", &away);
    named.heals();
}

#[test]
fn the_host_has_an_ipv6_address_and_this_machine_has_none() {
    let named = Named::new();
    std::fs::write(named.world.path("names.6"), "2001:db8::1 db.test\n").unwrap();
    let away = named.away("mount --bind names.6 /etc/hosts && \"$@\"");
    named.says("no way leads to the host's IPv6 address", &away);
    named.heals();
}
