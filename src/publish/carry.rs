//! What lies in a site without having been published: it goes on lying there.

use std::collections::BTreeSet;
use std::fs::{FileType, OpenOptions, Permissions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

use super::manifest::MANIFEST;
use super::tree::{INSIDE, make_folder};

/// Carries over what lies in `live` without having been published: a `.well-known`, a robots.txt.
/// Where a published file has the same name, the published one stays.
pub fn carry_over(live: &Path, published: &BTreeSet<String>, staged: &Path) -> Result<()> {
    let mut walk = WalkDir::new(live)
        .follow_links(false)
        .min_depth(1)
        .into_iter();
    let mut folders = Vec::new();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| unreadable(live, &error))?;
        let relative = entry.path().strip_prefix(live).expect("walked from there");
        if published.contains(&*relative.to_string_lossy()) || relative == Path::new(MANIFEST) {
            continue;
        }
        if relative == Path::new(INSIDE) {
            walk.skip_current_dir();
            continue;
        }
        let target = staged.join(relative);
        let kind = entry.file_type();
        if kind.is_dir() && holds_only_published(entry.path(), relative, published) {
            continue;
        }
        match carry(&entry, &target) {
            Ok(None) => {}
            Ok(Some(permissions)) => folders.push((target, permissions)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let taken = target
                    .symlink_metadata()
                    .with_context(|| not_carried(entry.path()))?;
                if kind.is_dir() && !taken.is_dir() {
                    walk.skip_current_dir();
                }
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => {}
            Err(error) => return Err(error).with_context(|| not_carried(entry.path())),
        }
    }
    // Only now, for a folder may be closed to whoever fills it.
    for (folder, permissions) in folders.into_iter().rev() {
        std::fs::set_permissions(&folder, permissions).with_context(|| not_carried(&folder))?;
    }
    Ok(())
}

/// Carries over one thing; for a folder, returns the permissions that it has to get in the end.
fn carry(entry: &DirEntry, target: &Path) -> std::io::Result<Option<Permissions>> {
    if !entry.file_type().is_dir() {
        return same_again(entry.path(), entry.file_type(), target).map(|()| None);
    }
    make_folder(target)?;
    Ok(Some(entry.path().symlink_metadata()?.permissions()))
}

/// The same file or link under a second name; a copy where there are no hard links.
pub fn same_again(path: &Path, kind: FileType, target: &Path) -> std::io::Result<()> {
    if kind.is_symlink() {
        return std::fs::read_link(path).and_then(|to| std::os::unix::fs::symlink(to, target));
    }
    match std::fs::hard_link(path, target) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => copy(path, target),
        linked => linked,
    }
}

/// Copies a file with its time and its permissions. Anything else, such as a pipe, would be waited
/// for: it is refused.
fn copy(path: &Path, target: &Path) -> std::io::Result<()> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    if !path.symlink_metadata()?.is_file() {
        return Err(Error::other(
            "it is neither a file nor a folder nor a link, and has no second name here",
        ));
    }
    let mut from = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let found = from.metadata()?;
    if !found.is_file() {
        return Err(Error::other("it was replaced while it was looked at"));
    }
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)?;
    std::io::copy(&mut from, &mut to)?;
    to.set_modified(found.modified()?)?;
    to.set_permissions(Permissions::from_mode(found.mode() & 0o777))
}

fn unreadable(live: &Path, error: &walkdir::Error) -> anyhow::Error {
    let path = error.path().unwrap_or(live).display();
    match error.io_error() {
        Some(why) => anyhow::anyhow!(
            "{path} cannot be read, so it cannot be carried over; make it readable, or move it away: \
             {why}"
        ),
        None => anyhow::anyhow!("{path} cannot be carried over; move it away: {error}"),
    }
}

fn not_carried(path: &Path) -> String {
    format!(
        "{} cannot be carried over; check free space and permissions, or move it away",
        path.display()
    )
}

/// Whether a folder was made for published files alone, so that it goes when they go.
fn holds_only_published(folder: &Path, relative: &Path, published: &BTreeSet<String>) -> bool {
    let prefix = format!("{}/", relative.to_string_lossy());
    published.iter().any(|file| file.starts_with(&prefix))
        && WalkDir::new(folder).min_depth(1).into_iter().all(|entry| {
            entry.is_ok_and(|entry| {
                let below = entry
                    .path()
                    .strip_prefix(folder)
                    .expect("walked from there");
                entry.file_type().is_dir()
                    || published.contains(&format!("{prefix}{}", below.to_string_lossy()))
            })
        })
}
