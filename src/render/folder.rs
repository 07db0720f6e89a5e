//! A folder of templates and assets of one's own, given with `--templates`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use walkdir::{DirEntry, WalkDir};

use super::built_in::replaceable;
use super::nearest::nearest;
use crate::failure::UsageError;

/// A template or asset of one's own may be as large as this.
const LARGEST_TEMPLATE: u64 = 4 << 20;

/// What a name ends in that can only be meant for a template or an asset.
const KINDS: [&str; 7] = ["html", "htm", "css", "js", "svg", "xml", "tera"];

pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// Refuses what is no folder, and one with a file that would replace nothing.
    pub fn open(path: &Path) -> Result<Folder> {
        if !path.is_dir() {
            let problem = format!(
                "--templates {} is not a directory; name one with templates in it, or make one with \
                 syncmon templates export",
                path.display()
            );
            return Err(UsageError::new(problem).into());
        }
        let folder = Folder {
            path: path.to_owned(),
        };
        match folder.stray_file() {
            None => Ok(folder),
            Some(stray) => {
                let known: Vec<&str> = replaceable().collect();
                let problem = format!(
                    "{} replaces nothing, so nothing was published; is {} meant? Known are {}; give \
                     other files a name that ends otherwise, or take them away",
                    path.join(&stray).display(),
                    nearest(&stray, known.iter().copied()).unwrap_or("base.html"),
                    known.join(", ")
                );
                Err(UsageError::new(problem).into())
            }
        }
    }

    /// A file that is named like a template or an asset, but not like one that there is. Whatever is
    /// hidden, a backup or of another kind may lie here.
    fn stray_file(&self) -> Option<String> {
        let hidden = |entry: &DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        WalkDir::new(&self.path)
            .max_depth(2)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| !hidden(entry))
            .flatten()
            .filter(|entry| !entry.file_type().is_dir())
            .filter_map(|entry| {
                let relative = entry.path().strip_prefix(&self.path).ok()?;
                Some(relative.to_string_lossy().into_owned())
            })
            .find(|name| {
                let ending = name.rsplit('.').next().unwrap_or_default();
                KINDS.contains(&ending.to_lowercase().as_str())
                    && !replaceable().any(|known| known == name)
            })
    }

    /// Where a file stands, for messages.
    pub fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file that replaces a built-in one; `None` if there is none. Only what is a file is read:
    /// reading anything else might never end.
    pub fn text_of(&self, name: &str) -> Result<Option<String>> {
        let path = self.place(name);
        let refuse = |problem: &str| {
            let problem = format!(
                "the template {} cannot be read ({problem}), so nothing was published; correct it or \
                 take it away",
                path.display()
            );
            Err(UsageError::new(problem).into())
        };
        match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => refuse(&error.to_string()),
            Ok(found) if !found.is_file() => refuse("it is not a file"),
            Ok(found) if found.len() > LARGEST_TEMPLATE => {
                refuse(&format!("it is larger than {} MiB", LARGEST_TEMPLATE >> 20))
            }
            Ok(_) => match std::fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) => refuse(&error.to_string()),
            },
        }
    }
}
