//! The log's Merkle tree (RFC 6962 section 2.1, the same in RFC 9162): roots, proofs, and C2SP tiles.
//!
//! Hashing only: no signature is made or checked here.

mod compact;
mod full;
mod proof;
mod tile;

pub use compact::CompactRange;
pub use full::Tree;
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use tile::{TILE, Tile, TileKind, bundle_entry, read_bundle};

use crate::hash::TreeHash;

/// The root of a tree without a leaf: SHA-256 of nothing.
pub fn empty_root() -> TreeHash {
    TreeHash::over(&[])
}

/// The hash of a leaf: SHA-256 over `0x00` and the bytes as they are stored.
pub fn leaf_hash(leaf: &[u8]) -> TreeHash {
    TreeHash::over(&[&[0], leaf])
}

/// The hash of a node: SHA-256 over `0x01`, the left and the right child.
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    TreeHash::over(&[&[1], left.as_bytes(), right.as_bytes()])
}
