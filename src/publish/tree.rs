//! Files and folders on disk: written for everybody to read, never through a link.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use super::OutputFile;
use super::manifest::{MANIFEST, Manifest};
use super::platform::bring_to_disk;

/// Makes a new folder for a site or a part of one. Its manifest comes first, so that it can be
/// recognised and removed whenever a build is interrupted.
pub fn make_site_folder(directory: &Path, manifest: &Manifest) -> Result<()> {
    make_folder(directory).with_context(|| {
        format!(
            "{} cannot be created; check free space and permissions",
            directory.display()
        )
    })?;
    write_file(directory, MANIFEST, &manifest.to_bytes())
}

/// Writes the files of a site that comes after the one in `live`. A file that has not changed is not written again, but
/// gets a second name: most of a site is what it was at the last build.
///
/// Web servers and rsync take two files of the same size and second for the same one. So a file that differs from
/// the live one is at least a second newer, and one that does not differ keeps its time.
pub fn write_files(directory: &Path, live: &Path, files: &[OutputFile]) -> Result<()> {
    let now = SystemTime::now();
    for file in files {
        let OutputFile { path, bytes, .. } = file;
        let time = match Before::of(live, file) {
            Before::Nothing => None,
            Before::Ours { .. } if link(live, directory, path) => continue,
            Before::Ours { modified } | Before::Same { modified } => Some(modified),
            Before::Other { modified } => {
                let later = modified.checked_add(Duration::from_secs(1));
                Some(later.map_or(now, |later| later.max(now)))
            }
        };
        write(directory, path, bytes, time)?;
    }
    Ok(())
}

/// What lies in a site where a file is to be published.
enum Before {
    /// Nothing, or no file, or one that cannot be looked at.
    Nothing,
    Other {
        modified: SystemTime,
    },
    /// The same bytes in a file that is not as we write them.
    Same {
        modified: SystemTime,
    },
    /// The very file that would be written.
    Ours {
        modified: SystemTime,
    },
}

impl Before {
    fn of(live: &Path, file: &OutputFile) -> Before {
        let path = live.join(&file.path);
        let Ok(found) = path.symlink_metadata() else {
            return Before::Nothing;
        };
        let Some(modified) = found.modified().ok().filter(|_| found.is_file()) else {
            return Before::Nothing;
        };
        let same = found.len() == file.bytes.len() as u64
            && std::fs::read(&path).is_ok_and(|bytes| bytes == file.bytes);
        if !same {
            return Before::Other { modified };
        }
        let ours = found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & 0o7777 == PUBLIC
            && !goes_through_a_link(live, &file.path);
        if ours {
            Before::Ours { modified }
        } else {
            Before::Same { modified }
        }
    }
}

/// Whether a live file could be given a second name in another folder: not every file system has such.
fn link(live: &Path, directory: &Path, path: &str) -> bool {
    make_parents(directory, path).is_ok()
        && std::fs::hard_link(live.join(path), directory.join(path)).is_ok()
}

/// Whether a folder on the way to `path` is a link: what lies behind it is not ours.
pub fn goes_through_a_link(live: &Path, path: &str) -> bool {
    Path::new(path).ancestors().skip(1).any(|folder| {
        let folder = live.join(folder);
        folder != live
            && folder
                .symlink_metadata()
                .is_ok_and(|found| found.is_symlink())
    })
}

/// The rights of a published file.
const PUBLIC: u32 = 0o644;

/// Writes one new file below `root`, readable by everybody whatever the umask.
pub fn write_file(root: &Path, relative: &str, bytes: &[u8]) -> Result<()> {
    write(root, relative, bytes, None)
}

fn write(root: &Path, relative: &str, bytes: &[u8], modified: Option<SystemTime>) -> Result<()> {
    let path = root.join(relative);
    let written = make_parents(root, relative).and_then(|_| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(PUBLIC)
            .open(&path)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(PUBLIC))?;
        modified.map_or(Ok(()), |modified| file.set_modified(modified))
    });
    written.with_context(|| {
        format!(
            "{} cannot be written; check free space and permissions",
            path.display()
        )
    })
}

