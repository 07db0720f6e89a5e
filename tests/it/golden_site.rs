//! A whole site, byte for byte, of a world with something of everything.
//!
//! `SYNCMON_BLESS=1 cargo test golden_site` writes the files anew after a change that was meant.

use std::collections::BTreeMap;
use std::path::Path;

use crate::sandbox::{NOW, Sandbox};

const WORLD: &str = include_str!("golden/world.sql");
const CONFIG: &str = "title = \"Craft Contemporary\"\n";

#[test]
fn the_golden_site_is_what_the_program_publishes_from_both_databases() {
    for world in Sandbox::both() {
        let world = world.sql(WORLD).file("syncmon.toml", CONFIG);
        world.build_at(NOW);
        compare("site", &world.site());
    }
}

#[test]
fn the_golden_site_without_its_database_ages_under_a_banner() {
    let sandbox = Sandbox::sqlite().sql(WORLD).file("syncmon.toml", CONFIG);
    sandbox.build_at(NOW);
    std::fs::remove_file(sandbox.path("sync.sqlite")).unwrap();
    sandbox.build_at("2026-11-22T20:25:00Z").exits(75);
    let pages = ["index.html", "status.json", "entities/customers.html"];
    let site = sandbox
        .site()
        .into_iter()
        .filter(|(path, _)| pages.contains(&path.as_str()));
    compare("site-without-database", &site.collect());
}

/// The assets are those of `templates/`, and need no second copy beside the golden pages.
fn compare(golden: &str, site: &BTreeMap<String, Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/it/golden").join(golden);
    let blessing = std::env::var_os("SYNCMON_BLESS").is_some();
    if blessing {
        let _ = std::fs::remove_dir_all(&folder);
    }
    let mut files = 0;
    for (path, bytes) in site {
        if path.starts_with("assets/") {
            let name = path.rsplit('/').next().unwrap();
            let built_in = std::fs::read(root.join("templates/assets").join(name)).unwrap();
            assert!(*bytes == built_in, "{path}");
            continue;
        }
        files += 1;
        let (path, text) = (folder.join(path), String::from_utf8(bytes.clone()).unwrap());
        if blessing {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        } else {
            let golden = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            snapbox::assert_data_eq!(text, snapbox::Data::text(golden).raw());
        }
    }
    let found = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(Result::unwrap);
    let expected = found.filter(|entry| entry.file_type().is_file()).count();
    assert_eq!(files, expected, "the files of {golden}");
}
