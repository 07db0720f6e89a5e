//! The options of `syncmon completions` and `syncmon manual`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// What `completions` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "The Debian package brings those of bash, fish and zsh with it.\n\n\
    Example:\n  \
    syncmon completions bash > ~/.local/share/bash-completion/completions/syncmon"
)]
pub struct CompletionsOptions {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// What `manual` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "The Debian package brings them with it: man syncmon.\n\n\
    Example:\n  \
    syncmon manual ~/.local/share/man/man1"
)]
pub struct ManualOptions {
    /// Directory to write into; made if it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
