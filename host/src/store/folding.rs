//! What whoever folds records has to do besides, so that a start need not read all of them before it answers.

use std::time::Duration;

use super::types::{FoldError, Record};

/// A fold that has a form: what it believes at a position, as bytes.
pub trait Snapshots: Send + Sync {
    /// History follows from where this form was made, to be folded aside, instead of from the first record. `floor` as in
    /// [`Fold::reset`](super::Fold::reset).
    ///
    /// # Errors
    /// When the bytes are no form that this release writes.
    fn resume(&self, floor: u64, form: &[u8]) -> Result<(), FoldError>;

    /// What was folded aside so far. The same records, in the same order, have the same form byte for byte.
    ///
    /// # Errors
    /// When it has none.
    fn form(&self) -> Result<Vec<u8>, FoldError>;

    /// Nothing folded yet, beside all that is believed: for whoever folds the record once more.
    fn aside(&self) -> Box<dyn Aside>;

    /// How much of the record was verified since the start.
    fn verified(&self, how: Verified);

    /// The record is not what was believed at the start. INVARIANT (R9): no exception is honoured from here on.
    fn doubted(&self, why: &str);
}

/// Records folded beside all that is believed.
pub trait Aside: Send {
    /// Goes on from where this form was made.
    ///
    /// # Errors
    /// When the bytes are no form that this release writes.
    fn resume(&mut self, form: &[u8]) -> Result<(), FoldError>;

    /// One more verified record.
    ///
    /// # Errors
    /// When no rule can have written it.
    fn history(&mut self, record: &Record) -> Result<(), FoldError>;

    /// As [`Snapshots::form`].
    ///
    /// # Errors
    /// When it has none.
    fn form(&mut self) -> Result<Vec<u8>, FoldError>;
}

/// How much of the record was verified since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// What came behind the snapshot; the rest is being read.
    Tail,
    /// All of it.
    Whole,
}

impl Verified {
    /// The word, as in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tail => "tail",
            Self::Whole => "whole",
        }
    }
}

/// When snapshots are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotRule {
    /// From how many records on there is one: fewer are read as fast as it is.
    pub least: u64,
    /// After how many records the next one is made.
    pub every: u64,
    /// How often it is looked whether one is due.
    pub look: Duration,
}

impl Default for SnapshotRule {
    fn default() -> Self {
        Self { least: 20_000, every: 20_000, look: Duration::from_secs(60) }
    }
}
