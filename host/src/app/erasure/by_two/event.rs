//! What the record says of erasures that two people decide on. Persisted and hashed: every variant and member is for ever.

use policy_core::entity::EntityRef;
use policy_core::presence::{Presence, Proof};
use policy_core::time::Timestamp;
use proviso_api::erasures::ErasurePlan;
use serde::{Deserialize, Serialize};

/// Somebody proposed an erasure: the first of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedErasure {
    /// Its id.
    pub id: String,
    /// What is to be erased.
    pub plan: ErasurePlan,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: EntityRef,
    /// How strongly they were signed in.
    pub assurance: String,
    /// What it had to be shown with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
    /// What showed that they were there; absent: a session.
    #[serde(default, skip_serializing_if = "Proof::is_session")]
    pub proof: Proof,
    /// Until when another can confirm it.
    pub until: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// Another confirmed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedErasure {
    /// The proposal's id.
    pub id: String,
    /// Who.
    pub by: EntityRef,
    /// How strongly they were signed in.
    pub assurance: String,
    /// What it had to be shown with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
    /// What showed that they were there; absent: a session.
    #[serde(default, skip_serializing_if = "Proof::is_session")]
    pub proof: Proof,
    /// When.
    pub at: Timestamp,
}

/// A proposal is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedErasure {
    /// Its id.
    pub id: String,
    /// How.
    pub how: ErasureEnd,
    /// Who took it back, or had it carried out.
    pub by: EntityRef,
    /// The run that it was carried out by, where something was left to erase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// How a proposal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureEnd {
    /// It was carried out.
    Done,
    /// Somebody took it back.
    Withdrawn,
}

impl ErasureEnd {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }
}
