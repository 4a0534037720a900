//! What an instance keeps between questions, so that the next one need not make it again: entities, grants and what they
//! compile to, what is requested, the hour that it is, what an approver tries grants on. Each is what its input makes of it
//! and nothing else.
//!
//! INVARIANT (R8): no outcome is kept, and nothing that depends on more than its key and the loaded bundle. What is kept
//! is bounded; when it is full all of it is dropped, so that no question can hold another's place.

mod by_text;
mod candidates;
mod denials;
mod facts;
mod moments;
mod permits;
mod requested;

use policy_core::json::Limits;

use crate::abi::{DEEPEST_INPUT, LARGEST_INPUT};

pub(crate) use candidates::KeptCandidates;
pub(crate) use denials::{KeptDenials, Recorded};
pub(crate) use facts::{Facts, KeptFacts};
pub(crate) use moments::Moments;
pub(crate) use permits::KeptPermits;
pub(crate) use requested::KeptRequested;

/// How many levels of an input stand above a text that is kept, at most.
const ABOVE: usize = 5;
/// What is kept is no deeper than this, so that an input that holds it is not too deep wherever in it that is.
const LIMITS: Limits = Limits { max_bytes: LARGEST_INPUT, max_depth: DEEPEST_INPUT - ABOVE };

/// What one set of rules keeps.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) candidates: KeptCandidates,
    pub(crate) denials: KeptDenials,
    pub(crate) facts: KeptFacts,
    pub(crate) moments: Moments,
    pub(crate) permits: KeptPermits,
    pub(crate) requested: KeptRequested,
}

/// A copy begins with nothing.
impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}
