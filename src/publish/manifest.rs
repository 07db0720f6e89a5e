//! The manifest: the hidden file by which syncmon knows its own directories, and what it put there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::OutputFile;
use super::tree::is_missing;

/// Its name within every published directory.
pub const MANIFEST: &str = ".syncmon-manifest.json";

/// A longer one is damaged; it would list a hundred thousand files.
pub(super) const LONGEST: u64 = 16 << 20;

/// For so many publishes a lasting file stays after the one that wrote it.
const LASTS: u32 = 16;

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
    /// Those of them that stay for so many more publishes although none writes them any more: a reader
    /// may just have taken a page that asks for them.
    #[serde(default)]
    pub lasting: BTreeMap<String, u32>,
    /// The CRC-32 of every file that this publish wrote: a site that is sent elsewhere can be known there to be
    /// whole. It guards against damage, not against malice: whoever can change a file can change this too.
    #[serde(default)]
    pub checksums: BTreeMap<String, u32>,
}

impl Manifest {
    pub fn new(demo: bool, file_by_file: bool) -> Manifest {
        Manifest {
            generator: concat!("syncmon ", env!("CARGO_PKG_VERSION")).to_owned(),
            demo,
            file_by_file,
            files: BTreeSet::new(),
            lasting: BTreeMap::new(),
            checksums: BTreeMap::new(),
        }
    }

    /// The manifest of a publish of `files` after the `previous` one.
    #[must_use]
    pub fn listing(mut self, files: &[OutputFile], previous: Option<&Manifest>) -> Manifest {
        for file in files {
            self.files.insert(file.path.clone());
            self.checksums.insert(file.path.clone(), file.checksum);
            if file.lasting {
                self.lasting.insert(file.path.clone(), LASTS);
            }
        }
        for (path, left) in previous.into_iter().flat_map(|previous| &previous.lasting) {
            let ours = previous.is_some_and(|previous| previous.files.contains(path));
            if ours && *left > 0 && !self.files.contains(path) {
                self.files.insert(path.clone());
                self.lasting.insert(path.clone(), left.min(&LASTS) - 1);
            }
        }
        self
    }

    /// Whether a listed file is not written by this publish, but stays from an earlier one.
    pub fn stays(&self, path: &str) -> bool {
        self.lasting.get(path).is_some_and(|&left| left < LASTS)
    }

    /// The manifest of a directory. `None` if it has none; a damaged one counts as a manifest that
    /// lists nothing, so that nothing is removed on its word.
    pub fn of(directory: &Path) -> Result<Option<Manifest>> {
        let path = directory.join(MANIFEST);
        let text = read(&path).with_context(|| {
            format!(
                "{} cannot be read; check its permissions and the disk",
                path.display()
            )
        })?;
        Ok(text.map(|text| {
            let mut manifest =
                serde_json::from_slice(&text).unwrap_or_else(|_| Manifest::new(false, false));
            manifest.files.retain(|file| stays_inside(file));
            manifest
        }))
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("strings and flags are JSON");
        text.push(b'\n');
        text
    }
}

/// The first bytes of a file, `None` if there is none or something else in its place.
fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Whether a listed path is relative and without "..".
fn stays_inside(file: &str) -> bool {
    !file.is_empty()
        && Path::new(file)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}
