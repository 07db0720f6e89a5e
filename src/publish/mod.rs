//! Paths and bytes only: a finished site goes live all at once, or not at all.
//!
//! A site is staged in a hidden folder beside the live directory, brought to disk, and exchanged
//! with the live directory in one system call. What was live stays in the hidden folder until the
//! next publish, for readers that are still in it. Where two directories cannot be exchanged (a
//! mount point, a parent that may not be written to, another operating system), files are replaced
//! one by one in an order that never leaves a page without its style sheet.

mod carry;
mod file;
mod in_place;
mod inspection;
mod manifest;
mod platform;
mod received;
mod target;
mod tree;

use std::path::Path;

use anyhow::{Context, Result};
use rustix::io::Errno;

pub use file::OutputFile;
pub use inspection::{Inspected, inspect, published};
pub use manifest::{MANIFEST, Manifest};
pub use platform::CAN_EXCHANGE;
pub use received::{Received, lie_apart, receive};
pub use target::{Opened, Target, open};

/// How a site went live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    AtOnce,
    /// File by file, since the directories could not be exchanged; `news` where the last publish
    /// did it otherwise, and this system can.
    FileByFile {
        news: bool,
    },
}

/// Removes what the last publish took off the site. [`publish`] needs that done, and does it where this was
/// not called; there may be time for it before there is something to publish.
pub fn clear(target: &Target) -> Result<()> {
    target.is_as_it_was()?;
    if target.beside {
        tree::remove_ours(&target.workplace.join("site"))?;
    }
    Ok(())
}

/// Puts `files` live. `demo` marks the site as one with invented data.
pub fn publish(target: &Target, files: &[OutputFile], demo: bool) -> Result<Published> {
    target.is_as_it_was()?;
    let previous = Manifest::of(&target.live)?;
    let listing =
        |file_by_file| Manifest::new(demo, file_by_file).listing(files, previous.as_ref());
    if target.beside && CAN_EXCHANGE {
        let manifest = listing(false);
        let staged = target.workplace.join("site");
        tree::remove_ours(&staged)?;
        tree::make_site_folder(&staged, &manifest)?;
        tree::write_files(&staged, &target.live, files)?;
        if let Some(previous) = &previous {
            let mut gone = previous.files.clone();
            gone.retain(|path| !manifest.stays(path));
            carry::carry_over(&target.live, &gone, &staged)?;
        }
        tree::sync(&staged)?;
        target.is_as_it_was()?;
        if go_live(&staged, &target.live)? {
            return Ok(Published::AtOnce);
        }
        tree::remove_ours(&staged)?;
    }
    let did_otherwise = previous
        .as_ref()
        .is_none_or(|previous| !previous.file_by_file);
    in_place::replace(target, previous.as_ref(), &listing(true), files)?;
    Ok(Published::FileByFile {
        news: CAN_EXCHANGE && did_otherwise,
    })
}

/// Exchanges the staged directory with the live one, or moves it there if there is none yet.
/// `false` where this file system or mount cannot do it.
fn go_live(staged: &Path, live: &Path) -> Result<bool> {
    // Apple's numbers for the last two differ.
    let refusals = [
        Errno::XDEV,
        Errno::BUSY,
        Errno::INVAL,
        Errno::NOSYS,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
    ];
    match platform::exchange(staged, live) {
        Ok(()) => Ok(true),
        Err(error) if refusals.contains(&error) => Ok(false),
        Err(error) => Err(error).with_context(|| {
            format!(
                "{} cannot be exchanged with {}; check permissions and the disk",
                staged.display(),
                live.display()
            )
        }),
    }
}
