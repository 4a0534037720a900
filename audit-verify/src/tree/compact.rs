//! A tree that is only appended to, kept as the roots of its full subtrees.

use super::{empty_root, node_hash};
use crate::hash::TreeHash;

/// What is needed to append to a tree and to tell its root: one hash for each bit that is set in its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    /// The full subtrees from left to right, the largest first.
    peaks: Vec<TreeHash>,
}

impl CompactRange {
    /// The tree whose full subtrees these are.
    pub(super) const fn of(size: u64, peaks: Vec<TreeHash>) -> Self {
        Self { size, peaks }
    }

    /// How many leaves it holds.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf's hash.
    pub fn append(&mut self, leaf: TreeHash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The root.
    pub fn root(&self) -> TreeHash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}
