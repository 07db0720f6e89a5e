//! Two calls that not every system has: Linux brings a whole file system to disk and exchanges directories, Apple's
//! systems do only the latter, others neither. A call that a system lacks answers as an old kernel would.
//!
//! `--cfg syncmon_without_syncfs` and `--cfg syncmon_without_exchange` take them from Linux too: `tests/platforms/run`
//! publishes as other systems do.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, fsync};
use rustix::io::{Errno, Result};
use walkdir::WalkDir;

/// Whether the system can exchange directories; file systems and mounts may still refuse.
pub const CAN_EXCHANGE: bool = cfg!(all(
    any(target_os = "linux", target_vendor = "apple"),
    not(syncmon_without_exchange)
));

/// Exchanges two directories, or moves `staged` to `live` if there is nothing yet.
#[cfg(all(
    any(target_os = "linux", target_vendor = "apple"),
    not(syncmon_without_exchange)
))]
pub fn exchange(staged: &Path, live: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, staged, CWD, live, RenameFlags::EXCHANGE) {
        Err(Errno::NOENT) => renameat_with(CWD, staged, CWD, live, RenameFlags::NOREPLACE),
        exchanged => exchanged,
    }
}

#[cfg(not(all(
    any(target_os = "linux", target_vendor = "apple"),
    not(syncmon_without_exchange)
)))]
pub fn exchange(_staged: &Path, _live: &Path) -> Result<()> {
    Err(Errno::NOSYS)
}

#[cfg(all(target_os = "linux", not(syncmon_without_syncfs)))]
fn syncfs(directory: &File) -> Result<()> {
    rustix::fs::syncfs(directory)
}

#[cfg(not(all(target_os = "linux", not(syncmon_without_syncfs))))]
fn syncfs(_directory: &File) -> Result<()> {
    Err(Errno::NOSYS)
}

/// Brings what was written into `directory` to disk.
pub fn bring_to_disk(directory: &Path) -> std::io::Result<()> {
    let opened = File::open(directory)?;
    match syncfs(&opened) {
        Err(Errno::NOSYS) => {
            one_by_one(directory)?;
            // Apple's disks keep for a while what fsync gives them, unless they are asked for all of it.
            where_known(opened.sync_all())
        }
        synced => Ok(synced?),
    }
}

/// Every file and every folder, a folder after what lies in it. A file with a second name was brought to disk when it
/// was published under the first. What this user may not open is somebody else's, and left to the system.
fn one_by_one(directory: &Path) -> std::io::Result<()> {
    for entry in WalkDir::new(directory).contents_first(true) {
        let entry = match entry.map_err(std::io::Error::from) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => continue,
            entry => entry?,
        };
        let found = entry.metadata()?;
        if found.is_dir() {
            where_known(flush(entry.path()))?;
        } else if found.is_file() && found.nlink() == 1 {
            flush(entry.path())?;
        }
    }
    Ok(())
}

fn flush(path: &Path) -> std::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::ACCESS) => Ok(()),
        opened => Ok(fsync(opened?)?),
    }
}

/// Some file systems cannot flush a folder, or ask the disk for more than fsync does.
fn where_known(flushed: std::io::Result<()>) -> std::io::Result<()> {
    let unknown = [
        Errno::INVAL,
        Errno::BADF,
        Errno::NOTTY,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
    ];
    match flushed {
        Err(error) if Errno::from_io_error(&error).is_some_and(|why| unknown.contains(&why)) => {
            Ok(())
        }
        flushed => flushed,
    }
}
