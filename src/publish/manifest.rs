//! The manifest: the hidden file by which syncmon knows its own directories, and what it put there.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

/// Its name within every published directory.
pub const MANIFEST: &str = ".syncmon-manifest.json";

/// What the last publish put into a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub generator: String,
    /// Invented data; may be replaced by a real site, but never replaces one.
    pub demo: bool,
    /// How it was published: told once when it changes.
    pub file_by_file: bool,
    /// Relative paths, "/" between their parts.
    pub files: BTreeSet<String>,
}

impl Manifest {
    pub fn new(demo: bool, file_by_file: bool, files: BTreeSet<String>) -> Manifest {
        Manifest {
            generator: concat!("syncmon ", env!("CARGO_PKG_VERSION")).to_owned(),
            demo,
            file_by_file,
            files,
        }
    }

    /// The manifest of a directory. `None` if it has none; a damaged one counts as a manifest that
    /// lists nothing, so that nothing is removed on its word.
    pub fn of(directory: &Path) -> Option<Manifest> {
        let path = directory.join(MANIFEST);
        if !path.symlink_metadata().ok()?.is_file() {
            return None;
        }
        let text = std::fs::read(&path).unwrap_or_default();
        let mut manifest = serde_json::from_slice(&text)
            .unwrap_or_else(|_| Manifest::new(false, false, BTreeSet::new()));
        manifest.files.retain(|file| stays_inside(file));
        Some(manifest)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("strings and flags are JSON");
        text.push(b'\n');
        text
    }
}

/// Whether a listed path is relative and without "..".
fn stays_inside(file: &str) -> bool {
    !file.is_empty()
        && Path::new(file)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}
