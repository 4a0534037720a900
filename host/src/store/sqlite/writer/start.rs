//! How the writer begins: from a snapshot, or from the first record.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use policy_core::sabotaged;

use super::super::batch::Batch;
use super::super::snapshot::{self, Begun, Resumed};
use super::super::{Logs, load};
use super::Writer;
use crate::store::folding::{SnapshotRule, Verified};
use crate::store::types::StoreError;

impl Writer {
    /// Begins: from a snapshot where this rule is given and one fits, and else from the first record, and then a snapshot
    /// is written where the record is long.
    pub(in super::super) fn start(&mut self, rule: Option<SnapshotRule>) -> Result<Begun, StoreError> {
        let fold = Arc::clone(&self.fold);
        let Some((rule, snapshots)) = rule.zip(fold.snapshots()) else {
            self.load()?;
            return Ok(Begun::default());
        };
        if let Some(begun) = self.resume()? {
            snapshots.verified(Verified::Tail);
            return Ok(begun);
        }
        let logs = self.read_all()?;
        let covered = if logs.cut().records() < rule.least { None } else { self.keep_snapshot(&logs) };
        self.believe(logs);
        snapshots.verified(Verified::Whole);
        Ok(Begun { believed: None, covered })
    }

    /// Verifies and folds everything from the first record.
    pub(super) fn load(&mut self) -> Result<(), StoreError> {
        let logs = self.read_all()?;
        self.believe(logs);
        Ok(())
    }

    fn read_all(&mut self) -> Result<Logs, StoreError> {
        self.no_version_again();
        let Some(connection) = &self.connection else {
            return Err(StoreError::Database("it is closed".to_owned()));
        };
        self.fold.reset(self.floor);
        let fold = Arc::clone(&self.fold);
        let seen = load::Seen::read(self.shared.folder.path())?;
        load::check(connection, &seen, &self.shared.keys, &mut |record| fold.history(record))
    }

    /// INVARIANT: whatever was evaluated before this fold conflicts with it, since no version comes twice.
    fn no_version_again(&mut self) {
        self.counter = self.counter.saturating_add(1);
        self.floor = self.counter;
        self.versions.clear();
    }

    fn believe(&self, logs: Logs) {
        *self.shared.logs.write().unwrap_or_else(PoisonError::into_inner) = logs;
        self.fold.folded();
    }

    /// From the snapshot. Absent: there is none, or one that does not fit, which is taken away.
    fn resume(&mut self) -> Result<Option<Begun>, StoreError> {
        self.no_version_again();
        let fold = Arc::clone(&self.fold);
        let (Some(snapshots), Some(connection)) = (fold.snapshots(), &self.connection) else { return Ok(None) };
        let bytes = self.shared.place.read().unwrap_or_else(|error| {
            tracing::warn!(code = error.code(), %error, "the snapshot cannot be read; the whole record is");
            None
        });
        let Some(bytes) = bytes else { return Ok(None) };
        // The heads before the database: it may only be newer.
        let seen = load::Seen::read(self.shared.folder.path())?;
        let on = (&*fold, snapshots, self.floor);
        match snapshot::resume(connection, &seen, &self.shared.keys, &bytes, on) {
            Ok(Resumed { logs, believed }) => {
                let covered = believed.cuts.last().map(snapshot::Cut::records);
                tracing::info!(records = covered, "started from a snapshot; the rest is verified while the gate runs");
                self.shared.unread.store(true, Ordering::Release);
                self.believe(logs);
                Ok(Some(Begun { believed: Some(believed), covered }))
            }
            Err(unfit) => {
                tracing::warn!(%unfit, "the snapshot does not fit; the whole record is read");
                self.shared.place.remove()?;
                Ok(None)
            }
        }
    }

    /// Writes a snapshot of what was just read, before anybody can change it. How many records it covers.
    fn keep_snapshot(&self, logs: &Logs) -> Option<u64> {
        let form = self.fold.snapshots()?.form();
        let (cut, place) = (logs.cut(), &self.shared.place);
        let kept = form.map_err(|error| StoreError::Database(error.message)).and_then(|form| {
            let sealed = snapshot::seal(&self.shared.keys, &[cut], logs, &form)?;
            place.put(&sealed.bytes, place.turn())
        });
        match kept {
            Ok(kept) => kept.then_some(cut.records()),
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "no snapshot of the record could be written");
                None
            }
        }
    }

    /// Before and after something is erased: takes the snapshot away that may hold it.
    ///
    /// INVARIANT (R9): what is erased is in none any more when anybody is told so.
    pub(super) fn forget(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.erased.is_empty() || sabotaged!("r9_erased_in_snapshot") {
            return Ok(());
        }
        self.shared.place.remove()
    }
}
