//! What is kept between builds: the last good snapshot of each database, and since when one is away.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::UsageError;
use crate::model::Snapshot;
use crate::text::file_stem;

/// Raised when the stored form changes; files of another version are not read.
const FORMAT: u32 = 1;

/// The state directory, as far as it concerns one database.
pub struct Kept {
    directory: PathBuf,
    /// Which database, see [`crate::store::Database::identity`].
    identity: String,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    format: u32,
    database: String,
    content: T,
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
            .next()
            .unwrap_or_default()
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

/// Makes the state directory if it is missing, for its owner alone.
pub fn make_state_directory(directory: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| {
            format!(
                "the state directory {} cannot be created; give another with --state-dir",
                directory.display()
            )
        })
}

impl Kept {
    pub fn new(directory: PathBuf, identity: String) -> Kept {
        Kept {
            directory,
            identity,
        }
    }

    /// The last good snapshot of this very database. A file that cannot be read is as good as none.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.load("snapshot")
    }

    /// Keeps a good snapshot; the database is no longer away.
    pub fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<()> {
        self.store("snapshot", snapshot)?;
        match std::fs::remove_file(self.path("outage")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context(self.trouble("outage"))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The first build that could not read this database: an earlier one, else `now`.
    pub fn outage_since(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        if let Some(since) = self.load("outage").filter(|&since| since <= now) {
            return Ok(since);
        }
        self.store("outage", &now).map(|()| now)
    }

    fn path(&self, kind: &str) -> PathBuf {
        self.directory
            .join(format!("{kind}.{}.json", file_stem(&self.identity)))
    }

    fn load<T: DeserializeOwned>(&self, kind: &str) -> Option<T> {
        let text = std::fs::read_to_string(self.path(kind)).ok()?;
        let label: Label = serde_json::from_str(&text).ok()?;
        if label.format != FORMAT || label.database != self.identity {
            return None;
        }
        serde_json::from_str::<Stored<T>>(&text)
            .ok()
            .map(|stored| stored.content)
    }

    /// Written beside and renamed over, so that a reader finds the old or the new one, whole.
    fn store<T: Serialize>(&self, kind: &str, content: &T) -> Result<()> {
        let path = self.path(kind);
        let stored = Stored {
            format: FORMAT,
            database: self.identity.clone(),
            content,
        };
        let text = serde_json::to_vec(&stored).context("the snapshot cannot be written as JSON")?;
        let beside = path.with_extension("json.new");
        write_for_owner(&beside, &text)
            .and_then(|()| std::fs::rename(&beside, &path))
            .with_context(|| self.trouble(kind))
    }

    fn trouble(&self, kind: &str) -> String {
        format!(
            "{} cannot be kept; check free space and permissions of the state directory",
            self.path(kind).display()
        )
    }
}

/// A new file that only its owner may read; never through a link that somebody left there.
fn write_for_owner(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    // Not brought to disk by itself: the publish that follows does so for the whole file system, and
    // a snapshot that a power cut spoils is as good as none.
    file.write_all(bytes)
}
