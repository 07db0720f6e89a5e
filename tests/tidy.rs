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
    for (path, text) in sources() {
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

/// Names, and the tests that belong to them.
fn campaigns(root: &Path) -> Vec<(String, Vec<String>)> {
    let list = std::fs::read_to_string(root.join("tests/campaigns.txt")).unwrap();
    let rows = list.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [name, _, tests] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("not three cells: {row}");
        };
        let tests = tests.split(' ').map(str::to_owned).collect();
        (name.to_owned(), tests)
    })
    .collect()
}

#[test]
fn campaigns_are_listed_with_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let campaigns = campaigns(root);
    for test in campaigns.iter().flat_map(|(_, tests)| tests) {
        let module = test.strip_suffix("::").map(|path| path.replace("::", "/"));
        let exists = match module {
            Some(module) => ["", "/mod"]
                .iter()
                .any(|end| root.join(format!("src/{module}{end}.rs")).exists()),
            None => is_a_test(root, test),
        };
        assert!(exists, "there is no test {test}");
    }
    for folder in ["tests/it", "src"] {
        for entry in walkdir::WalkDir::new(root.join(folder)) {
            let path = entry.unwrap().into_path();
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let file = path.strip_prefix(root.join(folder)).unwrap();
            let file = file.with_extension("").display().to_string();
            let module = file.trim_end_matches("/mod").replace('/', "::");
            for call in text.split("Campaign::named(").skip(1) {
                let Some(name) = call.trim_start().strip_prefix('"') else {
                    continue;
                };
                let name = name.split('"').next().unwrap();
                let tests = campaigns.iter().find(|(listed, _)| listed == name);
                let tests = &tests.unwrap_or_else(|| panic!("{name} is not listed")).1;
                let is_listed = tests
                    .iter()
                    .any(|test| test.starts_with(module.split("::").next().unwrap()));
                assert!(is_listed, "{name} lists no test of {module}");
            }
        }
    }
}

/// The table in `docs/reliability.md` quotes `docs/campaigns.toml`, which has an entry for each campaign.
#[test]
fn the_table_of_campaigns_quotes_their_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let results = std::fs::read_to_string(root.join("docs/campaigns.toml")).unwrap();
    let results: toml::Table = results.parse().unwrap();
    let campaigns = campaigns(root);
    assert_eq!(results.len(), campaigns.len());
    let mut rows = Vec::new();
    for (name, _) in &campaigns {
        let result = results[name].as_table().unwrap();
        let text = |key: &str| result[key].as_str().unwrap();
        let mut last = format!("{}, {}", text("date"), text("commit"));
        if result.contains_key("note") {
            last = format!("{last}; {}", text("note"));
        }
        let sizes = result.get("size").and_then(toml::Value::as_table);
        let mut sizes: Vec<(&str, &str)> = sizes
            .into_iter()
            .flatten()
            .map(|(part, size)| (part.as_str(), size.as_str().unwrap()))
            .collect();
        if sizes.is_empty() {
            sizes.push(("", "–"));
        }
        for (number, (part, size)) in sizes.into_iter().enumerate() {
            let findings = text("findings");
            rows.push(match number {
                0 => format!("| `{name}` {part} | {size} | {findings} | {last} |\n"),
                _ => format!("| … {part} | {size} | | |\n"),
            });
        }
    }
    let rows = rows.concat();
    let place = root.join("docs/reliability.md");
    let document = std::fs::read_to_string(&place).unwrap();
    let head = "| campaign | size | findings | last whole |\n|---|---|---|---|\n";
    let (before, rest) = document.split_once(head).unwrap();
    let (quoted, after) = rest.split_at(rest.find("\n\n").unwrap_or(0) + 1);
    if std::env::var_os("SYNCMON_BLESS").is_some() {
        let after = after.trim_start();
        std::fs::write(place, format!("{before}{head}{rows}\n{after}")).unwrap();
    } else {
        assert_eq!(
            quoted, rows,
            "SYNCMON_BLESS=1 cargo test --test tidy campaigns"
        );
    }
}

/// Whether there is a test with the name `module::function`.
fn is_a_test(root: &Path, name: &str) -> bool {
    let (module, function) = name.rsplit_once("::").expect("module::name");
    let file = module.replace("::", "/");
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
