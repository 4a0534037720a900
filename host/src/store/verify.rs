//! Verifies a data folder's record offline: `proviso audit verify`. Believes nothing but the keys.

use std::path::Path;

use serde::Serialize;

use super::keys::Keys;
use super::sqlite;
use super::types::{Log, StoreError};

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each log.
    pub logs: Vec<LogReport>,
}

/// One log that verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Which.
    pub log: String,
    /// How many records.
    pub records: u64,
    /// The newest head, a C2SP signed note; absent while the log is empty.
    pub head: Option<String>,
}

/// Reads every record and payload, every signed head and the heads kept beside the database, while a gate may be
/// running.
///
/// # Errors
/// [`StoreError::Tampered`] names the log and the first bad record.
pub fn verify(data: &Path) -> Result<Report, StoreError> {
    let keys = Keys::read(data)?;
    let seen = sqlite::Seen::read(data)?;
    let connection = sqlite::open_read_only(&sqlite::path(data))?;
    // One snapshot for everything, also while a gate writes.
    connection.execute_batch("BEGIN").map_err(|error| StoreError::Database(error.to_string()))?;
    let checked = sqlite::check(&connection, &seen, &keys, true, &mut |_| Ok(()))?;
    let logs = Log::ALL.into_iter().map(|log| {
        let state = checked.of(log);
        let head = state.head.as_ref().map(|head| head.note.clone());
        LogReport { log: log.name().to_owned(), records: state.size(), head }
    });
    Ok(Report { logs: logs.collect() })
}
