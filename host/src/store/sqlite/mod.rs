//! The embedded store: one SQLite file, one writer thread, many records in one transaction.
//!
//! What is not a leaf, a payload or a head has no authority, so there is no row that could be put in by hand. The outbox
//! beside them says what is to be sent to people; its rows carry a code, and nothing is decided on them.

mod batch;
mod copy;
mod erasing;
mod load;
mod log_state;
mod outbox;
mod reading;
mod schema;
mod snapshot;
mod source;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use audit_verify::TreeHash;
use audit_verify::erasure::{Erased, Erasures};
use audit_verify::source::StoredRecord;
use audit_verify::tree::{TILE, Tile, TileKind, bundle_entry};
use futures::future::BoxFuture;
use policy_core::sabotaged;
use rusqlite::Connection;
use tokio::sync::oneshot;

pub(super) use copy::copy_into;
pub(super) use load::{Seen, each_checked, no_strays};
pub use outbox::SqliteOutbox;
pub(super) use schema::open_read_only;
pub(super) use source::SqliteSource;

use super::folder::DataFolder;
use super::folding::SnapshotRule;
use super::keys::Keys;
use super::outline::{self, Sighted, Sought};
use super::types::{AppendError, Fold, Head, Log, NewRecord, Positions, Record, Store, StoreError, VersionKey};
use crate::random::Random;
use log_state::LogState;
use snapshot::{Behind, Cut, Place};
use writer::{Job, Writer};

/// The database's file in the data folder.
pub const FILE: &str = "record.sqlite";
/// How many jobs may wait. Beyond it the gate denies: a queue that only grows answers nobody.
const QUEUE: usize = 1024;

/// How long somebody waits for a record. A disk that hangs denies as one that fails does.
const PATIENCE: Duration = Duration::from_secs(5);
/// And how long for an erasure, which may be of very many payloads.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// The logs as memory holds them: what rows are held against.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) ledger: LogState,
    pub(super) decisions: LogState,
    /// What the ledger says was erased.
    pub(super) erasures: Arc<Erasures>,
    /// What is being erased: gone from the database a moment before the record of it is told to anybody.
    pub(super) erasing: Arc<Erasures>,
}

impl Logs {
    pub(super) const fn of(&self, log: Log) -> &LogState {
        match log {
            Log::Ledger => &self.ledger,
            Log::Decisions => &self.decisions,
        }
    }

    /// How far both go.
    fn cut(&self) -> Cut {
        Cut { ledger: self.ledger.tree.size(), decisions: self.decisions.tree.size() }
    }

    pub(super) const fn of_mut(&mut self, log: Log) -> &mut LogState {
        match log {
            Log::Ledger => &mut self.ledger,
            Log::Decisions => &mut self.decisions,
        }
    }
}

/// What writer and readers share.
struct Shared {
    folder: DataFolder,
    keys: Arc<Keys>,
    logs: RwLock<Logs>,
    /// Whether somebody waited in vain since the writer last came to an end.
    hangs: AtomicBool,
    /// Where the snapshot is.
    place: Place,
    /// Whether a part of the record is believed that was not read since the start.
    unread: AtomicBool,
}

/// The embedded store.
pub struct SqliteStore {
    shared: Arc<Shared>,
    fold: Arc<dyn Fold>,
    reader: Mutex<Connection>,
    queue: Option<SyncSender<Job>>,
    writer: Option<std::thread::JoinHandle<()>>,
    behind: Option<Behind>,
}

impl SqliteStore {
    /// Opens the database of a data folder, verifies both logs against their signed heads, folds every record and
    /// starts the writer.
    ///
    /// # Errors
    /// When the log is not what was signed, or is shorter than a head that was seen.
    pub fn open(
        folder: DataFolder,
        keys: Arc<Keys>,
        random: Arc<dyn Random>,
        fold: Arc<dyn Fold>,
    ) -> Result<Self, StoreError> {
        Self::open_by(folder, keys, random, fold, None)
    }

    /// The same, from a snapshot where there is one, and with one written where this rule says so: where the fold has a
    /// form.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_by(
        folder: DataFolder,
        keys: Arc<Keys>,
        random: Arc<dyn Random>,
        fold: Arc<dyn Fold>,
        rule: Option<SnapshotRule>,
    ) -> Result<Self, StoreError> {
        let path = folder.path().join(FILE);
        // INVARIANT (R9): a log that was there cannot start again from nothing.
        if !path.exists() && !Seen::read(folder.path())?.is_empty() {
            let (log, message) = (Log::Ledger.name().to_owned(), "the database is gone".to_owned());
            return Err(StoreError::Tampered { log, seq: 0, message });
        }
        let connection = schema::open(&path)?;
        let place = Place::of(folder.path());
        place.clear()?;
        let (hangs, unread) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { folder, keys, logs: RwLock::default(), hangs, place, unread });
        let (queue, jobs) = sync_channel(QUEUE);
        let mut writer = Writer::new(Arc::clone(&shared), connection, random, Arc::clone(&fold));
        let begun = writer.start(rule)?;
        writer.keep_reserve();
        let reader = Mutex::new(schema::open_read_only(&path)?);
        let writer = std::thread::Builder::new()
            .name("record-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|error| StoreError::Database(error.to_string()))?;
        let behind = |rule| Behind::start(Arc::clone(&shared), Arc::clone(&fold), rule, begun);
        let behind = rule.map(behind).transpose()?;
        Ok(Self { shared, fold, reader, queue: Some(queue), writer: Some(writer), behind })
    }
}

