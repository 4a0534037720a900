//! What stands in the record that begins an epoch. Persisted and hashed: every member is for ever.

use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// That an epoch began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochFact {
    /// Which: the gate's first has the number 1 and no record of its own.
    pub number: u64,
    /// Why.
    pub cause: EpochCause,
    /// The operating-system user that restored it, or that the gate runs under.
    pub by: String,
    /// The operator's words, or the gate's.
    pub reason: String,
    /// Which restore it was, where it was one: it begins one epoch, however often the gate starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<String>,
    /// Where the logs stood: this record comes right behind.
    pub from: Vec<HeadFact>,
    /// Heads that others hold and that are not of this record: what is missing between is the gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<HeadFact>,
    /// When.
    pub at: Timestamp,
}

/// Why an epoch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochCause {
    /// An operator restored a backup and said so.
    Restored,
    /// Somebody holds a head that is newer than the record, or of another one.
    NewerHeadSeen,
}

impl EpochCause {
    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::NewerHeadSeen => "newer_head_seen",
        }
    }
}

/// What a head says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadFact {
    /// Of which log.
    pub log: String,
    /// How many records.
    pub size: u64,
    /// The root over them, in base64; empty where who holds it tells the size alone, as a witness does.
    pub root: String,
    /// Who holds it, in the gate's words; absent for the gate's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl EpochFact {
    /// How many records of a log are known to be missing: what somebody holds a head over, less what was restored.
    pub fn missing(&self, log: &str) -> u64 {
        let size = |heads: &[HeadFact]| heads.iter().filter(|head| head.log == log).map(|head| head.size).max();
        size(&self.known).unwrap_or(0).saturating_sub(size(&self.from).unwrap_or(0))
    }
}
