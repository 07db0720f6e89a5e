//! The network may do anything to the connection.

use crate::cluster::{Cluster, is_root};
use crate::gate::Gate;
use crate::gate::Manner::{
    CutAfter, Open, Refusing, ResetAfter, Says, Silent, StallAfter, TrickleAfter,
};
use crate::golden;
use crate::outage::{
    CONNECTS_IN_HASTE, FIRST_FAILURE, HEALED, PASSWORD_IN_URL, PATIENT, READS_IN_HASTE, building,
    filled, says_that_it_is_away, shows_no_outage, survives, through, told, turn, within,
};
use crate::sandbox::{NOW, Sandbox};
use crate::wrapped::{self, Mounted, ended};

/// Side by side, each on a thread that bears the fault's name: most of the time they wait.
#[test]
fn whatever_the_network_does_is_an_outage() {
    let patient = [
        ("nobody listens", Refusing),
        ("closed at once", CutAfter(0)),
        ("closed in the answer", CutAfter(2000)),
        ("reset at once", ResetAfter(0)),
        ("reset in the answer", ResetAfter(2000)),
        ("a web server", Says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    ];
    let connects_in_haste = [
        ("nobody answers", Silent),
        ("the handshake stalls", StallAfter(1)),
        ("the handshake stalls", StallAfter(100)),
        ("a byte a second", TrickleAfter(0)),
    ];
    let reads_in_haste = [
        ("the answer stalls", StallAfter(2000)),
        ("a byte a second in the answer", TrickleAfter(2000)),
    ];
    let database = filled(Sandbox::postgres());
    std::thread::scope(|scope| {
        for (limits, faults) in [
            (PATIENT, &patient[..]),
            (CONNECTS_IN_HASTE, &connects_in_haste),
            (READS_IN_HASTE, &reads_in_haste),
        ] {
            for &(fault, manner) in faults {
                let world = within(Sandbox::bare().with_url(database.url()), PATIENT);
                let story = move || {
                    let gate = Gate::before(Cluster::shared().port);
                    let breaks = |world| within(turn(&gate, manner)(world), limits);
                    let title = format!("network: {fault}");
                    let world = through(world, gate.port);
                    survives(&title, world, breaks, turn(&gate, Open));
                };
                let thread = std::thread::Builder::new().name(fault.to_owned());
                thread.spawn_scoped(scope, story).unwrap();
            }
        }
    });
}

/// Takes the question of which address a name has, and never answers.
const SILENT: &str = r#"mount --bind resolv.conf "$(realpath /etc/resolv.conf)"
    mount --bind nsswitch.conf /etc/nsswitch.conf
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
    exit $code"#;

/// The name is looked up in a file of this sandbox, until it is read on a machine that has no network but itself.
#[test]
fn a_host_to_which_its_name_does_not_lead_is_an_outage() {
    let world = filled(Sandbox::postgres());
    let address = format!("db.test:{}/{}", Cluster::shared().port, world.database());
    let url = format!("postgres://syncmon_ro:{PASSWORD_IN_URL}@{address}");
    let world = within(world.with_url(&url), CONNECTS_IN_HASTE)
        .env("SYNCMON_INSECURE_TLS", "1")
        .file("names", "127.0.0.1 localhost db.test\n")
        .file("names.6", "2001:db8::1 db.test\n")
        .file("resolv.conf", "nameserver 127.0.0.1\n")
        .file("nsswitch.conf", "hosts: files dns\n");
    let names = Mounted::new(&world, "--bind names /etc/hosts");
    let build_at = |now| ended(&mut names.wrap(&world.command(&building(now))));
    assert_eq!(build_at(NOW).code, 0);
    let nowhere = "mount --bind names.6 /etc/hosts && \"$@\"";
    for (fault, script) in [
        ("its name is gone", "\"$@\""),
        ("looking its name up hangs", SILENT),
        ("no way leads to its IPv6 address", nowhere),
    ] {
        let script = format!("set -e; ip link set lo up; set +e; {script}");
        let flags = if is_root() { "-nm" } else { "-rnm" };
        let wrapper = ["unshare", flags, "bash", "-c", &script, "bash"];
        let build = world.command(&building(FIRST_FAILURE));
        let away = ended(&mut wrapped::through(&wrapper, &build));
        says_that_it_is_away(&world, &away);
        // What the system says depends on its resolver.
        let system = "resolved \\(failed to lookup address information: [^)]*\\)";
        let system = regex::Regex::new(system).unwrap();
        let text = told(&world, &away);
        let text = system.replace(&text, "resolved (…)");
        golden::section("messages.txt", &format!("the host: {fault}"), &text);
        shows_no_outage(&world, &build_at(HEALED), HEALED);
        assert_eq!(build_at(NOW).code, 0, "{fault}");
    }
    let asked = std::fs::read_to_string(world.path("asked")).unwrap();
    assert_eq!(asked, "yes", "nobody asked for the name");
}
