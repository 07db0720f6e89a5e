//! `syncmon completions` and `syncmon manual`: what shells and `man` are told about the command line.

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::Outcome;
use super::telling::tell;
use crate::cli::{Cli, CompletionsOptions, ManualOptions};

const PROGRAM: &str = "syncmon";

pub fn completions(options: &CompletionsOptions) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), PROGRAM, &mut script);
    tell(&String::from_utf8(script).context("the completions are not text")?)?;
    Ok(Outcome::Done)
}

pub fn write_pages(options: &ManualOptions) -> Result<Outcome> {
    let folder = &options.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| {
            format!(
                "the manual pages cannot be written into {}; check its permissions, or give another directory",
                folder.display()
            )
        })?;
    Ok(Outcome::Done)
}
