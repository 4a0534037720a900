//! `GET /api/v1/record/lines`: the log as a list, newest first, narrowed and in pages.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One record, as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// Which log: `ledger` or `decisions/main`.
    pub log: String,
    /// The position in it.
    pub seq: u64,
    /// When, by the gate's clock.
    pub at: Timestamp,
    /// What kind of record.
    pub kind: String,
    /// The outcome's word, of an evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Why it came out so: a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The policies that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Who did it: a person, an agent, or an operating-system user as `operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EntityRef>,
    /// The agent that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
    /// The task that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What a call is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<EntityRef>,
    /// The exception that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The finding that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// The bundle that it is about, as a digest: of an activation, or a proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// The evaluation that it is, or is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<String>,
    /// What somebody said, cut where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Whether what it is called with, and what was said of it, is not shown to who asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The payloads that were erased, by name: of what they held nothing is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<String>,
}

/// `GET /api/v1/record/lines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLines {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that this was answered at.
    pub position: u64,
    /// The lines, newest first.
    pub lines: Vec<RecordLine>,
    /// How many records were read for this page. A page may end before it is full: the next one goes on there.
    pub looked: u64,
    /// Back to when it was looked; absent where there was nothing to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<Timestamp>,
    /// The token of the page behind it; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
