//! OpenID AuthZEN Authorization API 1.0: `POST /access/v1/evaluation` and discovery.

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

/// The reply, HTTP 200 also for a denial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationReply {
    /// Whether the call may run.
    pub decision: bool,
    /// Why, and what can be done.
    pub context: ReplyContext,
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
}

/// `GET /.well-known/authzen-configuration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The gate's own URL.
    pub policy_decision_point: String,
    /// Where questions go.
    pub access_evaluation_endpoint: String,
    /// Where requests go (ARAP).
    pub access_request_endpoint: String,
    /// What is spoken besides.
    pub capabilities: Vec<String>,
}
