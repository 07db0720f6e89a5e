//! `tests/campaigns`, which runs long campaigns, by one of small steps.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::campaign::{Campaign, appended};
use crate::wrapped::{ended, until};

/// Where each step of [`a_campaign_of_small_steps`] leaves a line.
const WITNESS: &str = "SYNCMON_TEST_WITNESS";
const STEPS: usize = 100;

#[test]
fn a_campaign_of_small_steps() {
    let campaign = Campaign::named("resuming", "small steps");
    for step in campaign.steps(3, STEPS) {
        std::thread::sleep(Duration::from_millis(10));
        if let Some(path) = std::env::var_os(WITNESS) {
            writeln!(appended(Path::new(&path)), "{}", step.number).unwrap();
        }
        step.count("tallied", 2);
    }
    campaign.ends("{tallied} tallied");
}

const BEFORE: &str = "# Results\n\n[year]\nseconds = 1\n\n";

/// Where it notes progress and results, instead of in this repository.
struct Notes(tempfile::TempDir);

impl Notes {
    fn new() -> Notes {
        let notes = Notes(tempfile::tempdir().unwrap());
        fs::write(notes.path("results"), BEFORE).unwrap();
        notes
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn campaigns(&self, arguments: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/campaigns");
        let mut command = Command::new(script);
        command.args(arguments).process_group(0);
        command.env("SYNCMON_TEST_COMMAND", std::env::current_exe().unwrap());
        command.env("SYNCMON_TEST_PROGRESS", self.path("progress"));
        command.env("SYNCMON_TEST_RESULTS", self.path("results"));
        command.env(WITNESS, self.path("witness"));
        command.stdout(Stdio::piped());
        command
    }

    fn said(&self, arguments: &[&str]) -> String {
        ended(&mut self.campaigns(arguments)).exits(0).stdout
    }

    /// Runs it until so many steps are done, and kills it together with the tests.
    fn killed_after(&self, steps: usize) {
        let mut child = self.campaigns(&["run", "resuming"]).spawn().unwrap();
        let noted = || self.read("progress/resuming/small steps.steps");
        until("so many are noted", || {
            noted().matches("step\t").count() >= steps
        });
        kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_campaign_that_is_killed_goes_on_where_it_was() {
    let notes = Notes::new();
    notes.killed_after(10);
    notes.killed_after(40);
    assert!(!notes.read("results").contains("[resuming]"));
    assert!(notes.said(&["list"]).contains("; interrupted after "));
    assert!(notes.said(&["run", "resuming"]).contains("goes on after "));
    let results = notes.read("results");
    let expected = format!("{BEFORE}[resuming]\ndate = ");
    assert!(results.starts_with(&expected), "{results}");
    for line in ["findings = \"0\"", "size.\"small steps\" = \"200 tallied\""] {
        assert!(results.lines().any(|other| other == line), "{results}");
    }
    let witness = notes.read("witness");
    let mut steps: Vec<usize> = witness.lines().map(|line| line.parse().unwrap()).collect();
    // What was at work when it was killed is done again.
    assert!(steps.len() <= STEPS + 2, "{steps:?}");
    steps.dedup();
    assert!(steps.into_iter().eq(0..STEPS));
}

#[test]
fn a_campaign_of_other_code_begins_again() {
    let notes = Notes::new();
    notes.killed_after(5);
    fs::write(notes.path("progress/resuming/tree"), "other code\n").unwrap();
    fs::remove_file(notes.path("witness")).unwrap();
    notes.said(&["run", "resuming"]);
    assert_eq!(notes.read("witness").lines().count(), STEPS);
}
