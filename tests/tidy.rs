//! The rules of this repository, as ARCHITECTURE.md and CONTRIBUTING.md state them.

use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// Files whose content depends on nothing but what they are given.
const PURE: &str = "src/alerts/ src/brand/ src/changes/ src/doctor/ src/model.rs src/report.rs src/text.rs \
                    src/masking.rs src/masking/ src/health/ src/views/";

/// Files that may wait for something.
const ASYNC: &str = "src/main.rs src/commands/ src/store/";

/// What each place may import; one that is not named may import everything.
const BELOW: &str = "
    src/model.rs:
    src/masking.rs:
    src/text.rs: masking
    src/health/: model text
    src/alerts/: health text
    src/changes/: health model
    src/views/: alerts changes health model text
    src/store/: failure masking model report text
    src/report.rs:
    src/recording/: kept report
    src/publish/: failure
    src/channels/: alerts failure masking text
    src/config/: alerts brand channels failure health text
    src/brand/:
    src/place.rs:
    src/visit.rs: failure
    src/doctor/: config health kept masking model place publish store text views visit";

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    walkdir::WalkDir::new(root.join("src"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "rs"))
        .map(|entry| {
            let path: PathBuf = entry.path().strip_prefix(root).unwrap().into();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (path.to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// A source without the tests at its end and without comments.
fn code(text: &str) -> String {
    let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    program
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn lies_in(path: &str, places: &str) -> bool {
    places.split(' ').any(|place| path.starts_with(place))
}

#[test]
fn pure_modules_know_no_clock_no_file_and_no_database() {
    let forbidden = "sqlx tokio std::fs std::env std::net Utc::now Local::now SystemTime";
    for (path, text) in sources().iter().filter(|(path, _)| lies_in(path, PURE)) {
        for forbidden in forbidden.split(' ') {
            assert!(!code(text).contains(forbidden), "{path} uses {forbidden}");
        }
    }
}

#[test]
fn only_commands_and_store_are_asynchronous() {
    for (path, text) in sources().iter().filter(|(path, _)| !lies_in(path, ASYNC)) {
        for forbidden in ["async fn", "async {", ".await"] {
            assert!(!code(text).contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn only_commands_read_the_clock_and_pass_it_on() {
    for (path, text) in sources() {
        let may = path.starts_with("src/commands/");
        assert!(may || !code(&text).contains("Utc::now"), "{path}");
    }
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let rules = BELOW.lines().filter_map(|line| line.trim().split_once(':'));
    let rules: Vec<(&str, &str)> = rules.collect();
    for (path, text) in sources() {
        let Some((_, below)) = rules.iter().find(|(place, _)| path.starts_with(place)) else {
            continue;
        };
        let own = path["src/".len()..].split(['/', '.']).next().unwrap();
        for imported in code(&text).split("crate::").skip(1) {
            let module = imported
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next();
            let module = module.unwrap();
            let allowed = module == own || below.split(' ').any(|known| known == module);
            assert!(allowed, "{path} imports crate::{module} from above it");
        }
    }
}

#[test]
fn files_have_names_that_say_something() {
    for (path, _) in sources() {
        for forbidden in ["util", "helper", "manager", "service", "common", "misc"] {
            assert!(!path.contains(forbidden), "{path}");
        }
    }
}

#[test]
fn files_and_functions_stay_small() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        let small = path.contains("tests") || lines <= LONGEST_FILE;
        assert!(small, "{path} has {lines} lines");
        let head = regex::Regex::new(r"^( *)(pub(\(\w+\))? )?(async )?fn (\w+)").unwrap();
        let mut begun = None;
        for (number, line) in code(&text).lines().enumerate() {
            if let Some(found) = head.captures(line) {
                begun = Some((number, format!("{}}}", &found[1]), found[5].to_owned()));
            } else if let Some((start, end, name)) = &begun
                && line.starts_with(end)
            {
                let length = number - start + 1;
                let small = length <= LONGEST_FUNCTION;
                assert!(small, "{path}: {name} has {length} lines");
                begun = None;
            }
        }
    }
}

#[test]
fn nothing_in_the_project_points_outside_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::process::Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(list.status.success() && !list.stdout.is_empty(), "{list:?}");
    let list = String::from_utf8(list.stdout).unwrap();
    let outside = [
        concat!("../", "shared"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    for name in list.split_terminator('\0') {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else {
            continue;
        };
        for line in text.lines() {
            let points = outside.iter().any(|word| line.contains(word));
            assert!(!points, "{name}: {line}");
        }
    }
}

/// The cells of each row of a document's tables, below their heads.
fn rows(document: &str, first_head: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("| "));
    let rows = lines.map(|line| line.trim_matches('|').split(" | "));
    let rows = rows.map(|cells| cells.map(|cell| cell.trim().to_owned()).collect());
    rows.filter(|cells: &Vec<String>| cells[0] != first_head)
        .collect()
}

/// Insists on a test for this, and on each that is named.
fn are_tests(what: &str, cell: &str) {
    assert!(quoted(cell).count() > 0, "{what}: no test");
    for test in quoted(cell) {
        assert!(is_a_test(test), "{what}: there is no test {test}");
    }
}

/// `docs/reliability.md` promises tests by name and quotes messages: both have to exist.
#[test]
fn the_table_of_faults_tells_the_truth() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let messages = std::fs::read_to_string(root.join("tests/it/golden/messages.txt")).unwrap();
    let rows = rows("docs/reliability.md", "fault");
    let faults = rows.iter().filter(|cells| cells.len() == 5);
    for cells in faults.clone() {
        let (fault, message, tests) = (&cells[0], &cells[3], &cells[4]);
        // The parts of a message around what differs from case to case.
        for part in quoted(message).flat_map(|message| message.split(" … ")) {
            assert!(messages.contains(part), "{fault}: nothing prints {part:?}");
        }
        are_tests(fault, tests);
    }
    assert!(faults.count() > 40);
}

/// `SECURITY.md` says of each attack which test shows that it fails.
#[test]
fn the_threat_model_names_tests_that_exist() {
    let rows = rows("SECURITY.md", "what they may try");
    for cells in &rows {
        assert_eq!(cells.len(), 3, "{cells:?}");
        are_tests(&cells[0], &cells[2]);
    }
    assert!(rows.len() > 15, "only {} attacks", rows.len());
}

/// Whether there is a test with the name `module::function`.
fn is_a_test(name: &str) -> bool {
    let (file, function) = name.split_once("::").expect("module::name");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["tests/it/", "src/", "tests/"].iter().any(|place| {
        let text = std::fs::read_to_string(root.join(format!("{place}{file}.rs")));
        text.is_ok_and(|text| text.contains(&format!("fn {function}(")))
    })
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
