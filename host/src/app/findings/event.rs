//! What happened to findings, and evidence as it is written down. Persisted and hashed: every variant and member is for
//! ever.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::findings::{EvidenceClass, FindingKind, FindingOutcome, FindingState};
use serde::{Deserialize, Serialize};

use crate::reconcile::Said;
use crate::store::VersionKey;

/// The kind of a record of evidence, and the payload that holds it: an [`EvidenceRecord`].
pub const EVIDENCE: &str = "evidence";

/// Evidence that something ran, whether the gate was asked or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// The source's own name of what ran.
    pub id: String,
    /// Who says so: `point:NAME`, `agent:TYPE::ID`, `system:NAME`.
    pub source: String,
    /// What it is worth.
    pub class: EvidenceClass,
    /// The credential that reports; absent where an operator brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The operating-system user that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What it says.
    pub said: Said,
}

/// An event of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FindingEvent {
    /// A difference was found.
    #[serde(rename = "finding_opened")]
    Opened {
        /// What was found.
        finding: Box<FindingFacts>,
        /// When.
        at: Timestamp,
    },
    /// There is more evidence for it, or stronger.
    #[serde(rename = "finding_evidence_added")]
    EvidenceAdded {
        /// The finding's id.
        id: String,
        /// Positions of all evidence for it, sorted.
        evidence: Vec<u64>,
        /// Positions of all decisions that it is held against, sorted.
        decisions: Vec<u64>,
        /// What the strongest is worth.
        strength: EvidenceClass,
        /// What differs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        about: Vec<String>,
        /// When.
        at: Timestamp,
    },
    /// Somebody else looks after it.
    #[serde(rename = "finding_assigned")]
    Assigned {
        /// The finding's id.
        id: String,
        /// Who did until now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<EntityRef>,
        /// Who does from here on.
        to: EntityRef,
        /// Who says so.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody said something of it.
    #[serde(rename = "finding_commented")]
    Commented {
        /// The finding's id.
        id: String,
        /// Who.
        by: EntityRef,
        /// What.
        words: String,
        /// When.
        at: Timestamp,
    },
    /// It stands otherwise.
    #[serde(rename = "finding_state_changed")]
    StateChanged {
        /// The finding's id.
        id: String,
        /// How.
        state: FindingState,
        /// How it was resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<FindingOutcome>,
        /// Who; absent: what was found, or is found no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<EntityRef>,
        /// What was looked at and found.
        note: String,
        /// When.
        at: Timestamp,
    },
    /// Something was stopped for it.
    #[serde(rename = "finding_acted")]
    Acted {
        /// The finding's id.
        id: String,
        /// `revoke` or `lock_subject`.
        act: String,
        /// The grant's exception, or the lock's id.
        of: String,
        /// Who; absent: by itself, as `bundle.toml` says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<EntityRef>,
        /// When.
        at: Timestamp,
    },
}

/// A difference as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingFacts {
    /// Its id: keyed, over kind, subject and what it is about.
    pub id: String,
    /// What kind. Under another name than the event's own.
    pub what: FindingKind,
    /// Who acted.
    pub subject: EntityRef,
    /// In which task, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What the strongest evidence is worth.
    pub strength: EvidenceClass,
    /// Which of several alike it was cannot be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
    /// Positions of the evidence in the log of decisions, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<u64>,
    /// Positions of the decisions that it is held against, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<u64>,
    /// The exception that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// What ran, or was to run, as the source or the decision names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What differs, or the tasks' or hosts' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// Who looks after it: who owned the agent when it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<EntityRef>,
    /// When the first of what it is about happened.
    pub happened_at: Timestamp,
}

impl FindingEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "finding_opened",
            Self::EvidenceAdded { .. } => "finding_evidence_added",
            Self::Assigned { .. } => "finding_assigned",
            Self::Commented { .. } => "finding_commented",
            Self::StateChanged { .. } => "finding_state_changed",
            Self::Acted { .. } => "finding_acted",
        }
    }

    /// The finding's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Opened { finding, .. } => &finding.id,
            Self::EvidenceAdded { id, .. }
            | Self::Assigned { id, .. }
            | Self::Commented { id, .. }
            | Self::StateChanged { id, .. }
            | Self::Acted { id, .. } => id,
        }
    }

    /// The record's stream, and what it changes the version of.
    pub fn place(&self) -> (String, Vec<VersionKey>) {
        (format!("finding/{}", self.id()), vec![VersionKey::Finding(self.id().to_owned())])
    }
}
