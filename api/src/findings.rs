//! `/api/v1/findings`: differences between what was approved and what ran, and what people do about them.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operations::ExecutionPhase;

/// How much a piece of evidence is worth, from weakest to strongest. Only the two stronger ones act by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceClass {
    /// The word of an agent, or of telemetry.
    Reported,
    /// A trusted enforcement point's.
    Observed,
    /// The log of the system that was acted on.
    SystemOfRecord,
}

impl EvidenceClass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reported, Self::Observed, Self::SystemOfRecord];

    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Observed => "observed",
            Self::SystemOfRecord => "system_of_record",
        }
    }
}

/// What is different between what was approved and what ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Something ran, and the gate was never asked.
    RanWithoutDecision,
    /// Something ran that the gate had denied.
    RanAfterDenial,
    /// What ran is not what was allowed.
    OutsideConditions,
    /// It ran after the allow, or the grant, had ended.
    AfterExpiry,
    /// It ran after the grant had been revoked.
    AfterRevocation,
    /// One allow, and more than one call.
    MoreOften,
    /// It was permitted, and a point that declares to report has not seen it run.
    NeverRan,
    /// A grant ended without one use.
    GrantNeverUsed,
    /// It was begun, and nobody knows how it ended.
    OutcomeUnknown,
    /// One identity acted in several tasks at once.
    SeveralTasks,
    /// One identity acted on several hosts at once.
    SeveralHosts,
    /// The counter of a person's passkey had not grown: there is a copy of it.
    ClonedPasskey,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::RanWithoutDecision,
        Self::RanAfterDenial,
        Self::OutsideConditions,
        Self::AfterExpiry,
        Self::AfterRevocation,
        Self::MoreOften,
        Self::NeverRan,
        Self::GrantNeverUsed,
        Self::OutcomeUnknown,
        Self::SeveralTasks,
        Self::SeveralHosts,
        Self::ClonedPasskey,
    ];

    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RanWithoutDecision => "ran_without_decision",
            Self::RanAfterDenial => "ran_after_denial",
            Self::OutsideConditions => "outside_conditions",
            Self::AfterExpiry => "after_expiry",
            Self::AfterRevocation => "after_revocation",
            Self::MoreOften => "more_often",
            Self::NeverRan => "never_ran",
            Self::GrantNeverUsed => "grant_never_used",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::SeveralTasks => "several_tasks",
            Self::SeveralHosts => "several_hosts",
            Self::ClonedPasskey => "cloned_passkey",
        }
    }
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody has looked yet.
    Open,
    /// Somebody looks.
    Acknowledged,
    /// It is explained or dealt with.
    Resolved,
}

/// How a finding was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingOutcome {
    /// Later evidence of the same strength explains it. Said by the gate alone.
    Explained,
    /// It was as it should be.
    Expected,
    /// It was wrong, and is put right.
    Fixed,
    /// Somebody misused what they had.
    Misuse,
}

/// `GET /api/v1/findings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingList {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that this is of.
    pub position: u64,
    /// How many are not resolved, whatever the list is narrowed to.
    pub unresolved: usize,
    /// The findings, newest first.
    pub findings: Vec<FindingLine>,
    /// What to ask the next page with, as `page`; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A finding in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingLine {
    /// Its id: the same difference has the same id, however often it is looked for.
    pub id: String,
    /// What kind.
    pub kind: FindingKind,
    /// How it stands.
    pub state: FindingState,
    /// How it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<FindingOutcome>,
    /// The strongest evidence that opened it; the gate's own record counts as observed.
    pub strength: EvidenceClass,
    /// Which of several alike it was cannot be told.
    pub ambiguous: bool,
    /// What is different, in the gate's words.
    pub says: String,
    /// Who acted.
    pub subject: EntityRef,
    /// In which task, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The exception that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<EntityRef>,
    /// When the first of what it is about happened.
    pub at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// What was stopped for it: `revoke`, `lock_subject`.
    pub acted: Vec<String>,
}

/// `GET /api/v1/findings/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingDetail {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that this is of.
    pub position: u64,
    /// The finding.
    pub finding: FindingLine,
    /// What is known of what ran.
    pub evidence: Vec<EvidenceLine>,
    /// What the gate decided.
    pub decisions: Vec<DecisionLine>,
    /// What happened to the finding, oldest first.
    pub history: Vec<FindingStep>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceLine {
    /// Its position in the log of decisions.
    pub seq: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What it is worth.
    pub class: EvidenceClass,
    /// Who says so: `point:NAME`, `agent:TYPE::ID`, `system:NAME`.
    pub source: String,
    /// What ran, as the source names it: an action or a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// On which server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// In which task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// On which host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The digest of the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Digest>,
    /// When it began, as the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended, as the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What is said of it.
    pub phase: ExecutionPhase,
    /// The evaluation that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
    /// The call's id that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
}

/// What the gate decided, beside the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionLine {
    /// Its position in the log of decisions.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The evaluation.
    pub evaluation_id: String,
    /// Whether it was permitted.
    pub permitted: bool,
    /// The reason's code.
    pub reason: String,
    /// The task.
    pub task: String,
    /// The action.
    pub action: String,
    /// The upstream server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The call's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The digest of the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Digest>,
    /// The exception whose grant permitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}

/// A step in a finding's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingStep {
    /// Its ledger position.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The record's kind.
    pub kind: String,
    /// Who; absent: the gate by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EntityRef>,
    /// What happened, in the gate's words.
    pub sentence: String,
    /// What somebody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// `POST /api/v1/findings/{id}/comments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRequest {
    /// 1 to 2000 characters.
    pub words: String,
}

/// `POST /api/v1/findings/{id}/assign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignRequest {
    /// Who looks after it from here on.
    pub to: EntityRef,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/findings/{id}/state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingStateRequest {
    /// `open`, `acknowledged` or `resolved`.
    pub state: FindingState,
    /// How it is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<FindingOutcome>,
    /// What was looked at and found. Needed for resolving and for opening it again.
    #[serde(default)]
    pub note: String,
}

/// `POST /api/v1/findings/{id}/revoke` and `/lock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingActRequest {
    /// Why.
    pub reason: String,
}
