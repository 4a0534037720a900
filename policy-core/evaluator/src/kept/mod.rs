//! What an instance keeps between questions, so that the next one need not make it again: entities, compiled grants, the
//! hour that it is, what an approver tries grants on. Each is what its input makes of it and nothing else.
//!
//! INVARIANT (R8): no outcome is kept, and nothing that depends on more than its key and the loaded bundle. What is kept
//! is bounded; when it is full all of it is dropped, so that no question can hold another's place.

mod denials;
mod facts;
mod moments;
mod permits;

pub(crate) use denials::{KeptDenials, Recorded};
pub(crate) use facts::{Facts, KeptFacts};
pub(crate) use moments::Moments;
pub(crate) use permits::KeptPermits;

/// What one set of rules keeps.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) denials: KeptDenials,
    pub(crate) facts: KeptFacts,
    pub(crate) moments: Moments,
    pub(crate) permits: KeptPermits,
}

/// A copy begins with nothing.
impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}
