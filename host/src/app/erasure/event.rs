//! What the record says of erasures and holds. Persisted and hashed: every variant and member is for ever.

use std::collections::BTreeMap;

use audit_verify::erasure::Erased;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::selection::Class;

/// Payloads that were taken out of the record. Whom it was about stands here as a keyed pseudonym alone: this record is
/// never erased itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// One run may be several records.
    pub run: String,
    /// `person`, `agent`, `record` or `age`.
    pub what: String,
    /// The pseudonym of the person or agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Digest>,
    /// Only what was older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Span>,
    /// Only of these classes; empty: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// The operating-system user, [`super::retention::RETENTION`], or the two people, in words.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The proposal that two people decided on; absent where an operator or retention erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Those two, who proposed it first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<EntityRef>,
    /// Which payloads.
    pub erased: Vec<Erased>,
    /// How many, by class.
    pub counts: BTreeMap<Class, u64>,
    /// What is lost with them.
    pub lost: Lost,
    /// The exceptions that are forgotten, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
    /// The credentials and sessions that are forgotten, by public id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// The pseudonyms of the tasks of which it is forgotten what they were permitted: nothing is permitted in them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Digest>,
}

/// What is lost with what is erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// How many outcomes cannot be replayed any more.
    pub replays: u64,
    /// How many recorded denials no preview can try any more.
    pub previews: u64,
    /// How many exceptions whose decision sheets cannot be built again, nor their grants be made anew.
    pub exceptions: u64,
    /// How many permitted calls, and reports of them, no finding can rest on any more.
    pub findings: u64,
}

/// A legal hold: what it covers is not erased, whoever wants it and however old it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// What it covers.
    pub target: HoldTarget,
    /// Why.
    pub reason: String,
    /// The operating-system user that placed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What a hold covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldTarget {
    /// Whatever speaks of a person or an agent.
    Entity(EntityRef),
    /// An exception, with what its grant permitted.
    Exception(String),
}
