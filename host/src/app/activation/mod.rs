//! Another bundle becomes the active one: proposed by somebody, put to what was asked of late, voted on by people who saw
//! what it changes, and active from one record on (docs/activation.md).
//!
//! What is narrower and whom a change names is the evaluator's word, who may activate is `console/`'s, and what was asked
//! is put to both bundles by `replay`. Nothing here evaluates a question by itself, and no status code stands here.

mod event;
mod fold;
mod list;
mod may;
mod propose;
mod start;
mod told;
mod vote;

pub use event::{ActivatedBy, PolicyEvent};
pub(super) use fold::Proposals;
