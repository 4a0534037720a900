//! Where records come from.

use crate::fault::Fault;

/// The most records of one page.
pub const PAGE: usize = 256;

/// A payload as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPayload {
    /// Its name in the leaf.
    pub name: String,
    /// What it holds. Absent: it was erased, which another record says.
    pub content: Option<Content>,
}

/// What a payload holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The salt of its commitment.
    pub salt: Vec<u8>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl StoredPayload {
    /// One that is there.
    pub fn new(name: impl Into<String>, salt: Vec<u8>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), content: Some(Content { salt, bytes }) }
    }

    /// One that was erased.
    pub fn erased(name: impl Into<String>) -> Self {
        Self { name: name.into(), content: None }
    }

    /// Whether it was erased.
    pub const fn is_erased(&self) -> bool {
        self.content.is_none()
    }
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The position that it stands at.
    pub seq: u64,
    /// The leaf's bytes.
    pub bytes: Vec<u8>,
    /// Its payloads.
    pub payloads: Vec<StoredPayload>,
    /// The leaf's hash as a tile of hashes holds it, where there are tiles.
    pub listed: Option<crate::hash::TreeHash>,
}

impl StoredRecord {
    /// A payload by its name. Absent: it has none, or that one was erased.
    pub fn payload(&self, name: &str) -> Option<&[u8]> {
        let found = self.payloads.iter().find(|payload| payload.name == name)?;
        found.content.as_ref().map(|content| content.bytes.as_slice())
    }

    /// Whether it has a payload of this name, and that one was erased.
    pub fn has_erased(&self, name: &str) -> bool {
        self.payloads.iter().any(|payload| payload.name == name && payload.is_erased())
    }
}

/// What a source hands over of a log, in its order: a head comes right after the last record that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A record.
    Record(StoredRecord),
    /// A signed note.
    Head(String),
}

/// A log and how many records it says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSize {
    /// Its name.
    pub log: String,
    /// How many: to tell progress by, and believed for nothing else.
    pub records: u64,
}

/// Who takes what a source hands over.
pub type Each<'a> = &'a mut dyn FnMut(Entry) -> Result<(), Fault>;

/// A store, an export, a copy: whatever holds logs.
pub trait Source {
    /// The logs, `ledger` first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn logs(&self) -> Result<Vec<LogSize>, Fault>;

    /// Hands over a log from its first record on.
    ///
    /// # Errors
    /// When it cannot be read, or what takes the entries says that one is bad.
    fn read(&self, log: &str, each: Each<'_>) -> Result<(), Fault>;

    /// The next records from a position on, at most [`PAGE`] and without heads: for who reads two logs side by side.
    /// None: the log ends there.
    ///
    /// # Errors
    /// When it cannot be read.
    fn page(&self, log: &str, from: u64) -> Result<Vec<StoredRecord>, Fault>;
}
