//! The use cases: what the gate does, told without HTTP and without SQL.
//!
//! Events are the truth. At start the app folds the verified ledger into memory; from then on authority (grants, locks,
//! tokens, sessions, activations) comes from that folded state alone and is never read back from rows (R9). Every write
//! is one [`Store::append`] with the versions that the outcome read: the admission rule.

mod activation;
mod acts;
mod agents;
mod append;
mod approval;
mod asked;
mod asker;
mod attention;
mod batch;
mod binding;
mod candidates;
mod console;
mod copies;
mod decided;
mod denial;
mod eligible;
mod embedded;
mod engine;
mod epoch;
mod erasure;
mod evaluate;
pub(crate) mod event;
mod exports;
mod filing;
mod findings;
mod flight;
mod folded;
mod foreign;
mod friction;
mod held;
mod hints;
mod history;
mod identities;
pub(crate) mod inputs;
mod judge;
mod limits;
mod lines;
mod listing;
mod log_key;
mod measures;
mod membership;
mod on_record;
mod open;
mod ownership;
mod page;
mod passkeys;
mod past;
mod people;
mod permit;
mod pictures;
mod policy;
mod preview;
mod proofs;
mod queue;
mod refusal;
mod renewal;
mod reply;
mod reports;
mod request;
mod request_schema;
mod reviews;
mod rotation;
mod routing;
mod search;
mod sessions;
mod settings;
mod sheets;
mod sign_in;
mod state;
mod stops;
mod sweep;
mod tasks;
mod time;
mod undo;
mod uses;
mod votes;
mod what_if;
mod words;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use policy_core::sabotaged;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockReadGuard};

use policy_core::abi::Questions;
use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use proviso_api::exceptions::BundleReply;
use proviso_api::operations::Change;
use tokio::sync::{Notify, Semaphore, broadcast};

pub use asked::{LONGEST_WAIT, Standing};
pub use batch::{Batch, MOST_ITEMS};
pub use console::Seen;
pub use copies::{CopyKind, CopyState, Erased as CopyErased, HeadStanding};
pub use engine::{Apart, Engine, EngineError, GrantIndex, OtherModule};
pub use epoch::{EpochFact, HeadFact};
pub use erasure::{Class, ErasureReport, ErasureRequest, HoldLine, HoldTarget, Kept, Lost, Retention, RetentionError};
pub(crate) use evaluate::{SMALLEST, denial, outcome_word};
pub use exports::Exporting;
pub use findings::{Brought, FindingFilter, MOST_TOGETHER, Report, Taken, keep_reconciling, reconcile_offline};
pub use limits::Allowance;
pub use lines::LinesWanted;
pub use listing::PageWanted;
pub use measures::{BOUNDS, Measured, Took};
pub use membership::{LaidLink, RecoveryStep};
pub use on_record::read_record;
pub use ownership::{Disagreement, disagreements};
pub use permit::Permit;
pub use queue::ExceptionsWanted;
pub use refusal::{Refusal, RefusalKind};
pub use reply::VALID_FOR;
pub use routing::Message;
pub use search::Search;
pub use sessions::{Ending, SessionLimits, Whence};
pub use settings::{Activation, Channels, OpenError, Operator, Parts, Settings, WebhookChannel};

pub use sign_in::{
    Arrival, Asked, Authenticated, Begun, FLOW_LIFE, GroupClaim, IdentityProvider, LoggedOut, ProviderAnswer,
    ProviderFault, Way, Ways,
};

use crate::random::Random;
use crate::signing::{BindingKeys, CredentialKeys};
use crate::store::{Keys, Outbox, Store, VersionKey};
use crate::trust::Proofs;
use crate::trust::own::Signatures;
use append::Proposal;
use copies::Board;
use event::{GateEvent, LedgerEvent};
use folded::Folded;
use limits::Limits;
use policy::Policy;
use sessions::Presence;
use sign_in::Attempts;
use state::State;
use stops::HeldStop;
use time::{Reading, TimeKeeper};

