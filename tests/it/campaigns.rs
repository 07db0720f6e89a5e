//! `tests/campaigns`, which runs long campaigns, by one of small steps.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::campaign::{Campaign, appended};

/// Where each step of [`a_campaign_of_small_steps`] leaves a line.
const WITNESS: &str = "SYNCMON_TEST_WITNESS";
const WHOLE: usize = 100;

#[test]
fn a_campaign_of_small_steps() {
    use std::io::Write;
    let campaign = Campaign::named("resuming", "small steps");
    for step in campaign.steps(3, WHOLE) {
        std::thread::sleep(Duration::from_millis(10));
        if let Some(path) = std::env::var_os(WITNESS) {
            writeln!(appended(Path::new(&path)), "{}", step.number).unwrap();
        }
        step.count("tallied", 2);
    }
    campaign.ends(&format!("{} tallied", campaign.tally("tallied")));
}

/// Where it keeps what it notes, instead of in this repository.
struct Kept(tempfile::TempDir);

impl Kept {
    fn new() -> Kept {
        let kept = Kept(tempfile::tempdir().unwrap());
        fs::write(
            kept.path("results"),
            "# Results\n\n[year]\ndate = \"1\"\n\n",
        )
        .unwrap();
        kept
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn campaigns(&self, arguments: &[&str]) -> Command {
        let mut command =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/campaigns"));
        let tests = std::env::current_exe().unwrap();
        command.args(arguments).process_group(0);
        command.env("SYNCMON_TEST_COMMAND", tests);
        command.env("SYNCMON_TEST_PROGRESS", self.path("progress"));
        command.env("SYNCMON_TEST_RESULTS", self.path("results"));
        command.env(WITNESS, self.path("witness"));
        command.stdout(Stdio::piped());
        command
    }

    /// Runs it until so many steps are done, and kills it together with the tests.
    fn killed_after(&self, steps: usize) {
        let mut child = self.campaigns(&["run", "resuming"]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(120);
        let noted = || self.read("progress/resuming/small steps.steps");
        while noted().matches("step\t").count() < steps {
            assert!(Instant::now() < deadline, "{}", noted());
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_campaign_that_is_killed_goes_on_where_it_was() {
    let kept = Kept::new();
    kept.killed_after(10);
    kept.killed_after(40);
    assert!(!kept.read("results").contains("[resuming]"));
    let list = kept.campaigns(&["list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("interrupted after "), "{list}");

    let ended = kept.campaigns(&["run", "resuming"]).output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("goes on after "), "{said}");
    let results = kept.read("results");
    assert!(results.starts_with("# Results\n\n[year]\ndate = \"1\"\n\n[resuming]\ndate = "));
    assert!(results.contains("\nfindings = \"0\"\n"), "{results}");
    assert!(
        results.contains("\nsize.\"small steps\" = \"200 tallied\"\n"),
        "{results}"
    );
    let mut steps: Vec<usize> = kept
        .read("witness")
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(steps.is_sorted());
    // A step may have left its line and not been noted before it was killed.
    assert!(steps.len() <= WHOLE + 2, "{steps:?}");
    steps.dedup();
    assert_eq!(steps, (0..WHOLE).collect::<Vec<_>>());
}

#[test]
fn a_campaign_of_other_code_begins_again() {
    let kept = Kept::new();
    kept.killed_after(5);
    fs::write(kept.path("progress/resuming/tree"), "other code\n").unwrap();
    fs::remove_file(kept.path("witness")).unwrap();
    let ended = kept.campaigns(&["run", "resuming"]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(kept.read("witness").lines().count(), WHOLE);
}
