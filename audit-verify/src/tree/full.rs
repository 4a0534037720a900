//! A tree that is only appended to, with the root of each full subtree: any root, proof and tile is a few look-ups.

use super::compact::CompactRange;
use super::proof::ProofError;
use super::tile::TILE;
use super::{empty_root, node_hash};
use crate::hash::TreeHash;

/// All of a tree in memory: 64 bytes for each leaf.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// By height: how the full subtrees of 1, 2, 4, … leaves hash, from left to right.
    heights: Vec<Vec<TreeHash>>,
}

impl Tree {
    /// How many leaves it holds.
    pub fn size(&self) -> u64 {
        self.heights.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Adds a leaf's hash.
    pub fn append(&mut self, leaf: TreeHash) {
        let mut node = leaf;
        for height in 0.. {
            if self.heights.len() == height {
                self.heights.push(Vec::new());
            }
            let Some(row) = self.heights.get_mut(height) else { return };
            let left = row.last().copied().filter(|_| row.len() % 2 == 1);
            row.push(node);
            match left {
                Some(left) => node = node_hash(&left, &node),
                None => return,
            }
        }
    }

    /// The hashes of all leaves, in their order.
    pub fn leaves(&self) -> &[TreeHash] {
        self.heights.first().map_or(&[], Vec::as_slice)
    }

    /// The same tree as its full subtrees alone.
    pub fn compact(&self) -> CompactRange {
        let (size, mut begin, mut peaks) = (self.size(), 0, Vec::new());
        for height in (0..u64::BITS).rev().filter(|height| (size >> height) & 1 == 1) {
            // All of a tree's full subtrees are there.
            peaks.extend(self.full(usize::try_from(height).unwrap_or(usize::MAX), begin >> height));
            begin += 1 << height;
        }
        CompactRange::of(size, peaks)
    }

    /// The hash of one leaf. Absent: there is no such leaf.
    pub fn leaf(&self, index: u64) -> Option<TreeHash> {
        self.full(0, index)
    }

    /// The root over the first `size` leaves. Absent: there are fewer.
    pub fn root(&self, size: u64) -> Option<TreeHash> {
        if size == 0 { Some(empty_root()) } else { self.range(0, size) }
    }

    /// The hashes that lead from the leaf at `index` to the root over the first `size` leaves, the lowest first.
    ///
    /// # Errors
    /// When there is no such leaf.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<TreeHash>, ProofError> {
        if index >= size || size > self.size() {
            return Err(ProofError::OutOfRange);
        }
        let (mut begin, mut end, mut path) = (0, size, Vec::new());
        while end - begin > 1 {
            let middle = begin + split(end - begin);
            let sibling = if index < middle { (middle, end) } else { (begin, middle) };
            (begin, end) = if index < middle { (begin, middle) } else { (middle, end) };
            path.push(self.range(sibling.0, sibling.1).ok_or(ProofError::OutOfRange)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The hashes that show that the tree over the first `older` leaves is the beginning of the one over the first
    /// `newer`. Empty where they are the same tree, and for an empty older tree.
    ///
    /// # Errors
    /// When the older tree is the larger one, or the newer one is larger than what there is.
    pub fn consistency(&self, older: u64, newer: u64) -> Result<Vec<TreeHash>, ProofError> {
        if older > newer || newer > self.size() {
            return Err(ProofError::OutOfRange);
        }
        if older == 0 || older == newer {
            return Ok(Vec::new());
        }
        let (mut begin, mut end, mut path, mut whole) = (0, newer, Vec::new(), true);
        while older != end {
            let middle = begin + split(end - begin);
            let sibling = if older <= middle { (middle, end) } else { (begin, middle) };
            path.push(self.range(sibling.0, sibling.1).ok_or(ProofError::OutOfRange)?);
            if older <= middle {
                end = middle;
            } else {
                begin = middle;
                whole = false;
            }
        }
        if !whole {
            path.push(self.range(begin, end).ok_or(ProofError::OutOfRange)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The hashes of a tile: `width` of them, from the `index`th tile of `level` (C2SP tlog-tiles). Absent: the tree
    /// does not hold all of them.
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        let (height, first) = (usize::from(level).checked_mul(8)?, index.checked_mul(TILE)?);
        let hashes = (0..u64::from(width)).map(|offset| self.full(height, first.checked_add(offset)?));
        let hashes: Vec<TreeHash> = hashes.collect::<Option<_>>()?;
        Some(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }

    /// The `index`th full subtree of this height.
    fn full(&self, height: usize, index: u64) -> Option<TreeHash> {
        self.heights.get(height)?.get(usize::try_from(index).ok()?).copied()
    }

    /// The root over the leaves from `begin` up to `end`, which RFC 6962 splits like this.
    fn range(&self, begin: u64, end: u64) -> Option<TreeHash> {
        let length = end.checked_sub(begin).filter(|length| *length > 0)?;
        if length.is_power_of_two() && begin.is_multiple_of(length) {
            return self.full(usize::try_from(length.ilog2()).ok()?, begin / length);
        }
        let middle = begin + split(length);
        Some(node_hash(&self.range(begin, middle)?, &self.range(middle, end)?))
    }
}

/// The largest power of two below `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
