//! `syncmon templates export`: the built-in templates and assets as files to change.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Outcome;
use super::telling::tell;
use crate::cli::ExportOptions;
use crate::failure::UsageError;
use crate::render::exported;

/// How many files in the way are named.
const MOST_NAMED: usize = 3;

pub fn export(options: &ExportOptions) -> Result<Outcome> {
    let folder = &options.folder;
    let mut missing = Vec::new();
    let mut different = Vec::new();
    for (name, text) in exported() {
        let path = folder.join(name);
        match standing(&path, text)? {
            Standing::Nothing => missing.push((path, text)),
            Standing::TheSame => {}
            Standing::Different => different.push((path, text)),
        }
    }
    if !different.is_empty() && !options.force {
        return Err(in_the_way(&different).into());
    }
    missing.append(&mut different);
    for (path, text) in &missing {
        write(path, text)?;
    }
    if !options.quiet {
        tell(&report(folder, &missing))?;
    }
    Ok(Outcome::Done)
}

/// What is in the place of an exported file.
enum Standing {
    Nothing,
    TheSame,
    Different,
}

fn standing(path: &Path, text: &str) -> Result<Standing> {
    let refuse = |problem: &str, remedy: &str| {
        let problem = format!(
            "{} {problem}, so nothing was written; {remedy}",
            path.display()
        );
        Err(UsageError::new(problem).into())
    };
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::Nothing),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            let problem = "has no place, for a file lies where a folder belongs";
            return refuse(problem, "move that away, or name a new directory");
        }
        Err(error) => {
            let problem = format!("cannot be looked at ({error})");
            return refuse(
                &problem,
                "name a new directory, or check this one's permissions",
            );
        }
        Ok(found) => found,
    };
    if !found.is_file() {
        return refuse(
            "is in the way and is not a file",
            "move it away, or name a new directory",
        );
    }
    if found.len() != text.len() as u64 {
        return Ok(Standing::Different);
    }
    match fs::read(path) {
        Ok(bytes) if bytes == text.as_bytes() => Ok(Standing::TheSame),
        Ok(_) => Ok(Standing::Different),
        Err(error) => refuse(
            &format!("cannot be read ({error})"),
            "check its permissions",
        ),
    }
}

fn in_the_way(different: &[(PathBuf, &str)]) -> UsageError {
    let named = different.iter().take(MOST_NAMED);
    let paths: Vec<String> = named.map(|(path, _)| path.display().to_string()).collect();
    let more = match different.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (verb, them) = if different.len() == 1 {
        ("differs from the built-in one", "it")
    } else {
        ("differ from the built-in ones", "them")
    };
    UsageError::new(format!(
        "{}{more} {verb}, so nothing was written; name a new directory, or give --force to overwrite \
         {them}",
        paths.join(", ")
    ))
}

/// Whole, or not at all: a template that is cut off could not be told from one that was changed.
fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || {
        format!(
            "{} cannot be written; check free space and permissions",
            path.display()
        )
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut unfinished = path.to_owned().into_os_string();
    unfinished.push(".new~");
    fs::write(&unfinished, text).with_context(failed)?;
    fs::rename(&unfinished, path).with_context(failed)
}

fn report(folder: &Path, written: &[(PathBuf, &str)]) -> String {
    let mut report = String::new();
    for (path, _) in written {
        writeln!(report, "wrote {}", path.display()).expect("writing to a string");
    }
    let folder = folder.display();
    if written.is_empty() {
        report.push_str("everything is there already, as it is built in\n");
    }
    format!(
        "{report}\nNext: read {folder}/README.md, change what you like, take away the files that you did \
         not change,\nand look at the result:  syncmon build --demo --templates {folder}\n"
    )
}
