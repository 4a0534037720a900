//! What a check reads of a leaf, and how a payload is committed to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::fault::FaultKind;
use crate::hash::TreeHash;
use crate::source::StoredPayload;

/// The version of leaf that this release reads.
const VERSION: u32 = 1;

/// One record as the tree holds it. Other members say more of it and are not needed here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Leaf {
    v: u32,
    /// Which log.
    pub log: String,
    /// The position in it, from 0.
    pub seq: u64,
    /// When, by the gate's clock: RFC 3339 with milliseconds.
    pub at: String,
    /// What kind of record.
    pub kind: String,
    /// What it is about; ids of people, subjects and tasks only as pseudonyms.
    #[serde(default)]
    pub stream: String,
    /// The outcome's word, where the record is an evaluation.
    #[serde(default)]
    pub outcome: Option<String>,
    /// How many ledger records stood when a decision was admitted.
    #[serde(default)]
    pub after: Option<u64>,
    /// Salted commitments to the payloads, by name: 64 hexadecimal digits.
    pub commitments: BTreeMap<String, String>,
}

impl Leaf {
    /// Reads the bytes of a leaf. Absent: they are none that this release knows.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|leaf: &Self| leaf.v == VERSION)
    }

    /// Whether a payload is the one that the leaf commits to under this name.
    pub fn holds(&self, name: &str, salt: &[u8], payload: &[u8]) -> bool {
        let committed = self.commitments.get(name).and_then(|digits| digits.parse::<TreeHash>().ok());
        salt.len() == 32 && committed == Some(TreeHash::over(&[b"proviso-payload-v1\0", salt, payload]))
    }

    /// Whether these payloads are the ones that the leaf commits to, and all of them. One that was erased is there as
    /// that; whether a record says so is another check.
    ///
    /// # Errors
    /// Which one is another, is there twice, or is missing.
    pub fn hold_payloads(&self, payloads: &[StoredPayload]) -> Result<(), FaultKind> {
        let mut names = BTreeSet::new();
        let mut is_its = |payload: &StoredPayload| {
            let held = match &payload.content {
                Some(content) => self.holds(&payload.name, &content.salt, &content.bytes),
                None => self.commitments.contains_key(&payload.name),
            };
            names.insert(payload.name.clone()) && held
        };
        if let Some(other) = payloads.iter().find(|payload| !is_its(payload)) {
            return Err(FaultKind::PayloadAltered(other.name.clone()));
        }
        let there = |name: &&String| payloads.iter().any(|payload| payload.name == **name);
        match self.commitments.keys().find(|name| !there(name)) {
            Some(missing) => Err(FaultKind::PayloadMissing(missing.clone())),
            None => Ok(()),
        }
    }
}
