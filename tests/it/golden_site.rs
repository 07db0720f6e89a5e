//! A whole site, byte for byte, of a world with something of everything.
//!
//! `SYNCMON_BLESS=1 cargo test golden_site` writes the files anew after a change that was meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::sandbox::{NOW, Sandbox};

const WORLD: &str = include_str!("golden/world.sql");
const CONFIG: &str = "title = \"Craft Contemporary\"\n";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(name)
}

#[test]
fn the_golden_site_is_what_the_program_publishes() {
    let sandbox = Sandbox::sqlite().sql(WORLD).file("syncmon.toml", CONFIG);
    sandbox.build_at(NOW);
    compare("site", &sandbox.site());
}

#[test]
fn postgres_gives_the_same_golden_site() {
    let sandbox = Sandbox::postgres().sql(WORLD).file("syncmon.toml", CONFIG);
    sandbox.build_at(NOW);
    if std::env::var_os("SYNCMON_BLESS").is_none() {
        compare("site", &sandbox.site());
    }
}

#[test]
fn the_golden_site_without_its_database_ages_under_a_banner() {
    let sandbox = Sandbox::sqlite().sql(WORLD).file("syncmon.toml", CONFIG);
    sandbox.build_at(NOW);
    std::fs::remove_file(sandbox.path("sync.sqlite")).unwrap();
    let ended = sandbox.build_at("2026-11-22T20:25:00Z");
    assert_eq!(ended.code, 75, "{ended:?}");
    let pages = ["index.html", "status.json", "entities/customers.html"];
    let site = sandbox
        .site()
        .into_iter()
        .filter(|(path, _)| pages.contains(&path.as_str()));
    compare("site-without-database", &site.collect());
}

/// The assets are those of `templates/`, and need no second copy beside the golden pages.
fn compare(golden: &str, site: &BTreeMap<String, Vec<u8>>) {
    let folder = folder(golden);
    let (assets, site): (BTreeMap<_, _>, BTreeMap<_, _>) = site
        .clone()
        .into_iter()
        .partition(|(path, _)| path.starts_with("assets/"));
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/assets");
    for (path, bytes) in &assets {
        let built_in = templates.join(path.rsplit('/').next().unwrap());
        assert!(*bytes == std::fs::read(built_in).unwrap(), "{path}");
    }
    let site = &site;
    if std::env::var_os("SYNCMON_BLESS").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        for (path, bytes) in site {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        return;
    }
    let mut expected: Vec<String> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            entry
                .path()
                .strip_prefix(&folder)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    expected.sort();
    assert_eq!(
        site.keys().cloned().collect::<Vec<_>>(),
        expected,
        "the files of the site"
    );
    for (path, bytes) in site {
        let golden = std::fs::read_to_string(folder.join(path)).unwrap();
        snapbox::assert_data_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            snapbox::Data::text(golden).raw()
        );
    }
}
