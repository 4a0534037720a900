//! Epochs: what the gate does when its record is one that was restored.
//!
//! A restored record ends where the backup was made. What happened after that is gone: grants that were revoked, uses that
//! were taken, credentials that were ended, people who refused. So the gate does not go on as if nothing had been. It
//! begins an epoch, whose first record says what was restored and what is known to be missing; no exception of before is
//! honoured until people confirm it, and no credential of before opens anything. Locks and ended tasks stay.
//!
//! No file is read or written here but the mark that `proviso restore` leaves, by the store.

mod begin;
mod confirm;
mod event;
mod fold;
mod told;

pub use event::{EpochCause, EpochFact, HeadFact};
