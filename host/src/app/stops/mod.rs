//! Revokes, locks and the end of a task: at once, above everything, and held in memory where they cannot be recorded
//! (R7).

mod lift;
mod locks;
mod revoke;
mod target;
mod underway;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Command, Context, Event, Phase, decide};
use policy_core::question::{Lock, LockTarget, SealedQuestion};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::stops::RevocationTarget;

use super::App;
use super::append::{CONTENDED, Proposal};
use super::event::{GateEvent, LedgerEvent};
use super::people::rejected;
use super::refusal::{Refusal, RefusalKind};
use super::state::{Entry, State};
use crate::store::{NewRecord, VersionKey};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 2_000;
/// The id of the lock that stands for a task's end.
const TASK_ENDED: &str = "task_ended";

/// A stop that could not be recorded yet. It holds all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeldStop {
    Revoke { exception: String, by: EntityRef, reason: String },
    RevokeAll { target: RevocationTarget, by: EntityRef, reason: String },
    Lock { lock: Lock, by: EntityRef, reason: String, groups: Vec<String>, until: Option<Timestamp> },
    EndTask { task: String, by: EntityRef, reason: String },
}

/// What a recorded stop took away.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopped {
    /// Grants, by id.
    pub grants: Vec<String>,
    /// Open requests, by their exceptions' ids.
    pub requests: Vec<String>,
}

