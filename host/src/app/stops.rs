//! Revokes and locks: at once, above everything, and held in memory where they cannot be recorded (R7).

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Command, decide};
use policy_core::question::{Lock, LockTarget};
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::exceptions::VoteReply;
use proviso_api::operations::LockList;

use super::App;
use super::append::{CONTENDED, Proposal};
use super::event::{GateEvent, LedgerEvent};
use super::people::rejected;
use super::refusal::{Refusal, RefusalKind};
use crate::identity::PersonSession;
use crate::random;
use crate::store::VersionKey;

/// A stop that could not be recorded yet. It holds all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeldStop {
    Revoke { exception: String, by: EntityRef, reason: String },
    Lock { lock: Lock, by: EntityRef, reason: String },
}

impl App {
    /// Takes a grant away.
    ///
    /// # Errors
    /// `unknown_grant`; what the lifecycle rejects; `stop_unrecorded` when it holds but could not be recorded.
    pub async fn revoke(&self, person: &PersonSession, grant: &str, reason: &str) -> Result<VoteReply, Refusal> {
        let unknown = || Refusal::not_found("unknown_grant", "there is no such grant");
        let exception = self.state().grants.get(grant).cloned().ok_or_else(unknown)?;
        let stop =
            HeldStop::Revoke { exception: exception.clone(), by: person.person.clone(), reason: reason.to_owned() };
        self.stop(stop).await?;
        self.vote_reply(&exception)
    }

    /// Locks a subject, person, task, tool, server or grant. The new lock's id.
    ///
    /// # Errors
    /// `reason_needed`; `stop_unrecorded` when it holds but could not be recorded.
    pub async fn lock(&self, person: &PersonSession, target: LockTarget, reason: &str) -> Result<String, Refusal> {
        if reason.trim().is_empty() || reason.chars().count() > 2_000 {
            return Err(Refusal::bad("reason_needed", "a lock needs a reason of 1 to 2000 characters"));
        }
        if !text::is_identifier(target_id(&target)) {
            return Err(Refusal::bad("bad_name", "that cannot be locked: it is no id"));
        }
        let id = random::id(self.random(), "lock").map_err(|_| super::identities::no_randomness())?;
        let lock = Lock { id: id.clone(), target };
        self.stop(HeldStop::Lock { lock, by: person.person.clone(), reason: reason.to_owned() }).await?;
        Ok(id)
    }

    /// Lifts a lock: whoever set it, or somebody who is neither locked nor owns what is.
    ///
    /// # Errors
    /// `unknown_lock`; `not_yours`; `single_user_required`.
    pub async fn unlock(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself lifts nothing either.
        self.hold_session(person)?;
        let now = self.now();
        self.admit(|state| {
            let entry = state.locks.get(id);
            let entry = entry.ok_or_else(|| Refusal::not_found("unknown_lock", "there is no such lock"))?;
            let concerned = match &entry.lock.target {
                LockTarget::Person(locked) => *locked == person.person,
                LockTarget::Subject(subject) => self.policy().owners(subject).contains(&person.person),
                LockTarget::Task(_) | LockTarget::Tool(_) | LockTarget::Server(_) => false,
                LockTarget::Grant(grant) => state.by_grant(grant).is_some_and(|entry| {
                    let request = &entry.exception.request;
                    request.requester == person.person || request.owners.contains(&person.person)
                }),
            };
            let locked = state.locks.values().any(|other| {
                other.lock.target == LockTarget::Person(person.person.clone()) && other.by != person.person
            });
            if locked || (concerned && entry.by != person.person) {
                return Err(Refusal::forbidden("not_yours", "who is concerned by a lock cannot lift it"));
            }
            let expected = vec![state.version(VersionKey::Locks)];
            let event = GateEvent::Unlocked { id: id.to_owned(), by: person.person.clone(), at: now };
            Ok(Proposal { expected, records: vec![self.ledger(now, &LedgerEvent::Gate(event))?], answer: () })
        })
        .await
        .map(drop)
    }

