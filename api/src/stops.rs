//! `/api/v1`: revokes, locks, the end of a task, and the calls that these catch in the middle.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::Presence;
use policy_core::question::{Lock, LockTarget};
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::passkeys::VoteSignature;

/// `POST /api/v1/grants/{id}/revoke`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeRequest {
    /// Why.
    pub reason: String,
}

/// What `POST /api/v1/grants/{id}/revoke` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeReply {
    /// The exception's state's word.
    pub state: String,
    /// The ledger position after the revoke.
    pub position: u64,
    /// The calls that had begun by then and that nobody has reported the end of.
    pub calls_in_flight: Vec<CallInFlight>,
}

/// `POST /api/v1/revocations`: every live grant of one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationRequest {
    /// Whose grants.
    pub target: RevocationTarget,
    /// Why.
    pub reason: String,
}

/// Whose grants are revoked together. On the wire `{"task": "close-q3"}` and so on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationTarget {
    /// A workload's.
    Subject(EntityRef),
    /// Those of everything that acts for a person: who asked, or stands in the chain.
    Person(EntityRef),
    /// A task's.
    Task(String),
    /// Those that a person voted for.
    Approver(EntityRef),
    /// Those that were asked for with a credential, by its public id.
    Credential(String),
}

/// What `POST /api/v1/revocations` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationReply {
    /// The grants that are revoked by this.
    pub grants: Vec<String>,
    /// The ledger position after the revoke.
    pub position: u64,
    /// The calls that had begun by then and that nobody has reported the end of.
    pub calls_in_flight: Vec<CallInFlight>,
}

/// A call that was permitted and has not been reported to have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInFlight {
    /// The evaluation that permitted it.
    pub evaluation_id: String,
    /// The call's id, as the enforcement point gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Who acts.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// The action.
    pub action: String,
    /// The upstream server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The grant that permitted it; absent where delegated scope did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// When it was permitted.
    pub at: Timestamp,
    /// Whether the enforcement point has reported that its bytes leave. One that has not may still begin within the
    /// seconds of its allow.
    pub sending: bool,
}

/// `GET /api/v1/stops`: an enforcement point's calls that something stopped after they began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopList {
    /// The calls to be called off.
    pub calls: Vec<CallInFlight>,
}

/// `POST /api/v1/locks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRequest {
    /// What it stops.
    pub target: LockTarget,
    /// Why.
    pub reason: String,
    /// For a tool or a server: the digest of `GET /api/v1/locks/reach`, which shows that its reach was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Digest>,
}

/// What `POST /api/v1/locks` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// The new lock's id.
    pub id: String,
    /// When it ends unless it is renewed; absent for one that stays until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The calls that had begun by then and that nobody has reported the end of.
    pub calls_in_flight: Vec<CallInFlight>,
}

/// `POST /api/v1/locks/{id}/renew`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewLockRequest {
    /// Why it has to go on.
    pub reason: String,
}

/// `GET /api/v1/locks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockList {
    /// The locks in force.
    pub locks: Vec<LockLine>,
    /// What a lock is lifted with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
}

/// `DELETE /api/v1/locks/{id}`, where it has a body: what it is signed with where that is demanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftRequest {
    /// The signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<VoteSignature>,
}

/// A lock in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockLine {
    /// Its id and what it stops.
    #[serde(flatten)]
    pub lock: Lock,
    /// Who set it.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The groups that the setter was in: any of their members lifts it at once.
    pub groups: Vec<String>,
    /// When it ends unless it is renewed; absent for one that stays until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who of outside the setter's groups wants it lifted. The second one lifts it.
    pub lifting: Vec<EntityRef>,
    /// What the person who asks can do: `lift`, `vote` or `nothing`.
    pub you_may: String,
}

/// What `DELETE /api/v1/locks/{id}` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifting {
    /// Whether it is lifted. If not, one more person from outside the setter's groups has to ask for it.
    pub lifted: bool,
}

/// `GET /api/v1/locks/reach`: what a lock would stop. Its digest is over everything but the calls in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachReply {
    /// What would be stopped.
    pub reach: Reach,
    /// The digest that a wide lock repeats.
    pub digest: Digest,
    /// The calls under way that it would catch.
    pub calls_in_flight: Vec<CallInFlight>,
}

/// What a lock would stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The target.
    pub target: LockTarget,
    /// The live grants.
    pub grants: Vec<String>,
    /// The open requests, by their exceptions' ids.
    pub requests: Vec<String>,
    /// Who holds or asks for these, or was permitted such a call within the last day.
    pub subjects: Vec<EntityRef>,
}

/// `POST /api/v1/tasks/{task}/end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndTaskRequest {
    /// Why: it is done, or it must stop.
    pub reason: String,
}

/// What `POST /api/v1/tasks/{task}/end` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnded {
    /// The grants that died with it.
    pub grants: Vec<String>,
    /// The open requests that were closed with it.
    pub requests: Vec<String>,
    /// The calls that had begun by then and that nobody has reported the end of.
    pub calls_in_flight: Vec<CallInFlight>,
}
