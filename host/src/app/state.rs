//! What the app believes, folded from verified records and from nothing else (R9).

mod decisions;
mod form;
mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use policy_core::abi::Voter;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Grant;
use policy_core::json;
use policy_core::lifecycle::{self, Event, Exception, Phase};
use policy_core::presence::Presence;
use policy_core::question::{Lock, LockTarget};
use policy_core::shared::Shared;
use policy_core::time::Timestamp;
use proviso_api::operations::ExecutionPhase;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use decisions::DENIALS_KEPT;
pub(super) use kinds::{Kinds, Remembered};

use super::activation::Proposals;
use super::epoch::EpochFact;
use super::erasure::{Erasures, Hold};
use super::event::{ActivationFact, EVENT, FoldOrigin, GateEvent, LedgerEvent, ORIGIN, RequestOrigin};
use super::findings::{Accounts, Findings};
use super::flight::Flights;
use super::held;
use super::identities::ASSURANCE;
use super::measures::Measures;
use super::membership::Members;
use super::ownership::{Ownership, OwnershipEvent};
use super::routing::Routing;
use super::uses::Uses;
use crate::identity::Registry;
use crate::reconcile::CallKind;
use crate::store::{FoldError, Log, Record, VersionKey};

/// An exception with where its events stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The exception.
    pub exception: Exception,
    /// What surrounded the request.
    pub origin: RequestOrigin,
    /// The keys of the repeats that folded into it.
    pub folds: Vec<FoldOrigin>,
    /// Its events, each with its ledger position and time.
    pub steps: Vec<(u64, Timestamp, Event)>,
    /// Positions in the log of decisions of what its grant permitted and what was reported of that.
    pub decisions: Vec<u64>,
    /// The newest report of each use of its grant, by the evaluation that consumed it.
    pub reports: BTreeMap<String, ExecutionPhase>,
}

impl Entry {
    /// What its events and the exception have in common is there once, as it is where they were folded.
    pub(super) fn share(&mut self) {
        let exception = &self.exception;
        for (_, _, event) in &mut self.steps {
            match (event, exception.phase.grant()) {
                (Event::ExceptionRequested { request, .. }, _) if *request == exception.request => {
                    *request = exception.request.clone();
                }
                (Event::ExceptionGranted { grant, .. }, Some(held)) if *grant == held.grant => {
                    *grant = held.grant.clone();
                }
                _ => {}
            }
        }
    }
}

/// A recorded denial, by what it is looked for by: all that was recorded of it stands in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Denial {
    /// Its position in the log of decisions.
    pub seq: u64,
    /// How many ledger records stood.
    pub after: u64,
    /// When.
    pub at: Timestamp,
    /// The bundle that judged.
    pub bundle: Option<Digest>,
    /// How many bytes its sealed question has; nothing where it could not be sealed.
    pub question: Option<usize>,
    /// The evaluation.
    pub evaluation: SmolStr,
    /// Who asked for what.
    pub kind: Shared<CallKind>,
    /// The digest of the canonical arguments.
    pub input_digest: Option<Digest>,
}

/// A lock that nobody has lifted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LockEntry {
    /// The lock.
    pub lock: Lock,
    /// Who.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The groups that its setter was in.
    pub groups: Vec<String>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Who of outside those groups wants it lifted, and what that was shown with.
    pub lifting: Vec<(Voter, Presence)>,
}

