//! A directory to publish into, looked at without touching it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Manifest;
use super::target;
use super::tree::{INSIDE, is_missing};
use crate::failure::UsageError;

/// No file that is looked into is larger.
const LARGEST: u64 = 64 << 20;

/// What [`super::open`] would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// The live directory, links resolved; may not exist yet.
    pub live: PathBuf,
    /// Of the last publish; `None` if there was none.
    pub manifest: Option<Manifest>,
    /// It is on another file system than its parent, and so cannot be exchanged.
    pub mounted: bool,
    /// The hidden folder beside it; may not exist yet.
    pub beside: PathBuf,
    /// The hidden folder within it, where there can be none beside it; may not exist yet.
    pub within: PathBuf,
}

/// Refuses what a build would refuse, in the same words, and makes nothing.
pub fn inspect(out: &Path, private: &Path) -> Result<Inspected> {
    let live = target::resolve(out)?;
    target::refuse_dear(out, &live)?;
    target::refuse_private(out, &live, private)?;
    target::refuse_foreign(out, &live, false)?;
    let beside = target::hidden_beside(&live)
        .ok_or_else(|| UsageError::new("the root of the file system cannot be published into"))?;
    Ok(Inspected {
        manifest: Manifest::of(&live)?,
        mounted: target::is_mounted(&live)?,
        within: live.join(INSIDE),
        beside,
        live,
    })
}

/// A published file's bytes; `None` if it is not there.
pub fn published(live: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let path = live.join(name);
    let trouble = || format!("{} cannot be read; check its permissions", path.display());
    match path.symlink_metadata() {
        Err(error) if is_missing(&error) => return Ok(None),
        found if !found.as_ref().is_ok_and(std::fs::Metadata::is_file) => {
            found.with_context(trouble)?;
            return Ok(None);
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
        .with_context(trouble)?;
    Ok(Some(bytes))
}
