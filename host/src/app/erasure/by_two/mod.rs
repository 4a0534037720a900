//! Erasures that people decide on over HTTP: one proposes, another confirms, and only then is anything gone.
//!
//! What is erased, and what stays, is the folder's above; here is who may say so, and what the record says of them. Whom
//! an erasure is about stands in no record: who confirms it names them anew.

mod asked;
mod confirm;
mod event;
mod fold;
mod may;
mod propose;
mod told;

pub use event::{ConfirmedErasure, EndedErasure, ProposedErasure};
pub use fold::ErasureProposals;

use policy_core::time::Span;

use crate::app::refusal::Refusal;

/// How long a proposal waits for the second person.
const WAITS_FOR: Span = Span::from_seconds(7 * 86_400);
/// How many may wait at once.
const MOST_WAITING: usize = 100;

fn unknown_erasure() -> Refusal {
    Refusal::not_found("unknown_erasure", "there is no such proposed erasure")
}

fn bundle_changed() -> Refusal {
    Refusal::conflict("bundle_changed", "another bundle became active meanwhile")
}

fn erasure_over() -> Refusal {
    Refusal::conflict("erasure_over", "that erasure was carried out, taken back, or has lapsed")
}