/// What the app believes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    // Of this start, and given anew at each: what was evaluated before one is admitted after none.
    #[serde(skip)]
    floor: u64,
    // What records touched since this start: at a start there is none.
    #[serde(skip)]
    versions: BTreeMap<VersionKey, u64>,
    // What calls have in common, once: found anew in all that remembers calls.
    #[serde(skip)]
    kinds: Kinds,
    // What counts among what is held: found anew in `exceptions`.
    #[serde(skip)]
    pub(super) held: held::Book,
    // The grants that were erased since it was last asked: of the running gate.
    #[serde(skip)]
    pub(super) forgotten: Vec<Shared<Grant>>,
    /// How many ledger records stood when an operator last trusted the clock.
    trusted: u64,
    /// How many ledger records stand.
    pub position: u64,
    /// The newest record's time.
    pub newest: Option<Timestamp>,
    /// Credentials, links, sessions.
    pub registry: Registry,
    /// Exceptions by id.
    pub exceptions: BTreeMap<String, Entry>,
    /// Which exception a grant belongs to.
    pub grants: BTreeMap<String, String>,
    /// The exceptions that came to a grant, by subject and task, in the order in which they were granted.
    #[serde(with = "crate::pairs")]
    pub granted: BTreeMap<(EntityRef, SmolStr), Vec<String>>,
    /// Locks that nobody has lifted, by id. Whether one is in force is a comparison: [`Self::locks_in_force`].
    pub locks: BTreeMap<String, LockEntry>,
    /// Tasks that are over.
    pub ended_tasks: BTreeSet<String>,
    /// The calls under way.
    pub flights: Flights,
    /// What was permitted of late.
    pub uses: Uses,
    /// Every lock that was ever set, with its ledger position.
    pub locked: Vec<(u64, LockTarget)>,
    /// Activations with their ledger positions, oldest first.
    pub activations: Vec<(u64, ActivationFact)>,
    /// Epochs with their ledger positions, oldest first; the gate's first has none.
    pub epochs: Vec<(u64, EpochFact)>,
    /// Who was told of what, and who stands in for whom.
    pub routing: Routing,
    /// What ran otherwise than it was approved.
    pub findings: Findings,
    /// What each subject asked to do, and what is said to have run.
    pub accounts: Accounts,
    /// Hand-overs, and who left.
    pub ownership: Ownership,
    /// What may become the active bundle.
    pub proposals: Proposals,
    /// How people came in.
    pub members: Members,
    /// The key that the record names as the one that signs its heads, once there was more than one.
    pub log_key: Option<String>,
    /// Legal holds that nobody has lifted, by id.
    pub holds: BTreeMap<String, Hold>,
    /// The records that say what was erased, by ledger position, each with how many payloads.
    pub erasures: BTreeMap<u64, u64>,
    /// What was erased, in numbers, and when it was last looked what is old.
    pub erased: Erasures,
    /// The pseudonyms of tasks of which it was erased what they were permitted.
    pub closed_tasks: BTreeSet<Digest>,
    /// Whether the clock is doubted until an operator's act (R6).
    pub clock_doubted: bool,
    /// What operators look at.
    pub measures: Measures,
    /// Recorded denials by position.
    pub denials: BTreeMap<u64, Denial>,
    // The same by evaluation: found anew in them.
    #[serde(skip)]
    denial_ids: BTreeMap<SmolStr, u64>,
    /// What each task was already permitted.
    pub done: BTreeMap<String, BTreeSet<String>>,
}

fn refuse(message: impl Into<String>) -> FoldError {
    FoldError { message: message.into() }
}

fn read<T: DeserializeOwned>(record: &Record, name: &str) -> Result<T, FoldError> {
    let bytes = record.payload(name).ok_or_else(|| refuse(format!("it has no payload `{name}`")))?;
    json::read_as(bytes, super::people::STORED)
        .map_err(|error| refuse(format!("its payload `{name}` cannot be read: {error}")))
}

impl State {
    /// Nothing yet; everything has this version.
    pub fn new(floor: u64) -> Self {
        Self { floor, ..Self::default() }
    }

    /// A key with the version that it has now: what an outcome that reads it expects.
    pub fn version(&self, key: VersionKey) -> (VersionKey, u64) {
        let version = self.versions.get(&key).copied().unwrap_or(self.floor);
        (key, version)
    }

    /// New versions.
    pub fn touched(&mut self, versions: &[(VersionKey, u64)]) {
        self.versions.extend(versions.iter().cloned());
    }

