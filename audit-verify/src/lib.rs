//! Checks a record offline.
//!
//! Whoever holds the log, and an older head of it, can tell with this crate alone whether anything was changed, cut,
//! put in or reordered, and whether each grant is what its votes add up to. It depends on hashes and signatures and on
//! nothing of the gate: no store, no policy engine and none of the code whose work it checks. Gate and dashboard use
//! the tree and the signed notes from here, so that there is one of each.

pub mod checkpoint;
pub mod decisions;
pub mod erasure;
pub mod export;
pub mod fault;
pub mod grants;
pub mod hash;
pub mod leaf;
pub mod log;
pub mod note;
pub mod proved;
pub mod receipt;
pub mod run;
pub mod source;
pub mod tree;
pub mod webauthn;
pub mod witness;

#[cfg(test)]
mod testing;

pub use fault::{Fault, FaultKind};
pub use hash::TreeHash;
