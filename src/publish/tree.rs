//! Files and folders on disk: written for everybody to read, never through a link.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use super::OutputFile;
use super::manifest::{MANIFEST, Manifest};

/// Writes a whole site into the new, empty `directory`; the manifest first, so that an interrupted
/// one can be recognised and removed.
pub fn write_site(directory: &Path, manifest: &Manifest, files: &[OutputFile]) -> Result<()> {
    write_file(directory, MANIFEST, &manifest.to_bytes())?;
    for file in files {
        write_file(directory, &file.path, &file.bytes)?;
    }
    Ok(())
}

/// Writes one new file below `root`, readable by everybody whatever the umask.
pub fn write_file(root: &Path, relative: &str, bytes: &[u8]) -> Result<()> {
    let path = root.join(relative);
    let written = make_parents(root, relative).and_then(|()| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&path)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(0o644))
    });
    written.with_context(|| {
        format!(
            "{} cannot be written; check free space and permissions",
            path.display()
        )
    })
}

/// Web servers and rsync take two files of the same size and second for the same one. So a staged
/// file that differs from the live one is at least a second newer, and one that does not differ
/// keeps its time.
pub fn keep_times_apart(staged: &Path, live: &Path, files: &[OutputFile]) -> Result<()> {
    let now = SystemTime::now();
    for file in files {
        let Ok(before) = live.join(&file.path).symlink_metadata() else {
            continue;
        };
        let Some(modified) = before.modified().ok().filter(|_| before.is_file()) else {
            continue;
        };
        let same = std::fs::read(live.join(&file.path)).is_ok_and(|bytes| bytes == file.bytes);
        let time = if same {
            modified
        } else {
            modified
                .checked_add(Duration::from_secs(1))
                .map_or(now, |later| later.max(now))
        };
        let path = staged.join(&file.path);
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|staged| staged.set_modified(time))
            .with_context(|| format!("the time of {} cannot be set", path.display()))?;
    }
    Ok(())
}

/// Makes the folders above `relative` below `root`, refusing to go through a link.
pub fn make_parents(root: &Path, relative: &str) -> std::io::Result<()> {
    let mut folder = root.to_owned();
    let parents = Path::new(relative).parent().unwrap_or(Path::new(""));
    for part in parents {
        folder.push(part);
        match folder.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(std::io::Error::new(
                    ErrorKind::NotADirectory,
                    "it is not a folder",
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => make_folder(&folder)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes `path` and whatever is missing above it.
pub fn make_folders(path: &Path) -> std::io::Result<()> {
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => return found.map(drop),
    }
    if let Some(parent) = path.parent() {
        make_folders(parent)?;
    }
    make_folder(path)
}

/// The workplace's name where it has to lie within the live directory.
pub const INSIDE: &str = ".syncmon";

/// A folder for its owner alone, made if it is missing; a link in its place is refused.
pub fn private_folder(path: &Path) -> std::io::Result<PathBuf> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if path.symlink_metadata()?.is_dir() {
                Ok(path.to_owned())
            } else {
                Err(std::io::Error::new(
                    ErrorKind::AlreadyExists,
                    format!("{} is in the way and is not a folder", path.display()),
                ))
            }
        }
        created => created.map(|()| path.to_owned()),
    }
}

/// Makes a folder that everybody can enter, whatever the umask.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o755).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o755))
}

/// Removes a folder that is ours: one that holds a manifest, or nothing at all.
pub fn remove_ours(directory: &Path) -> Result<()> {
    let found = match directory.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| directory.display().to_string())?,
    };
    if !found.is_dir() {
        bail!(
            "{} is in the way and is not a folder of syncmon's; move it away",
            directory.display()
        );
    }
    if Manifest::of(directory).is_some() {
        // Does not follow links: it removes the links themselves.
        return std::fs::remove_dir_all(directory)
            .with_context(|| format!("{} cannot be removed", directory.display()));
    }
    std::fs::remove_dir(directory).with_context(|| {
        format!(
            "{} is in the way and holds no manifest of syncmon's; look into it and move it away",
            directory.display()
        )
    })
}

/// Carries over what lies in `live` without having been published: a `.well-known`, a robots.txt.
/// Where a published file has the same name, the published one stays.
pub fn carry_over(live: &Path, published: &BTreeSet<String>, staged: &Path) -> Result<()> {
    let mut walk = WalkDir::new(live)
        .follow_links(false)
        .min_depth(1)
        .into_iter();
    let mut folders = Vec::new();
    while let Some(entry) = walk.next() {
        let entry = entry.with_context(|| format!("{} cannot be read", live.display()))?;
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
        let carried = if kind.is_dir() {
            make_folder(&target).and_then(|()| {
                let permissions = entry.metadata()?.permissions();
                folders.push((target.clone(), permissions));
                Ok(())
            })
        } else if kind.is_symlink() {
            std::fs::read_link(entry.path()).and_then(|to| std::os::unix::fs::symlink(to, &target))
        } else {
            std::fs::hard_link(entry.path(), &target).or_else(|error| match error.kind() {
                ErrorKind::AlreadyExists => Err(error),
                _ => std::fs::copy(entry.path(), &target).map(drop),
            })
        };
        match carried {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if kind.is_dir() && !target.is_dir() {
                    walk.skip_current_dir();
                }
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => {}
            carried => carried
                .with_context(|| format!("{} cannot be carried over", entry.path().display()))?,
        }
    }
    // Only now, for a folder may be closed to whoever fills it.
    for (folder, permissions) in folders.into_iter().rev() {
        std::fs::set_permissions(&folder, permissions)
            .with_context(|| format!("{} cannot be carried over", folder.display()))?;
    }
    Ok(())
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

/// Brings everything of the file system that holds `directory` to the disk.
pub fn sync(directory: &Path) -> Result<()> {
    let opened = File::open(directory).with_context(|| directory.display().to_string())?;
    rustix::fs::syncfs(&opened).with_context(|| {
        format!(
            "{}: the disk did not take what was written; nothing was published",
            directory.display()
        )
    })
}
