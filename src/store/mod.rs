//! Reading the database: one connection, one statement, one snapshot.

mod database;
pub(crate) mod decode;
mod prune;
mod refusal;
mod runs;
mod runs_in_sqlite;
mod schema;
mod secrets;
mod snapshot;
mod taken;
mod unreadable;

pub use database::Database;
pub use prune::{Old, prune};
pub use runs::{NotRecorded, Recorder};
pub use schema::{POSTGRES_SCHEMA, apply_schema, fill};
pub use snapshot::{Limits, read, statement};
pub use unreadable::Unreadable;
