//! The bundles that were, are and may become active: proposals, what each would change, and the votes on it.

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::Presence;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::passkeys::VoteSignature;

/// `POST /api/v1/bundles`: a bundle by its files, or one that was active before by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeRequest {
    /// Every file by its path with `/`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The digest of a bundle that was active before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_to: Option<Digest>,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/modules`: another policy module than the one that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeModuleRequest {
    /// Its bytes, in base64.
    pub module: String,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/bundles/{digest}/activate` and `…/refuse`: a vote on one list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleVoteRequest {
    /// The digest of the list that was looked at.
    pub list: Digest,
    /// Why.
    pub reason: String,
    /// What a vote for it is signed with, where the active bundle demands that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<VoteSignature>,
}

/// What a proposal changes of what was asked of late: canonical JSON, and what a vote commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeList {
    /// The version of this form.
    pub v: u32,
    /// The bundle that is proposed.
    pub bundle: Digest,
    /// The bundle that was active.
    pub base: Digest,
    /// The module that answered.
    pub module: Digest,
    /// The module that would answer, where it is another module that is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_module: Option<Digest>,
    /// When it was made.
    pub at: Timestamp,
    /// What was asked.
    pub asked: AskedAgain,
    /// How many come out differently, by kind: all of them, listed or not.
    pub counts: BTreeMap<String, u64>,
    /// How many have the same outcome for other reasons, or on other terms.
    pub otherwise: u64,
    /// What comes out differently, new allows first; the first of them where there are too many.
    pub changes: Vec<ChangeLine>,
    /// Whether it is proved narrower: then one person activates it.
    pub narrower: bool,
    /// What of the bundle is different, what proves nothing first.
    pub steps: Vec<StepLine>,
    /// The people of whom it says something else. Their votes do not count.
    pub named: Vec<EntityRef>,
}

/// The recorded questions that were put to both bundles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedAgain {
    /// How many records of the log of decisions were looked at.
    pub records: u64,
    /// How many of them were put to both.
    pub questions: u64,
    /// The first of them; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Whether there are older ones that were not looked at.
    pub older: bool,
    /// How many could not be put to both, by why.
    pub left_out: BTreeMap<String, u64>,
}

/// A recorded question that comes out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLine {
    /// `new_allow`, `new_requestable`, `new_denial`, `no_longer_requestable` or `other_permit`.
    pub kind: String,
    /// Its record in the log of decisions.
    pub seq: u64,
    /// What the active bundle answers.
    pub before: ChangeSide,
    /// What this one answers.
    pub after: ChangeSide,
    /// What was asked, as that record tells it. It is no part of the list, so that what is erased there is gone here: then
    /// it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<ChangedCall>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedCall {
    /// When.
    pub at: Timestamp,
    /// Who acted.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// What was asked for.
    pub action: String,
    /// On what.
    pub resources: Vec<EntityRef>,
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSide {
    /// The outcome.
    pub outcome: String,
    /// Its reason.
    pub reason: String,
    /// The policies that decide.
    pub policies: Vec<String>,
}

/// One difference between the bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepLine {
    /// Whether it is narrower.
    pub narrows: bool,
    /// Its kind.
    pub kind: String,
    /// The file or the policy that it is about.
    pub of: String,
}

/// `GET /api/v1/bundles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleList {
    /// The gate's time.
    pub now: Timestamp,
    /// How many ledger records stand.
    pub position: u64,
    /// The active bundle's digest.
    pub active: Digest,
    /// The module that runs.
    pub module: Digest,
    /// The module that the next start may run, where people activated another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_module: Option<Digest>,
    /// Whether an operator of the gate's host alone can activate another, at a start.
    pub operator_alone: bool,
    /// What was activated, the newest first.
    pub history: Vec<ActivationLine>,
    /// What is proposed, the newest first.
    pub proposals: Vec<ProposalLine>,
}

/// An activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationLine {
    /// Its ledger record.
    pub seq: u64,
    /// The bundle.
    pub bundle: Digest,
    /// When.
    pub at: Timestamp,
    /// Who, in words.
    pub by: String,
    /// Why.
    pub reason: String,
    /// How many files changed, by folder.
    pub changed: Vec<(String, u32)>,
    /// The people who activated it; none where an operator did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<EntityRef>,
    /// Whether it was proved narrower.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub narrower: bool,
    /// The list that it committed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Digest>,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalLine {
    /// The bundle.
    pub bundle: Digest,
    /// The bundle that was active when its list was made.
    pub base: Digest,
    /// The list's digest.
    pub list: Digest,
    /// Who proposed it.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Whether it was active before.
    pub revert: bool,
    /// Whether it is a policy module, under the active bundle; `bundle` is then the module's digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_module: bool,
    /// Whether it is proved narrower.
    pub narrower: bool,
    /// How many questions were put to both bundles.
    pub questions: u64,
    /// How many come out differently.
    pub changed: u64,
    /// How many of these are allowed newly.
    pub new_allows: u64,
    /// `open`; `stale`: another bundle is active since, propose it again; `refused`.
    pub state: String,
    /// How many people it takes.
    pub needs: u32,
    /// What a vote for it is cast with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
    /// The votes that were cast on this list.
    pub votes: Vec<BundleVoteLine>,
}

/// A vote on a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleVoteLine {
    /// Who.
    pub by: EntityRef,
    /// Whether it is for it.
    pub activates: bool,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// `GET /api/v1/bundles/{digest}/proposal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalReply {
    /// The proposal.
    pub proposal: ProposalLine,
    /// What it changes.
    pub list: ChangeList,
    /// The files that are different, as they are and as they would be.
    pub files: Vec<FileChange>,
    /// Why who asks cannot vote on it: the code; absent where they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you_may_not: Option<String>,
}

/// A file that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// As it is; absent where it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// As it would be; absent where it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How a proposal stands after a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationReply {
    /// `active`, `waiting` for another person, or `refused`.
    pub state: String,
    /// The bundle.
    pub bundle: Digest,
    /// How many people it takes.
    pub needs: u32,
    /// Who is for it.
    pub people: Vec<EntityRef>,
    /// How many ledger records stand.
    pub position: u64,
}
