//! Tables as spreadsheets would read them: by Python's csv module, which knows nothing of how they
//! were written.

use std::collections::BTreeMap;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::sandbox::Sandbox;

/// A row, by the names of its columns.
pub type Row = BTreeMap<String, String>;

/// The rows of every published table, by its path.
pub fn tables(world: &Sandbox) -> BTreeMap<String, Vec<Row>> {
    python(
        world,
        "with open(path, encoding='utf-8-sig', newline='') as table:
            rows = list(csv.DictReader(table, strict=True))
        assert all(None not in row and None not in row.values() for row in rows), path
        found[path] = rows",
    )
}

/// The cells of every published table, as whoever expects commas, semicolons or tabs would see them.
pub fn cells_by_any_separator(world: &Sandbox) -> BTreeMap<String, Vec<String>> {
    python(
        world,
        "found[path] = []
        for separator in ',;\\t':
            with open(path, encoding='utf-8-sig', newline='') as table:
                found[path] += [cell for row in csv.reader(table, delimiter=separator) for cell in row]",
    )
}

/// Runs this for the `path` of every table; whatever it has put into `found` is the answer.
fn python<T: DeserializeOwned>(world: &Sandbox, each: &str) -> T {
    let script = format!(
        "import csv, json, sys\nfound = {{}}\nfor path in sys.argv[1:]:\n        {each}\n\
         json.dump(found, sys.stdout)"
    );
    let files = world.site().into_keys();
    let output = Command::new("python3")
        .args(["-c", &script])
        .args(files.filter(|path| path.split('.').next_back() == Some("csv")))
        .current_dir(world.path("site"))
        .output()
        .expect("python3 is missing; ./tests/run installs it");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}
