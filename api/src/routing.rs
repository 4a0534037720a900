//! `/api/v1`: hand-overs, deputies, and what became of what was sent to people.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /api/v1/exceptions/{id}/handover`: another decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverRequest {
    /// To whom: a person whom policy lets approve it.
    pub to: EntityRef,
    /// Why.
    pub reason: String,
}

/// What a hand-over answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverReply {
    /// Who was asked to decide.
    pub to: EntityRef,
}

/// `POST /api/v1/deputies`: who stands in for the person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeputyRequest {
    /// Who stands in.
    pub deputy: EntityRef,
    /// From when on; absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when, this instant not included.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// Who stands in for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeputyLine {
    /// Its id.
    pub id: String,
    /// Who is away.
    pub absent: EntityRef,
    /// Who stands in.
    pub deputy: EntityRef,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// `GET /api/v1/deputies`: now and later, earliest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeputyList {
    /// The gate's time.
    pub now: Timestamp,
    /// Each of them.
    pub deputies: Vec<DeputyLine>,
}

/// One thing that is or was to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryLine {
    /// The same for every attempt: `webhook-id`.
    pub id: String,
    /// `waiting`, `delivered` or `dead`.
    pub state: String,
    /// `webhook` or `email`.
    pub channel: String,
    /// To whom, by the name in the gate's configuration.
    pub target: String,
    /// What it tells: `exception.requested`.
    pub kind: String,
    /// The exception that it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The ledger position of its record.
    pub position: u64,
    /// When that was made.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What became of the last attempt, where that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `GET /api/v1/deliveries?state=`: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryList {
    /// The gate's time.
    pub now: Timestamp,
    /// Each of them.
    pub deliveries: Vec<DeliveryLine>,
}
