//! What a lane reads of the record, and asks of a head that a receiver holds.

use audit_verify::erasure::{self, Erased};
use audit_verify::source::StoredRecord;
use audit_verify::tree::Tile;

use crate::app::App;
use crate::app::event::EVENT;
use crate::app::refusal::Refusal;
use crate::store::{Head, Log, SeenHead, StoreError};

/// How a head that a receiver holds stands to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadStanding {
    /// The record begins with what it covers: so many records.
    Ours(u64),
    /// It is of a record of this gate's that was lost: an epoch tells of it.
    Lost,
    /// It is none of this gate's, or no head at all.
    Foreign,
}

impl App {
    /// The newest head of each log.
    pub fn heads(&self) -> Vec<Head> {
        self.store().heads()
    }

    /// One record with its payloads, verified.
    ///
    /// # Errors
    /// When what stands there is not what was written.
    pub fn stored_record(&self, log: Log, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        self.store().stored(log, seq)
    }

    /// Which record of the ledger says that a payload was erased. Absent: none does, or it is being erased right now.
    pub fn erased_by(&self, log: Log, name: &str, seq: u64) -> Option<u64> {
        self.store().erased_by(log, name, seq)
    }

    /// The records of the ledger from this one on that say what was erased.
    pub fn erasures_from(&self, seq: u64) -> Vec<u64> {
        self.state().erasures.range(seq..).map(|(seq, _)| *seq).collect()
    }

    /// What a record of the ledger says was erased.
    ///
    /// # Errors
    /// As [`Self::stored_record`].
    pub fn said_erased(&self, seq: u64) -> Result<Vec<Erased>, StoreError> {
        let record = self.store().record(Log::Ledger, seq)?;
        let event = record.as_ref().and_then(|record| record.payload(EVENT));
        Ok(event.and_then(erasure::read).unwrap_or_default())
    }

    /// A tile of hashes. Absent: the log does not fill it.
    pub fn hash_tile(&self, log: Log, tile: Tile) -> Option<Vec<u8>> {
        self.store().tile(log, tile).ok().flatten()
    }

    /// The last head of each key that signed before the one that signs now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_heads_of_keys(&self, log: Log) -> Result<Vec<Head>, StoreError> {
        self.store().last_heads_of_keys(log)
    }

    /// Looks at a head that a receiver holds. One that this record does not lead to, and that no epoch has told of,
    /// begins an epoch: then nothing of before is honoured until people confirm it (R9).
    ///
    /// # Errors
    /// `record_unavailable`; `keys_unwritable`.
    pub async fn look_at_head(&self, log: Log, place: &str, note: &str) -> Result<HeadStanding, Refusal> {
        if let Some(size) = self.covers(log, note) {
            return Ok(HeadStanding::Ours(size));
        }
        let seen = SeenHead { place: place.to_owned(), note: note.to_owned() };
        self.begin_epoch_where_due(None, std::slice::from_ref(&seen), Vec::new()).await?;
        Ok(if self.is_lost(log, note) { HeadStanding::Lost } else { HeadStanding::Foreign })
    }
}
