//! The shape of `syncmon.toml`, unknown keys refused.

use serde::Deserialize;
use toml::Spanned;

use super::alerts::AlertsTable;
use super::outputs::OutputsTable;

/// The file as it is written; [`super::Config`] is what it means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub title: Option<Spanned<String>>,
    pub url: Option<Spanned<String>>,
    pub logo: Option<Spanned<String>>,
    pub accent: Option<Spanned<String>>,
    pub footer: Option<Spanned<String>>,
    pub time_zone: Option<Spanned<String>>,
    pub interval: Option<Spanned<String>>,
    pub late_after: Option<Spanned<String>>,
    pub overdue_after: Option<Spanned<String>>,
    pub stuck_after: Option<Spanned<String>>,
    pub schedule: Option<Spanned<String>>,
    pub grace: Option<Spanned<String>>,
    pub early: Option<Spanned<String>>,
    pub schedule_since: Option<Spanned<toml::Value>>,
    pub except: Option<Vec<Spanned<toml::Value>>>,
    pub maintenance: Option<Vec<MaintenanceTable>>,
    pub actions: Option<Vec<Spanned<String>>>,
    pub connect_timeout: Option<Spanned<String>>,
    pub build_timeout: Option<Spanned<String>>,
    pub history_days: Option<Spanned<i64>>,
    pub owner: Option<Spanned<String>>,
    pub contact: Option<Spanned<String>>,
    pub outputs: Option<OutputsTable>,
    pub entities: Option<Vec<EntityTable>>,
    pub alerts: Option<AlertsTable>,
}

/// One `[[entities]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityTable {
    pub entity_type: Spanned<String>,
    pub name: Option<Spanned<String>>,
    pub table: Option<Spanned<String>>,
    pub late_after: Option<Spanned<String>>,
    pub overdue_after: Option<Spanned<String>>,
    pub stuck_after: Option<Spanned<String>>,
    pub schedule: Option<Spanned<String>>,
    pub time_zone: Option<Spanned<String>>,
    pub grace: Option<Spanned<String>>,
    pub early: Option<Spanned<String>>,
    pub schedule_since: Option<Spanned<toml::Value>>,
    pub except: Option<Vec<Spanned<toml::Value>>>,
    pub maintenance: Option<Vec<MaintenanceTable>>,
    pub actions: Option<Vec<Spanned<String>>>,
    pub owner: Option<Spanned<String>>,
    pub contact: Option<Spanned<String>>,
}

/// One `[[maintenance]]` table. Moments are TOML's own, or text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceTable {
    pub from: Spanned<toml::Value>,
    pub to: Spanned<toml::Value>,
    pub why: Spanned<String>,
}
