//! The one writer: takes what is queued, admits what is still true, commits once, and only then answers.

mod forget;
mod mend;
mod start;

use policy_core::sabotaged;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use audit_verify::erasure::{Erased, Erasures};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::Shared;
use super::batch::Batch;
use super::erasing;
use super::load;
use super::log_state::LogTip;
use super::outbox;
use super::schema::{self, database};
use super::snapshot::Gone;
use crate::random::Random;
use crate::store::reserve::Reserve;
use crate::store::types::{AppendError, Fold, Head, Log, NewRecord, Positions, Record, StoreError, VersionKey};
use crate::whole_file;
use forget::Wiping;

/// The most jobs in one transaction.
const BATCH: usize = 256;
/// How long a store that failed waits before it tries again.
const RETRY: Duration = Duration::from_millis(250);

/// What is to be appended, and who waits for it.
pub(super) struct Job {
    pub(super) expected: Vec<(VersionKey, u64)>,
    pub(super) records: Vec<NewRecord>,
    /// What they say is erased.
    pub(super) erased: Vec<Erased>,
    pub(super) reply: oneshot::Sender<Result<Positions, AppendError>>,
}

impl Job {
    /// Whether all that it writes stops something.
    fn is_urgent(&self) -> bool {
        !self.records.is_empty() && self.records.iter().all(|record| record.urgent)
    }
}

const fn again() -> AppendError {
    AppendError::Conflict(Vec::new())
}

