//! The database: four tables of the record with triggers that refuse what a log never does, and the outbox.

use std::path::Path;

use policy_core::sabotaged;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::types::StoreError;

/// How long a write waits for another one.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

const FORMAT: &str = "SELECT value FROM meta WHERE name = 'format'";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS leaf (
  log TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (log, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payload (
  log TEXT NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, salt BLOB NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (log, seq, name)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (
  log TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
  PRIMARY KEY (log, size)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS leaf_no_update BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER IF NOT EXISTS leaf_no_delete BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER IF NOT EXISTS head_no_update BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER IF NOT EXISTS head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER IF NOT EXISTS payload_no_delete BEFORE DELETE ON payload
  BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TABLE IF NOT EXISTS outbox (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, channel TEXT NOT NULL, target TEXT NOT NULL, message BLOB NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, at INTEGER NOT NULL, error TEXT,
  code TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, channel, target, due);
INSERT OR IGNORE INTO meta VALUES ('format', '1');
INSERT OR IGNORE INTO meta VALUES ('probe', '0');
";

/// INVARIANT (R9): of all that is written one thing may change: a payload loses its bytes and its salt, and keeps its
/// place.
const ERASING: &str = "
DROP TRIGGER IF EXISTS payload_no_update;
CREATE TRIGGER payload_no_update BEFORE UPDATE ON payload
  WHEN NOT (NEW.log IS OLD.log AND NEW.seq IS OLD.seq AND NEW.name IS OLD.name
    AND length(NEW.salt) = 0 AND length(NEW.bytes) = 0)
  BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
UPDATE meta SET value = '2' WHERE name = 'format';
";

/// The writer's connection.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let opened = Connection::open(path).and_then(|connection| {
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // INVARIANT (R1): a commit that answered is on the disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is erased is overwritten, and not only forgotten.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.execute_batch(SCHEMA)?;
        let format: String = connection.query_row(FORMAT, [], |row| row.get(0))?;
        if format == "1" {
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {ERASING} COMMIT;"))?;
        }
        // What was erased before a power cut is in no older page of the log of writes either. And a gate before this one
        // may have gone with a sync that had failed. Where there is no room for it, stops may still find some.
        if !sabotaged!("r1_failed_sync_trusted")
            && let Err(error) = truncate(&connection)
        {
            if is_disk(&error) {
                return Err(error);
            }
            tracing::warn!(%error, "the log of writes could not be emptied");
        }
        Ok(connection)
    });
    opened.map_err(database)
}

/// Brings everything into the database itself and empties the write-ahead log, which holds pages as they were before.
/// Waits for nobody: whether that was possible, beside who reads.
///
/// INVARIANT (R1): after a sync that failed, what the system still shows of a file may never reach the disk, and no later
/// sync says so. What is believed from then on was written once more, and that sync is the one that counts.
pub(super) fn truncate(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(PATIENCE)?;
    match busy {
        Ok(busy) => Ok(busy == 0),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A connection that cannot write.
pub(in crate::store) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(database)?;
    connection.busy_timeout(PATIENCE).map_err(database)?;
    Ok(connection)
}

/// Takes over what the write-ahead log holds into the database, as far as nobody reads it. SQLite does the same by itself,
/// but passes over what fails there.
pub(super) fn take_over(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Whether it is the disk that failed, and not what was wanted of it or the room on it.
pub(super) fn is_disk(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

/// Whether a write reaches the disk.
pub(super) fn probe(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET value = value + 1 WHERE name = 'probe'; COMMIT;")
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(super) fn database(error: rusqlite::Error) -> StoreError {
    StoreError::Database(error.to_string())
}
