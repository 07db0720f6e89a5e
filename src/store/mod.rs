//! Reading the database: one connection, one statement, one snapshot.

mod database;
pub(crate) mod decode;
mod examination;
mod poolers;
mod prune;
mod refusal;
mod runs;
mod runs_in_sqlite;
mod schema;
mod secrets;
mod snapshot;
mod taken;
mod unreadable;
mod watched;
mod way;

pub use database::Database;
pub use examination::{Column, Examination, Examined, Role, Table, Writable, examine};
pub use prune::{Old, prune};
pub use runs::{NotRecorded, Recorder};
pub use schema::{POSTGRES_SCHEMA, apply_schema, fill};
pub use snapshot::{Limits, read, statement};
pub use unreadable::Unreadable;
pub use way::{Leads, Way};
