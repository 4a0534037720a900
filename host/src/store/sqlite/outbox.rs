//! The outbox in the database: written by the record's own transaction, worked off over a connection of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy_core::time::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::schema::database;
use crate::store::keys::Keys;
use crate::store::outbox::{Attempt, Channel, Delivery, DeliveryState, Outbox, Outgoing};
use crate::store::types::StoreError;

const COLUMNS: &str = "id, seq, channel, target, message, state, attempts, due, at, error, code";

/// The id of a delivery, which stands in its row: not to be guessed without the key. After a restore other records come to
/// the same positions: with its time in it, no receiver takes what is told of them for a repeat of what was lost.
fn id(keys: &Keys, seq: u64, at: Timestamp, outgoing: &Outgoing) -> String {
    let what = format!("{seq}\n{}\n{}\n{}", at.millis(), outgoing.channel.word(), outgoing.target);
    let code = keys.code(b"proviso-delivery-id-v1\0", what.as_bytes()).to_string();
    let short: String = code.chars().take(32).collect();
    format!("msg_{short}")
}

/// The code over all of a row but where the delivery stands.
fn code(keys: &Keys, id: &str, seq: u64, at: Timestamp, outgoing: &Outgoing) -> String {
    let head = format!("{id}\n{seq}\n{}\n{}\n{}\n", at.millis(), outgoing.channel.word(), outgoing.target);
    let bytes = [head.as_bytes(), &outgoing.message].concat();
    keys.code(b"proviso-delivery-v1\0", &bytes).to_string()
}

/// Writes the row of what a record asks to be sent, in the record's transaction.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    keys: &Keys,
    seq: u64,
    at: Timestamp,
    outgoing: &Outgoing,
) -> Result<(), StoreError> {
    let id = id(keys, seq, at, outgoing);
    let code = code(keys, &id, seq, at, outgoing);
    let stored = i64::try_from(seq).map_err(|_| StoreError::Database("the log is full".to_owned()))?;
    // INVARIANT: a row that was put in by hand under this id must not keep a record from being written.
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO outbox (id, seq, channel, target, message, state, attempts, due, at, error, code)
             VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', 0, ?6, ?6, NULL, ?7)",
        )
        .and_then(|mut insert| {
            let (channel, target, message) = (outgoing.channel.word(), &outgoing.target, &outgoing.message);
            insert.execute(params![id, stored, channel, target, message, at.millis(), code])
        })
        .map(drop)
        .map_err(database)
}

/// The outbox of one database.
pub struct SqliteOutbox {
    connection: Mutex<Connection>,
    keys: Arc<Keys>,
}

impl SqliteOutbox {
    /// Opens the outbox of a database that a store has opened before.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub fn open(data: &Path, keys: Arc<Keys>) -> Result<Self, StoreError> {
        let opened = Connection::open(data.join(super::FILE)).and_then(|connection| {
            connection.busy_timeout(std::time::Duration::from_secs(2))?;
            // INVARIANT (R1): the record's writer waits for nobody's disk but its own. What is lost here after a power cut
            // is that something was delivered: it is delivered again.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            Ok(connection)
        });
        Ok(Self { connection: Mutex::new(opened.map_err(database)?), keys })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn select(&self, rest: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Delivery>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox {rest}")).map_err(database)?;
        let mut rows = statement.query(values).map_err(database)?;
        let (mut found, mut forged) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next().map_err(database)? {
            match self.read(row) {
                Some(delivery) => found.push(delivery),
                None => forged.push(row.get::<_, String>(0).map_err(database)?),
            }
        }
        drop(rows);
        drop(statement);
        for id in forged {
            // INVARIANT (R9): what the gate did not write itself is sent to nobody, under no signature of the gate's.
            tracing::error!(id, "a row of the outbox is not the gate's own; it is thrown away");
            connection.execute("DELETE FROM outbox WHERE id = ?1", params![id]).map_err(database)?;
        }
        Ok(found)
    }

    /// The row, if the gate wrote it.
    fn read(&self, row: &Row<'_>) -> Option<Delivery> {
        let (id, seq): (String, i64) = (row.get(0).ok()?, row.get(1).ok()?);
        let seq = u64::try_from(seq).ok()?;
        let (channel, state): (String, String) = (row.get(2).ok()?, row.get(5).ok()?);
        let outgoing =
            Outgoing { channel: Channel::of(&channel)?, target: row.get(3).ok()?, message: row.get(4).ok()? };
        let at = Timestamp::from_millis(row.get(8).ok()?);
        let stored: String = row.get(10).ok()?;
        if stored != code(&self.keys, &id, seq, at, &outgoing) {
            return None;
        }
        Some(Delivery {
            id,
            seq,
            channel: outgoing.channel,
            target: outgoing.target,
            message: outgoing.message,
            state: DeliveryState::of(&state)?,
            attempts: row.get(6).ok()?,
            due: Timestamp::from_millis(row.get(7).ok()?),
            at,
            error: row.get(9).ok()?,
        })
    }
}

impl Outbox for SqliteOutbox {
    fn due(&self, now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
        // One for each target: a receiver that hangs must not fill the answer with what waits for it.
        self.select(
            "WHERE id IN (SELECT id FROM
               (SELECT id, row_number() OVER (PARTITION BY channel, target ORDER BY due, seq) AS place
                  FROM outbox WHERE state = 'waiting' AND due <= ?1) WHERE place = 1) ORDER BY due, seq",
            &[&now.millis()],
        )
    }

    fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = "SELECT min(due) FROM outbox WHERE state = 'waiting'";
        let due: Option<i64> = self.connection().query_row(query, [], |row| row.get(0)).map_err(database)?;
        Ok(due.map(Timestamp::from_millis))
    }

    fn attempted(&self, id: &str, attempt: &Attempt) -> Result<(), StoreError> {
        let (state, due, error) = match attempt {
            Attempt::Delivered => (DeliveryState::Delivered, None, None),
            Attempt::Again { due, error } => (DeliveryState::Waiting, Some(due.millis()), Some(error)),
            Attempt::Dead { error } => (DeliveryState::Dead, None, Some(error)),
        };
        self.connection()
            .execute(
                "UPDATE outbox SET state = ?2, due = coalesce(?3, due), error = ?4, attempts = attempts + 1
                 WHERE id = ?1",
                params![id, state.word(), due, error],
            )
            .map(drop)
            .map_err(database)
    }

    fn list(&self, state: DeliveryState, most: usize) -> Result<Vec<Delivery>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.select("WHERE state = ?1 ORDER BY seq DESC, id LIMIT ?2", &[&state.word(), &most])
    }

    fn retry(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .execute(
                "UPDATE outbox SET state = 'waiting', attempts = 0, due = ?2 WHERE id = ?1 AND state = 'dead'",
                params![id, now.millis()],
            )
            .map_err(database)?;
        Ok(changed > 0)
    }

    fn give_up_before(&self, seq: u64, why: &str) -> Result<usize, StoreError> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.connection()
            .execute(
                "UPDATE outbox SET state = 'dead', error = ?2
                 WHERE state = 'waiting' AND seq < ?1 AND error IS NOT ?2",
                params![seq, why],
            )
            .map_err(database)
    }

    fn forget(&self, before: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .execute("DELETE FROM outbox WHERE state <> 'waiting' AND at < ?1", params![before.millis()])
            .map(drop)
            .map_err(database)
    }
}
