//! The rules of this repository, as ARCHITECTURE.md and CONTRIBUTING.md state them.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

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
    walkdir::WalkDir::new(root().join("src"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "rs"))
        .map(|entry| {
            let path: PathBuf = entry.path().strip_prefix(root()).unwrap().into();
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
    let program = sources()
        .into_iter()
        .filter(|(path, _)| !is_property_test(path));
    for (path, text) in program {
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
    let head = regex::Regex::new(r"^( *)(pub(\(\w+\))? )?(async )?fn (\w+)").unwrap();
    for (path, text) in sources() {
        let lines = text.lines().count();
        let small = path.contains("tests") || lines <= LONGEST_FILE;
        assert!(small, "{path} has {lines} lines");
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
    let list = std::process::Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(list.status.success() && !list.stdout.is_empty(), "{list:?}");
    let list = String::from_utf8(list.stdout).unwrap();
    // In two parts, lest they be found here.
    let outside = ["../ shared", "TO DO", "FIX ME"].map(|parts| parts.replace(' ', ""));
    for name in list.split_terminator('\0') {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else {
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
    let text = read(document);
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
    let messages = read("tests/it/golden/messages.txt");
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

/// Names, and the tests that belong to them.
fn campaigns() -> Vec<(String, Vec<String>)> {
    let list = read("tests/campaigns.txt");
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
    let campaigns = campaigns();
    for test in campaigns.iter().flat_map(|(_, tests)| tests) {
        let module = test.strip_suffix("::").map(|path| path.replace("::", "/"));
        let exists = match module {
            Some(module) => ["", "/mod"]
                .iter()
                .any(|end| root().join(format!("src/{module}{end}.rs")).exists()),
            None => is_a_test(test),
        };
        assert!(exists, "there is no test {test}");
    }
    for folder in ["tests/it", "src"] {
        for entry in walkdir::WalkDir::new(root().join(folder)) {
            let path = entry.unwrap().into_path();
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let file = path.strip_prefix(root().join(folder)).unwrap();
            let file = file.with_extension("").display().to_string();
            let module = file.trim_end_matches("/mod").replace('/', "::");
            if module == "generators" {
                continue;
            }
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
    let results: toml::Table = read("docs/campaigns.toml").parse().unwrap();
    let campaigns = campaigns();
    assert_eq!(results.len(), campaigns.len());
    let mut rows = String::new();
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
            let row = match number {
                0 => format!(
                    "| `{name}` {part} | {size} | {} | {last} |",
                    text("findings")
                ),
                _ => format!("| … {part} | {size} | | |"),
            };
            rows.push_str(&row);
            rows.push('\n');
        }
    }
    let place = root().join("docs/reliability.md");
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
fn is_a_test(name: &str) -> bool {
    let (module, function) = name.rsplit_once("::").expect("module::name");
    let file = module.replace("::", "/");
    ["tests/it/", "src/", "tests/"].iter().any(|place| {
        let text = std::fs::read_to_string(root().join(format!("{place}{file}.rs")));
        text.is_ok_and(|text| text.contains(&format!("fn {function}(")))
    })
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
