//! The options of `syncmon check`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::moment;

/// What `check` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "DATABASE_URL names the database, as for syncmon build. Nothing is written: no site, no state.\n\n\
    Exit codes, those of monitoring plugins: 0 green (OK); 1 yellow (WARNING); 2 red (CRITICAL);\n\
    3 nobody knows (UNKNOWN): the database cannot be read, an entity that there is not, usage or\n\
    configuration; this help as well, as their guidelines have it.\n\n\
    Examples:\n  \
    syncmon check\n  \
    syncmon check sales inventory --format nagios"
)]
pub struct CheckOptions {
    /// What to judge, as in sync_state and sync_log or as the pages call it; all if none is named
    #[arg(value_name = "ENTITY")]
    pub entities: Vec<String>,

    /// For people, for programs, or for Nagios, Icinga and others that run its plugins
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub format: CheckFormat,

    /// Configuration file, as for syncmon build
    #[arg(long, value_name = "FILE", env = "SYNCMON_CONFIG")]
    pub config: Option<PathBuf>,

    /// Judge as if it were this moment (RFC 3339)
    #[arg(long, value_name = "RFC3339", env = "SYNCMON_NOW", value_parser = moment)]
    pub now: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CheckFormat {
    Text,
    Json,
    Nagios,
}
