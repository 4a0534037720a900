//! Where the store hands its records to: folds them, keeps the index of live grants, tells who listens.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use audit_verify::erasure::PAYLOADS_ERASED;
use policy_core::lifecycle::Phase;
use policy_core::time::Timestamp;
use proviso_api::operations::Change;
use tokio::sync::broadcast;

use super::engine::GrantIndex;
use super::state::State;
use crate::store::{Fold, FoldError, Log, Record, VersionKey};

/// How many changes a listener may lag behind before it is told to ask again.
const CHANGES: usize = 1024;

/// The folded state and who listens to it.
pub struct Folded {
    state: RwLock<State>,
    /// History as it is being read; believed only when all of it has verified.
    aside: Mutex<Option<State>>,
    index: Arc<dyn GrantIndex>,
    changes: broadcast::Sender<Change>,
    writable: AtomicBool,
    /// The newest record's time in milliseconds; the least there is for none. Beside the lock: who holds the state may
    /// ask for the time, and a second reading of one lock waits for ever behind a writer.
    newest: AtomicI64,
}

impl Folded {
    /// Nothing folded yet.
    pub fn new(index: Arc<dyn GrantIndex>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        let (state, aside) = (RwLock::default(), Mutex::default());
        let (writable, newest) = (AtomicBool::new(true), AtomicI64::new(i64::MIN));
        Self { state, aside, index, changes, writable, newest }
    }

    /// The newest record's time. Takes no lock.
    pub fn newest(&self) -> Option<Timestamp> {
        let newest = self.newest.load(Ordering::Acquire);
        (newest != i64::MIN).then(|| Timestamp::from_millis(newest))
    }

    fn keep_newest(&self, state: &State) {
        self.newest.store(state.newest.map_or(i64::MIN, Timestamp::millis), Ordering::Release);
    }

    /// The state.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a record waits for whoever holds the state.
    #[cfg(test)]
    pub fn is_awaited(&self) -> bool {
        self.state.try_read().is_err()
    }

    /// Live changes from here on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Whether records can be written.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    fn index(&self, state: &State, id: &str) {
        let Some(entry) = state.exceptions.get(id) else { return };
        match &entry.exception.phase {
            Phase::Granted(grant) => self.index.insert(&grant.grant),
            phase => {
                if let Some(grant) = phase.grant() {
                    self.index.remove(&grant.grant.id);
                }
            }
        }
    }
}

impl Fold for Folded {
    fn reset(&self, floor: u64) {
        *self.aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(State::new(floor));
    }

    fn history(&self, record: &Record) -> Result<(), FoldError> {
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.get_or_insert_default().apply(record).map(drop)
    }

    fn folded(&self) {
        let Some(mut fresh) = self.aside.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        fresh.accounts.settle();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.index.clear();
        for id in fresh.exceptions.keys() {
            self.index(&fresh, id);
        }
        self.keep_newest(&fresh);
        *state = fresh;
    }

    fn admitted(&self, records: &[Record], versions: &[(VersionKey, u64)]) -> Result<(), FoldError> {
        let mut changes = Vec::new();
        let mut unfolded = None;
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for record in records {
                let exception = match state.apply(record) {
                    Ok(exception) => exception,
                    Err(error) => {
                        // A record of our own making that cannot be folded: nothing here is to be believed any more.
                        tracing::error!(log = %record.log, seq = record.leaf.seq, %error, "a new record does not fold");
                        unfolded = Some(error);
                        continue;
                    }
                };
                if let Some(id) = &exception {
                    self.index(&state, id);
                }
                if record.leaf.kind == PAYLOADS_ERASED {
                    // What is forgotten is over, and found no more.
                    self.index.clear();
                    state.exceptions.keys().for_each(|id| self.index(&state, id));
                }
                if record.log == Log::Ledger {
                    let (position, kind) = (state.position, record.leaf.kind.clone());
                    changes.push(Change { position, kind, exception });
                }
            }
            state.touched(versions);
            self.keep_newest(&state);
        }
        for change in changes {
            // Nobody listens: nobody has to be told.
            let _ = self.changes.send(change);
        }
        unfolded.map_or(Ok(()), Err)
    }

    fn writable(&self, writable: bool) {
        self.writable.store(writable, Ordering::Release);
    }
}
