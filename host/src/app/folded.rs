//! Where the store hands its records to: folds them, keeps the index of live grants, tells who listens.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use policy_core::lifecycle::Phase;
use policy_core::time::Timestamp;
use proviso_api::operations::Change;
use tokio::sync::broadcast;

use super::engine::GrantIndex;
use super::policy::Policy;
use super::state::State;
use crate::store::{Aside, Fold, FoldError, Log, Record, Snapshots, Verified, VersionKey};

/// How many changes a listener may lag behind before it is told to ask again.
const CHANGES: usize = 1024;
/// How many bundles are kept ready: the active one, and those that may become it.
const MOST_READY: usize = 4;

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
    /// The active bundle. It changes while the state is held to be written, so that who reads the state reads the bundle
    /// that it says is active.
    policy: RwLock<Arc<Policy>>,
    /// The bundles that can become the active one, the newest last.
    ready: Mutex<Vec<Arc<Policy>>>,
    /// Whether all of the record was verified since the start.
    whole: AtomicBool,
    /// Whether the record was found not to be what is believed.
    doubted: AtomicBool,
}

impl Folded {
    /// Nothing folded yet.
    pub fn new(index: Arc<dyn GrantIndex>, policy: Policy) -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        let (state, aside) = (RwLock::default(), Mutex::default());
        let (writable, newest) = (AtomicBool::new(true), AtomicI64::new(i64::MIN));
        let policy = Arc::new(policy);
        let ready = Mutex::new(vec![Arc::clone(&policy)]);
        let (whole, doubted) = (AtomicBool::new(true), AtomicBool::new(false));
        Self { state, aside, index, changes, writable, newest, policy: RwLock::new(policy), ready, whole, doubted }
    }

    /// The active bundle.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a bundle one that can become the active one: it does with the record that says so.
    pub fn prepare(&self, policy: Arc<Policy>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let active = self.policy().digest();
        ready.retain(|known| known.digest() != policy.digest());
        if ready.len() >= MOST_READY
            && let Some(oldest) = ready.iter().position(|known| known.digest() != active)
        {
            ready.remove(oldest);
        }
        ready.push(policy);
    }

    /// Starts with this bundle, whatever was given.
    pub fn begin_with(&self, policy: Policy) {
        let policy = Arc::new(policy);
        self.prepare(Arc::clone(&policy));
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// Makes the bundle the active one that the record says is. INVARIANT (R4): one that is not ready is not judged by
    /// another in its place; what is judged by another than the active one is not admitted.
    fn follow(&self, state: &State) {
        let Some(active) = state.activation().map(|activation| activation.bundle) else { return };
        if self.policy().digest() == active {
            return;
        }
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = ready.iter().find(|policy| policy.digest() == active) {
            *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(policy);
        }
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

    /// How much of the record was verified since the start.
    pub fn verified(&self) -> Verified {
        if self.whole.load(Ordering::Acquire) { Verified::Whole } else { Verified::Tail }
    }

    /// Whether the record was found not to be what is believed: no exception is honoured until the next start, which reads
    /// all of it.
    pub fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Acquire)
    }

    fn index(&self, state: &State, id: &str) {
        let Some(entry) = state.exceptions.get(id) else { return };
        match &entry.exception.phase {
            Phase::Granted(grant) => self.index.insert(&grant.grant),
            phase => {
                if let Some(grant) = phase.grant() {
                    self.index.remove(&grant.grant);
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
        fresh.forgotten.clear();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.index.clear();
        for id in fresh.exceptions.keys() {
            self.index(&fresh, id);
        }
        self.keep_newest(&fresh);
        self.follow(&fresh);
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
                // What is forgotten is over, and found no more.
                std::mem::take(&mut state.forgotten).iter().for_each(|grant| self.index.remove(grant));
                if record.log == Log::Ledger {
                    let (position, kind) = (state.position, record.leaf.kind.clone());
                    changes.push(Change { position, kind, exception });
                }
            }
            state.touched(versions);
            self.follow(&state);
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

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }
}

impl Snapshots for Folded {
    fn resume(&self, floor: u64, form: &[u8]) -> Result<(), FoldError> {
        let state = State::of_form(floor, form)?;
        *self.aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }

    fn form(&self) -> Result<Vec<u8>, FoldError> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().form()
    }

    fn aside(&self) -> Box<dyn Aside> {
        Box::new(State::new(0))
    }

    fn verified(&self, how: Verified) {
        self.whole.store(how == Verified::Whole, Ordering::Release);
    }

    fn doubted(&self, _: &str) {
        self.doubted.store(true, Ordering::Release);
    }
}