    /// The activation in force.
    pub fn activation(&self) -> Option<&ActivationFact> {
        self.activations.last().map(|(_, activation)| activation)
    }

    /// The locks that hold now. INVARIANT (R6, R8): while the clock is doubted no lock has ended.
    pub fn locks_in_force(&self, now: Timestamp) -> impl Iterator<Item = &Lock> {
        self.locks_now(now).map(|entry| &entry.lock)
    }

    /// The same, with who set them.
    pub fn locks_now(&self, now: Timestamp) -> impl Iterator<Item = &LockEntry> {
        let holds = move |entry: &&LockEntry| entry.until.is_none_or(|until| self.clock_doubted || now < until);
        self.locks.values().filter(holds)
    }

    /// The exception that a grant belongs to, and its phase's grant.
    pub fn by_grant(&self, grant: &str) -> Option<&Entry> {
        self.exceptions.get(self.grants.get(grant)?)
    }

    /// A recorded denial by its evaluation's id.
    pub fn denial(&self, evaluation: &str) -> Option<&Denial> {
        self.denials.get(self.denial_ids.get(evaluation)?)
    }

    /// Folds one record. Returns the exception that it was about.
    pub fn apply(&mut self, record: &Record) -> Result<Option<String>, FoldError> {
        // An operator who trusts the clock again may set it back: time counts from that record on.
        if record.leaf.kind == GateEvent::TRUSTED {
            self.trusted = record.leaf.seq.saturating_add(1);
            // Times from before say nothing about which call is ten seconds old.
            self.uses.forget_repeats(self.trusted);
            self.newest = Some(record.leaf.at);
        } else if record.leaf.after.is_none_or(|after| after >= self.trusted) {
            // A decision of before it is as old as that, in whatever order the two are read.
            self.newest = self.newest.max(Some(record.leaf.at));
        }
        self.measures.recorded(record.log, record.leaf.at);
        match record.log {
            Log::Ledger => {
                let about = self.apply_event(record);
                self.position = record.leaf.seq.saturating_add(1);
                about
            }
            Log::Decisions => self.apply_decision(record).map(|()| None),
        }
    }

    fn apply_event(&mut self, record: &Record) -> Result<Option<String>, FoldError> {
        let seq = record.leaf.seq;
        // INVARIANT (R9): only what was over is ever erased, and whole: nothing follows from it.
        if record.has_erased(EVENT) {
            return Ok(None);
        }
        match read::<LedgerEvent>(record, EVENT)? {
            LedgerEvent::Identity(event) => Ok(self.apply_identity(&event)),
            LedgerEvent::Membership(event) => Ok(self.apply_membership(event)),
            LedgerEvent::Gate(event) => {
                self.apply_gate(seq, event);
                Ok(None)
            }
            LedgerEvent::Routing(event) => Ok(self.routing.apply(seq, event)),
            LedgerEvent::Finding(event) => {
                if let Some(subject) = self.findings.apply(seq, event) {
                    self.accounts.touch(&subject);
                }
                Ok(None)
            }
            // What was refused changed nothing.
            LedgerEvent::Console(_) => Ok(None),
            LedgerEvent::Policy(event) => Ok(self.proposals.apply(seq, event)),
            LedgerEvent::Ownership(event) => {
                if let OwnershipEvent::PersonDeparted { person, at, .. } = &event {
                    self.registry.depart(person, *at);
                }
                Ok(self.ownership.apply(seq, event))
            }
            LedgerEvent::Exception { id, event } => {
                let before = self.exceptions.get(&id).map(|entry| entry.exception.clone());
                let after = lifecycle::evolve(before, &event).map_err(|error| refuse(error.to_string()))?;
                let exception = after.ok_or_else(|| refuse("an exception came to nothing"))?;
                self.accounts.touch(&exception.request.question.call.subject);
                if let Some(held) = exception.phase.grant()
                    && self.grants.insert(held.grant.id.to_string(), id.clone()).is_none()
                {
                    let of = (held.grant.subject.clone(), held.grant.task.clone());
                    self.granted.entry(of).or_default().push(id.clone());
                }
                self.follow(&id, &exception, &event);
                let step = (seq, record.leaf.at, *event);
                self.held.follow(self.exceptions.get(&id).map(|entry| &entry.exception), &exception);
                match self.exceptions.get_mut(&id) {
                    Some(entry) => {
                        if record.payload(ORIGIN).is_some() {
                            entry.folds.push(read(record, ORIGIN)?);
                        }
                        entry.exception = exception;
                        entry.steps.push(step);
                    }
                    None => {
                        let origin = read(record, ORIGIN)?;
                        let entry = Entry {
                            exception,
                            origin,
                            folds: Vec::new(),
                            steps: vec![step],
                            decisions: Vec::new(),
                            reports: BTreeMap::new(),
                        };
                        self.exceptions.insert(id.clone(), entry);
                    }
                }
                Ok(Some(id))
            }
        }
    }

