//! Running a command and keeping the report of its run on disk until the database has it: `docs/recording.md`.

mod child;
mod pending;
mod tail;

pub use child::{Ending, Job, carry_out, trouble};
pub use pending::{Own, Pending};
