//! Who owns what, from where that is known, and what somebody who leaves leaves behind.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What can be owned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owned {
    /// An agent.
    Agent(EntityRef),
    /// An exception with its grant, by the exception's id.
    Exception(String),
}

/// From where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerSource {
    /// The active bundle's entities.
    Bundle,
    /// A hand-over on record.
    HandOver,
}

/// `POST /api/v1/owners/handover`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOwnerRequest {
    /// What.
    pub of: Owned,
    /// Who gives it up; absent: who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EntityRef>,
    /// Who is to own it.
    pub to: EntityRef,
    /// Why.
    pub reason: String,
}

/// Who owns something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerReply {
    /// What.
    pub of: Owned,
    /// Who, sorted.
    pub owners: Vec<EntityRef>,
    /// From where that is known.
    pub source: OwnerSource,
    /// Whether they own it since they own its agent.
    pub by_agent: bool,
    /// Since when, of a hand-over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who said so, of a hand-over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EntityRef>,
    /// Who owns the agent by the bundle, where that disagrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Vec<EntityRef>>,
}

/// What somebody who leaves leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// Who.
    pub person: EntityRef,
    /// The gate's time.
    pub now: Timestamp,
    /// When they left, if it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departed_at: Option<Timestamp>,
    /// The groups that they are in.
    pub groups: Vec<GroupLine>,
    /// The agents that they own.
    pub agents: Vec<LeftAgent>,
    /// Requests and grants that are not over, and in which they have a part.
    pub exceptions: Vec<LeftException>,
    /// The findings, by id, that they look after and that are not resolved.
    pub findings: Vec<String>,
    /// The locks that they set and that hold.
    pub locks: Vec<LeftLock>,
    /// The deputyships, by id, that they are part of.
    pub deputies: Vec<String>,
    /// Live credentials in their name.
    pub credentials: Vec<LeftCredential>,
}

/// A group, and from where it is known that somebody is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLine {
    /// The group's id.
    pub group: String,
    /// From where.
    pub source: OwnerSource,
}

/// An agent that needs another owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAgent {
    /// The agent.
    pub agent: EntityRef,
    /// All who own it.
    pub owners: Vec<EntityRef>,
    /// From where that is known.
    pub source: OwnerSource,
}

/// An open request or a live grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftException {
    /// Its id.
    pub id: String,
    /// Its state's word.
    pub state: String,
    /// What it lets happen, in the bundle author's words.
    pub says: String,
    /// What part the person has in it.
    pub parts: Vec<Part>,
}

/// A part in an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// They own it, or its agent.
    Owner,
    /// It was asked for them.
    Requester,
    /// They voted on it.
    Voter,
}

/// A lock that somebody else has to look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftLock {
    /// Its id.
    pub id: String,
    /// Why it was set.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A live credential in somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftCredential {
    /// Its public id.
    pub id: String,
    /// `agent` or `approver`.
    pub kind: String,
    /// For whom or what.
    pub what: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// `GET /api/v1/ownership`: who has what, and where bundle and log disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnershipReply {
    /// The gate's time.
    pub now: Timestamp,
    /// The newest ledger position.
    pub position: u64,
    /// The people of the active bundle, and those who left; who left and still has something first, then who has most.
    pub people: Vec<PersonLine>,
    /// How many people more there are.
    pub more: u64,
    /// Each agent whose last hand-over says other owners than the bundle.
    pub disagreements: Vec<Disagreement>,
    /// Each person who left and whom the bundle still names.
    pub gone: Vec<StillNamed>,
}

/// A person, and how much would need another owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonLine {
    /// Who.
    pub person: EntityRef,
    /// When they left, if it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departed_at: Option<Timestamp>,
    /// The groups that they are in, by the bundle.
    pub groups: Vec<String>,
    /// How many agents they own.
    pub agents: u64,
    /// How many requests and grants that are not over they own.
    pub exceptions: u64,
    /// How many findings that are not resolved they look after.
    pub findings: u64,
    /// How many deputyships they are part of.
    pub deputies: u64,
}

/// An agent on whose owners bundle and log disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The agent.
    pub agent: EntityRef,
    /// Who owns it by the bundle.
    pub bundle: Vec<EntityRef>,
    /// Who owns it by the last hand-over, which wins.
    pub hand_over: Vec<EntityRef>,
    /// When it was handed over.
    pub since: Timestamp,
    /// Who did so.
    pub by: EntityRef,
}

/// Somebody who left and whom the bundle still names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillNamed {
    /// Who.
    pub person: EntityRef,
    /// When they left.
    pub departed_at: Timestamp,
    /// The groups that the bundle has them in.
    pub groups: Vec<String>,
    /// The agents that they own by the bundle.
    pub agents: Vec<EntityRef>,
}