    fn apply_gate(&mut self, seq: u64, event: GateEvent) {
        match event {
            GateEvent::GateStarted { module, .. } => self.proposals.started(module),
            GateEvent::GateStopped { .. }
            | GateEvent::SigningKeyRotated { .. }
            | GateEvent::CredentialKeyRotated { .. }
            | GateEvent::AllowWithheld { .. }
            | GateEvent::Limited { .. } => {}
            GateEvent::PayloadsErased(erasure) => self.forget_erased(seq, *erasure),
            GateEvent::ErasureProposed(proposed) => self.erased.proposals.propose(*proposed),
            GateEvent::ErasureConfirmed(confirmed) => self.erased.proposals.confirm(*confirmed),
            GateEvent::ErasureEnded(ended) => self.erased.proposals.end(&ended),
            GateEvent::HoldPlaced { hold } => drop(self.holds.insert(hold.id.clone(), *hold)),
            GateEvent::HoldLifted { id, .. } => drop(self.holds.remove(&id)),
            GateEvent::LogKeyRotated { key, .. } => self.log_key = Some(key),
            GateEvent::BundleActivated { activation } => self.activate(seq, *activation),
            GateEvent::Locked { lock, by, reason, at, groups, until } => {
                self.locked.push((seq, lock.target.clone()));
                let entry = LockEntry { lock, by, reason, at, groups, until, lifting: Vec::new() };
                self.locks.insert(entry.lock.id.clone(), entry);
            }
            GateEvent::LockRenewed { id, until, .. } => {
                if let Some(entry) = self.locks.get_mut(&id) {
                    entry.until = Some(until);
                }
            }
            GateEvent::LiftVoted { id, by, assurance, proof, .. } => {
                if let Some(entry) = self.locks.get_mut(&id) {
                    let assurance = assurance.unwrap_or_else(|| ASSURANCE.to_owned());
                    entry.lifting.retain(|(voter, _)| voter.person != by);
                    entry.lifting.push((Voter::new(by, assurance), proof.presence()));
                }
            }
            GateEvent::TaskEnded { task, .. } => {
                self.locked.push((seq, LockTarget::Task(task.clone())));
                self.ended_tasks.insert(task);
            }
            GateEvent::Unlocked { id, .. } => {
                self.locks.remove(&id);
            }
            GateEvent::ClockDoubted { .. } => self.clock_doubted = true,
            GateEvent::ClockTrusted { .. } => self.clock_doubted = false,
            GateEvent::EpochBegun { epoch } => self.begin_epoch(seq, *epoch),
        }
    }

    /// Whether an exception is open or live as far as records say, or may be again under another bundle; whether its time
    /// has ended is a comparison (R6).
    pub fn is_open(entry: &Entry) -> bool {
        matches!(entry.exception.phase, Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. })
    }
}