impl SqliteStore {
    /// Somebody waited in vain: the gate is not ready until the writer comes to an end.
    fn hang(&self) {
        if !self.shared.hangs.swap(true, Ordering::AcqRel) {
            tracing::error!("the record hangs; all is denied");
            self.fold.writable(false);
        }
    }
}

impl Drop for SqliteStore {
    /// Waits for the writer, so that the folder's lock ends after the last write.
    fn drop(&mut self) {
        drop(self.behind.take());
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to say.
            let _ = writer.join();
        }
    }
}

impl Store for SqliteStore {
    fn append(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>> {
        self.erase(expected, records, Vec::new())
    }

    fn erase(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
        erased: Vec<Erased>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>> {
        let (reply, answer) = oneshot::channel();
        let patience = if erased.is_empty() { PATIENCE } else { LONG_PATIENCE };
        let sent = self.queue.as_ref().map(|queue| queue.try_send(Job { expected, records, erased, reply }));
        Box::pin(async move {
            match sent {
                Some(Ok(())) if sabotaged!("r1_waits_for_ever") => {
                    answer.await.unwrap_or(Err(AppendError::Unavailable))
                }
                Some(Ok(())) => match tokio::time::timeout(patience, answer).await {
                    Ok(answer) => answer.unwrap_or(Err(AppendError::Unavailable)),
                    // INVARIANT (R1, R7): who hears nothing denies, and a stop is held; what comes to be written later was
                    // acknowledged to nobody.
                    Err(_) => {
                        self.hang();
                        Err(AppendError::Unavailable)
                    }
                },
                Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => {
                    Err(AppendError::Unavailable)
                }
            }
        })
    }

    fn record(&self, log: Log, seq: u64) -> Result<Option<Record>, StoreError> {
        self.stored(log, seq)?.map(|stored| load::open(log, &stored)).transpose()
    }

    fn stored(&self, log: Log, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (hash, known) = {
            let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
            let Some(hash) = logs.of(log).tree.leaf(seq) else { return Ok(None) };
            (hash, [Arc::clone(&logs.erasures), Arc::clone(&logs.erasing)])
        };
        load::read_stored(&reader, log, seq, &hash, &known).map(Some)
    }

    fn erased_by(&self, log: Log, name: &str, seq: u64) -> Option<u64> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        logs.erasures.said_by(log.name(), name, seq)
    }

    fn inclusion(&self, log: Log, seq: u64) -> Option<(Head, Vec<TreeHash>)> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        let state = logs.of(log);
        let head = state.head.clone()?;
        let proof = state.tree.inclusion(seq, head.size).ok()?;
        Some((head, proof))
    }

    fn before(&self, log: Log, end: u64, sought: &Sought, most: usize) -> Vec<Sighted> {
        outline::before(end, most, |end, most| {
            let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
            logs.of(log).outline.part(end, sought, most)
        })
    }

    fn head_over(&self, log: Log, size: u64) -> Result<Option<Head>, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        load::head_over(&reader, log, size)
    }

    fn inclusion_under(&self, log: Log, seq: u64, size: u64) -> Option<Vec<TreeHash>> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        logs.of(log).tree.inclusion(seq, size).ok()
    }

    fn consistency(&self, log: Log, older: u64) -> Option<(Head, Vec<TreeHash>)> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        let state = logs.of(log);
        let head = state.head.clone()?;
        let proof = state.tree.consistency(older, head.size).ok()?;
        Some((head, proof))
    }

    fn last_heads_of_keys(&self, log: Log) -> Result<Vec<Head>, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        load::last_heads_of_keys(&reader, log)
    }

    fn tile(&self, log: Log, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        match tile.kind {
            TileKind::Hashes(level) => {
                let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
                Ok(logs.of(log).tree.tile(level, tile.index, tile.width))
            }
            TileKind::Entries => {
                let first = tile.index.saturating_mul(TILE);
                let mut bundle = Vec::new();
                for seq in first..first.saturating_add(u64::from(tile.width)) {
                    let Some(stored) = self.stored(log, seq)? else { return Ok(None) };
                    // No leaf is larger than what a tile admits.
                    if !bundle_entry(&mut bundle, &stored.bytes) {
                        return Ok(None);
                    }
                }
                Ok(Some(bundle))
            }
        }
    }

    fn heads(&self) -> Vec<Head> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        Log::ALL.into_iter().filter_map(|log| logs.of(log).head.clone()).collect()
    }
}

/// The path of the database in a data folder.
pub(super) fn path(data: &Path) -> std::path::PathBuf {
    data.join(FILE)
}
