//! Reading the database: one connection, one statement, one snapshot.

mod database;
pub(crate) mod decode;
mod refusal;
mod schema;
mod secrets;
mod snapshot;
mod taken;
mod unreadable;

pub use database::Database;
pub use schema::{POSTGRES_SCHEMA, apply_schema, fill};
pub use snapshot::{Limits, read, statement};
pub use unreadable::Unreadable;