/// Makes the folders above `relative` below `root`, refusing to go through a link. Returns those
/// that it made; none are left behind if it fails.
pub fn make_parents(root: &Path, relative: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    let mut folder = root.to_owned();
    let parents = Path::new(relative).parent().unwrap_or(Path::new(""));
    for part in parents {
        folder.push(part);
        match make_parent(&folder) {
            Ok(true) => made.push(folder.clone()),
            Ok(false) => {}
            Err(error) => {
                for folder in made.iter().rev() {
                    let _ = std::fs::remove_dir(folder);
                }
                return Err(error);
            }
        }
    }
    Ok(made)
}

/// Whether the folder was missing and had to be made.
fn make_parent(folder: &Path) -> std::io::Result<bool> {
    match folder.symlink_metadata() {
        Ok(found) if found.is_dir() => Ok(false),
        Ok(_) => Err(std::io::Error::new(
            ErrorKind::NotADirectory,
            format!("{} is not a folder", folder.display()),
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => make_folder(folder).map(|()| true),
        Err(error) => Err(error),
    }
}

/// Whether an error says that there is nothing at a path.
pub fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
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
    let created = match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        created => created.map(|()| true),
    }?;
    let found = path.symlink_metadata()?;
    if !found.is_dir() {
        return Err(std::io::Error::new(
            ErrorKind::AlreadyExists,
            format!("{} is in the way and is not a folder", path.display()),
        ));
    }
    // An odd umask takes rights even from the owner.
    if created || found.permissions().mode() & OWNER != OWNER {
        std::fs::set_permissions(path, Permissions::from_mode(OWNER))?;
    }
    Ok(path.to_owned())
}

/// What its owner needs in a folder.
const OWNER: u32 = 0o700;

pub fn no_workplace(place: &str, live: &Path) -> String {
    format!(
        "no folder for staging can be made {place} {}; check free space and permissions, or move \
         away what is in the way",
        live.display()
    )
}

/// Makes a folder that everybody can enter, whatever the umask.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o755).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).inspect_err(|_| {
        let _ = std::fs::remove_dir(path);
    })
}

/// Removes a folder that is ours: one that holds a manifest, or nothing besides a workplace.
pub fn remove_ours(directory: &Path) -> Result<()> {
    let found = match directory.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| {
            format!(
                "{} cannot be looked at; check its permissions",
                directory.display()
            )
        })?,
    };
    if !found.is_dir() {
        bail!(
            "{} is in the way and is not a folder of syncmon's; move it away",
            directory.display()
        );
    }
    // Empty, and perhaps not even readable: its maker was interrupted.
    if std::fs::remove_dir(directory).is_ok() {
        return Ok(());
    }
    let marked = Manifest::of(directory)?.is_some();
    let within = children(directory)?;
    let foreign = |name: &PathBuf| !marked && !name.ends_with(INSIDE);
    if let Some(foreign) = within.iter().find(|child| foreign(child)) {
        bail!(
            "{} is in the way and holds no manifest of syncmon's, but {}; look into it and move it away",
            directory.display(),
            foreign.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    // The manifest goes last: what an interrupted build leaves is still known to be ours.
    let (last, first): (Vec<_>, Vec<_>) =
        within.iter().partition(|child| child.ends_with(MANIFEST));
    first
        .into_iter()
        .chain(last)
        .try_for_each(|child| remove_child(child))
        .and_then(|()| std::fs::remove_dir(directory))
        .with_context(|| {
            format!(
                "{} cannot be removed; remove it by hand",
                directory.display()
            )
        })
}

fn children(directory: &Path) -> Result<Vec<PathBuf>> {
    std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| {
            format!(
                "{} cannot be read; check its permissions",
                directory.display()
            )
        })
}

/// Removes whatever it is, a link itself and not what it leads to.
fn remove_child(path: &Path) -> std::io::Result<()> {
    if !path.symlink_metadata()?.is_dir() {
        return std::fs::remove_file(path);
    }
    match std::fs::remove_dir_all(path) {
        // A folder that was carried over may be closed even to its owner.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_up(path)?;
            std::fs::remove_dir_all(path)
        }
        removed => removed,
    }
}

fn open_up(folder: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(OWNER))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Brings what was written into `directory` to the disk.
pub fn sync(directory: &Path) -> Result<()> {
    bring_to_disk(directory).with_context(|| {
        format!(
            "the disk did not take what was written to {}; check the disk and the system's log",
            directory.display()
        )
    })
}
