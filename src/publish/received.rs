//! A site that another machine built and sent here: taken when it is whole, otherwise refused.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use rustix::fs::{Mode, OFlags, openat};

use super::OutputFile;
use super::manifest::{LONGEST, MANIFEST, Manifest};
use super::target;
use crate::failure::UsageError;

/// No site has more files.
const MOST_FILES: usize = 20_000;

/// No site is larger, in bytes.
const LARGEST: u64 = 256 << 20;

/// A whole site.
pub struct Received {
    pub files: Vec<OutputFile>,
    /// Its manifest says that its data are invented.
    pub demo: bool,
}

impl Received {
    pub fn bytes_of(&self, path: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|file| file.path == path)?;
        Some(&file.bytes)
    }
}

/// Refuses a directory to receive in that lies within the one to publish into, or the other way round: what is sent
/// would be served before it was looked at, or what is served be replaced by copying.
pub fn lie_apart(from: &Path, out: &Path) -> Result<()> {
    if from.to_string_lossy().trim().is_empty() {
        return Err(UsageError::new("--from is empty; name the directory with the site").into());
    }
    let live = target::resolve(out)?;
    let sent = target::settled(from);
    let hidden = target::hidden_beside(&live);
    let within = [Some(live.clone()), hidden]
        .into_iter()
        .flatten()
        .any(|place| sent.starts_with(place));
    if within || live.starts_with(&sent) {
        return Err(UsageError::new(format!(
            "--from {} and --out {} lie within each other; give each a directory of its own",
            from.display(),
            out.display()
        ))
        .into());
    }
    Ok(())
}

/// Reads the site that was sent into `from`. Everything there is distrusted: only what its manifest lists is taken,
/// nothing through a link, and nothing whose bytes are not those that the manifest vouches for. So what is read while
/// it is still being sent is refused as well.
pub fn receive(from: &Path) -> Result<Received> {
    let folder = open_folder(from)?;
    let manifest = manifest(&folder, from)?;
    let written: Vec<&String> = manifest
        .files
        .iter()
        .filter(|path| !manifest.stays(path))
        .collect();
    check_listing(&manifest, &written).map_err(|problem| refused(from, &problem))?;
    let mut left = LARGEST;
    let mut files = Vec::with_capacity(written.len());
    for path in written {
        let bytes =
            bytes_of(&folder, path, left).map_err(|problem| not_whole(from, path, &problem))?;
        left -= bytes.len() as u64;
        let file = OutputFile::new(path, bytes).lasting(manifest.lasting.contains_key(path));
        if manifest.checksums.get(path) != Some(&file.checksum) {
            return Err(not_whole(from, path, &Problem::Other));
        }
        files.push(file);
    }
    Ok(Received {
        files,
        demo: manifest.demo,
    })
}

fn open_folder(from: &Path) -> Result<OwnedFd> {
    let opened = openat(rustix::fs::CWD, from, FOLDER, Mode::empty());
    Ok(opened.map_err(|error| {
        UsageError::new(format!(
            "--from {} cannot be opened as a directory ({error}); check the path and its permissions",
            from.display()
        ))
    })?)
}

fn manifest(folder: &OwnedFd, from: &Path) -> Result<Manifest> {
    let text = match bytes_of(folder, MANIFEST, LONGEST) {
        Ok(text) => text,
        Err(Problem::NotThere) => bail!(
            "{} holds no site of syncmon's (there is no {MANIFEST}); send one there first",
            from.display()
        ),
        Err(problem) => return Err(not_whole(from, MANIFEST, &problem)),
    };
    serde_json::from_slice(&text).map_err(|_| not_whole(from, MANIFEST, &Problem::Other))
}

/// What no build lists, no publish takes.
fn check_listing(manifest: &Manifest, written: &[&String]) -> Result<(), String> {
    if written.len() > MOST_FILES {
        return Err(format!("its manifest lists more than {MOST_FILES} files"));
    }
    if let Some(path) = manifest.files.iter().find(|path| !is_plain(path)) {
        let path: String = path.escape_debug().take(80).collect();
        return Err(format!(
            "its manifest lists \"{path}\", which is no path of a site"
        ));
    }
    for needed in ["index.html", "status.json"] {
        if !written.iter().any(|path| *path == needed) {
            return Err(format!("its manifest lists no {needed}"));
        }
    }
    Ok(())
}

/// Whether a path is relative, stays inside, leads to nothing hidden and is written in one way only.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| {
        (1..256).contains(&part.len())
            && !part.starts_with('.')
            && !part.chars().any(char::is_control)
    })
}

/// Why a file was not taken.
enum Problem {
    NotThere,
    NoFile,
    TooLarge,
    /// Its bytes are not those that were sent, or not yet.
    Other,
    Unreadable(std::io::Error),
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        use rustix::io::Errno;
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT) => Problem::NotThere,
            // A link, or something else where a folder belongs; a socket, a device without a driver.
            Some(Errno::LOOP | Errno::MLINK | Errno::NOTDIR | Errno::NXIO | Errno::NODEV) => {
                Problem::NoFile
            }
            _ => Problem::Unreadable(error),
        }
    }
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// All of a regular file of at most as many bytes. No part of the path may be a link, and nobody is waited for at
/// the other end of a pipe.
fn bytes_of(folder: &OwnedFd, path: &str, largest: u64) -> Result<Vec<u8>, Problem> {
    let file = open_below(folder, path).map_err(std::io::Error::from)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(Problem::NoFile);
    }
    if found.len() > largest {
        return Err(Problem::TooLarge);
    }
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(Problem::TooLarge);
    }
    Ok(bytes)
}

fn open_below(folder: &OwnedFd, path: &str) -> rustix::io::Result<File> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut within: Option<OwnedFd> = None;
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        let above = within.as_ref().unwrap_or(folder).as_fd();
        within = Some(openat(
            above,
            part,
            FOLDER | OFlags::NOFOLLOW,
            Mode::empty(),
        )?);
    }
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let above = within.as_ref().unwrap_or(folder).as_fd();
    openat(above, name, flags, Mode::empty()).map(File::from)
}

fn refused(from: &Path, problem: &str) -> anyhow::Error {
    anyhow!(
        "the site that was sent to {} is refused: {problem}; build it anew with this version of syncmon, and send \
         it again",
        from.display()
    )
}

fn not_whole(from: &Path, path: &str, problem: &Problem) -> anyhow::Error {
    let what = match problem {
        Problem::NotThere => "is missing",
        Problem::NoFile => "is no regular file",
        Problem::TooLarge => "is too large",
        Problem::Other => "is not as it was built",
        Problem::Unreadable(error) => {
            return anyhow!(
                "{} cannot be read; check its permissions and the disk: {error}",
                from.join(path).display()
            );
        }
    };
    anyhow!(
        "the site that was sent to {} is not whole: {path} {what}; send all of it again",
        from.display()
    )
}