/// A job without who waits for it.
struct Wanted {
    expected: Vec<(VersionKey, u64)>,
    records: Vec<NewRecord>,
    erased: Vec<Erased>,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Absent while the store is broken.
    connection: Option<Connection>,
    reserve: Reserve,
    /// Whether the reserve was given up for a stop: until it is kept again, stops alone are written.
    spent: bool,
    /// Whether a sync failed: then what the file seems to hold is not believed before it was written anew.
    suspect: bool,
    /// About how many pages were written since the write-ahead log was last taken over.
    pages: usize,
    random: Arc<dyn Random>,
    fold: Arc<dyn Fold>,
    versions: BTreeMap<VersionKey, u64>,
    /// The version of everything that `versions` does not name.
    floor: u64,
    /// The last version that was given out.
    counter: u64,
    /// Whether the log of writes may still hold what was erased.
    unclean: bool,
    /// What was a snapshot before this batch, and is to be overwritten before an erasure is answered.
    gone: Gone,
    wiping: Wiping,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        connection: Connection,
        random: Arc<dyn Random>,
        fold: Arc<dyn Fold>,
    ) -> Self {
        let reserve = Reserve::new(shared.folder.path());
        let (connection, versions) = (Some(connection), BTreeMap::new());
        let (spent, suspect, unclean, pages, floor, counter) = (false, false, false, 0, 0, 0);
        let (gone, wiping) = (Gone::default(), Wiping::default());
        Self {
            shared,
            connection,
            reserve,
            spent,
            suspect,
            pages,
            random,
            fold,
            versions,
            floor,
            counter,
            unclean,
            gone,
            wiping,
        }
    }

    /// Keeps space for stops. A disk that has none left is as good as one that is full.
    pub(super) fn keep_reserve(&mut self) {
        let was = self.spent;
        self.spent = match self.reserve.keep() {
            Ok(()) => false,
            Err(error) => {
                if !was {
                    tracing::error!(%error, "no space can be kept for stops; nothing but stops is recorded");
                }
                true
            }
        };
        if self.spent || was {
            self.fold.writable(!self.spent && self.connection.is_some());
        }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let first = if self.connection.is_some() && !self.spent && !self.unclean {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                jobs.recv_timeout(RETRY)
            };
            match first {
                Ok(job) => {
                    // Under steady load no pause ever comes: who asks of a broken store makes it try again.
                    self.mend();
                    let mut batch = vec![job];
                    batch.extend(jobs.try_iter().take(BATCH - 1));
                    self.write(batch);
                }
                Err(RecvTimeoutError::Timeout) => self.mend(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.hangs_no_more();
        }
    }

    /// One transaction for all jobs. Whatever happens, everybody gets an answer, and no answer comes before the commit.
    fn write(&mut self, jobs: Vec<Job>) {
        // While the reserve is given up, stops alone are written.
        let (jobs, refused): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| !self.spent || job.is_urgent());
        for job in refused {
            let _ = job.reply.send(Err(AppendError::Unavailable));
        }
        if self.connection.is_none() && jobs.iter().any(Job::is_urgent) {
            self.spend();
        }
        let urgent: Vec<bool> = jobs.iter().map(Job::is_urgent).collect();
        let erases: Vec<bool> = jobs.iter().map(|job| !job.erased.is_empty()).collect();
        let (jobs, replies): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|Job { expected, records, erased, reply }| (Wanted { expected, records, erased }, reply))
            .unzip();
        if sabotaged!("r1_reply_first") {
            let told = || Ok(Positions { records: Vec::new(), ledger: 0 });
            for reply in replies {
                let _ = reply.send(told());
            }
            drop(self.commit(jobs));
            return;
        }
        let answers = match self.commit(jobs) {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the record could not be written; all is denied");
                // After a failed commit nobody knows what the file holds: drop everything, start from the file.
                self.connection = None;
                self.fold.writable(false);
                let spent = urgent.contains(&true) && self.spend();
                // What was folded again conflicts with all that was decided before: a stop is decided once more.
                let answer = |urgent| Err(if urgent && spent { again() } else { AppendError::Unavailable });
                urgent.into_iter().map(answer).collect()
            }
        };
        self.answer(erases.into_iter().zip(replies.into_iter().zip(answers)));
        self.take_over();
    }

    fn commit(&mut self, jobs: Vec<Wanted>) -> Result<Vec<Result<Positions, AppendError>>, StoreError> {
        let mut batch = {
            let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
            Batch::new(&logs, self.counter)
        };
        let Some(mut connection) = self.connection.take() else {
            return Ok(jobs.iter().map(|_| Err(AppendError::Unavailable)).collect());
        };
        {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
            for wanted in jobs {
                let answer = self.admit(&transaction, &mut batch, wanted)?;
                batch.answers.push(answer);
            }
            self.announce(&batch.erased)?;
            self.forget(&batch)?;
            if !batch.records.is_empty() {
                for log in Log::ALL {
                    self.sign(&transaction, batch.log(log), log)?;
                }
            }
            transaction.commit().map_err(|error| {
                self.suspect |= schema::is_disk(&error);
                database(error)
            })?;
        }
        // INVARIANT (R9): nor is it in one that was begun before this, whoever is told that it is erased.
        self.forget(&batch)?;
        self.connection = Some(connection);
        self.pages = self.pages.saturating_add(batch.records.iter().map(mend::pages).sum());
        self.unclean |= !batch.erased.is_empty();
        let answers = self.publish(batch)?;
        self.clean();
        Ok(answers)
    }

    /// Lets readers know what is about to be erased.
    fn announce(&self, erased: &[(u64, Vec<Erased>)]) -> Result<(), StoreError> {
        let mut erasing = Erasures::default();
        for (seq, erased) in erased {
            erasing.take(*seq, erased).map_err(|kind| StoreError::Database(kind.to_string()))?;
        }
        if !erasing.is_empty() {
            self.shared.logs.write().unwrap_or_else(PoisonError::into_inner).erasing = Arc::new(erasing);
        }
        Ok(())
    }

    /// After an erasure: empties the log of writes, in which older pages hold what was erased. Somebody who reads all of
    /// the database keeps it until the end of that; then it is tried again.
    fn clean(&mut self) {
        let Some(connection) = self.connection.as_ref().filter(|_| self.unclean) else { return };
        match schema::truncate(connection) {
            Ok(done) => self.unclean = !done,
            Err(error) => tracing::warn!(%error, "the log of writes still holds what was erased"),
        }
    }

    /// Checks one job against what stands and what was admitted before it in this batch, and writes its rows.
    fn admit(
        &self,
        transaction: &Transaction<'_>,
        batch: &mut Batch,
        Wanted { expected, records, erased }: Wanted,
    ) -> Result<Result<Positions, AppendError>, StoreError> {
        let changed: Vec<_> = expected
            .iter()
            .filter(|(key, version)| {
                let now = batch.versions.get(key).or_else(|| self.versions.get(key)).copied().unwrap_or(self.floor);
                now != *version
            })
            .map(|(key, _)| key.clone())
            .collect();
        if !changed.is_empty() {
            return Ok(Err(AppendError::Conflict(changed)));
        }
        // INVARIANT (R9): nothing is taken out of a record of which it is not known yet that it is the one that was signed.
        if !erased.is_empty() && self.shared.unread.load(Ordering::Acquire) {
            return Ok(Err(AppendError::Unavailable));
        }
        if !erasing::all_there(transaction, &erased)? {
            return Ok(Err(again()));
        }
        let Some(rows) = batch.rows(&records, &*self.random)? else { return Ok(Err(AppendError::Unavailable)) };
        let mut written = Vec::new();
        for (row, new) in rows.into_iter().zip(records) {
            let log = new.log;
            let seq = i64::try_from(row.leaf.seq).map_err(|_| StoreError::Database("the log is full".to_owned()))?;
            transaction
                .prepare_cached("INSERT INTO leaf (log, seq, bytes) VALUES (?1, ?2, ?3)")
                .and_then(|mut insert| insert.execute(params![log.name(), seq, row.bytes]))
                .map_err(database)?;
            for ((name, payload), salt) in new.payloads.iter().zip(&row.salts) {
                transaction
                    .prepare_cached("INSERT INTO payload (log, seq, name, salt, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")
                    .and_then(|mut insert| insert.execute(params![log.name(), seq, name, salt.as_slice(), payload]))
                    .map_err(database)?;
            }
            for outgoing in &new.outbox {
                outbox::insert(transaction, &self.shared.keys, row.leaf.seq, row.leaf.at, outgoing)?;
            }
            batch.log(log).push(&row.bytes, &row.leaf);
            for key in new.touches {
                batch.counter = batch.counter.saturating_add(1);
                batch.versions.insert(key, batch.counter);
            }
            let payloads = new.payloads.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
            written.push(Record { log, leaf: row.leaf, payloads, erased: Vec::new() });
        }
        if let Some(says) = written.first().filter(|_| !erased.is_empty()) {
            erasing::erase(transaction, &erased)?;
            batch.erased.push((says.leaf.seq, erased));
        }
        let positions = Positions {
            records: written.iter().map(|record: &Record| (record.log, record.leaf.seq)).collect(),
            ledger: batch.ledger.size(),
        };
        batch.records.append(&mut written);
        Ok(Ok(positions))
    }

    /// Signs the head over a log that grew.
    fn sign(&self, transaction: &Transaction<'_>, state: &mut LogTip, log: Log) -> Result<(), StoreError> {
        let size = state.size();
        if state.head.as_ref().map_or(0, |head| head.size) == size {
            return Ok(());
        }
        let note = self.shared.keys.sign_head(log, size, state.range.root());
        let stored = i64::try_from(size).map_err(|_| StoreError::Database("the log is full".to_owned()))?;
        transaction
            .prepare_cached("INSERT INTO head (log, size, note) VALUES (?1, ?2, ?3)")
            .and_then(|mut insert| insert.execute(params![log.name(), stored, note]))
            .map_err(database)?;
        state.head = Some(Head { log, size, note });
        Ok(())
    }

    /// After the commit: memory follows, the app folds, and only then anybody is answered.
    fn publish(&mut self, mut batch: Batch) -> Result<Vec<Result<Positions, AppendError>>, StoreError> {
        if batch.records.is_empty() {
            return Ok(batch.answers);
        }
        let mut heads = Vec::new();
        {
            let mut logs = self.shared.logs.write().unwrap_or_else(PoisonError::into_inner);
            for log in Log::ALL {
                let grown = std::mem::take(batch.log(log));
                if grown.head != logs.of(log).head {
                    heads.extend(grown.head.clone());
                }
                logs.of_mut(log).extend(grown);
            }
            for (seq, erased) in &batch.erased {
                let fits = Arc::make_mut(&mut logs.erasures).take(*seq, erased);
                fits.map_err(|kind| StoreError::Database(kind.to_string()))?;
            }
            logs.erasing = Arc::default();
        }
        self.counter = batch.counter;
        let versions: Vec<_> = batch.versions.into_iter().collect();
        self.versions.extend(versions.iter().cloned());
        // INVARIANT (R8): what does not fold is believed by nobody: all in the batch is denied.
        self.fold.admitted(&batch.records, &versions).map_err(|error| StoreError::Database(error.message))?;
        for head in &heads {
            self.keep(head)?;
        }
        Ok(batch.answers)
    }

    /// Keeps the newest head outside the database, where a restored backup of it does not reach. Nobody waits for a disk
    /// here: after a power cut an older head may be there, which says less, and never a newer one than the database has.
    fn keep(&self, head: &Head) -> Result<(), StoreError> {
        let path = load::head_file(self.shared.folder.path(), head.log);
        whole_file::write_over(&path, head.note.as_bytes())
            .map_err(|source| crate::store::folder::file_error(&path, source))
    }
}