impl App {
    /// Records a stop, or holds it where that fails.
    pub(super) async fn stop(&self, stop: HeldStop) -> Result<Stopped, Refusal> {
        match self.record_stop(&stop).await {
            // INVARIANT (R7): a stop that cannot be recorded holds in memory at once.
            // One that others' records keep overtaking holds as well, and then nothing overtakes it any more.
            Err(refusal) if refusal.kind == RefusalKind::Unavailable || refusal.code == CONTENDED => {
                self.hold(stop.clone());
                if refusal.code == CONTENDED
                    && let Ok(stopped) = self.record_stop(&stop).await
                {
                    self.release(&stop);
                    return Ok(stopped);
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

    async fn record_stop(&self, stop: &HeldStop) -> Result<Stopped, Refusal> {
        let now = self.now();
        let context = self.bare_context(now)?;
        let (stopped, _) = self
            .admit(|state| {
                let mut proposal = match stop {
                    HeldStop::Lock { lock, by, reason, groups, until } => {
                        let (lock, by, reason) = (lock.clone(), by.clone(), reason.clone());
                        let event =
                            GateEvent::Locked { lock, by, reason, at: now, groups: groups.clone(), until: *until };
                        let records = vec![self.ledger(now, &LedgerEvent::Gate(event))?];
                        let expected = vec![state.version(VersionKey::Locks)];
                        Proposal { expected, records, answer: Stopped::default() }
                    }
                    HeldStop::Revoke { exception, by, reason } => {
                        let command = Command::Revoke { by: by.clone(), reason: reason.clone() };
                        let entry = state.exceptions.get(exception).map(|entry| &entry.exception);
                        let events = decide(entry, command, &context).map_err(rejected)?;
                        let expected = vec![state.version(VersionKey::Exception(exception.clone()))];
                        let records = self.exception_records(now, exception, events)?;
                        Proposal { expected, records, answer: Stopped::default() }
                    }
                    HeldStop::RevokeAll { target, by, reason } => {
                        let concerned = |entry: &Entry| revoke::concerns(target, entry);
                        self.take_all(state, &concerned, false, (by, reason), &context)?
                    }
                    HeldStop::EndTask { task, by, reason } => {
                        let concerned = |entry: &Entry| entry.exception.request.question.task == *task;
                        let mut all = self.take_all(state, &concerned, true, (by, reason), &context)?;
                        if !state.ended_tasks.contains(task) {
                            let (task, by, reason) = (task.clone(), by.clone(), reason.clone());
                            let event = GateEvent::TaskEnded { task, by, reason, at: now };
                            all.records.insert(0, self.ledger(now, &LedgerEvent::Gate(event))?);
                        }
                        all.expected.push(state.version(VersionKey::Locks));
                        all
                    }
                };
                proposal.records.iter_mut().for_each(|record| record.urgent = true);
                Ok(proposal)
            })
            .await?;
        Ok(stopped)
    }

    /// Takes away every grant of the exceptions that are concerned, and with `requests` every open request.
    ///
    /// INVARIANT (R7): expects the version of everything open that is concerned, so that a grant that a vote makes
    /// meanwhile is not overlooked.
    fn take_all(
        &self,
        state: &State,
        concerned: &dyn Fn(&Entry) -> bool,
        requests: bool,
        (by, reason): (&EntityRef, &str),
        context: &Context,
    ) -> Result<Proposal<Stopped>, Refusal> {
        let now = context.now;
        let (mut expected, mut records, mut stopped) = (Vec::new(), Vec::new(), Stopped::default());
        let open = state.exceptions.iter().filter(|(_, entry)| {
            let phase = &entry.exception.phase;
            !matches!(
                phase,
                Phase::Denied { .. } | Phase::Cancelled { .. } | Phase::Lapsed { .. } | Phase::Revoked { .. }
            )
        });
        for (id, entry) in open.filter(|(_, entry)| concerned(entry)) {
            expected.push(state.version(VersionKey::Exception(id.clone())));
            let exception = &entry.exception;
            let (by, reason) = (by.clone(), reason.to_owned());
            let command = if requests {
                Command::EndTask { by, reason }
            } else if exception.phase.grant().is_some() {
                Command::Revoke { by, reason }
            } else {
                continue;
            };
            // One that time has ended has nothing that could be taken away.
            let events: Vec<Event> = decide(Some(exception), command, context).unwrap_or_default();
            if !events.is_empty() {
                match exception.phase.grant() {
                    Some(held) => stopped.grants.push(held.grant.id.to_string()),
                    None => stopped.requests.push(id.clone()),
                }
                records.extend(self.exception_records(now, id, events)?);
            }
        }
        Ok(Proposal { expected, records, answer: stopped })
    }

    /// Records what is held, before anything else is decided.
    pub(super) async fn record_held_stops(&self) {
        for stop in self.held_stops() {
            match self.record_stop(&stop).await {
                // What can no longer be stopped is over: nothing to hold.
                Ok(_) => self.release(&stop),
                Err(refusal) if refusal.kind != RefusalKind::Unavailable && refusal.code != CONTENDED => {
                    self.release(&stop);
                }
                Err(_) => return,
            }
        }
    }

    /// The locks on a question: recorded or not yet, and the end of its task.
    pub(super) fn locks_on(&self, state: &State, question: &SealedQuestion, now: Timestamp) -> Vec<Lock> {
        let held = self.held_locks();
        let ended = self.ended_task(state, &question.task);
        let locks = state.locks_in_force(now).chain(&held).chain(&ended);
        locks.filter(|lock| self.policy().stops(&lock.target, question)).cloned().collect()
    }

    /// The stops that could not be recorded yet, as locks. They hold all the same (R7).
    fn held_locks(&self) -> Vec<Lock> {
        let held = self.held_stops().into_iter().filter_map(|stop| match stop {
            HeldStop::Lock { lock, .. } => Some(lock),
            HeldStop::EndTask { task, .. } => Some(Lock { id: TASK_ENDED.to_owned(), target: LockTarget::Task(task) }),
            HeldStop::Revoke { .. } | HeldStop::RevokeAll { .. } => None,
        });
        held.collect()
    }

    /// Who is locked, recorded or not yet.
    pub(super) fn locked_people(&self, now: Timestamp) -> Vec<EntityRef> {
        let mut locks: Vec<Lock> = self.held_locks();
        locks.extend(self.state().locks_in_force(now).cloned());
        let people = locks.into_iter().filter_map(|lock| match lock.target {
            LockTarget::Person(person) => Some(person),
            _ => None,
        });
        people.collect()
    }

    /// Whether a lock on this person waits to be recorded.
    fn locked_now(&self, person: &EntityRef) -> bool {
        self.held_locks().iter().any(|lock| lock.target == LockTarget::Person(person.clone()))
    }

    /// Whether a task is over.
    pub(super) fn is_task_over(&self, task: &str) -> bool {
        let ends = |lock: &Lock| lock.id == TASK_ENDED && lock.target == LockTarget::Task(task.to_owned());
        self.has_ended(&self.state(), task) || self.held_locks().iter().any(ends)
    }

    /// Whether the record says that a task is over, or has forgotten what was permitted in it.
    ///
    /// INVARIANT (R2): what a task was permitted may be why it is forbidden more. Where that was erased, nothing is
    /// permitted in it again.
    fn has_ended(&self, state: &State, task: &str) -> bool {
        let forgotten = || !state.closed_tasks.is_empty() && state.closed_tasks.contains(&self.task_pseudonym(task));
        state.ended_tasks.contains(task) || (forgotten() && !sabotaged!("r2_erased_past_begins_anew"))
    }

    /// What stands for a task where its name must not.
    pub(super) fn task_pseudonym(&self, task: &str) -> Digest {
        self.keys().pseudonym(&format!("task/{task}"))
    }

    fn ended_task(&self, state: &State, task: &str) -> Option<Lock> {
        let over = self.has_ended(state, task);
        over.then(|| Lock { id: TASK_ENDED.to_owned(), target: LockTarget::Task(task.to_owned()) })
    }

    /// Refuses what is asked for a task that is over.
    pub(super) fn hold_task(&self, state: &State, task: &str) -> Result<(), Refusal> {
        let ends = |lock: &Lock| lock.id == TASK_ENDED && lock.target == LockTarget::Task(task.to_owned());
        if self.has_ended(state, task) || self.held_locks().iter().any(ends) {
            return Err(Refusal::conflict("task_ended", "the task has ended, and with it what could be asked in it"));
        }
        Ok(())
    }

    fn gate_record(&self, now: Timestamp, event: GateEvent, urgent: bool) -> Result<NewRecord, Refusal> {
        let record = self.ledger(now, &LedgerEvent::Gate(event))?;
        Ok(NewRecord { urgent, ..record })
    }
}

/// Holds a reason to its length.
pub(super) fn check_reason(reason: &str, what: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("{what} needs a reason of 1 to {LONGEST_REASON} characters");
        return Err(Refusal::bad("reason_needed", detail));
    }
    Ok(())
}
