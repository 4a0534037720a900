//! How the writer begins: from a snapshot, or from the first record.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::super::snapshot::{self, Begun, Resumed};
use super::super::{Logs, load};
use super::Writer;
use crate::store::folding::{SnapshotRule, Verified};
use crate::store::types::StoreError;

/// What became of the snapshot.
enum Resumption {
    /// The start is from it.
    From(Begun),
    /// It does not fit.
    Unfit,
    /// There is none.
    None,
}

impl Writer {
    /// Begins: from a snapshot where this rule is given and one fits, and else from the first record, and then a snapshot
    /// is written where the record is long.
    ///
    /// INVARIANT (R9): one that does not fit is taken away by a start that found the record to be what was signed, under
    /// the heads that it names as well. Until then it stays: it may be all that shows that the record was cut.
    pub(in super::super) fn start(&mut self, rule: Option<SnapshotRule>) -> Result<Begun, StoreError> {
        let fold = Arc::clone(&self.fold);
        let Some((rule, snapshots)) = rule.zip(fold.snapshots()) else {
            self.load()?;
            return Ok(Begun::default());
        };
        let is_unfit = match self.resume()? {
            Resumption::From(begun) => {
                snapshots.verified(Verified::Tail);
                return Ok(begun);
            }
            Resumption::Unfit => true,
            Resumption::None => false,
        };
        let logs = self.read_all()?;
        if is_unfit {
            self.shared.place.remove()?;
        }
        if let Err(error) = self.shared.place.end() {
            tracing::warn!(code = error.code(), %error, "the next start will read the whole record as well");
        }
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

    /// From the snapshot, if there is one that fits.
    fn resume(&mut self) -> Result<Resumption, StoreError> {
        self.no_version_again();
        let (fold, place) = (Arc::clone(&self.fold), &self.shared.place);
        let (Some(snapshots), Some(connection)) = (fold.snapshots(), &self.connection) else {
            return Ok(Resumption::None);
        };
        let bytes = place.read().unwrap_or_else(|error| {
            tracing::warn!(code = error.code(), %error, "the snapshot cannot be read; the whole record is");
            None
        });
        let Some(bytes) = bytes else { return Ok(Resumption::None) };
        if place.is_begun() {
            tracing::warn!("a start from this snapshot never came to verify the rest; the whole record is read first");
            return Ok(Resumption::Unfit);
        }
        // The heads before the database: it may only be newer.
        let seen = load::Seen::read(self.shared.folder.path())?;
        let on = (&*fold, snapshots, self.floor);
        let resumed = snapshot::resume(connection, &seen, &self.shared.keys, &bytes, on);
        match resumed.and_then(|resumed| place.begin().map(|()| resumed).map_err(snapshot::Unfit::Unnoted)) {
            Ok(Resumed { logs, believed }) => {
                let covered = believed.cuts.last().map(snapshot::Cut::records);
                tracing::info!(records = covered, "started from a snapshot; the rest is verified while the gate runs");
                self.shared.unread.store(true, Ordering::Release);
                self.believe(logs);
                Ok(Resumption::From(Begun { believed: Some(believed), covered }))
            }
            Err(unfit) => {
                tracing::warn!(%unfit, "the snapshot does not fit; the whole record is read");
                Ok(Resumption::Unfit)
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
}
