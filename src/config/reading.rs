//! The bytes of the configuration, and of what it names: regular files of a sensible size.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::failure::UsageError;

/// How large a configuration may be, in bytes: a thousand entities take a fifth of it.
const LARGEST: u64 = 1024 * 1024;

/// The text of the configuration, or a refusal.
pub fn text_of(path: &Path) -> Result<String, UsageError> {
    let refuse =
        |problem: &str| UsageError::new(format!("the configuration {} {problem}", path.display()));
    let bytes = bytes_of(path, LARGEST).map_err(|problem| match problem {
        Unreadable::NotOpened(error) => refuse(&format!(
            "cannot be read ({error}); check the path and its permissions"
        )),
        Unreadable::NoFile => {
            refuse("is no regular file; check the path, and name a file or a link to one")
        }
        Unreadable::TooLarge => refuse(
            "is larger than 1 MiB, which no configuration needs to be; check that the path names \
             the right file",
        ),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|&byte| byte == b'\n').count();
        UsageError::new(format!(
            "{}, line {line}: the text is not UTF-8; save the file as UTF-8",
            path.display()
        ))
    })
}

/// Why there are no bytes.
pub enum Unreadable {
    NotOpened(std::io::Error),
    NoFile,
    TooLarge,
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Unreadable {
        Unreadable::NotOpened(error)
    }
}

/// All of a file of at most as many bytes. Devices and pipes are never read from.
pub fn bytes_of(path: &Path, largest: u64) -> Result<Vec<u8>, Unreadable> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(patient().bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Unreadable::NoFile);
    }
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(Unreadable::TooLarge);
    }
    Ok(bytes)
}

/// How to open what may be no file: without waiting for the other end of a pipe.
fn patient() -> OFlags {
    OFlags::NONBLOCK | OFlags::NOCTTY
}
