//! The rules of this repository, as ARCHITECTURE.md and CONTRIBUTING.md state them.

use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// Files whose content depends on nothing but what they are given.
const PURE: [&str; 11] = [
    "src/alerts/",
    "src/brand/",
    "src/changes/",
    "src/doctor/",
    "src/model.rs",
    "src/report.rs",
    "src/text.rs",
    "src/masking.rs",
    "src/masking/",
    "src/health/",
    "src/views/",
];

/// Files that may wait for something.
const ASYNC: [&str; 3] = ["src/main.rs", "src/commands/", "src/store/"];

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

/// Property tests carry what a module makes through others, up to the pages.
fn is_property_test(path: &str) -> bool {
    path.ends_with("/properties.rs") && !path.contains("/tests/")
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

fn lies_in(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

#[test]
fn pure_modules_know_no_clock_no_file_and_no_database() {
    for (path, text) in sources().iter().filter(|(path, _)| lies_in(path, &PURE)) {
        for forbidden in [
            "sqlx",
            "tokio",
            "std::fs",
            "std::env",
            "std::net",
            "Utc::now",
            "Local::now",
            "SystemTime",
        ] {
            assert!(!code(text).contains(forbidden), "{path} uses {forbidden}");
        }
    }
}

#[test]
fn only_commands_and_store_are_asynchronous() {
    for (path, text) in sources().iter().filter(|(path, _)| !lies_in(path, &ASYNC)) {
        for forbidden in ["async fn", "async {", ".await"] {
            assert!(!code(text).contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn the_clock_is_read_in_one_place() {
    let reading: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| code(text).contains("Utc::now"))
        .map(|(path, _)| path)
        .collect();
    let mut commands = reading.clone();
    commands.retain(|path| path.starts_with("src/commands/"));
    assert_eq!(
        reading, commands,
        "only commands read the clock, and pass it on"
    );
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let allowed: [(&str, &[&str]); 17] = [
        ("src/model.rs", &[]),
        ("src/masking.rs", &[]),
        ("src/text.rs", &["masking"]),
        ("src/health/", &["model", "text"]),
        ("src/alerts/", &["health", "text"]),
        ("src/changes/", &["health", "model"]),
        (
            "src/views/",
            &["alerts", "changes", "health", "model", "text"],
        ),
        (
            "src/store/",
            &["failure", "masking", "model", "report", "text"],
        ),
        ("src/report.rs", &[]),
        ("src/recording/", &["kept", "report"]),
        ("src/publish/", &["failure"]),
        ("src/channels/", &["alerts", "failure", "masking", "text"]),
        (
            "src/config/",
            &["alerts", "brand", "channels", "failure", "health", "text"],
        ),
        ("src/brand/", &[]),
        ("src/place.rs", &[]),
        ("src/visit.rs", &["failure"]),
        (
            "src/doctor/",
            &[
                "config", "health", "kept", "masking", "model", "place", "publish", "store",
                "text", "views", "visit",
            ],
        ),
    ];
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| !is_property_test(path))
    {
        let Some((_, below)) = allowed.iter().find(|(place, _)| path.starts_with(place)) else {
            continue;
        };
        let own = path
            .trim_start_matches("src/")
            .split(['/', '.'])
            .next()
            .unwrap();
        for imported in code(&text).split("crate::").skip(1) {
            let module: String = imported
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            assert!(
                module == own || below.contains(&module.as_str()),
                "{path} imports crate::{module}, which does not lie below it"
            );
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
        assert!(
            path.contains("tests") || lines <= LONGEST_FILE,
            "{path} has {lines} lines"
        );
        let mut begun = None;
        for (number, line) in code(&text).lines().enumerate() {
            let head = line.trim_start();
            let is_head = [
                "fn ",
                "pub fn ",
                "pub(super) fn ",
                "pub(crate) fn ",
                "async fn ",
                "pub async fn ",
            ]
            .iter()
            .any(|start| head.starts_with(start));
            if is_head {
                begun = Some((number, line.len() - head.len(), head.to_owned()));
            } else if let Some((start, indent, name)) = &begun
                && line.len() > *indent
                && line.starts_with(&" ".repeat(*indent))
                && line[*indent..].starts_with('}')
            {
                let length = number - start + 1;
                assert!(
                    length <= LONGEST_FUNCTION,
                    "{path}: {name} has {length} lines"
                );
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
    for name in String::from_utf8(list.stdout)
        .unwrap()
        .split_terminator('\0')
    {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else {
            continue;
        };
        for line in text.lines() {
            assert!(!line.contains(concat!("../", "shared")), "{name}: {line}");
            assert!(
                !line.contains(concat!("TO", "DO")) && !line.contains(concat!("FIX", "ME")),
                "{name}: {line}"
            );
        }
    }
}

/// `docs/reliability.md` promises tests by name and quotes messages: both have to exist.
#[test]
fn the_table_of_faults_tells_the_truth() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let document = read("docs/reliability.md");
    let messages = read("tests/it/golden/messages.txt");
    let mut rows = 0;
    for line in document.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[fault, _, _, message, tests] = cells.as_slice() else {
            continue;
        };
        if fault == "fault" {
            continue;
        }
        rows += 1;
        // The parts of a message around what differs from case to case.
        for part in quoted(message).flat_map(|message| message.split(" … ")) {
            assert!(messages.contains(part), "{fault}: nothing prints {part:?}");
        }
        assert!(quoted(tests).count() > 0, "{fault}: no test");
        for test in quoted(tests) {
            assert!(is_a_test(root, test), "{fault}: there is no test {test}");
        }
    }
    assert!(rows > 40, "only {rows} faults");
}

/// `SECURITY.md` says of each attack which test shows that it fails.
#[test]
fn the_threat_model_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut rows = 0;
    for line in document.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[attack, _, tests] = cells.as_slice() else {
            panic!("not three cells: {line}");
        };
        if attack == "what they may try" {
            continue;
        }
        rows += 1;
        assert!(quoted(tests).count() > 0, "{attack}: no test");
        for test in quoted(tests) {
            assert!(is_a_test(root, test), "{attack}: there is no test {test}");
        }
    }
    assert!(rows > 15, "only {rows} attacks");
}

/// Whether there is a test with the name `module::function`.
fn is_a_test(root: &Path, name: &str) -> bool {
    let (file, function) = name.split_once("::").expect("module::name");
    let places = [
        format!("tests/it/{file}.rs"),
        format!("src/{file}.rs"),
        format!("tests/{file}.rs"),
    ];
    places.iter().any(|place| {
        let text = std::fs::read_to_string(root.join(place)).unwrap_or_default();
        text.contains(&format!("fn {function}("))
    })
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
