//! What is kept between builds: the last good snapshot of each database, since when one is away, the changes of
//! verdict, and what people were told of it.

use std::borrow::Cow;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::alerts::Standing;
use crate::changes::Journal;
use crate::failure::UsageError;
use crate::model::Snapshot;
use crate::text::{file_stem, fingerprint};

/// What is kept in a file of its own.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// Raised when the stored form changes; files of another version are not read.
    format: u32,
    /// What becomes of a file that cannot be used.
    replaced: &'static str,
}

const SNAPSHOT: Kind = Kind {
    name: "snapshot",
    format: 4,
    replaced: "the next good build replaces it",
};

const OUTAGE: Kind = Kind {
    name: "outage",
    format: 3,
    replaced: "the next good build replaces it",
};

const ALERTS: Kind = Kind {
    name: "alerts",
    format: 1,
    replaced: "it is begun anew, and what is wrong now is told again",
};

const CHANGES: Kind = Kind {
    name: "changes",
    format: 1,
    replaced: "the next good build replaces it",
};

/// No state file is larger; what claims to be is not read.
const LARGEST: u64 = 256 << 20;

/// How long to wait for another build that is writing into the same state directory.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state directory, as far as it concerns one database.
pub struct Kept {
    directory: PathBuf,
    /// Which database, see [`crate::store::Database::identity`].
    identity: String,
}

/// What is known from before.
#[derive(Debug, Clone, PartialEq)]
pub enum Earlier<T> {
    Known(T),
    /// Nothing was ever kept of this database.
    Nothing,
    /// Something was, and it cannot be used: why, and what becomes of it.
    Unusable(String),
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    format: u32,
    database: Cow<'a, str>,
    /// Of the content's text: a digit that a bad disk changed would still be a time.
    fingerprint: u64,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Only as much as is needed to know whether the rest can be read.
#[derive(Deserialize)]
struct Label {
    format: u32,
    database: String,
}

/// The state directory: `explicit`, else `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/syncmon`, else
/// `~/.local/state/syncmon`. It may not exist yet.
pub fn state_directory(explicit: Option<&Path>) -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let directory = if let Some(explicit) = explicit {
        explicit.to_owned()
    } else if let Some(directories) = variable("STATE_DIRECTORY") {
        // systemd lists several directories with colons between them; ours is the first.
        std::env::split_paths(&directories)
            .find(|directory| !directory.as_os_str().is_empty())
            .ok_or_else(|| {
                UsageError::new("STATE_DIRECTORY names no directory; give one with --state-dir")
            })?
    } else if let Some(home) = variable("XDG_STATE_HOME") {
        PathBuf::from(home).join("syncmon")
    } else if let Some(home) = variable("HOME") {
        PathBuf::from(home).join(".local/state/syncmon")
    } else {
        return Err(UsageError::new(
            "no state directory: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set; give one with --state-dir",
        )
        .into());
    };
    Ok(directory)
}

/// Makes the state directory if it is missing, for its owner alone whatever the umask.
pub fn make_state_directory(directory: &Path) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .and_then(|()| std::fs::set_permissions(directory, Permissions::from_mode(0o700)))
        .with_context(|| {
            format!(
                "the state directory {} cannot be created; give another with --state-dir",
                directory.display()
            )
        })
}

/// Keeps other builds from the state directory for as long as it lives. The lock goes with the
/// process that holds it: what a killed one leaves behind locks nobody out.
#[must_use]
pub struct Alone {
    _lock: File,
}

/// Waits until no other build holds the lock of this name in the state directory.
pub fn alone_in(directory: &Path, name: &str, patience: Duration) -> Result<Alone> {
    let path = directory.join(name);
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_links())
        .open(&path)
        .and_then(|lock| {
            // An odd umask takes rights even from the owner.
            lock.set_permissions(Permissions::from_mode(0o600))?;
            Ok(lock)
        })
        .with_context(|| {
            format!(
                "{} cannot be opened; check the permissions of the state directory",
                path.display()
            )
        })?;
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Alone { _lock: lock }),
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(anyhow!(
                    "{} has been locked by another process for {} seconds; end that one, or give \
                     this build another directory with --state-dir",
                    path.display(),
                    patience.as_secs()
                ));
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| {
                    format!(
                        "{} cannot be locked; give a directory on another file system with --state-dir",
                        path.display()
                    )
                });
            }
        }
    }
}

impl Kept {
    pub fn new(directory: PathBuf, identity: String) -> Kept {
        Kept {
            directory,
            identity,
        }
    }

    /// The last good snapshot of this very database.
    pub fn snapshot(&self) -> Earlier<Snapshot> {
        match self.load::<Snapshot>(SNAPSHOT) {
            Earlier::Known(snapshot) if !snapshot.is_within_the_calendar() => {
                self.unusable(SNAPSHOT, "holds moments that no calendar has")
            }
            earlier => earlier,
        }
    }

    /// Keeps a good snapshot; the database is no longer away.
    pub fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<()> {
        let _alone = alone_in(&self.directory, "lock", PATIENCE)?;
        self.store(SNAPSHOT, snapshot)?;
        removed(&self.path(OUTAGE)).with_context(|| self.trouble(OUTAGE))
    }

