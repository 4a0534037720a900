//! What a store takes and gives.

use std::fmt;

use audit_verify::erasure::Erased;
use audit_verify::source::StoredRecord;
use audit_verify::tree::Tile;
use audit_verify::{Fault, FaultKind, TreeHash};
use futures::future::BoxFuture;
use policy_core::digest::Digest;
use policy_core::leaf::Leaf;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::folding::Snapshots;
use super::outbox::Outgoing;
use super::outline::{Sighted, Sought};

/// The two logs of one gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Log {
    /// Exceptions, identities, locks, activations.
    Ledger,
    /// What this gate decided.
    Decisions,
}

impl Log {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ledger, Self::Decisions];

    /// The name, as leaves and heads hold it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Decisions => "decisions/main",
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an outcome may have read. Each has a version that changes with every record that touches it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionKey {
    /// The active bundle, and whether the clock is trusted: what every outcome reads.
    Bundle,
    /// All locks.
    Locks,
    /// An exception with its grant and the grant's counters.
    Exception(String),
    /// What a task was already permitted.
    Task(String),
    /// A credential, link or session.
    Identity(String),
    /// The requests of one subject.
    Requests(String),
    /// Who was told of an exception.
    Routing(String),
    /// All deputies.
    Deputies,
    /// All legal holds.
    Holds,
    /// The erasures that people proposed.
    Erasures,
    /// Who owns what, and who has left.
    Ownership,
    /// How people come in.
    Members,
    /// What was reported of the uses of an exception's grant.
    Reports(String),
    /// A finding.
    Finding(String),
    /// The evidence of one source.
    Evidence(String),
    /// The bundles that are proposed, and the votes on them.
    Proposals,
}

/// A record to append.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// Where.
    pub log: Log,
    /// When, by the gate's clock.
    pub at: Timestamp,
    /// What kind.
    pub kind: String,
    /// What it is about; ids of people, subjects and tasks only as pseudonyms.
    pub stream: String,
    /// The outcome's word, for evaluations.
    pub outcome: Option<String>,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// The module that evaluated.
    pub module: Option<Digest>,
    /// The bundle that was active.
    pub bundle: Option<Digest>,
    /// Payloads by name. They stand in the payload store; the leaf holds salted commitments.
    pub payloads: Vec<(&'static str, Vec<u8>)>,
    /// What it changes the version of.
    pub touches: Vec<VersionKey>,
    /// Whether it stops something: then the space that is kept free on the disk is for it.
    pub urgent: bool,
    /// What is sent to people once it is durable: written in the same transaction, and never what is believed.
    pub outbox: Vec<Outgoing>,
}

/// A record as the log holds it, verified.
#[derive(Debug, Clone)]
pub struct Record {
    /// Which log.
    pub log: Log,
    /// The leaf.
    pub leaf: Leaf,
    /// The payloads by name.
    pub payloads: Vec<(String, Vec<u8>)>,
    /// The names of those that were erased.
    pub erased: Vec<String>,
}

impl Record {
    /// Whether it has a payload of this name, and that one was erased.
    pub fn has_erased(&self, name: &str) -> bool {
        self.erased.iter().any(|erased| erased == name)
    }

    /// A payload by its name.
    pub fn payload(&self, name: &str) -> Option<&[u8]> {
        self.payloads.iter().find(|(given, _)| given == name).map(|(_, bytes)| bytes.as_slice())
    }
}

/// Where a job's records stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// Log and sequence number of each record, in the order they were given.
    pub records: Vec<(Log, u64)>,
    /// How many ledger records stand after it.
    pub ledger: u64,
}

/// Why a job was not admitted. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendError {
    /// What it read has changed: evaluate again.
    #[error("what the outcome read has changed")]
    Conflict(Vec<VersionKey>),
    /// The record cannot be written.
    #[error("the record cannot be written")]
    Unavailable,
}

/// Why history cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FoldError {
    /// What is wrong.
    pub message: String,
}

/// Who folds what the store hands over, always in the order of the logs.
pub trait Fold: Send + Sync + 'static {
    /// History follows from the first record, to be folded aside. `floor` is the version of everything that no later
    /// record touches, higher than any version given out before.
    fn reset(&self, floor: u64);
    /// One verified record of history. Every ledger record comes before any decision.
    ///
    /// # Errors
    /// When no rule can have written it.
    fn history(&self, record: &Record) -> Result<(), FoldError>;
    /// History has ended and all of it verified: what was folded aside is the truth from now on.
    fn folded(&self);
    /// New records with the new versions of what they touch: durable, and nobody was told yet.
    ///
    /// # Errors
    /// When one does not fold. Nobody is told that it stands, and what is folded is dropped.
    fn admitted(&self, records: &[Record], versions: &[(VersionKey, u64)]) -> Result<(), FoldError>;
    /// Whether records can be written.
    fn writable(&self, writable: bool);
    /// The same fold as one that has a form; absent: history is folded from the first record at each start.
    fn snapshots(&self) -> Option<&dyn Snapshots> {
        None
    }
}

/// Where a log stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which log.
    pub log: Log,
    /// How many records.
    pub size: u64,
    /// The C2SP signed note.
    pub note: String,
}