/// Why a gate is not ready: what [`App::ready`] says.
pub const NOT_READY: [&str; 2] = ["record_unavailable", "stop_unrecorded"];

/// The gate's use cases. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    settings: Settings,
    parts: Parts,
    store: Arc<dyn Store>,
    outbox: Arc<dyn Outbox>,
    /// Somebody wants a delivery tried at once.
    work: Notify,
    folded: Arc<Folded>,
    keys: Arc<Keys>,
    /// The keys of binding tokens.
    binding: BindingKeys,
    /// The keys of this gate's own tokens.
    credential_keys: CredentialKeys,
    /// Which of those tokens were found to be signed.
    signatures: Signatures,
    /// How many may wait for a decision at once.
    waiting: Semaphore,
    time: TimeKeeper,
    /// Stops that could not be recorded yet (R7).
    held: Mutex<Vec<HeldStop>>,
    counters: Mutex<BTreeMap<&'static str, u64>>,
    limits: Limits,
    /// The proofs of possession that were shown.
    proofs: Proofs,
    /// One erasure at a time.
    erasing: tokio::sync::Mutex<()>,
    /// One list of what another bundle changes at a time.
    proposing: tokio::sync::Mutex<()>,
    /// One bundle at a time is made ready to become the active one.
    activating: tokio::sync::Mutex<()>,
    /// Which refused acts are on record.
    refusals: console::Refusals,
    /// How far the record has come to whoever holds it besides.
    board: Board,
    /// The sign-ins that were made.
    attempts: Attempts,
    /// The challenges of passkeys that were answered.
    challenges: Attempts,
    /// Who was there when.
    presence: Presence,
    /// Writes what the module is asked, with the texts of the grants that it was asked about lately.
    questions: Questions,
}

impl Inner {
    fn new(
        settings: Settings,
        parts: Parts,
        (store, outbox): (Arc<dyn Store>, Arc<dyn Outbox>),
        folded: Arc<Folded>,
        (keys, binding, credential_keys): (Arc<Keys>, BindingKeys, CredentialKeys),
        time: TimeKeeper,
    ) -> Self {
        let (held, counters, work, limits) = (Mutex::default(), Mutex::default(), Notify::new(), Limits::default());
        let waiting = Semaphore::new(asked::MOST_WAITING);
        let erasing = tokio::sync::Mutex::default();
        let proofs = Proofs::since(parts.clock.now());
        Self {
            settings,
            parts,
            store,
            outbox,
            work,
            folded,
            keys,
            binding,
            credential_keys,
            signatures: Signatures::default(),
            waiting,
            time,
            held,
            counters,
            limits,
            proofs,
            erasing,
            proposing: tokio::sync::Mutex::default(),
            activating: tokio::sync::Mutex::default(),
            refusals: console::Refusals::default(),
            board: Board::default(),
            attempts: Attempts::default(),
            challenges: Attempts::default(),
            presence: Presence::default(),
            questions: Questions::default(),
        }
    }
}

