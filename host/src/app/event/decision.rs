//! What stands in the payloads of the log of decisions. Persisted and hashed: every member is for ever.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::outcome::Evaluation;
use policy_core::question::Purpose;
use policy_core::time::Timestamp;
use proviso_api::operations::ExecutionPhase;
use serde::{Deserialize, Serialize};

use crate::app::foreign::is_credential;
use crate::app::inputs::{Apart, Asked};
use crate::identity::TokenSeen;
use crate::signing::StateFault;

/// One evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// The evaluation's id.
    pub evaluation: String,
    /// The credential that asked.
    pub credential: String,
    /// The agent's credential, where an enforcement point asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_credential: Option<String>,
    /// Which tokens of other issuers were shown, the enforcement point's first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenSeen>,
    /// Asked, or used.
    pub purpose: Purpose,
    /// The call's id, as the enforcement point gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Who acts.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// The action, in the bundle's words where it could be read.
    pub action: String,
    /// The tools that the call names by what it is on, where no `[[tool]]` gave it an action of the bundle's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// On whose behalf, from the current actor inward.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<EntityRef>,
    /// The upstream server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The digest of the canonical arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Digest>,
    /// The digest of what was asked, without the call's id: what a request must repeat.
    pub binding: Digest,
    /// The members of the question's context that are bound, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_members: Option<Vec<String>>,
    /// What was answered.
    pub answer: Evaluation,
    /// The kind of limit, where one made the outcome (R10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// The evaluation that the call began under, where this is a part of that call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
    /// Why the state of the approval that came with it was not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_fault: Option<StateFault>,
    /// The same call was permitted by the same grant within ten seconds: nothing was consumed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// Until when a request may answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requestable_until: Option<Timestamp>,
    /// The exception whose grant permitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// What the task is marked with by this: the action and its effects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// What was asked, where the bundle put other words to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// The enforcement point that asked, where the question could not be sealed and so does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement_point: Option<String>,
}

impl DecisionRecord {
    /// Whether the agent's credential was bound to a key, and whoever showed it had that.
    pub fn is_of_bound(&self) -> bool {
        let own = self.subject_credential.as_deref().unwrap_or(&self.credential);
        is_credential(own) && !self.is_of_vouched() && self.tokens.last().is_some_and(|seen| seen.bound.is_some())
    }

    /// Whether it was asked on an enforcement point's word.
    pub const fn is_of_vouched(&self) -> bool {
        self.enforcement_point.is_some() && self.subject_credential.is_none()
    }
}

/// One page of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRecord {
    /// The search's id.
    pub search: String,
    /// The credentials that asked.
    pub credentials: Vec<String>,
    /// `subject`, `resource` or `action`.
    pub kind: String,
    /// What was asked, without the page's token.
    pub query: serde_json::Value,
    /// Behind which one this page began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What was looked at, in order.
    pub judged: Vec<String>,
    /// What was told.
    pub results: Vec<proviso_api::search::Found>,
    /// Those of what was looked at that the module's answer alone did not decide. Absent in records of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<Vec<Apart>>,
}

/// Evidence of a trusted enforcement point about its own evaluation.
pub const OBSERVED: &str = "observed";
/// The word of the agent that a call was made for: told to people, and decided on by nothing.
pub const REPORTED: &str = "reported";

/// A report that something ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// The evaluation that allowed it.
    pub evaluation: String,
    /// The call's id.
    pub call: String,
    /// What is reported.
    pub phase: ExecutionPhase,
    /// The digest of what was sent, or of what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// [`OBSERVED`] or [`REPORTED`].
    pub evidence: String,
    /// The credential that reports.
    pub credential: String,
    /// The exception whose grant permitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// On which host it ran, as the reporter says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When it began, as the reporter says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended, as the reporter says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}
