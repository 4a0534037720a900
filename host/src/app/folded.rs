//! Where the store hands its records to: folds them, keeps the index of live grants, tells who listens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use policy_core::lifecycle::Phase;
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
}

impl Folded {
    /// Nothing folded yet.
    pub fn new(index: Arc<dyn GrantIndex>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        let (state, aside) = (RwLock::default(), Mutex::default());
        Self { state, aside, index, changes, writable: AtomicBool::new(true) }
    }

    /// The state.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
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
        let Some(fresh) = self.aside.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.index.clear();
        for id in fresh.exceptions.keys() {
            self.index(&fresh, id);
        }
        *state = fresh;
    }

    fn admitted(&self, records: &[Record], versions: &[(VersionKey, u64)]) {
        let mut changes = Vec::new();
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for record in records {
                let exception = match state.apply(record) {
                    Ok(exception) => exception,
                    Err(error) => {
                        // A record of our own making that cannot be folded: nothing here is to be believed any more.
                        tracing::error!(log = %record.log, seq = record.leaf.seq, %error, "a new record does not fold");
                        self.writable.store(false, Ordering::Release);
                        continue;
                    }
                };
                if let Some(id) = &exception {
                    self.index(&state, id);
                }
                if record.log == Log::Ledger {
                    let (position, kind) = (state.position, record.leaf.kind.clone());
                    changes.push(Change { position, kind, exception });
                }
            }
            state.touched(versions);
        }
        for change in changes {
            // Nobody listens: nobody has to be told.
            let _ = self.changes.send(change);
        }
    }

    fn writable(&self, writable: bool) {
        self.writable.store(writable, Ordering::Release);
    }
}
