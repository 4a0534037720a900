//! The log's Merkle tree (RFC 6962 section 2.1, the same in RFC 9162) and its signed head's text (C2SP checkpoints).
//!
//! Hashing only: no signature is made or checked here.

mod checkpoint;
mod compact;
mod proof;

pub use checkpoint::{Checkpoint, CheckpointError, key_id, note_text, signature_line};
pub use compact::CompactRange;
pub use proof::{ProofError, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// The hash of a leaf: SHA-256 over `0x00` and the bytes as they are stored.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(leaf);
    Digest::from_bytes(hash.finalize().into())
}

/// The hash of a node: SHA-256 over `0x01`, the left and the right child.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left.as_bytes());
    hash.update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// The root over these leaf hashes.
pub fn root(leaves: &[Digest]) -> Digest {
    let mut range = CompactRange::default();
    leaves.iter().for_each(|leaf| range.append(*leaf));
    range.root()
}
