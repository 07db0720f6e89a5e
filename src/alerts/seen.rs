//! What a build concluded, as far as alerts go.

use std::collections::BTreeMap;

use crate::health::{Assessment, EntityAssessment, Health, Source};

/// The verdicts of one build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The database could not be read: whatever its entities' verdicts are, they follow from that.
    Away,
    /// The health of every entity.
    Read(BTreeMap<String, Health>),
}

impl Seen {
    pub fn of(assessment: &Assessment) -> Seen {
        match assessment.source {
            Source::Unreachable { .. } => Seen::Away,
            Source::Read => Seen::Read(assessment.entities.iter().map(health).collect()),
        }
    }
}

fn health(entity: &EntityAssessment) -> (String, Health) {
    (entity.policy.entity_type.clone(), entity.health())
}
