//! What a copy is written into.

use futures::future::BoxFuture;
use thiserror::Error;

/// Why a receiver did not take or give something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SinkError {
    /// In words for people: without an address, which may be a secret.
    #[error("{0}")]
    Failed(String),
    /// There was no answer, or no whole one: whatever else is sent now has none either.
    #[error("{0}")]
    Unreached(String),
    /// What it holds is of another record, or more than this one has: it is left as it is.
    #[error("it holds another record, or more of this one than there is: it is left as it is")]
    OtherRecord,
}

impl SinkError {
    pub(super) fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The most that is read of a head or a mark.
pub(super) const SHORT: usize = 1 << 20;
/// The most that is read of a file of payloads: of 256 records, each with calls of a megabyte.
pub(super) const LARGE: usize = 1 << 29;

/// A place that holds files by their paths, such as `ledger/tile/0/000`.
pub(super) trait Sink: Send + Sync + 'static {
    /// What stands there; absent: nothing. What is longer than `most` is not read.
    fn get<'a>(&'a self, path: &'a str, most: usize) -> BoxFuture<'a, Result<Option<Vec<u8>>, SinkError>>;
    /// Puts a file there, whole or not at all, in the place of one that is there. Durable when it answers.
    fn put<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), SinkError>>;
    /// Takes away what nobody reads any more. One that keeps it does no harm.
    fn remove<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<(), SinkError>>;
}