impl App {
    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Live changes from here on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.folded.subscribe()
    }

    /// The ledger position that everything can be read at now.
    pub fn position(&self) -> u64 {
        self.state().position
    }

    /// Whether the gate can do its work: the record can be written, and no stop waits to be recorded.
    ///
    /// # Errors
    /// A stable code: `record_unavailable` or `stop_unrecorded`.
    pub fn ready(&self) -> Result<(), &'static str> {
        if !self.0.folded.is_writable() {
            Err("record_unavailable")
        } else if self.holds_stops() {
            Err("stop_unrecorded")
        } else {
            Ok(())
        }
    }

    /// Outcomes since start, by the outcome's word; `unrecorded` for denials that could not be written.
    pub fn counters(&self) -> Vec<(String, u64)> {
        let counters = self.0.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
    }

    /// The active bundle as the module loads it.
    ///
    /// # Errors
    /// `unknown_bundle` for any other digest.
    pub fn bundle(&self, digest: &Digest) -> Result<BundleReply, Refusal> {
        if *digest != self.policy().digest() {
            return Err(Refusal::not_found("unknown_bundle", "that is not the active bundle")
                .help("load the page again: another bundle may be active"));
        }
        Ok(BundleReply { load: self.policy().load(), module: self.engine().module() })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.folded.state()
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    fn engine(&self) -> &dyn Engine {
        &*self.0.parts.engine
    }

    fn index(&self) -> &dyn GrantIndex {
        &*self.0.parts.index
    }

    fn question_texts(&self) -> &Questions {
        &self.0.questions
    }

    fn ways(&self) -> &Ways {
        &self.0.parts.ways
    }

    fn presence(&self) -> &Presence {
        &self.0.presence
    }

    fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    fn challenges(&self) -> &Attempts {
        &self.0.challenges
    }

    fn random(&self) -> &dyn Random {
        &*self.0.parts.random
    }

    fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// The active bundle. It may be another at the next call: what decides is read after the versions that it is decided
    /// under, or held against the state that they were read from.
    fn policy(&self) -> Arc<Policy> {
        self.0.folded.policy()
    }

    fn folded(&self) -> &Folded {
        &self.0.folded
    }

    /// The time, for what ends by itself. Takes no lock on the state: who asks may hold one.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.time.read(self.0.folded.newest()).now
    }

    /// The time and whether exceptions may be honoured. Doubt is recorded once (R6).
    async fn time(&self) -> Reading {
        let (newest, doubted) = {
            let state = self.state();
            (state.newest, state.clock_doubted)
        };
        let reading = self.0.time.read(newest);
        if !reading.safe && !doubted {
            tracing::error!(apart = reading.apart, "the clock cannot be trusted; exceptions are suspended");
            let event = LedgerEvent::Gate(GateEvent::ClockDoubted { apart: reading.apart, at: reading.now });
            let recorded = self
                .admit(|state| {
                    let expected = vec![state.version(VersionKey::Bundle)];
                    let records =
                        if state.clock_doubted { Vec::new() } else { vec![self.ledger(reading.now, &event)?] };
                    Ok(Proposal { expected, records, answer: () })
                })
                .await;
            if let Err(refusal) = recorded {
                tracing::error!(code = refusal.code, "that could not be recorded; it holds all the same");
            }
        }
        // INVARIANT (R9): what rests on a record that is not what was believed is no exception.
        Reading { safe: reading.safe && !doubted && !self.0.folded.is_doubted(), ..reading }
    }

    fn refusals(&self) -> &console::Refusals {
        &self.0.refusals
    }

    fn proofs(&self) -> &Proofs {
        &self.0.proofs
    }

    fn erasing(&self) -> &tokio::sync::Mutex<()> {
        &self.0.erasing
    }

    fn board(&self) -> &Board {
        &self.0.board
    }

    fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The boot clock, in milliseconds.
    fn boot(&self) -> u64 {
        self.0.parts.clock.boot()
    }

    fn wall(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    fn believe_clock(&self) {
        self.0.time.trust();
    }

    fn count(&self, word: &'static str) {
        let mut counters = self.0.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counters.entry(word).or_default();
        *count = count.saturating_add(1);
    }

    fn held(&self) -> MutexGuard<'_, Vec<HeldStop>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds_stops(&self) -> bool {
        !self.held().is_empty()
    }

    fn held_stops(&self) -> Vec<HeldStop> {
        self.held().clone()
    }

    fn hold(&self, stop: HeldStop) {
        if !sabotaged!("r7_unrecorded_stop_dropped") {
            self.held().push(stop);
        }
    }

    fn release(&self, stop: &HeldStop) {
        self.held().retain(|held| held != stop);
    }
}
