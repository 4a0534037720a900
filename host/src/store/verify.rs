//! Verifies and exports a data folder's record offline: `proviso audit`. Believes nothing but the keys.

use std::path::Path;

use audit_verify::erasure::Returned;
use audit_verify::log::Trust;
use audit_verify::run::{self, Progress, Report};
use audit_verify::source::{Source, StoredRecord};
use audit_verify::{Fault, FaultKind, export};
use rusqlite::Connection;

use super::keys::Keys;
use super::modules::Modules;
use super::sqlite::{self, SqliteSource};
use super::types::{FoldError, Log, Record, StoreError};

/// Why a record is not what was signed, or cannot be looked at.
#[derive(Debug)]
pub enum VerifyError {
    /// A record is bad.
    Fault(Fault),
    /// The folder.
    Store(StoreError),
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for VerifyError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Reads every record and payload, every signed head, the heads kept beside the database, those of the snapshot and these
/// older ones, while a gate may be running; makes each grant anew from its votes. With `trust` by those keys, and else by
/// the folder's own.
///
/// # Errors
/// The first bad record.
pub fn verify(
    data: &Path,
    trust: Option<&Trust>,
    held: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, VerifyError> {
    let keys = Keys::read(data)?;
    let seen = sqlite::Seen::read(data)?;
    let connection = snapshot(data)?;
    let own = keys.trust();
    let held: Vec<String> = seen.notes(&own).chain(held).cloned().collect();
    let report = run::verify(&SqliteSource::new(&connection, true), trust.unwrap_or(&own), &held, progress)?;
    // A copy that was made before may hold what was erased since; the record itself may not.
    if let Some(Returned { log, seq, name, .. }) = &report.erased.returned {
        let kind = FaultKind::PayloadReturned(name.clone());
        return Err(Fault { log: log.clone(), seq: *seq, kind }.into());
    }
    sqlite::no_strays(&connection)?;
    Ok(report)
}

/// Writes the record into a folder that anybody can check without the gate, while a gate may be running.
///
/// # Errors
/// When the one cannot be read, or the other not be written.
pub fn export(data: &Path, folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), VerifyError> {
    let keys = Keys::read(data)?;
    let connection = snapshot(data)?;
    export::write(&SqliteSource::new(&connection, true), &keys.trust().keys, folder, progress)?;
    Ok(Modules::of(data).copy_to(&Modules::of(folder))?)
}

/// Hands over a data folder's record as a source, in one state also while a gate may be running, with the keys that its
/// heads are believed by.
///
/// # Errors
/// When the folder cannot be read.
pub fn with_source<T>(data: &Path, work: impl FnOnce(&dyn Source, &Trust) -> T) -> Result<T, StoreError> {
    let keys = Keys::read(data)?;
    let connection = snapshot(data)?;
    Ok(work(&SqliteSource::new(&connection, true), &keys.trust()))
}

/// A record that is read while a gate writes it: one after the other, each as it stands.
pub struct Following {
    connection: Connection,
}

impl Following {
    /// Opens a data folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: sqlite::open_read_only(&sqlite::path(data))? })
    }

    /// One record; absent: there is none yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn record(&self, log: Log, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        let record = SqliteSource::new(&self.connection, false).record(log, seq);
        record.map_err(|error| StoreError::Database(error.to_string()))
    }
}

/// Verifies the record and hands over each of its records, the ledger's first, while a gate may be running.
///
/// # Errors
/// `log_tampered` at the first bad record, and at one that whoever takes it cannot believe.
pub fn each_record(data: &Path, each: &mut dyn FnMut(&Record) -> Result<(), FoldError>) -> Result<(), StoreError> {
    let keys = Keys::read(data)?;
    let seen = sqlite::Seen::read(data)?;
    sqlite::each_checked(&snapshot(data)?, &seen, &keys, each)
}

/// One state of the database for everything that follows, also while a gate writes.
fn snapshot(data: &Path) -> Result<Connection, StoreError> {
    let connection = sqlite::open_read_only(&sqlite::path(data))?;
    connection.execute_batch("BEGIN").map_err(|error| StoreError::Database(error.to_string()))?;
    Ok(connection)
}

/// What a test wants to know: how much was verified, or the code of what is wrong.
#[cfg(test)]
pub fn audited(data: &Path) -> Result<Report, &'static str> {
    verify(data, None, &[], &mut |_| {}).map_err(|error| match error {
        VerifyError::Fault(_) => "log_tampered",
        VerifyError::Store(error) => error.code(),
    })
}