    /// Who is locked, recorded or not yet.
    pub(super) fn locked_people(&self) -> Vec<EntityRef> {
        let mut locks: Vec<Lock> = self.held_locks();
        locks.extend(self.state().locks.values().map(|entry| entry.lock.clone()));
        let people = locks.into_iter().filter_map(|lock| match lock.target {
            LockTarget::Person(person) => Some(person),
            _ => None,
        });
        people.collect()
    }

    /// The locks that could not be recorded yet. They lock all the same (R7).
    pub(super) fn held_locks(&self) -> Vec<Lock> {
        let held = self.held_stops().into_iter().filter_map(|stop| match stop {
            HeldStop::Lock { lock, .. } => Some(lock),
            HeldStop::Revoke { .. } => None,
        });
        held.collect()
    }

    /// The locks in force.
    pub fn locks(&self) -> LockList {
        LockList { locks: self.state().locks.values().map(|entry| entry.lock.clone()).collect() }
    }

    async fn stop(&self, stop: HeldStop) -> Result<(), Refusal> {
        match self.record_stop(&stop).await {
            // INVARIANT (R7): a stop that cannot be recorded holds in memory at once.
            // One that others' records keep overtaking holds as well, and then nothing overtakes it any more.
            Err(refusal) if refusal.kind == RefusalKind::Unavailable || refusal.code == CONTENDED => {
                self.hold(stop.clone());
                if refusal.code == CONTENDED {
                    self.record_held_stops().await;
                    if !self.held_stops().contains(&stop) {
                        return Ok(());
                    }
                }
                Err(Refusal::new(
                    RefusalKind::Unavailable,
                    "stop_unrecorded",
                    "it holds from now on, and could not be recorded yet",
                )
                .help("the gate honours no exception and is not ready until it is recorded; look at its disk"))
            }
            other => other,
        }
    }

    async fn record_stop(&self, stop: &HeldStop) -> Result<(), Refusal> {
        let now = self.now();
        let context = self.bare_context(now)?;
        self.admit(|state| {
            let (key, records) = match stop {
                HeldStop::Lock { lock, by, reason } => {
                    (VersionKey::Locks, vec![self.lock_record(now, lock, by, reason)?])
                }
                HeldStop::Revoke { exception, by, reason } => {
                    let command = Command::Revoke { by: by.clone(), reason: reason.clone() };
                    let entry = state.exceptions.get(exception).map(|entry| &entry.exception);
                    let events = decide(entry, command, &context).map_err(rejected)?;
                    let records = self.exception_records(now, exception, events)?;
                    (VersionKey::Exception(exception.clone()), records)
                }
            };
            Ok(Proposal { expected: vec![state.version(key)], records, answer: () })
        })
        .await
        .map(drop)
    }

    fn lock_record(
        &self,
        now: Timestamp,
        lock: &Lock,
        by: &EntityRef,
        reason: &str,
    ) -> Result<crate::store::NewRecord, Refusal> {
        let event = GateEvent::Locked { lock: lock.clone(), by: by.clone(), reason: reason.to_owned(), at: now };
        self.ledger(now, &LedgerEvent::Gate(event))
    }

    /// Records what is held, before anything else is decided.
    pub(super) async fn record_held_stops(&self) {
        for stop in self.held_stops() {
            match self.record_stop(&stop).await {
                // What can no longer be stopped is over: nothing to hold.
                Ok(()) => self.release(&stop),
                Err(refusal) if refusal.kind != RefusalKind::Unavailable && refusal.code != CONTENDED => {
                    self.release(&stop);
                }
                Err(_) => return,
            }
        }
    }
}

fn target_id(target: &LockTarget) -> &str {
    match target {
        LockTarget::Subject(entity) | LockTarget::Person(entity) => &entity.id,
        LockTarget::Task(id) | LockTarget::Tool(id) | LockTarget::Server(id) | LockTarget::Grant(id) => id,
    }
}
