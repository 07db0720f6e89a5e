//! The metrics file, by the two programs that it is for: promtool and the node exporter.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::cluster::free_port;
use crate::folders::{inode, mode, names, replace_by_link};
use crate::golden::{self, Told};
use crate::sandbox::{NOW, Sandbox};
use crate::tools::{HOSTILE, WORLD, hostile};
use crate::wrapped::{UMASK_077, ended, through, until};

const FILE: &str = "metrics/syncmon.prom";

fn with_folder(world: Sandbox) -> Sandbox {
    fs::create_dir(world.path("metrics")).unwrap();
    world.arg("--metrics-file").arg(FILE)
}

/// Without what differs from build to build.
fn metrics(world: &Sandbox) -> String {
    let text = fs::read_to_string(world.path(FILE)).unwrap();
    let lines = text.lines().map(|line| match line.split_once(' ') {
        Some(("syncmon_build_duration_seconds", seconds)) => {
            let seconds: f64 = seconds.parse().unwrap();
            assert!(seconds > 0.0, "{line}");
            "syncmon_build_duration_seconds …".to_owned()
        }
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

/// `promtool check metrics` has nothing to say, not even as advice.
fn is_accepted_by_promtool(world: &Sandbox) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]);
    let metrics = fs::File::open(world.path(FILE)).unwrap();
    ended(promtool.stdin(metrics)).exits(0).says_nothing();
}

#[test]
fn promtool_has_nothing_to_say() {
    let world = with_folder(Sandbox::sqlite().sql(WORLD));
    world.build();
    is_accepted_by_promtool(&world);
    golden::file("metrics.prom", &metrics(&world));

    fs::remove_file(world.path("sync.sqlite")).unwrap();
    world.build_at("2026-11-22T20:25:00Z").exits(75);
    is_accepted_by_promtool(&world);
    let away = metrics(&world);
    for line in [
        "syncmon_database_readable 0",
        "syncmon_build_timestamp_seconds 1795379100",
        "syncmon_snapshot_timestamp_seconds 1795377900",
        "syncmon_valid_until_timestamp_seconds 1795378800",
        "syncmon_entity_reason_info{entity=\"customers\",name=\"Customers\",reason=\"out_of_date\"} 1",
        "syncmon_entity_health{entity=\"customers\",state=\"green\"} 0",
        "syncmon_entity_health{entity=\"customers\",state=\"yellow\"} 1",
    ] {
        format!("\n{away}").has(&format!("\n{line}\n"));
    }
}

#[test]
fn a_database_that_was_never_read_has_metrics_without_a_moment() {
    let world = with_folder(Sandbox::bare().with_url("sqlite:nowhere.sqlite"));
    world.build_at(NOW).exits(75);
    is_accepted_by_promtool(&world);
    let text = metrics(&world);
    text.has("\nsyncmon_database_readable 0\n");
    text.has("\nsyncmon_health{state=\"red\"} 1\n");
    text.lacks("syncmon_snapshot").lacks("last_success");
}

/// The real one, as long as this lives.
struct Exporter {
    port: u16,
    process: Child,
}

impl Exporter {
    fn reading(folder: &std::path::Path) -> Exporter {
        let port = free_port();
        let folder = folder.display();
        let process = Command::new("prometheus-node-exporter")
            .args(["--collector.disable-defaults", "--collector.textfile"])
            .arg(format!("--collector.textfile.directory={folder}"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus-node-exporter is missing; ./tests/run installs it");
        Exporter { port, process }
    }

    /// What it exposes of ours, and of how reading it went.
    fn exposes(&self) -> String {
        let connect = || TcpStream::connect(("127.0.0.1", self.port));
        until("the exporter listens", || connect().is_ok());
        let mut connection = connect().unwrap();
        let request = b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
        connection.write_all(request).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let ours = ["syncmon_", "node_textfile_scrape_error"];
        let mut lines: Vec<&str> = answer.lines().collect();
        lines.retain(|line| ours.iter().any(|start| line.starts_with(start)));
        format!("\n{}\n", lines.join("\n"))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_node_exporter_exposes_them_hostile_names_included() {
    let world = with_folder(hostile());
    world.build();
    is_accepted_by_promtool(&world);
    let exporter = Exporter::reading(&world.path("metrics"));
    let exposed = exporter.exposes();
    exposed.has("\nnode_textfile_scrape_error 0\n");
    let count = |start: &str| exposed.matches(&format!("\n{start}{{")).count();
    let entities = 6 + HOSTILE.len();
    assert_eq!(count("syncmon_entity_health"), 3 * entities);
    let successes = count("syncmon_entity_last_success_timestamp_seconds");
    assert_eq!(successes, entities);
    for line in [
        "syncmon_database_readable 1",
        "syncmon_entity_health{entity=\"sales\",state=\"green\"} 1",
        "syncmon_entity_last_run_records{entity=\"a'b=c|d\"} 1086",
        "syncmon_entity_last_run_duration_seconds{entity=\"מלאי\"} 4.5",
        "syncmon_entity_last_run_records{entity=\"</title><script>alert(1)</script> & \\\"quoted\\\"\"} 1086",
        "syncmon_entity_last_run_records{entity=\"back\\\\slash\\nand a line\"} 1086",
    ] {
        exposed.has(&format!("\n{line}\n"));
    }
    // While builds go on, whoever reads finds a whole file.
    for minute in 6..12 {
        world.build_at(&format!("2026-11-22T20:{minute:02}:00Z"));
        exporter.exposes().has("\nnode_textfile_scrape_error 0\n");
    }
}

#[test]
fn the_file_is_replaced_as_a_whole_and_everybody_may_read_it() {
    let world = with_folder(Sandbox::sqlite().sql(WORLD));
    let build = "build -q --out site --state-dir state --metrics-file metrics/syncmon.prom";
    let build: Vec<&str> = build.split(' ').collect();
    ended(&mut through(&UMASK_077, &world.command(&build))).exits(0);
    let first = inode(&world.path(FILE));
    assert_eq!(mode(&world.path(FILE)), 0o644);
    // What a build that was killed left behind, and a link that somebody put there.
    fs::write(world.path("metrics/syncmon.prom.new"), "half").unwrap();
    world.build();
    assert_ne!(inode(&world.path(FILE)), first);
    replace_by_link(&world.path(FILE), world.path("precious"));
    fs::write(world.path("precious"), "mine").unwrap();
    world.build();
    assert_eq!(fs::read_to_string(world.path("precious")).unwrap(), "mine");
    assert_eq!(names(&world.path("metrics")), ["syncmon.prom"]);
}

#[test]
fn a_site_is_published_whose_metrics_cannot_be_written() {
    let world = Sandbox::sqlite().sql(WORLD).arg("--metrics-file").arg(FILE);
    let told = world.build_at(NOW).exits(1).stderr;
    golden::message("the metrics cannot be written", &told);
    assert_eq!(world.verdict("customers"), "green fresh");
    fs::create_dir_all(world.path(FILE)).unwrap();
    world.build_at(NOW).exits(1);
    assert_eq!(names(&world.path("metrics")), ["syncmon.prom"]);
}
