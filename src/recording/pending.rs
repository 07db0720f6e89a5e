//! Reports that the database does not have yet, each in a file of its own in the state directory.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::kept::{Alone, alone_in, make_state_directory};
use crate::report::Report;

/// How long one process waits for another that is delivering.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of reports within a state directory.
pub struct Pending {
    folder: PathBuf,
}

/// The report of this process's own run. While it lives, nobody takes the run for one whose end was not seen.
pub struct Own {
    path: PathBuf,
    _lock: File,
}

/// What lies in the folder.
#[derive(Default)]
pub struct Found {
    /// By the start of their runs.
    pub reports: Vec<(PathBuf, Report)>,
    /// Where what is no report was moved to.
    pub damaged: Vec<PathBuf>,
}

impl Own {
    pub fn is(&self, path: &Path) -> bool {
        self.path == path
    }
}

impl Pending {
    /// Makes the folder if it is missing, for its owner alone.
    pub fn within(state: &Path) -> Result<Pending> {
        make_state_directory(state)?;
        let folder = state.join("runs");
        let made = DirBuilder::new().mode(0o700).create(&folder);
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| {
                    format!(
                        "{} cannot be created; check the state directory, or give another with --state-dir",
                        folder.display()
                    )
                });
            }
            Ok(()) | Err(_) => {}
        }
        Ok(Pending { folder })
    }

    /// The file in which a command may tell of its result.
    pub fn result_file(&self, report: &Report) -> PathBuf {
        self.folder.join(format!("{}.result", report.key))
    }

    /// Keeps a report, in place of an earlier one of the same run. It is on disk when this returns.
    pub fn keep(&self, report: &Report) -> Result<Own> {
        let name = format!(
            "{:020}-{}.json",
            report.started_at.timestamp_micros(),
            report.key
        );
        let path = self.folder.join(name);
        let beside = path.with_extension("new");
        let kept = || -> std::io::Result<File> {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&beside)?;
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(&serde_json::to_vec(report)?)?;
            file.sync_all()?;
            let _ = file.try_lock();
            std::fs::rename(&beside, &path)?;
            File::open(&self.folder)?.sync_all()?;
            Ok(file)
        };
        let lock = kept().with_context(|| {
            format!(
                "{} cannot be written; check free space and permissions of the state directory",
                path.display()
            )
        })?;
        Ok(Own { path, _lock: lock })
    }

    /// Keeps other processes from delivering while it lives.
    pub fn alone(&self) -> Result<Alone> {
        alone_in(&self.folder, "lock", PATIENCE)
    }

    /// What lies there. What cannot be read is moved aside.
    pub fn reports(&self) -> Result<Found> {
        let trouble = || {
            format!(
                "{} cannot be read; check its permissions",
                self.folder.display()
            )
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.folder).with_context(trouble)? {
            let path = entry.with_context(trouble)?.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut found = Found::default();
        for path in paths {
            let read = std::fs::read(&path);
            match read.map(|bytes| serde_json::from_slice::<Report>(&bytes)) {
                Ok(Ok(report)) => found.reports.push((path, report)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Ok(Err(_)) | Err(_) => found.damaged.push(set_aside(&path)?),
            }
        }
        Ok(found)
    }

    /// Whether another process still waits for the end of this run.
    pub fn goes_on(&self, path: &Path, report: &Report) -> bool {
        report.end.is_none()
            && File::open(path)
                .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The database has it.
    pub fn delivered(&self, path: &Path) -> Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The database will never take it: it is kept for people to look at.
    pub fn refused(&self, path: &Path) -> Result<PathBuf> {
        set_aside(path)
    }
}

fn set_aside(path: &Path) -> Result<PathBuf> {
    let aside = path.with_extension("refused");
    std::fs::rename(path, &aside)
        .with_context(|| format!("{} cannot be moved aside", path.display()))?;
    Ok(aside)
}
