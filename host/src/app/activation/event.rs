//! What the record says of proposals and of votes on them. Persisted and hashed: every variant and member is for ever.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::{Presence, Proof};
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The payload that holds what a proposal changes: canonical JSON, by whose digest votes name it.
pub const CHANGES: &str = "changes";

/// An event of what may become the active bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PolicyEvent {
    /// Somebody wants a bundle to be the active one. Its files are the payload `bundle`, what it changes is `changes`.
    BundleProposed {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// What.
        proposal: Box<ProposalFact>,
        /// When.
        at: Timestamp,
    },
    /// People have agreed to another policy module: the next start may run it.
    ModuleActivated {
        /// The module.
        module: Digest,
        /// Who, and by which list.
        people: Box<ActivatedBy>,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody has voted on a proposal.
    ActivationVoted {
        /// The bundle, or the module.
        bundle: Digest,
        /// The list that they saw.
        list: Digest,
        /// Who.
        by: EntityRef,
        /// How strongly they were signed in.
        assurance: String,
        /// Whether they are for it. A vote against it ends the proposal.
        activates: bool,
        /// Why.
        reason: String,
        /// What a vote for it had to be cast with; absent: a session.
        #[serde(default, skip_serializing_if = "Presence::is_session")]
        presence: Presence,
        /// What showed that they were there; absent: a session.
        #[serde(default, skip_serializing_if = "Proof::is_session")]
        proof: Box<Proof>,
        /// When.
        at: Timestamp,
    },
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalFact {
    /// The bundle.
    pub bundle: Digest,
    /// The active bundle that its list was made against.
    pub base: Digest,
    /// The module that answered.
    pub module: Digest,
    /// The digest of what it changes.
    pub list: Digest,
    /// How many questions were put to both bundles.
    pub questions: u64,
    /// How many come out differently.
    pub changed: u64,
    /// How many of these are allowed newly.
    pub new_allows: u64,
    /// Whether it is proved narrower.
    pub narrower: bool,
    /// Whether it was active before.
    pub revert: bool,
    /// The policy module that is proposed, under the active bundle and in place of the one that runs. Its bytes are kept
    /// beside the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_module: Option<Digest>,
    /// The people of whom it says something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<EntityRef>,
}

/// The people who activated a bundle, and what they saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivatedBy {
    /// The bundle that was active before, or the module that ran.
    pub from: Digest,
    /// The list that they committed to.
    pub list: Digest,
    /// Who proposed it.
    pub proposed_by: EntityRef,
    /// Whose votes counted, in the order in which they were cast.
    pub people: Vec<EntityRef>,
    /// Whether it was proved narrower.
    pub narrower: bool,
}

impl ProposalFact {
    /// What is proposed, by its digest.
    pub fn digest(&self) -> Digest {
        self.other_module.unwrap_or(self.bundle)
    }
}

impl PolicyEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::BundleProposed { .. } => "bundle_proposed",
            Self::ActivationVoted { .. } => "activation_voted",
            Self::ModuleActivated { .. } => "module_activated",
        }
    }
}
