//! Proofs that a leaf is in a tree, and that a tree only grew (RFC 6962 sections 2.1.1 and 2.1.2).

use thiserror::Error;

use super::{empty_root, node_hash};
use crate::hash::TreeHash;

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf or the older tree lies outside the tree.
    #[error("the position lies outside the tree")]
    OutOfRange,
    /// It has too few or too many hashes.
    #[error("the proof has not the right number of hashes")]
    WrongLength,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// Checks that `leaf` is the leaf at `index` of the tree of `size` leaves with this root.
///
/// # Errors
/// When it is not, or the proof does not show it.
pub fn verify_inclusion(
    leaf: &TreeHash,
    index: u64,
    size: u64,
    proof: &[TreeHash],
    tree_root: &TreeHash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut node, mut at, mut last) = (*leaf, index, size - 1);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if at & 1 == 1 || at == last {
            node = node_hash(sibling, &node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    match (last, node == *tree_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::WrongRoot),
        _ => Err(ProofError::WrongLength),
    }
}

/// Checks that the tree of `older` leaves with `older_root` is the beginning of the one of `newer` with `newer_root`.
///
/// # Errors
/// When it is not, or the proof does not show it.
pub fn verify_consistency(
    (older, older_root): (u64, &TreeHash),
    (newer, newer_root): (u64, &TreeHash),
    proof: &[TreeHash],
) -> Result<(), ProofError> {
    if older > newer {
        return Err(ProofError::OutOfRange);
    }
    if older == newer || older == 0 {
        let same = if older == 0 { *older_root == empty_root() } else { older_root == newer_root };
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofError::WrongLength),
            (true, false) => Err(ProofError::WrongRoot),
            (true, true) => Ok(()),
        };
    }
    let (mut at, mut last) = (older - 1, newer - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let mut hashes = proof.iter();
    let start = if older.is_power_of_two() { older_root } else { hashes.next().ok_or(ProofError::WrongLength)? };
    let (mut small, mut large) = (*start, *start);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if at & 1 == 1 || at == last {
            small = node_hash(sibling, &small);
            large = node_hash(sibling, &large);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            large = node_hash(&large, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    match (last, small == *older_root && large == *newer_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::WrongRoot),
        _ => Err(ProofError::WrongLength),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{CompactRange, Tree, leaf_hash};

    /// The leaves of Certificate Transparency's reference tests.
    fn ct_leaves() -> Vec<TreeHash> {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        leaves.into_iter().map(leaf_hash).collect()
    }

    fn tree(leaves: &[TreeHash]) -> Tree {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.append(*leaf));
        tree
    }

    fn hashes(texts: &[&str]) -> Vec<TreeHash> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_roots_of_certificate_transparency_hold() {
        let mut range = CompactRange::default();
        assert_eq!(range.root(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap());
        let roots = hashes(&[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]);
        for (leaf, expected) in ct_leaves().into_iter().zip(roots) {
            range.append(leaf);
            assert_eq!(range.root(), expected);
        }
        assert_eq!(range.size(), 8);
    }

    #[test]
    fn the_proofs_of_certificate_transparency_hold() {
        let leaves = ct_leaves();
        assert_eq!(
            tree(&leaves).inclusion(5, 8).unwrap(),
            hashes(&[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ])
        );
        assert_eq!(
            tree(&leaves).consistency(6, 8).unwrap(),
            hashes(&[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ])
        );
    }

    #[test]
    fn every_proof_up_to_33_leaves_holds_and_no_altered_one_does() {
        let leaves: Vec<TreeHash> = (0..33u8).map(|byte| leaf_hash(&[byte])).collect();
        let other = leaf_hash(b"other");
        let whole = tree(&leaves);
        let mut range = CompactRange::default();
        for size in 1..=leaves.len() {
            let part = &leaves[..size];
            range.append(leaves[size - 1]);
            let size_of = size as u64;
            let tree_root = whole.root(size_of).unwrap();
            assert_eq!(tree_root, range.root());
            assert_eq!((tree(part).compact(), tree(part).leaves()), (range.clone(), part));
            for (index, leaf) in part.iter().enumerate() {
                let proof = whole.inclusion(index as u64, size_of).unwrap();
                let check = |leaf, index, proof: &[TreeHash]| verify_inclusion(leaf, index, size_of, proof, &tree_root);
                let at = index as u64;
                assert_eq!(check(leaf, at, &proof), Ok(()), "{index} of {size}");
                assert!(check(&other, at, &proof).is_err());
                assert!(check(leaf, at + 1, &proof).is_err());
                let mut longer = proof.clone();
                longer.push(other);
                assert!(check(leaf, at, &longer).is_err());
                for wrong in 0..proof.len() {
                    let mut altered = proof.clone();
                    altered[wrong] = other;
                    assert_eq!(check(leaf, at, &altered), Err(ProofError::WrongRoot));
                    assert!(check(leaf, at, &proof[..wrong]).is_err());
                }
            }
            for older in 0..=size {
                let proof = whole.consistency(older as u64, size_of).unwrap();
                let older_root = whole.root(older as u64).unwrap();
                let check = |older_root: &TreeHash, proof: &[TreeHash]| {
                    verify_consistency((older as u64, older_root), (size_of, &tree_root), proof)
                };
                assert_eq!(check(&older_root, &proof), Ok(()), "{older} of {size}");
                assert!(check(&other, &proof).is_err(), "{older} of {size}");
                let mut longer = proof.clone();
                longer.push(other);
                assert!(check(&older_root, &longer).is_err());
                for wrong in 0..proof.len() {
                    let mut altered = proof.clone();
                    altered[wrong] = other;
                    assert!(check(&older_root, &altered).is_err());
                    assert!(check(&older_root, &proof[..wrong]).is_err());
                }
            }
        }
        assert_eq!(whole.inclusion(33, 33), Err(ProofError::OutOfRange));
        assert_eq!(whole.inclusion(3, 34), Err(ProofError::OutOfRange));
        assert_eq!(whole.consistency(34, 33), Err(ProofError::OutOfRange));
        assert_eq!(whole.consistency(3, 34), Err(ProofError::OutOfRange));
        assert_eq!(whole.root(34), None);
    }
}
