//! Stretches of trouble: from the first change for the worse until all is well again.

use chrono::{DateTime, Utc};

use super::{Access, Change};
use crate::health::Health;

/// A stretch during which an entity was not green, or the database could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble<'a, C> {
    pub from: DateTime<Utc>,
    /// `None` while it lasts.
    pub until: Option<DateTime<Utc>>,
    /// What happened in it, oldest first, its end included: never empty.
    pub changes: &'a [C],
}

/// The stretches during which an entity was not green, oldest first.
pub fn troubles(changes: &[Change]) -> Vec<Trouble<'_, Change>> {
    stretches(changes, |change| {
        (change.at, change.reason.health() == Health::Green)
    })
}

/// The stretches during which the database could not be read, oldest first.
pub fn outages(accesses: &[Access]) -> Vec<Trouble<'_, Access>> {
    stretches(accesses, |access| (access.at, access.readable))
}

/// `look` tells when something happened, and whether all was well from then on.
fn stretches<C>(all: &[C], look: impl Fn(&C) -> (DateTime<Utc>, bool)) -> Vec<Trouble<'_, C>> {
    let mut found = Vec::new();
    let mut begun: Option<usize> = None;
    for (index, change) in all.iter().enumerate() {
        let (at, well) = look(change);
        match (begun, well) {
            (None, false) => begun = Some(index),
            (Some(first), true) => {
                found.push(Trouble {
                    from: look(&all[first]).0,
                    until: Some(at),
                    changes: &all[first..=index],
                });
                begun = None;
            }
            (None, true) | (Some(_), false) => {}
        }
    }
    found.extend(begun.map(|first| Trouble {
        from: look(&all[first]).0,
        until: None,
        changes: &all[first..],
    }));
    found
}
