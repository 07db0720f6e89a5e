//! Where a site is to go: looked at, refused if it is not ours to replace, and locked.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use super::manifest::{MANIFEST, Manifest};
use super::tree::{INSIDE, is_missing, no_workplace, private_folder};
use crate::failure::UsageError;

/// A directory that this process alone publishes into, as long as this value lives.
pub struct Target {
    /// The live directory, links resolved; may not exist yet.
    pub live: PathBuf,
    /// The hidden folder for staging: beside the live directory, or in it.
    pub(super) workplace: PathBuf,
    /// Whether the workplace lies beside, so that directories can be exchanged.
    pub(super) beside: bool,
    /// Which directory the workplace was when it was made.
    made: Option<Identity>,
    demo: bool,
    _lock: File,
}

/// Device, number and birth of a directory: numbers are soon given again.
type Identity = (u64, u64, Option<SystemTime>);

impl Target {
    /// Refuses to go on where somebody has put something else in the place of what was looked at.
    /// A live directory that was removed is published anew.
    pub(super) fn is_as_it_was(&self) -> Result<()> {
        if identity(&self.workplace) != self.made {
            bail!(
                "{} was replaced or removed during the build; the next build makes it anew",
                self.workplace.display()
            );
        }
        let live = self.live.symlink_metadata();
        if live.is_ok_and(|found| !found.is_dir()) {
            bail!(
                "{} is not a directory any more; move away what is in its place",
                self.live.display()
            );
        }
        refuse_foreign(&self.live, &self.live, self.demo)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let found = path.symlink_metadata().ok()?;
    Some((found.dev(), found.ino(), found.created().ok()))
}

pub enum Opened {
    Ready(Target),
    /// Another build is at work on it.
    Busy,
}

/// Looks at `out` and locks it.
///
/// Refused: `/`, a home directory, the current directory, a directory that is neither empty nor
/// syncmon's, one that holds the state directory `private`; and for a demo, a site that is none.
pub fn open(out: &Path, demo: bool, private: &Path) -> Result<Opened> {
    let live = resolve(out)?;
    refuse_dear(out, &live)?;
    refuse_private(out, &live, private)?;
    refuse_foreign(out, &live, demo)?;
    make_parent(&live)?;
    let (workplace, beside) = workplace(&live)?;
    let lock = lock_file(&workplace.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Opened::Ready(Target {
            made: identity(&workplace),
            demo,
            live,
            workplace,
            beside,
            _lock: lock,
        })),
        Err(TryLockError::WouldBlock) => Ok(Opened::Busy),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| {
            format!(
                "{} cannot be locked; publish onto a file system that knows locks",
                workplace.join("lock").display()
            )
        }),
    }
}

/// Opens the lock, never through a link, and without waiting for the other end of a pipe.
fn lock_file(path: &Path) -> Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let open = || {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
    };
    let opened = match open() {
        // An odd umask took the rights even from its owner.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && is_file(path) => {
            std::fs::set_permissions(path, Permissions::from_mode(0o600)).and_then(|()| open())
        }
        opened => opened,
    };
    opened
        .and_then(|file| {
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(std::io::Error::other("it is not a file"))
            }
        })
        .with_context(|| {
            format!(
                "{} cannot be opened; check its permissions, or move it away",
                path.display()
            )
        })
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_file())
}

/// The directory itself: `out` may be a link to it, for that is the operator's own doing.
pub(super) fn resolve(out: &Path) -> Result<PathBuf> {
    if out.to_string_lossy().trim().is_empty() {
        return Err(UsageError::new("--out is empty; name the directory to publish into").into());
    }
    let refused = |problem: &str| {
        UsageError::new(format!(
            "--out {}: {problem}; name a directory to publish into",
            out.display()
        ))
    };
    let trouble = || not_looked_at(out);
    let found = match out.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return Err(refused("it lies within a file").into());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        found => Some(found.with_context(trouble)?),
    };
    if found.is_none() {
        let out = std::path::absolute(out).with_context(trouble)?;
        let (Some(parent), Some(name)) = (out.parent(), out.file_name()) else {
            return Err(refused("it has no name").into());
        };
        return Ok(settled(parent).join(name));
    }
    let live = match out.canonicalize() {
        Err(error) if is_missing(&error) => return Err(refused(&error.to_string()).into()),
        live => live.with_context(trouble)?,
    };
    if live.metadata().with_context(trouble)?.is_dir() {
        Ok(live)
    } else {
        Err(refused("it is not a directory").into())
    }
}

fn not_looked_at(path: &Path) -> String {
    format!(
        "{} cannot be looked at; check its permissions and the disk",
        path.display()
    )
}

