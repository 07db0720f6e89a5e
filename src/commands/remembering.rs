//! The changes of verdict: those that are known from before, and what this build adds.

use anyhow::Result;

use super::telling::say;
use crate::changes::Journal;
use crate::health::Assessment;
use crate::kept::{Earlier, Kept};

/// The changes, and whether they were kept for the next build: a build that could not keep them publishes first
/// and fails then.
pub struct Remembered {
    pub journal: Journal,
    pub keeping: Result<()>,
}

/// Carries on what is kept. What cannot be read of it is found anew, as far as the evidence tells it. Where
/// something else could not be kept before, this is not tried. A demo's history is invented anew each time, so that
/// nothing of it is known from before.
pub fn carry_on(
    kept: &Kept,
    assessment: &Assessment,
    demo: bool,
    keeping: Result<()>,
) -> Remembered {
    if demo {
        return Remembered {
            journal: Journal::default().with(assessment),
            keeping,
        };
    }
    let (before, said) = match kept.journal() {
        Earlier::Known(journal) => (journal, Ok(())),
        Earlier::Nothing => (Journal::default(), Ok(())),
        Earlier::Unusable(why) => (
            Journal::default(),
            say(&format!(
                "of the changes of verdict only those that the database tells of are known, for {why}"
            )),
        ),
    };
    let journal = before.clone().with(assessment);
    let keeping = keeping.and_then(|()| {
        if journal == before {
            Ok(())
        } else {
            kept.keep_journal(&journal)
        }
    });
    Remembered {
        journal,
        keeping: keeping.and(said),
    }
}
