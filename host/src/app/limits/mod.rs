//! What keeps one agent from flooding people, record and gate: how many evaluations and requests, how many at once, what
//! counts as the same request, and the silence after a refusal.
//!
//! Being over a limit is a denial (429). Each kind of it is written down once an interval for each subject and task, with
//! how often it happened since the line before.

mod bucket;
mod credentials;
mod hourly;
mod requests;
mod turns;
mod waits;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use policy_core::entity::EntityRef;
use tokio::sync::OwnedSemaphorePermit;

pub use bucket::Allowance;
pub(super) use hourly::{Often, Slot};
pub(super) use requests::{hold_silence, room_for, same_request};
#[cfg(test)]
pub(super) use turns::MOST_AT_ONCE;
pub(super) use turns::Turn;

use super::App;
use super::append::Proposal;
use super::asker::Asker;
use super::event::{GateEvent, LedgerEvent};
use super::refusal::{Refusal, RefusalKind};
use crate::identity::PointCredential;
use bucket::{Buckets, Counted};
use credentials::Brought;
use hourly::Hours;
use turns::{Looks, Turns};
use waits::{Wait, Waits};

/// How long one line in the record stands for what is refused by a limit, in milliseconds.
const INTERVAL: u64 = 60_000;
/// The kind of limit on evaluations.
const EVALUATIONS: &str = "evaluations";
/// The kind of limit on reports of what ran.
const REPORTS: &str = "reports";
/// The kind of limit on new credentials of other issuers.
const CREDENTIALS: &str = "credentials";
/// The type of an enforcement point among the subjects. No bundle has it: Cedar names no type with a hyphen.
const POINT: &str = "enforcement-point";

/// A subject in a task, and the kind of limit.
type Key = (EntityRef, String, &'static str);

/// What the limits remember. In memory alone: a restart forgets how much somebody has asked, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Limits {
    buckets: Mutex<Buckets>,
    brought: Mutex<Brought>,
    hours: Hours,
    turns: Turns,
    looks: Looks,
    waits: Waits,
    refused: Mutex<BTreeMap<Key, Refused>>,
}

/// What a limit has refused.
#[derive(Debug, Default)]
struct Refused {
    /// How often since the last line.
    count: u64,
    /// When that was written, by the boot clock.
    told_at: Option<u64>,
}

impl App {
    /// Lets an evaluation or a request through where its subject has not asked too much, and waits for its turn behind
    /// its own.
    pub(super) async fn turn(&self, asker: &Asker) -> Result<Turn, Refusal> {
        self.turn_of(&asker.agent.subject, &asker.agent.task).await
    }

    /// The same for what is asked about a subject in a task, whoever asks.
    pub(super) async fn turn_of(&self, subject: &EntityRef, task: &str) -> Result<Turn, Refusal> {
        let counted = [Counted::Subject(subject.clone()), Counted::Task(task.to_owned())];
        self.counted_turn(subject, task, &counted, EVALUATIONS).await
    }

    /// The same for what an enforcement point asks for no agent: it waits behind its own, and no agent pays for it.
    pub(super) async fn turn_of_point(&self, point: &PointCredential) -> Result<Turn, Refusal> {
        let point = EntityRef::new(POINT, &point.name);
        self.counted_turn(&point, "", &[Counted::Subject(point.clone())], EVALUATIONS).await
    }

    /// The same for a report of what ran.
    pub(super) async fn turn_to_report(&self, subject: &EntityRef, task: &str) -> Result<Turn, Refusal> {
        self.counted_turn(subject, task, &[Counted::Reports(subject.clone())], REPORTS).await
    }

    /// Lets a new credential of another issuer through, where its subject has not brought too many.
    ///
    /// # Errors
    /// `too_many_credentials`.
    pub(super) async fn room_for_credential(&self, subject: &EntityRef, task: &str) -> Result<(), Refusal> {
        let most = self.settings().allowance.credentials;
        let taken = {
            let mut brought = self.limits().brought.lock().unwrap_or_else(PoisonError::into_inner);
            brought.take(subject, most, self.boot())
        };
        let Err(wait) = taken else { return Ok(()) };
        self.over_limit(subject, task, CREDENTIALS).await;
        let detail = format!("tokens of this agent have said {most} new things within an hour");
        Err(Refusal::new(RefusalKind::TooMany, "too_many_credentials", detail).retry_after(wait))
    }

