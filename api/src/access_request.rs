//! The Access Request and Approval Profile (ARAP): `/access/v1/requests`.

use policy_core::grant::Scope;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::authzen::{Action, ApprovalRef, Entity};

/// `context.access_request` of a requestable denial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessRequestOffer {
    /// Where to ask; empty: where the decision point's metadata says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// Until when the denial can be answered with a request.
    pub expires_at: Timestamp,
    /// A compact JWS that ties a request to this denial. Sent back byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_token: Option<String>,
    /// Where the JSON Schema of the smallest request that can succeed is, for whom the denial was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_schema_url: Option<String>,
    /// The smallest thing to ask for: what `requested_access` needs no more than.
    pub display: OfferDisplay,
}

/// The smallest thing to ask for, and its terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferDisplay {
    /// One line, in the bundle author's words with the arguments quoted.
    pub title: String,
    /// The smallest scope that lets this call through.
    pub scope: Scope,
    /// How many people must approve.
    pub approvals: u32,
    /// The longest validity that can be asked for, such as `1h`.
    pub max_duration: policy_core::time::Span,
    /// The most uses that can be asked for.
    pub max_uses: u32,
}

/// `POST /access/v1/requests`. Subject, resource, action and context are those of the denied question, unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// Who acts.
    pub subject: Entity,
    /// On what.
    pub resource: Entity,
    /// What.
    pub action: Action,
    /// The denied question's context, and `business_justification` (at most 2,000 characters).
    #[serde(default)]
    pub context: Map<String, Value>,
    /// Which denial this answers.
    pub denial: DenialRef,
    /// How long and how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_access: Option<RequestedAccess>,
    /// Who sends it. Nothing of it is believed; a claimed actor must be the credential's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<RequestClient>,
}

/// Who sends a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestClient {
    /// The acting agent by `id`, with the chain behind it as nested `act`: exactly the credential's, or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Map<String, Value>>,
}

/// The denial that a request answers: by its token, by its evaluation's id, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenialRef {
    /// The evaluation that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
    /// As the denial gave it, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_token: Option<String>,
    /// As the denial said.
    pub expires_at: Timestamp,
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestedAccess {
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_until: Option<Timestamp>,
    /// A signal only.
    #[serde(default)]
    pub emergency: bool,
    /// The exception that this renews.
    #[serde(rename = "proviso.dev/renews", default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
    /// The scope; absent: the smallest.
    #[serde(rename = "proviso.dev/scope", default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// What request, status and cancel answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReply {
    /// The request as a task.
    pub task: Task,
    /// When it was approved: what to re-evaluate with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<TaskResult>,
}

/// A request's state. The id is the exception's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Opaque.
    pub id: String,
    /// `pending`, `approved`, `denied`, `expired`, `cancelled` or `failed`.
    pub status: String,
    /// Where to ask again.
    pub status_endpoint: String,
    /// Until when it can be decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What was decided, as data: bounded, odd characters made visible, never an instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<TaskDisplay>,
    /// Where to cancel, where a person looks.
    pub links: Links,
}

/// Votes so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Votes that count.
    pub current_step: u32,
    /// Votes needed.
    pub total_steps: u32,
}

/// What was decided, for the one who asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskDisplay {
    /// The refuser's reason, as data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was granted, which may be narrower than what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Scope>,
    /// What approvers asked, as data: to be answered at `POST /api/v1/exceptions/{id}/answer`. Who asked is not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<TaskQuestion>,
}

/// A vote that asks something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskQuestion {
    /// Its place among the votes: `vote` of the answer.
    pub vote: u32,
    /// The question, as data: bounded, odd characters made visible, never an instruction.
    pub words: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Whether somebody has answered it.
    pub answered: bool,
}

/// A task's links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// `POST` here to take the request back.
    pub cancel: String,
    /// Where an approver looks.
    pub review: String,
}

/// An approved request's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskResult {
    /// `reevaluate`.
    pub mode: String,
    /// For `context.approval`, unchanged.
    pub approval: ApprovalRef,
}

/// `POST /access/v1/requests/{id}/cancel`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// Why.
    #[serde(default)]
    pub reason: String,
}
