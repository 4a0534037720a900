//! What is kept for how long, what a legal hold covers, and what was erased, in numbers.

use policy_core::entity::EntityRef;
use policy_core::presence::Presence;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::erasures::ErasureProposalLine;

/// `GET /api/v1/retention`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionReply {
    /// The gate's time.
    pub now: Timestamp,
    /// The newest ledger position.
    pub position: u64,
    /// How long each class is kept; what is not named is kept for ever.
    pub keep: Vec<KeptFor>,
    /// When it was last looked what is older than it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// The holds that nobody has lifted, oldest first.
    pub holds: Vec<HoldLine>,
    /// All that was ever erased.
    pub erased: Erased,
    /// The newest erasures, newest first.
    pub erasures: Vec<ErasureLine>,
    /// How many erasures came before those.
    pub earlier: u64,
    /// The erasures that people proposed, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<ErasureProposalLine>,
    /// Whether who asks may propose and confirm some.
    #[serde(default)]
    pub you_may_erase: bool,
    /// What that is shown with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
}

/// How long a class is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFor {
    /// The class.
    pub class: String,
    /// How long.
    pub age: Span,
}

/// A legal hold: what it covers is not erased, whoever wants it and however old it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    /// Its id.
    pub id: String,
    /// The person or agent whom it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<EntityRef>,
    /// The exception that it covers, with what its grant permitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Why.
    pub reason: String,
    /// The operating-system user that placed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What is gone, and what is lost with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// How many payloads, by class.
    pub payloads: Vec<ClassCount>,
    /// How many outcomes cannot be replayed any more.
    pub replays: u64,
    /// How many recorded denials no preview can try any more.
    pub previews: u64,
    /// How many exceptions whose sheets cannot be built again, nor their grants be made anew.
    pub exceptions: u64,
    /// How many permitted calls, and reports of them, no finding can rest on any more.
    pub findings: u64,
}

/// So many payloads of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// How many.
    pub count: u64,
}

/// One erasure. Whom it was about is told to nobody: the record holds a pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureLine {
    /// The run's id, as its records name it.
    pub run: String,
    /// About what: `person`, `agent`, `record` or `age`.
    pub what: String,
    /// Only what was older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Span>,
    /// The operating-system user, `retention`, or the two people, in words.
    pub by: String,
    /// Those two, where people decided on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<EntityRef>,
    /// Why.
    pub reason: String,
    /// When it began.
    pub at: Timestamp,
    /// What is gone.
    pub erased: Erased,
}