    /// Lets a person's look through that reads much of the record or asks the module much: a few of each person's at once,
    /// the others behind them.
    ///
    /// # Errors
    /// `too_many_looks`.
    pub(super) async fn turn_to_look(&self, person: &EntityRef) -> Result<Turn, Refusal> {
        let turn = self.limits().looks.take(person).await;
        turn.ok_or_else(|| {
            Refusal::new(
                RefusalKind::TooMany,
                "too_many_looks",
                "too much of what you look at is still being looked up",
            )
            .retry_after(1)
        })
    }

    /// A place to wait for a decision at, where this subject has one left.
    pub(super) fn place_to_wait(&self, subject: &EntityRef) -> Option<OwnedSemaphorePermit> {
        self.limits().turns.look(subject)
    }

    /// Somebody waits for a decision from here on, until what this gives is dropped.
    pub(super) fn begin_to_wait(&self, request: &str) -> Wait {
        self.limits().waits.begin(request)
    }

    /// Whether somebody waits for the decision at this moment.
    pub(super) fn waits_for(&self, request: &str) -> bool {
        self.limits().waits.is_waited_for(request)
    }

    async fn counted_turn(
        &self,
        subject: &EntityRef,
        task: &str,
        counted: &[Counted],
        what: &'static str,
    ) -> Result<Turn, Refusal> {
        let allowance = self.settings().allowance;
        let taken = {
            let mut buckets = self.limits().buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.take(counted, allowance, self.boot())
        };
        let wait = match taken {
            Ok(()) => match self.limits().turns.take(subject).await {
                Some(turn) => return Ok(turn),
                None => 1,
            },
            Err(wait) => wait,
        };
        let detail = "this agent, or its task, asks more often than the gate answers";
        let refusal = Refusal::new(RefusalKind::TooMany, "too_many_evaluations", detail).retry_after(wait);
        self.over_limit(subject, task, what).await;
        Err(refusal.help("wait for `Retry-After`; nothing ran"))
    }

    /// Counts a denial by a limit, and writes it down where no line stands for it yet.
    pub(super) async fn over_limit(&self, subject: &EntityRef, task: &str, what: &'static str) {
        self.count("limited");
        let now = self.boot();
        let key = (subject.clone(), task.to_owned(), what);
        let due = {
            let mut refused = self.limits().refused.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = refused.entry(key.clone()).or_default();
            entry.count = entry.count.saturating_add(1);
            let (count, told) = (entry.count, entry.told_at);
            let is_recent = |told: u64| now.saturating_sub(told) < INTERVAL;
            let due = !told.is_some_and(is_recent);
            if due {
                *entry = Refused { count: 0, told_at: Some(now) };
                // What is told and old says nothing any more.
                refused.retain(|_, entry| entry.count > 0 || entry.told_at.is_some_and(is_recent));
            }
            due.then_some(count)
        };
        if let Some(count) = due
            && let Err(refusal) = self.tell_limited(&[(key, count)]).await
        {
            tracing::warn!(code = refusal.code, "a denial by a limit could not be recorded; it is one all the same");
        }
    }

    /// What is refused and not written down yet, for the last record.
    pub(super) fn untold(&self) -> Vec<(Key, u64)> {
        let mut refused = self.limits().refused.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = refused.iter().filter(|(_, entry)| entry.count > 0);
        let untold = untold.map(|(key, entry)| (key.clone(), entry.count)).collect();
        refused.clear();
        untold
    }

    async fn tell_limited(&self, refused: &[(Key, u64)]) -> Result<(), Refusal> {
        let at = self.now();
        self.admit(|_| {
            let records = refused.iter().map(|((subject, task, what), count)| {
                let (subject, task, what) = (subject.clone(), task.clone(), (*what).to_owned());
                let event = GateEvent::Limited { subject, task, what, refused: *count, at };
                self.ledger(at, &LedgerEvent::Gate(event))
            });
            Ok(Proposal { expected: Vec::new(), records: records.collect::<Result<_, _>>()?, answer: () })
        })
        .await
        .map(drop)
    }

    /// The gate is told to stop: what was refused is counted, and the end stands in the record.
    ///
    /// # Errors
    /// `record_unavailable`.
    pub async fn stopped(&self) -> Result<(), Refusal> {
        let untold = self.untold();
        if !untold.is_empty() {
            self.tell_limited(&untold).await?;
        }
        let at = self.now();
        self.admit(|_| {
            let mut record = self.ledger(at, &LedgerEvent::Gate(GateEvent::GateStopped { at }))?;
            record.urgent = true;
            Ok(Proposal { expected: Vec::new(), records: vec![record], answer: () })
        })
        .await
        .map(drop)
    }
}
