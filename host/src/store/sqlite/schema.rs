//! The database: four tables of the record with triggers that refuse what a log never does, and the outbox.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::store::types::StoreError;

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
CREATE TRIGGER IF NOT EXISTS payload_no_update BEFORE UPDATE ON payload
  BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
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

/// The writer's connection.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let opened = Connection::open(path).and_then(|connection| {
        connection.busy_timeout(std::time::Duration::from_secs(2))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // INVARIANT (R1): a commit that answered is on the disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(connection)
    });
    opened.map_err(database)
}

/// A connection that cannot write.
pub(in crate::store) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(2)).map_err(database)?;
    Ok(connection)
}

/// Whether a write reaches the disk.
pub(super) fn probe(connection: &mut Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("BEGIN IMMEDIATE; UPDATE meta SET value = value + 1 WHERE name = 'probe'; COMMIT;")
        .map_err(database)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(super) fn database(error: rusqlite::Error) -> StoreError {
    StoreError::Database(error.to_string())
}
