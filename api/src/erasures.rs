//! `/api/v1/erasures`: what two people take out of the record for good.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::Presence;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::passkeys::VoteSignature;
use crate::retention::Erased;

/// What is to be erased: one person, one agent, one record, or what is older. `POST /api/v1/erasures/preview` reads it by
/// itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureWhat {
    /// What is about this person, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What is about this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<EntityRef>,
    /// This one record; of the ledger with all that hangs together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordPlace>,
    /// Only what is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Span>,
    /// Only these classes; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordPlace {
    /// The log: `decisions/main` or `ledger`.
    pub log: String,
    /// Its position.
    pub seq: u64,
}

/// The same as it is recorded and signed: whom it is about is a pseudonym that only the gate's key can make. Hashed and
/// kept: every member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasurePlan {
    /// About what: `person`, `agent`, `record` or `age`.
    pub what: String,
    /// The pseudonym of the person or agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Digest>,
    /// The record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordPlace>,
    /// Only what is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Span>,
    /// Only of these classes; empty: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
}

/// What `POST /api/v1/erasures/preview` answers: nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasurePreview {
    /// What would be recorded.
    pub plan: ErasurePlan,
    /// The digest of `plan`: what a proposal and a confirmation repeat, and what is signed.
    pub digest: Digest,
    /// What would be gone.
    pub erased: Erased,
    /// What would stay that is meant, and why.
    pub kept: Vec<KeptCount>,
    /// What proposing and confirming are shown with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
}

/// So many records stay for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCount {
    /// The reason.
    pub why: String,
    /// What it means.
    pub says: String,
    /// How many.
    pub count: u64,
}

/// `POST /api/v1/erasures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeErasure {
    /// What.
    pub what: ErasureWhat,
    /// Why, at most 2,000 characters. It stays for ever: no name belongs in it.
    pub reason: String,
    /// The digest of the preview that was looked at.
    pub shown: Digest,
    /// What it is signed with, where that is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<VoteSignature>,
}

/// `POST /api/v1/erasures/{id}/confirm`, by another person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmErasure {
    /// What, once more: the record says of nobody whom it is about, so that who confirms it has to know.
    pub what: ErasureWhat,
    /// The digest of the proposal's plan.
    pub shown: Digest,
    /// What it is signed with, where that is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<VoteSignature>,
}

/// An erasure that somebody proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureProposalLine {
    /// Its id.
    pub id: String,
    /// What.
    pub plan: ErasurePlan,
    /// The digest of `plan`.
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: EntityRef,
    /// When.
    pub at: Timestamp,
    /// Until when a second person can confirm it. Then it has lapsed, and nothing was erased.
    pub until: Timestamp,
    /// `waits`; `confirmed`, where the gate stopped before all of it was carried out; `done`, `withdrawn`, `lapsed` or
    /// `earlier_epoch`.
    pub state: String,
    /// Who confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<EntityRef>,
    /// Whether who asks can confirm it, or have it carried out where it was confirmed.
    pub you_may_confirm: bool,
}

/// What proposing and confirming answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureReply {
    /// The proposal as it stands now.
    pub proposal: ErasureProposalLine,
    /// The run's id, where something was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What is gone; of a proposal, what would be.
    pub erased: Erased,
    /// What stays that is meant, and why.
    pub kept: Vec<KeptCount>,
}
