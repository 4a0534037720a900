//! What a log leaf holds, and how texts and payloads are committed to without standing in it.
//!
//! A leaf is canonical JSON of at most [`LARGEST_LEAF`] bytes and is hashed as stored. No text of a person, tool or
//! agent stands in it: ids are keyed pseudonyms, payloads stand behind salted commitments. Erasing a payload leaves the
//! log verifiable.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::digest::Digest;
use crate::json::{self, CanonicalError};
use crate::time::Timestamp;

/// The version of [`Leaf`] that this build writes.
pub const LEAF_VERSION: u32 = 1;
/// What a tile's 16-bit length admits (C2SP tlog-tiles).
pub const LARGEST_LEAF: usize = 65_535;

/// One record of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// [`LEAF_VERSION`].
    pub v: u32,
    /// Which log: `ledger`, or `decisions/NAME` of one gate.
    pub log: String,
    /// The position in it, from 0, without gaps.
    pub seq: u64,
    /// When, by the gate's clock.
    pub at: Timestamp,
    /// What kind of record: an event's kind, `evaluation`, `token_minted`, …
    pub kind: String,
    /// What it is about: `exception/ID`, `gate`, `identity`, …; ids of people and subjects only as pseudonyms.
    pub stream: String,
    /// The ledger position that it was admitted at, for records of a decision log: how many ledger records stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The outcome's word, for evaluations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The policies that decided, by `@id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// The module that evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<Digest>,
    /// The bundle that was active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Digest>,
    /// Salted commitments to the payloads, by name.
    pub commitments: BTreeMap<String, Digest>,
}

/// Why a leaf cannot be written.
#[derive(Debug, Error)]
pub enum LeafError {
    /// It has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// It is larger than a tile admits.
    #[error("a log leaf of {0} bytes is over the limit of {LARGEST_LEAF}")]
    TooLarge(usize),
}

impl Leaf {
    /// The bytes that are stored and hashed.
    ///
    /// # Errors
    /// When the leaf is too large.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LeafError> {
        let bytes = json::to_canonical_bytes(self)?;
        if bytes.len() > LARGEST_LEAF { Err(LeafError::TooLarge(bytes.len())) } else { Ok(bytes) }
    }
}

/// The commitment to a payload: SHA-256 over a domain, the 32-byte salt and the payload's bytes. Without the salt a
/// guess at the payload cannot be checked.
pub fn commitment(salt: &[u8; 32], payload: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"proviso-payload-v1\0");
    hash.update(salt);
    hash.update(payload);
    Digest::from_bytes(hash.finalize().into())
}

/// A keyed pseudonym: the same for the same text under one key, and nothing without the key.
pub fn pseudonym(key: &[u8; 32], text: &str) -> Digest {
    keyed(key, b"proviso-pseudonym-v1\0", text.as_bytes())
}

/// A message authentication code over these bytes, under a key that no database holds: HMAC-SHA-256.
pub fn keyed(key: &[u8; 32], domain: &[u8], bytes: &[u8]) -> Digest {
    // HMAC fills a short key with zeros up to the hash's block: done here, where it cannot fail.
    let mut block = [0u8; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(domain);
    mac.update(bytes);
    Digest::from_bytes(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyed_digest_is_hmac_sha_256() {
        let key: [u8; 32] = std::array::from_fn(|index| index as u8);
        let mut reference = <Hmac<Sha256> as Mac>::new_from_slice(&key).unwrap();
        reference.update(b"domain\0bytes");
        let expected: [u8; 32] = reference.finalize().into_bytes().into();
        assert_eq!(keyed(&key, b"domain\0", b"bytes"), Digest::from_bytes(expected));
        assert_ne!(pseudonym(&key, "alice"), pseudonym(&[1; 32], "alice"));
        assert_ne!(pseudonym(&key, "alice"), pseudonym(&key, "bob"));
        assert_eq!(pseudonym(&key, "alice"), pseudonym(&key, "alice"));
    }

    #[test]
    fn a_commitment_needs_its_salt() {
        assert_eq!(commitment(&[1; 32], b"payload"), commitment(&[1; 32], b"payload"));
        assert_ne!(commitment(&[1; 32], b"payload"), commitment(&[2; 32], b"payload"));
        assert_ne!(commitment(&[1; 32], b"payload"), Digest::of(b"payload"));
    }

    #[test]
    fn a_leaf_has_one_form_and_a_limit() {
        let mut leaf = Leaf {
            v: LEAF_VERSION,
            log: "ledger".into(),
            seq: 0,
            at: Timestamp::from_millis(0),
            kind: "vote_cast".into(),
            stream: "exception/x".into(),
            after: None,
            outcome: None,
            policies: vec![],
            module: None,
            bundle: None,
            commitments: BTreeMap::new(),
        };
        assert_eq!(
            String::from_utf8(leaf.to_bytes().unwrap()).unwrap(),
            r#"{"at":"1970-01-01T00:00:00.000Z","commitments":{},"kind":"vote_cast","log":"ledger","seq":0,"stream":"exception/x","v":1}"#
        );
        let length = leaf.to_bytes().unwrap().len();
        leaf.stream.push_str(&"x".repeat(LARGEST_LEAF - length));
        assert_eq!(leaf.to_bytes().unwrap().len(), LARGEST_LEAF);
        leaf.stream.push('x');
        assert!(matches!(leaf.to_bytes(), Err(LeafError::TooLarge(65_536))));
    }
}
