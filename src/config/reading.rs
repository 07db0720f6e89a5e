//! The bytes of the configuration: a regular file of a sensible size that holds UTF-8.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::failure::UsageError;

/// How large a configuration may be, in bytes: a thousand entities take a fifth of it.
const LARGEST: u64 = 1024 * 1024;

/// The text of the file, or a refusal. Devices and pipes are never read from.
pub fn text_of(path: &Path) -> Result<String, UsageError> {
    let refuse =
        |problem: &str| UsageError::new(format!("the configuration {} {problem}", path.display()));
    let unreadable = |error: std::io::Error| {
        refuse(&format!(
            "cannot be read ({error}); check the path and its permissions"
        ))
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(patient().bits().cast_signed())
        .open(path)
        .map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(refuse(
            "is no regular file; check the path, and name a file or a link to one",
        ));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(refuse(
            "is larger than 1 MiB, which no configuration needs to be; check that the path names \
             the right file",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|&byte| byte == b'\n').count();
        UsageError::new(format!(
            "{}, line {line}: the text is not UTF-8; save the file as UTF-8",
            path.display()
        ))
    })
}

/// How to open what may be no file: without waiting for the other end of a pipe.
fn patient() -> OFlags {
    OFlags::NONBLOCK | OFlags::NOCTTY
}
