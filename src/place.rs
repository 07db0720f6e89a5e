//! Places on disk, looked at without leaving a trace.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};

/// What is found at a path, or would be met on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// `None` if there is nothing.
    pub found: Option<Found>,
    /// The nearest folder that is there: the place itself or one above it. What is missing would be made in it.
    pub nearest: PathBuf,
    /// This process may make something in [`Place::nearest`].
    pub nearest_writable: bool,
    /// The first folder on the way, the place included, that others than its owner and its group may not pass.
    pub closed: Option<PathBuf>,
    /// Bytes that this process may still write there. `None` if the file system does not tell.
    pub free: Option<u64>,
}

/// Something on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub is_folder: bool,
    /// The permission bits.
    pub mode: u32,
    /// The number of the user whom it belongs to.
    pub owner: u32,
    /// This process may read it, and enter it if it is a folder.
    pub readable: bool,
    /// This process may change it; for a folder, what is in it.
    pub writable: bool,
}

/// Who this process is to the file system.
pub fn this_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Looks at a path; links are followed.
pub fn look_at(path: &Path) -> std::io::Result<Place> {
    let path = std::path::absolute(path)?;
    let found = found_at(&path)?;
    let nearest = path
        .ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("/"))
        .to_owned();
    let free = statvfs(&nearest)
        .ok()
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    Ok(Place {
        nearest_writable: allows(&nearest, Access::WRITE_OK | Access::EXEC_OK),
        closed: closed_on_the_way(&nearest),
        path,
        found,
        nearest,
        free,
    })
}

fn found_at(path: &Path) -> std::io::Result<Option<Found>> {
    let metadata = match path.metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        found => found?,
    };
    let enter = if metadata.is_dir() {
        Access::EXEC_OK
    } else {
        Access::empty()
    };
    Ok(Some(Found {
        is_folder: metadata.is_dir(),
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        readable: allows(path, Access::READ_OK | enter),
        writable: allows(path, Access::WRITE_OK | enter),
    }))
}

/// Asks the system, which knows about read-only file systems and access lists as well.
fn allows(path: &Path, access: Access) -> bool {
    accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
}

fn closed_on_the_way(folder: &Path) -> Option<PathBuf> {
    let mut way: Vec<&Path> = folder.ancestors().collect();
    way.reverse();
    way.into_iter()
        .find(|folder| {
            folder
                .metadata()
                .is_ok_and(|found| found.mode() & 0o001 == 0)
        })
        .map(Path::to_owned)
}

/// The files that lie in a folder, with their permission bits; none if it cannot be read.
pub fn files_in(folder: &Path) -> Vec<(PathBuf, u32)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(PathBuf, u32)> = entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            let mode = metadata.mode() & 0o7777;
            metadata.is_file().then(|| (entry.path(), mode))
        })
        .collect();
    files.sort_unstable();
    files
}