/// The record, at the level of use cases.
pub trait Store: Send + Sync + 'static {
    /// Appends these records if what the outcome read is unchanged: all or none, durable before the answer (R1).
    fn append(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>>;

    /// The same, and takes payloads out for good, in the same transaction: what the records say was erased. All of it is
    /// there still, or nothing is done and what is there now has to be looked at again.
    fn erase(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
        erased: Vec<Erased>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>>;

    /// One record with its payloads, verified against the tree in memory. Absent when there is no such record.
    ///
    /// # Errors
    /// `log_tampered` when what stands there is not what was written.
    fn record(&self, log: Log, seq: u64) -> Result<Option<Record>, StoreError>;

    /// The newest heads.
    fn heads(&self) -> Vec<Head>;

    /// One record as it is stored, with the salts of its payloads, verified against the tree in memory.
    ///
    /// # Errors
    /// `log_tampered` when what stands there is not what was written.
    fn stored(&self, log: Log, seq: u64) -> Result<Option<StoredRecord>, StoreError>;

    /// Which record of the ledger says that this payload was erased. Absent: none does, or it is being erased right now.
    fn erased_by(&self, log: Log, name: &str, seq: u64) -> Option<u64>;

    /// The newest head and the hashes that lead from a record to its root. Absent: it covers no such record.
    fn inclusion(&self, log: Log, seq: u64) -> Option<(Head, Vec<TreeHash>)>;

    /// At most `most` places before `end` whose leaves fit, the newest first: from memory, nothing is read.
    fn before(&self, log: Log, end: u64, sought: &Sought, most: usize) -> Vec<Sighted>;

    /// The head over exactly so many records, as it was signed then. Absent: none was.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn head_over(&self, log: Log, size: u64) -> Result<Option<Head>, StoreError>;

    /// The hashes that lead from a record to the root over so many records. Absent: there are not so many, or it is none
    /// of them.
    fn inclusion_under(&self, log: Log, seq: u64, size: u64) -> Option<Vec<TreeHash>>;

    /// The newest head and the hashes that show that the first `older` records are its beginning. Absent: it covers
    /// fewer.
    fn consistency(&self, log: Log, older: u64) -> Option<(Head, Vec<TreeHash>)>;

    /// The last head of each key that signed before the one that signs now, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn last_heads_of_keys(&self, log: Log) -> Result<Vec<Head>, StoreError>;

    /// A tile's bytes (C2SP tlog-tiles). Absent: the log does not fill it.
    ///
    /// # Errors
    /// As [`Self::stored`].
    fn tile(&self, log: Log, tile: Tile) -> Result<Option<Vec<u8>>, StoreError>;
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Unreadable(message) => Self::Database(message),
            kind => Self::Tampered { log: fault.log, seq: fault.seq, message: kind.to_string() },
        }
    }
}

/// Why the data folder or the logs in it cannot be used.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another gate has it open.
    #[error("the data folder `{0}` is in use by another gate")]
    InUse(String),
    /// It is a demo's and a gate wants it, or the other way round.
    #[error("the data folder `{folder}` is marked `{marked}`, not `{wanted}`")]
    WrongFolder {
        /// The folder.
        folder: String,
        /// What it is marked as.
        marked: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// It is a data folder, and something wants to put folders of its own into it.
    #[error("`{folder}` is itself a data folder, of a {marked}")]
    IsDataFolder {
        /// The folder.
        folder: String,
        /// What it is marked as.
        marked: String,
    },
    /// It is not marked, and a data folder is needed.
    #[error("`{0}` is no data folder")]
    NoDataFolder(String),
    /// It is not marked as a backup.
    #[error("`{0}` is no backup, or one that was not finished")]
    NoBackup(String),
    /// Something is to be written into it, and it holds something already.
    #[error("`{0}` holds something already")]
    NotEmpty(String),
    /// It holds files and no mark.
    #[error("the data folder `{0}` holds files that are not ours")]
    NotOurs(String),
    /// Others may read or enter it.
    #[error("others than its owner can enter `{0}`")]
    Open(String),
    /// A log is not what was signed.
    #[error("the log `{log}` is not what was signed, at record {seq}: {message}")]
    Tampered {
        /// Which log.
        log: String,
        /// The first bad record.
        seq: u64,
        /// What is wrong with it.
        message: String,
    },
    /// A module that is kept is not the one that its name says.
    #[error("`{0}` is not the policy module that its name says")]
    ModuleAltered(String),
    /// The database.
    #[error("the database cannot be used: {0}")]
    Database(String),
    /// A file.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl StoreError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse(_) => "data_folder_in_use",
            Self::WrongFolder { .. } | Self::IsDataFolder { .. } => "wrong_data_folder",
            Self::NotOurs(_) | Self::NoDataFolder(_) => "not_a_data_folder",
            Self::NoBackup(_) => "not_a_backup",
            Self::NotEmpty(_) => "folder_not_empty",
            Self::Open(_) => "data_folder_open",
            Self::Tampered { .. } => "log_tampered",
            Self::ModuleAltered(_) => "module_altered",
            Self::Database(_) => "database_unusable",
            Self::File { .. } => "file_unusable",
        }
    }

    /// What to do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::InUse(_) => "stop the other gate, or give another folder with `--data`",
            Self::WrongFolder { .. } => "give another folder with `--data`: a demo's record never becomes a gate's",
            Self::IsDataFolder { .. } => "give a folder that is none: a demo makes its data folder inside of it",
            Self::NoDataFolder(_) => "give a folder that a gate has made",
            Self::NoBackup(_) => "give a folder that `proviso backup` has written to its end",
            Self::NotEmpty(_) => "give a folder that is not there, or is empty",
            Self::NotOurs(_) => "give an empty folder, or one that a gate has made",
            Self::Open(_) => "`chmod 700` the folder; it holds the gate's keys",
            Self::Tampered { .. } => "keep the folder as it is and run `proviso audit verify`; restore nothing over it",
            Self::ModuleAltered(_) => {
                "find out who changed it, and take it away: a gate writes the module that it runs again"
            }
            Self::Database(_) | Self::File { .. } => "look at the disk and at who owns the folder",
        }
    }
}
