//! `[outputs]`: what is written into the site for other programs, all of it unless it is switched off.

use serde::Deserialize;

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputsTable {
    pub feed: Option<bool>,
    pub api: Option<bool>,
    pub badge: Option<bool>,
}

/// Which files for other programs a site has besides `status.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// `feed.xml`.
    pub feed: bool,
    /// `api/v2/`.
    pub api: bool,
    /// `badge.svg` and `badge.json`.
    pub badge: bool,
}

impl Default for Outputs {
    fn default() -> Outputs {
        Outputs::from(&OutputsTable::default())
    }
}

impl From<&OutputsTable> for Outputs {
    fn from(table: &OutputsTable) -> Outputs {
        Outputs {
            feed: table.feed.unwrap_or(true),
            api: table.api.unwrap_or(true),
            badge: table.badge.unwrap_or(true),
        }
    }
}
