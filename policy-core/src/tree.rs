//! The Merkle tree over a log (RFC 6962, section 2.1), and the text of its heads (C2SP tlog-checkpoint).

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// The hash of a leaf's stored bytes.
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([0x00]);
    hash.update(bytes);
    Digest::from_bytes(hash.finalize().into())
}

/// The hash of two subtrees.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update([0x01]);
    hash.update(left.as_bytes());
    hash.update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// All that must be kept of a log to add to it: the roots of its full subtrees, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    peaks: Vec<Digest>,
}

impl CompactRange {
    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Digest) {
        let (mut carried, mut bits) = (leaf, self.size);
        while bits & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                carried = node_hash(&left, &carried);
            }
            bits >>= 1;
        }
        self.peaks.push(carried);
        self.size += 1;
    }

    /// The root; of nothing the hash of no bytes.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Digest::of(b"") };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The root over these leaf hashes.
pub fn root(leaves: &[Digest]) -> Digest {
    let mut range = CompactRange::default();
    leaves.iter().for_each(|leaf| range.append(*leaf));
    range.root()
}

/// Proves that leaf `index` is in the tree over `leaves`: the siblings from the leaf up. Nothing for an index outside.
pub fn prove_inclusion(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let (left, right) = leaves.split_at_checked(split(leaves.len()))?;
    let (mut path, sibling) = match index.checked_sub(left.len()) {
        None => (prove_inclusion(left, index)?, root(right)),
        Some(index) => (prove_inclusion(right, index)?, root(left)),
    };
    path.push(sibling);
    Some(path)
}

/// Whether the path leads from this leaf at `index` of `size` to the root.
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, path: &[Digest], expected: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *expected
}

/// Proves that the tree over the first `old` leaves is a prefix of the tree over all. Nothing for an `old` outside.
pub fn prove_consistency(leaves: &[Digest], old: usize) -> Option<Vec<Digest>> {
    if old == 0 || old > leaves.len() { None } else { subproof(leaves, old, true) }
}

fn subproof(leaves: &[Digest], old: usize, whole: bool) -> Option<Vec<Digest>> {
    if old == leaves.len() {
        return Some(if whole { Vec::new() } else { vec![root(leaves)] });
    }
    let (left, right) = leaves.split_at_checked(split(leaves.len()))?;
    let (mut path, sibling) = match old.checked_sub(left.len()) {
        None | Some(0) => (subproof(left, old, whole)?, root(right)),
        Some(old) => (subproof(right, old, false)?, root(left)),
    };
    path.push(sibling);
    Some(path)
}

/// Whether the proof shows that a log with the old head grew into one with the new head.
pub fn verify_consistency(old: (u64, Digest), new: (u64, Digest), path: &[Digest]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 || old_size > new_size {
        return false;
    }
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut steps = path.iter();
    let start = if node == 0 { Some(&old_root) } else { steps.next() };
    let Some(start) = start else { return false };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for step in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

/// The largest power of two below `length`, which is at least 2.
const fn split(length: usize) -> usize {
    length.next_power_of_two() / 2
}

/// The text that is signed as a log's head: origin, size and root, a line each (C2SP tlog-checkpoint v1).
pub fn checkpoint(origin: &str, size: u64, root_base64: &str) -> String {
    format!("{origin}\n{size}\n{root_base64}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves and roots of Certificate Transparency's own test vectors.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hashes() -> Vec<Digest> {
        LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect()
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        assert_eq!(root(&[]).to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let mut range = CompactRange::default();
        for (leaf, expected) in hashes().into_iter().zip(ROOTS) {
            range.append(leaf);
            assert_eq!(range.root().to_string(), expected, "size {}", range.size());
        }
    }

    #[test]
    fn every_inclusion_is_proved_and_no_other() {
        let leaves: Vec<_> = (0u8..21).map(|n| leaf_hash(&[n])).collect();
        for size in 1..=leaves.len() {
            let expected = root(&leaves[..size]);
            for index in 0..size {
                let path = prove_inclusion(&leaves[..size], index).unwrap();
                assert!(verify_inclusion(&leaves[index], index as u64, size as u64, &path, &expected));
                assert!(!verify_inclusion(&leaves[index], index as u64 + 1, size as u64, &path, &expected));
                assert!(!verify_inclusion(&leaf_hash(b"other"), index as u64, size as u64, &path, &expected));
            }
        }
        assert_eq!(prove_inclusion(&leaves, leaves.len()), None);
    }

    #[test]
    fn every_growth_is_proved_and_no_fork() {
        let leaves: Vec<_> = (0u8..21).map(|n| leaf_hash(&[n])).collect();
        for size in 1..=leaves.len() {
            let new = (size as u64, root(&leaves[..size]));
            for old in 1..=size {
                let path = prove_consistency(&leaves[..size], old).unwrap();
                assert!(verify_consistency((old as u64, root(&leaves[..old])), new, &path), "{old} {size}");
                assert!(!verify_consistency((old as u64, leaf_hash(b"fork")), new, &path), "{old} {size}");
            }
        }
    }
}
