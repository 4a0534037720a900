//! `/api/v1`: live changes, evidence, the record.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One server-sent event of `GET /api/v1/events`. Its SSE id is `position`; a client that was away asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The ledger position.
    pub position: u64,
    /// The record's kind, or `missed` for all that this reader was not told of: each stream begins with one.
    pub kind: String,
    /// The exception that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}

/// `POST /api/v1/executions`: evidence that something ran. Either of an evaluation of the caller's own (`evaluation_id`
/// and `call`), or, with an `evidence_id`, of anything that ran, whether the gate was asked or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionReport {
    /// The evaluation that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
    /// The call's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What is reported.
    pub phase: ExecutionPhase,
    /// Without an `evidence_id`: the digest of what was sent, or of what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The source's own name of what ran. The same again, with the same phase, is the same evidence and counts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_id: Option<String>,
    /// Who acted; an agent's own token says it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
    /// In which task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What ran: the action, or the tool as its server names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// On which server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The digest of the canonical arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Digest>,
    /// The grant that it is said to have used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// On which host it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl ExecutionReport {
    /// What becomes of a call that an evaluation allowed.
    pub const fn of_call(evaluation_id: String, call: String, phase: ExecutionPhase, digest: Option<Digest>) -> Self {
        Self {
            evaluation_id: Some(evaluation_id),
            call: Some(call),
            phase,
            digest,
            evidence_id: None,
            subject: None,
            task: None,
            action: None,
            server: None,
            input_digest: None,
            grant: None,
            host: None,
            started_at: None,
            ended_at: None,
        }
    }
}

/// What is reported of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionPhase {
    /// It is about to be sent: reported before the bytes leave.
    Sending,
    /// It answered.
    Executed,
    /// It answered with an error.
    Failed,
    /// It was begun and no answer came. Never "not run".
    OutcomeUnknown,
}

/// `GET /api/v1/record`: where the logs stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordReply {
    /// The gate's time.
    pub now: Timestamp,
    /// One for each log.
    pub logs: Vec<LogHead>,
    /// The keys that heads are signed by, as C2SP verifier keys: all that ever signed.
    pub keys: Vec<String>,
    /// The active bundle.
    pub bundle: Digest,
    /// The module.
    pub module: Digest,
    /// The epoch, where the record was restored: nothing in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<EpochLine>,
    /// Where the record goes besides, and how far it is there; by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyLine>,
}

/// Somebody who holds heads of the record, or all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyLine {
    /// Its name, as the operator's file says.
    pub name: String,
    /// Heads alone: `file`, `webhook` or `witness`. Every record with its payloads: `folder`, `s3` or `https`.
    pub kind: String,
    /// `begun` until it was reached, `fine`, `failing`, or `other_record` where it holds another and is left as it is.
    pub state: String,
    /// How many records it does not hold yet; absent for who takes heads alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// For how many seconds it has not held all that there is.
    pub seconds: u64,
    /// Why it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many payloads it may still hold that are erased at the gate; absent for who takes heads alone, and for a copy
    /// of another record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasures_pending: Option<u64>,
    /// Why they could not be erased there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure_error: Option<String>,
}

/// That the record was restored, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochLine {
    /// Which: the first is 1, and is not told.
    pub epoch: u64,
    /// `restored`, or `newer_head_seen`.
    pub cause: String,
    /// The operating-system user.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it began.
    pub at: Timestamp,
    /// The ledger record that began it.
    pub seq: u64,
    /// One for each log.
    pub gaps: Vec<Gap>,
    /// How many exceptions of before wait to be confirmed.
    pub unconfirmed: u64,
}

/// What is missing of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which log.
    pub log: String,
    /// How many records were restored.
    pub from: u64,
    /// How many more somebody is known to hold a head over; 0 where nobody is.
    pub missing: u64,
}

/// `GET /api/v1/logs/{log}/consistency`: the newest head, and that an older one is its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyReply {
    /// Which log.
    pub log: String,
    /// How many records the older head is for.
    pub from: u64,
    /// How many records the newest head is for.
    pub size: u64,
    /// The newest head, a C2SP signed note.
    pub note: String,
    /// The proof (RFC 6962 section 2.1.2), each hash in base64.
    pub proof: Vec<String>,
}

/// A log's signed head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Which log.
    pub log: String,
    /// How many records.
    pub size: u64,
    /// The C2SP signed note.
    pub note: String,
}