    /// The first build that could not read this database: an earlier one, else `now`.
    pub fn outage_since(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        let _alone = alone_in(&self.directory, "lock", PATIENCE)?;
        match self.load::<DateTime<Utc>>(OUTAGE) {
            Earlier::Known(since) if since <= now => Ok(since),
            // A clock that was set back, or a file that says nothing: it counts from here.
            Earlier::Known(_) | Earlier::Nothing | Earlier::Unusable(_) => {
                self.store(OUTAGE, &now).map(|()| now)
            }
        }
    }

    /// The changes of verdict that are known of this database.
    pub fn journal(&self) -> Earlier<Journal> {
        match self.load::<Journal>(CHANGES) {
            Earlier::Known(journal) if !journal.is_within_the_calendar() => {
                self.unusable(CHANGES, "holds moments that no calendar has")
            }
            earlier => earlier,
        }
    }

    /// Keeps the changes of verdict, replacing what was known before.
    pub fn keep_journal(&self, journal: &Journal) -> Result<()> {
        let _alone = alone_in(&self.directory, "lock", PATIENCE)?;
        self.store(CHANGES, journal)
    }

    /// Since when this database is away, as the builds have noted it.
    pub fn outage(&self) -> Earlier<DateTime<Utc>> {
        self.load(OUTAGE)
    }

    /// What people were told of this database, and what they have still to be told.
    pub fn standing(&self) -> Earlier<Standing> {
        self.load::<Standing>(ALERTS)
    }

    /// Keeps it so that not even a power failure takes it away: what is sent after that is known to be.
    pub fn keep_standing(&self, standing: &Standing) -> Result<()> {
        self.store(ALERTS, standing)?;
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .with_context(|| self.trouble(ALERTS))
    }

    /// While what is returned lives, no other build decides about alerts of this database.
    pub fn alone_with_standing(&self, patience: Duration) -> Result<Alone> {
        let name = format!("{}.{}.lock", ALERTS.name, file_stem(&self.identity));
        alone_in(&self.directory, &name, patience)
    }

    fn path(&self, kind: Kind) -> PathBuf {
        self.directory
            .join(format!("{}.{}.json", kind.name, file_stem(&self.identity)))
    }

    fn load<T: DeserializeOwned>(&self, kind: Kind) -> Earlier<T> {
        let text = match read_file(&self.path(kind)) {
            Ok(Some(text)) => text,
            Ok(None) => return Earlier::Nothing,
            Err(error) => {
                let path = self.path(kind);
                return Earlier::Unusable(format!(
                    "{} cannot be read ({error}): move it away",
                    path.display()
                ));
            }
        };
        match serde_json::from_slice::<Label>(&text) {
            Ok(label) if label.format > kind.format => {
                self.unusable(kind, "was written by a newer version of syncmon")
            }
            Ok(label) if label.format < kind.format => {
                self.unusable(kind, "was written by an older version of syncmon")
            }
            Ok(label) if label.database != self.identity => {
                self.unusable(kind, "is of another database")
            }
            Ok(_) => match undamaged(&text) {
                Some(content) => Earlier::Known(content),
                None => self.unusable(kind, "is damaged"),
            },
            Err(_) => self.unusable(kind, "is damaged"),
        }
    }

    fn unusable<T>(&self, kind: Kind, why: &str) -> Earlier<T> {
        let path = self.path(kind);
        Earlier::Unusable(format!("{} {why}: {}", path.display(), kind.replaced))
    }

    /// Written beside, brought to disk and renamed over, so that whoever reads finds the old or the
    /// new one, whole.
    fn store<T: Serialize>(&self, kind: Kind, content: &T) -> Result<()> {
        let path = self.path(kind);
        let text = serde_json::value::to_raw_value(content)
            .and_then(|content| {
                serde_json::to_vec(&Stored {
                    format: kind.format,
                    database: Cow::Borrowed(&self.identity),
                    fingerprint: fingerprint(content.get()),
                    content: &content,
                })
            })
            .with_context(|| format!("the {} cannot be written as JSON", kind.name))?;
        let beside = path.with_extension("json.new");
        write_for_owner(&beside, &text)
            .and_then(|()| std::fs::rename(&beside, &path))
            .with_context(|| self.trouble(kind))
    }

    fn trouble(&self, kind: Kind) -> String {
        format!(
            "{} cannot be kept; check free space and permissions of the state directory",
            self.path(kind).display()
        )
    }
}

/// The content of a state file, if it is what was once written.
fn undamaged<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    let stored: Stored = serde_json::from_slice(text).ok()?;
    let content = stored.content.get();
    (fingerprint(content) == stored.fingerprint)
        .then(|| serde_json::from_str(content).ok())
        .flatten()
}

/// A file's bytes; `None` if there is no file. Whatever else lies there is not read, since reading it
/// might never end.
fn read_file(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let found = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    if found.len() > LARGEST {
        return Err(std::io::Error::other("it is too large"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// A new file that only its owner may read, on disk; never through a link that somebody left there.
fn write_for_owner(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    removed(path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// Removes a file, or the link in its place, if there is one.
fn removed(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn no_links() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

#[cfg(test)]
mod properties;
