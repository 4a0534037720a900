//! What is wrong with a record, and with which one.

use serde::Serialize;
use thiserror::Error;

use crate::checkpoint::CheckpointError;
use crate::decisions::UseFault;
use crate::grants::GrantFault;
use crate::note::NoteError;

/// The first bad record of a log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the log `{log}` is not what was signed, at record {seq}: {kind}")]
pub struct Fault {
    /// Which log.
    pub log: String,
    /// Which record, from 0.
    pub seq: u64,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultKind {
    /// What holds the record cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// There is none at this position, and there are later ones.
    #[error("it is missing")]
    Missing,
    /// Its bytes are no leaf.
    #[error("it is no leaf")]
    NoLeaf,
    /// It belongs to another position or log.
    #[error("it says that it is another record")]
    Misplaced,
    /// A payload is not what the leaf commits to.
    #[error("its payload `{0}` is not the one that was written")]
    PayloadAltered(String),
    /// The leaf commits to a payload that is not there.
    #[error("its payload `{0}` is missing")]
    PayloadMissing(String),
    /// A payload was erased, and no record says so.
    #[error("its payload `{0}` was erased, and no record says so")]
    ErasureUnrecorded(String),
    /// A payload that the record says was erased is there again.
    #[error("its payload `{0}` was erased by a later record, and is there again")]
    PayloadReturned(String),
    /// A record says of other payloads than there are that they were erased.
    #[error("what it says was erased is not what is there: {0}")]
    ErasureUnfit(String),
    /// A tile of hashes holds another hash for it.
    #[error("its bytes are not those whose hash the tile holds")]
    OtherBytes,
    /// A head says another root.
    #[error("the records {0} to {1} are not the ones that were signed")]
    OtherRoot(u64, u64),
    /// A head is for more records than there are.
    #[error("the log ends here, and a head over {0} records was signed")]
    Cut(u64),
    /// A head stands behind the records that follow it.
    #[error("a head over {0} records stands where another one belongs")]
    HeadMisplaced(u64),
    /// Records that no trusted head covers.
    #[error("no signed head covers it")]
    Uncovered,
    /// A head that cannot be believed.
    #[error("its head is not to be believed: {0}")]
    Head(#[from] NoteError),
    /// A head that says nothing.
    #[error("its head cannot be read: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A head of another log.
    #[error("its head is one of `{0}`")]
    OtherLog(String),
    /// A head that somebody held says another root for the same size.
    #[error("a head over {0} records that was held says something else: the log was forked or rewritten")]
    Forked(u64),
    /// A record tells of a grant what the records before it do not allow.
    #[error(transparent)]
    Grant(#[from] GrantFault),
    /// What was decided and what was used are not the same.
    #[error(transparent)]
    Use(#[from] UseFault),
}

impl Fault {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match &self.kind {
            FaultKind::Unreadable(_) => "record_unreadable",
            FaultKind::Missing => "record_missing",
            FaultKind::NoLeaf => "no_leaf",
            FaultKind::Misplaced => "record_misplaced",
            FaultKind::PayloadAltered(_) => "payload_altered",
            FaultKind::PayloadMissing(_) => "payload_missing",
            FaultKind::ErasureUnrecorded(_) => "erasure_unrecorded",
            FaultKind::PayloadReturned(_) => "payload_returned",
            FaultKind::ErasureUnfit(_) => "erasure_unfit",
            FaultKind::OtherBytes => "record_altered",
            FaultKind::OtherRoot(..) => "records_altered",
            FaultKind::Cut(_) => "log_cut",
            FaultKind::HeadMisplaced(_) => "head_misplaced",
            FaultKind::Uncovered => "head_missing",
            FaultKind::Head(_) | FaultKind::Checkpoint(_) => "head_not_signed",
            FaultKind::OtherLog(_) => "other_log",
            FaultKind::Forked(_) => "log_forked",
            FaultKind::Grant(fault) => fault.code(),
            FaultKind::Use(fault) => fault.code(),
        }
    }
}

/// A fault as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The stable code.
    pub code: &'static str,
    /// Which log.
    pub log: String,
    /// The first bad record.
    pub seq: u64,
    /// What is wrong with it.
    pub message: String,
}

impl From<&Fault> for Told {
    fn from(fault: &Fault) -> Self {
        Self { code: fault.code(), log: fault.log.clone(), seq: fault.seq, message: fault.kind.to_string() }
    }
}
