//! OpenID AuthZEN Authorization API 1.0: `POST /access/v1/evaluation`, `/access/v1/evaluations` and discovery.

use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access_request::AccessRequestOffer;

/// A subject or resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id within the type.
    pub id: String,
    /// What the caller claims of it. Believed only where `bundle.toml` says so.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

/// An action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// What the caller claims of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

/// `POST /access/v1/evaluation`.
///
/// `context.input` holds a tool's arguments. Proviso's own members of `context`:
/// `proviso.dev/ask` (bool: a question, consumes nothing), `proviso.dev/call` (string: the call's id),
/// `proviso.dev/server` (string: the upstream server, needed when the credential names several),
/// `proviso.dev/tool` (string: the digest of the tool's definition). `ask` and `call` are outside the binding of a
/// denial. `approval` is ARAP's, on re-evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationRequest {
    /// Who acts.
    pub subject: Entity,
    /// What.
    pub action: Action,
    /// On what.
    pub resource: Entity,
    /// The rest.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
}

impl EvaluationRequest {
    /// Its members that are objects.
    pub const OBJECTS: [&str; 4] = ["subject", "action", "resource", "context"];
}

/// The reply, HTTP 200 also for a denial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationReply {
    /// Whether the call may run.
    pub decision: bool,
    /// Why, and what can be done.
    pub context: ReplyContext,
}

/// `POST /access/v1/evaluations`: several questions. Each of the four members is the default of every item that does not
/// bring its own; an item's own replaces it whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationsRequest {
    /// Who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Value>,
    /// What.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Value>,
    /// On what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Value>,
    /// The rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// The items, at most 100: objects with any of the four. None or empty: one evaluation of the defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Value>,
    /// How to go through them.
    #[serde(default)]
    pub options: EvaluationsOptions,
}

/// How to go through a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationsOptions {
    /// When to stop.
    #[serde(default)]
    pub evaluations_semantic: Semantic,
}

/// When a batch stops. What comes behind is not evaluated, uses nothing and is left out of the reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Semantic {
    /// At the end.
    #[default]
    ExecuteAll,
    /// After the first denial.
    DenyOnFirstDeny,
    /// After the first permit.
    PermitOnFirstPermit,
}

/// The reply to a batch: one decision for each item that was evaluated, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationsReply {
    /// The decisions.
    pub evaluations: Vec<ItemReply>,
}

/// One item's decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemReply {
    /// Whether the call may run.
    pub decision: bool,
    /// Why.
    pub context: ItemContext,
}

/// One item's context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ItemContext {
    /// It was evaluated.
    Judged(Box<ReplyContext>),
    /// It could not be: nothing was evaluated or recorded, and nothing allowed.
    Failed {
        /// Why.
        error: ItemError,
    },
}

/// Why an item was not evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemError {
    /// The HTTP status that it would have had alone.
    pub status: u16,
    /// A stable snake_case code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A reply's context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplyContext {
    /// The record's id.
    pub evaluation_id: String,
    /// When it was evaluated.
    pub evaluated_at: Timestamp,
    /// A stable code: `policy_core::outcome::Reason`, or ARAP's on a re-evaluation (`approval_expired`,
    /// `out_of_scope`, `grant_pending`, `policy_denied`, `approval_unverifiable`).
    pub reason: String,
    /// One sentence for a person or a model, in the gate's own words.
    pub message: String,
    /// On a denial: what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Present: it may be requested (ARAP).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_request: Option<AccessRequestOffer>,
    /// The approval that let it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRef>,
    /// What to do about a denied re-evaluation: `request`, `retry` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action: Option<String>,
    /// Seconds until a retry makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// For how many seconds an allow is good, for this one call.
    #[serde(rename = "proviso.dev/valid_for", default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<u32>,
    /// The same call id was permitted by the same grant within ten seconds: nothing was consumed again.
    #[serde(rename = "proviso.dev/repeated", default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The digest of the canonical arguments that were judged: what an enforcement point sends must have it.
    #[serde(rename = "proviso.dev/input_digest", default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Digest>,
    /// On a denial: the grant that would have let the call through, and why it does not any more, or not yet.
    #[serde(rename = "proviso.dev/grant", default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantHint>,
}

/// A grant that covers a call in all but time and counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantHint {
    /// The grant's id.
    pub id: String,
    /// `not_active`, `suspended`, `expired`, `exhausted`, `revoked`, `over_budget` or `over_rate`.
    pub state: String,
}

/// An approval in a reply, and unchanged in `context.approval` of a re-evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRef {
    /// The grant's id. Never a bearer grant.
    pub id: String,
    /// When it ends.
    pub approved_until: Timestamp,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// What proves it to a decision point, in a task's result: a compact JWS of the gate's, to be sent back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Value>,
}

/// `GET /.well-known/authzen-configuration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The gate's own URL.
    pub policy_decision_point: String,
    /// Where questions go.
    pub access_evaluation_endpoint: String,
    /// Where batches go.
    pub access_evaluations_endpoint: String,
    /// Where searches for subjects go.
    pub search_subject_endpoint: String,
    /// Where searches for resources go.
    pub search_resource_endpoint: String,
    /// Where searches for actions go.
    pub search_action_endpoint: String,
    /// Where requests go (ARAP).
    pub access_request_endpoint: String,
    /// The public keys of what this gate signs (ARAP).
    pub jwks_uri: String,
    /// What is spoken besides.
    pub capabilities: Vec<String>,
}
