//! What goes on behind a gate that is ready: the rest of the record is verified, and the next snapshot is written.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use policy_core::sabotaged;
use rusqlite::Connection;

use super::Cut;
use super::pass::{Pass, Passed};
use super::resume::Believed;
use super::sealed::{self, seal};
use crate::heap;
use crate::store::folding::{SnapshotRule, Snapshots, Verified};
use crate::store::sqlite::{FILE, Shared, schema};
use crate::store::types::{Fold, Head, Log, StoreError};

/// How long others have the disk and the processor for themselves after each page: about as long as a page takes.
const REST: Duration = Duration::from_millis(8);
/// How long a database that cannot be read is left alone.
const AGAIN: Duration = Duration::from_secs(5);
/// How often in a row it may be that it cannot be read: somebody may have made it so that it never can.
const TRIES: u32 = 12;

/// How a gate began, as far as there is something to do behind it.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Begun {
    /// What was believed of the record, and not read.
    pub believed: Option<Believed>,
    /// How many records the snapshot covers that is there; absent: there is none.
    pub covered: Option<u64>,
}

/// The thread, while the store is open.
pub(in crate::store::sqlite) struct Behind {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    told: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    /// Waits so long. `false`: it was told to stop.
    fn rest(&self, duration: Duration) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(told, duration, |told| !*told);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Behind {
    /// Begins, for a fold that has a form.
    pub(in crate::store::sqlite) fn start(
        shared: Arc<Shared>,
        fold: Arc<dyn Fold>,
        rule: SnapshotRule,
        begun: Begun,
    ) -> Result<Self, StoreError> {
        let stop = Arc::new(Stop::default());
        let worker = Worker { shared, fold, rule, stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new()
            .name("record-behind".to_owned())
            .spawn(move || worker.run(begun))
            .map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Behind {
    /// Waits for the thread: at most for the page that it reads.
    fn drop(&mut self) {
        *self.stop.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.bell.notify_all();
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    fold: Arc<dyn Fold>,
    rule: SnapshotRule,
    stop: Arc<Stop>,
}

impl Drop for Worker {
    /// INVARIANT (R8): who came to no end has not found that all is well.
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(snapshots) = self.fold.snapshots()
        {
            self.doubt(snapshots, "the thread that verifies the rest of the record panicked");
        }
    }
}

impl Worker {
    fn run(&self, begun: Begun) {
        let Some(snapshots) = self.fold.snapshots() else { return };
        if let Some(believed) = begun.believed {
            let verified = self.verify_rest(snapshots, &believed);
            // What was folded anew is gone, and as large as what is believed.
            heap::give_back();
            if !verified {
                return;
            }
        }
        let (mut turn, mut covered) = (self.shared.place.turn(), begun.covered);
        while self.stop.rest(self.rule.look) {
            let now = self.shared.place.turn();
            if now != turn {
                // Something was erased since the last look, and there may be more of it to come.
                (turn, covered) = (now, None);
                continue;
            }
            let (cut, heads) = self.shared.stands();
            let due = match covered {
                Some(covered) => cut.records() >= covered.saturating_add(self.rule.every),
                None => cut.records() >= self.rule.least,
            };
            if !due {
                continue;
            }
            let renewed = self.renew(snapshots, cut, &heads, turn);
            heap::give_back();
            match renewed {
                Ok(true) => covered = Some(cut.records()),
                Ok(false) => {}
                // What is read here changes under nobody's hands, but where something is erased.
                Err(error @ StoreError::Tampered { .. }) if self.shared.place.turn() == turn => {
                    return self.doubt(snapshots, &error.to_string());
                }
                Err(error) => tracing::warn!(code = error.code(), %error, "no snapshot of the record could be written"),
            }
        }
    }

    /// Reads all that was believed and not read. Whether anything is left to do here.
    ///
    /// INVARIANT (R9): what was believed of the record is what the record says, or no exception is honoured.
    fn verify_rest(&self, snapshots: &dyn Snapshots, believed: &Believed) -> bool {
        let mut tries = 0_u32;
        loop {
            let verified = match self.anew(snapshots, &believed.cuts, &believed.heads) {
                Ok(None) => {
                    self.end();
                    return false;
                }
                Ok(Some(passed)) => {
                    let sealed = seal(&self.shared.keys, &passed.cuts, &passed.logs, &passed.form);
                    sealed.map(|sealed| sealed.code == believed.code)
                }
                Err(error) => Err(error),
            };
            match verified {
                Ok(true) => {
                    tracing::info!("the whole record is verified");
                    self.shared.unread.store(false, Ordering::Release);
                    snapshots.verified(Verified::Whole);
                    self.end();
                    return true;
                }
                Ok(false) => {
                    self.doubt(snapshots, "what was believed of the record is not what follows from it");
                    return false;
                }
                Err(error @ StoreError::Tampered { .. }) => {
                    self.doubt(snapshots, &error.to_string());
                    return false;
                }
                Err(error) => {
                    tries = tries.saturating_add(1);
                    // INVARIANT (R8): what cannot be read, again and again, is not what was believed either.
                    if tries >= TRIES {
                        self.doubt(snapshots, &format!("the rest of the record cannot be read: {error}"));
                        return false;
                    }
                    tracing::warn!(code = error.code(), %error, "the rest of the record cannot be verified yet");
                    if !self.stop.rest(AGAIN.min(self.rule.look)) {
                        return false;
                    }
                }
            }
        }
    }

    /// Both logs from their first records, folded from cut to cut. Absent: it was told to stop.
    fn anew(&self, snapshots: &dyn Snapshots, cuts: &[Cut], heads: &[Head]) -> Result<Option<Passed>, StoreError> {
        let connection = self.connection()?;
        let rest = || self.stop.rest(REST);
        let mut pass = Pass::from_the_first(&connection, &self.shared.keys, snapshots.aside(), &rest)?;
        for cut in cuts {
            if !pass.read_to(*cut)? {
                return Ok(None);
            }
        }
        pass.no_others()?;
        pass.end(heads).map(Some)
    }

    /// Writes the snapshot of here and now: of the one before and what came behind it, or of the whole record. Whether it
    /// stands there.
    fn renew(&self, snapshots: &dyn Snapshots, cut: Cut, heads: &[Head], turn: u64) -> Result<bool, StoreError> {
        let passed = match self.onward(snapshots, cut, heads)? {
            Some(passed) => passed,
            None => match self.anew(snapshots, &[cut], heads)? {
                Some(passed) => passed,
                None => return Ok(false),
            },
        };
        let sealed = seal(&self.shared.keys, &passed.cuts, &passed.logs, &passed.form)?;
        self.shared.place.put(&sealed.bytes, turn)
    }

    /// From the snapshot that is there. Absent: none fits.
    fn onward(&self, snapshots: &dyn Snapshots, cut: Cut, heads: &[Head]) -> Result<Option<Passed>, StoreError> {
        let (keys, connection) = (&self.shared.keys, self.connection()?);
        let rest = || self.stop.rest(REST);
        let Some(bytes) = self.shared.place.read()? else { return Ok(None) };
        let opened = sealed::open(keys, &bytes);
        let begun =
            opened.and_then(|opened| Pass::from_a_snapshot(&connection, keys, &opened, snapshots.aside(), &rest));
        let mut pass = match begun {
            Ok(pass) => pass,
            Err(unfit) => {
                tracing::warn!(%unfit, "the snapshot that is there is not gone on from");
                return Ok(None);
            }
        };
        // Told to stop: so is whoever would read everything instead.
        if pass.read_to(cut)? { pass.end(heads).map(Some) } else { Ok(None) }
    }

    /// The snapshot may be gone on from again: nothing was found that speaks against it.
    fn end(&self) {
        if let Err(error) = self.shared.place.end() {
            tracing::warn!(code = error.code(), %error, "the next start will read the whole record");
        }
    }

    /// Suspends every exception, and takes away what was believed: the next start reads everything, and refuses it. Where
    /// it cannot be taken away, it is still said of it that it was begun, and no start goes on from it.
    fn doubt(&self, snapshots: &dyn Snapshots, why: &str) {
        tracing::error!(
            why,
            "the record is not what was believed; all exceptions are suspended until the gate is started again"
        );
        if !sabotaged!("r9_mismatch_believed") {
            snapshots.doubted(why);
        }
        let place = &self.shared.place;
        for done in [place.begin(), place.remove()] {
            if let Err(error) = done {
                tracing::error!(code = error.code(), %error, "the snapshot could not be taken away");
            }
        }
    }

    fn connection(&self) -> Result<Connection, StoreError> {
        schema::open_read_only(&self.shared.folder.path().join(FILE))
    }
}

impl Shared {
    /// How far both logs go now, and under which heads.
    fn stands(&self) -> (Cut, Vec<Head>) {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        let heads: Vec<Head> = Log::ALL.into_iter().filter_map(|log| logs.of(log).head.clone()).collect();
        (logs.cut(), heads)
    }
}
