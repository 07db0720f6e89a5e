//! The metrics of a build, in a file that the node exporter of Prometheus reads.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Result as Done, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Puts the file in place whole, readable by everybody whatever the umask.
pub fn write_metrics(path: &Path, text: &str) -> Result<()> {
    replace(path, text.as_bytes()).with_context(|| {
        format!(
            "the site was published, but its metrics cannot be written to {}; check that its folder is there, \
             free space and permissions",
            path.display()
        )
    })
}

/// Written beside it under a fixed name that no collector takes for a metrics file, and renamed over it.
fn replace(path: &Path, bytes: &[u8]) -> Done<()> {
    let beside = beside(path)?;
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&beside)?;
    file.set_permissions(Permissions::from_mode(0o644))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_data())
        .and_then(|()| std::fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&beside);
        })
}

fn beside(path: &Path) -> Done<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| std::io::Error::new(ErrorKind::InvalidInput, "it names no file"))?;
    let mut name = name.to_owned();
    name.push(".new");
    Ok(path.with_file_name(name))
}
