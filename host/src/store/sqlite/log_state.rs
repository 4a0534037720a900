//! A log as memory holds it: what rows are held against.

use audit_verify::TreeHash;
use audit_verify::tree::{CompactRange, Tree, leaf_hash};
use policy_core::leaf::Leaf;

use crate::store::outline::Outline;
use crate::store::types::Head;

/// A whole log's tree and its newest head.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct LogState {
    pub(super) tree: Tree,
    pub(super) outline: Outline,
    range: CompactRange,
    pub(in crate::store) head: Option<Head>,
}

/// The end of a log: what a batch builds on.
#[derive(Debug, Default)]
pub(super) struct LogTip {
    pub(super) range: CompactRange,
    pub(super) head: Option<Head>,
    fresh: Vec<TreeHash>,
    outline: Outline,
}

impl LogState {
    /// A log whose leaves were hashed before, without its head.
    pub(super) fn of(leaves: impl Iterator<Item = TreeHash>, outline: Outline) -> Self {
        let mut tree = Tree::default();
        leaves.for_each(|leaf| tree.append(leaf));
        let range = tree.compact();
        Self { tree, outline, range, head: None }
    }

    /// The end of it.
    pub(super) fn tip(&self) -> LogTip {
        LogTip { range: self.range.clone(), head: self.head.clone(), ..LogTip::default() }
    }

    /// Takes over what was built on the tip.
    pub(super) fn extend(&mut self, grown: LogTip) {
        grown.fresh.into_iter().for_each(|leaf| self.tree.append(leaf));
        self.outline.append(grown.outline);
        self.range = grown.range;
        self.head = grown.head;
    }
}

impl LogTip {
    /// How many records the log has with it.
    pub(super) const fn size(&self) -> u64 {
        self.range.size()
    }

    /// Appends a leaf.
    pub(super) fn push(&mut self, bytes: &[u8], leaf: &Leaf) {
        let hash = leaf_hash(bytes);
        self.fresh.push(hash);
        self.outline.push(leaf);
        self.range.append(hash);
    }
}