/// Where a path leads, or will lead once what is missing of it has been made.
pub(super) fn settled(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors()
        .find_map(|there| {
            let missing = path.strip_prefix(there).ok()?;
            Some(there.canonicalize().ok()?.join(missing))
        })
        .unwrap_or_else(|| path.clone())
}

/// Nothing is made before everything that could be refused was looked at.
fn make_parent(live: &Path) -> Result<()> {
    let parent = live.parent().unwrap_or(live);
    super::tree::make_folders(parent).with_context(|| {
        format!(
            "{} cannot be created; check the path and its permissions",
            parent.display()
        )
    })
}

/// Directories that nobody means to replace.
pub(super) fn refuse_dear(out: &Path, live: &Path) -> Result<(), UsageError> {
    // Where HOME is not set, the user database knows.
    let home = std::env::home_dir().and_then(|home| home.canonicalize().ok());
    let current = std::env::current_dir()
        .and_then(|current| current.canonicalize())
        .ok();
    let what = if live.parent().is_none() {
        "the root of the file system"
    } else if home.is_some_and(|home| home.starts_with(live)) {
        "a home directory"
    } else if current.is_some_and(|current| current.starts_with(live)) {
        "the current directory, or one above it"
    } else {
        return Ok(());
    };
    Err(UsageError::new(format!(
        "--out {} is {what}; publish into a directory of its own",
        out.display()
    )))
}

/// Whatever lies in the live directory is served: nothing private may.
pub(super) fn refuse_private(out: &Path, live: &Path, private: &Path) -> Result<(), UsageError> {
    if !settled(private).starts_with(live) {
        return Ok(());
    }
    Err(UsageError::new(format!(
        "the state directory {} lies within --out {} and would be published; give another with --state-dir",
        private.display(),
        out.display()
    )))
}

pub(super) fn refuse_foreign(out: &Path, live: &Path, demo: bool) -> Result<()> {
    if let Some(manifest) = Manifest::of(live)? {
        if demo && !manifest.demo {
            return Err(UsageError::new(format!(
                "{} holds a real site, which a demo never replaces; give the demo a directory of its own with --out",
                out.display()
            ))
            .into());
        }
        return Ok(());
    }
    let mut entries = match std::fs::read_dir(live) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries
            .with_context(|| format!("{} cannot be read; check its permissions", live.display()))?,
    };
    // A new volume comes with lost+found; an interrupted first build leaves a workplace.
    let ours = ["lost+found", INSIDE];
    let foreign = entries.find_map(|entry| {
        entry
            .ok()
            .map(|entry| entry.file_name())
            .filter(|name| !ours.iter().any(|o| name == *o))
    });
    let Some(foreign) = foreign else {
        return Ok(());
    };
    Err(UsageError::new(format!(
        "{} is not empty and was not published by syncmon (it holds {} and no {MANIFEST}); \
         nothing in it was touched: name an empty or a new directory",
        out.display(),
        foreign.to_string_lossy()
    ))
    .into())
}

/// A hidden folder beside the live directory; in it, where the parent may not be written to or the
/// live directory is a mount point.
fn workplace(live: &Path) -> Result<(PathBuf, bool)> {
    let Some(hidden) = hidden_beside(live) else {
        return Err(UsageError::new("the root of the file system cannot be published into").into());
    };
    if !is_mounted(live)? {
        match private_folder(&hidden) {
            Ok(folder) => return Ok((folder, true)),
            Err(error) if !may_go_inside(&error, live) => {
                return Err(error).with_context(|| no_workplace("beside", live));
            }
            Err(_) => {}
        }
    }
    let folder = private_folder(&live.join(INSIDE)).with_context(|| no_workplace("in", live))?;
    Ok((folder, false))
}

/// The path of the hidden folder beside the live directory; `None` for the root.
pub(super) fn hidden_beside(live: &Path) -> Option<PathBuf> {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(live.file_name()?);
    hidden.push(".syncmon");
    Some(live.parent()?.join(hidden))
}

/// Whether the live directory is on another file system than its parent.
pub(super) fn is_mounted(live: &Path) -> Result<bool> {
    let device = |path: &Path| match path.metadata() {
        Err(error) if is_missing(&error) => Ok(None),
        found => found
            .map(|found| Some(found.dev()))
            .with_context(|| not_looked_at(path)),
    };
    let above = live.parent().map(device).transpose()?.flatten();
    Ok(device(live)?.is_some_and(|own| above != Some(own)))
}

fn may_go_inside(error: &std::io::Error, live: &Path) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    ) && live.is_dir()
}
