//! Setting and renewing locks, and what they reach.

use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::Phase;
use policy_core::question::{Lock, LockTarget};
use policy_core::time::Span;
use proviso_api::stops::{LockLine, LockList, LockRequest, Locked, Reach, ReachReply};

use super::super::App;
use super::super::append::{Proposal, canonical};
use super::super::console::About;
use super::super::event::GateEvent;
use super::super::identities::no_randomness;
use super::super::refusal::Refusal;
use super::{HeldStop, check_reason};
use crate::identity::PersonSession;
use crate::random;
use crate::store::VersionKey;

/// How long a wide lock holds unless it is renewed.
const WIDE_FOR: Span = Span::from_seconds(86_400);
/// How far back somebody counts as using a tool or server.
const USED_WITHIN: Span = Span::from_seconds(86_400);

impl App {
    /// Locks a subject, person, task, tool, server or grant.
    ///
    /// # Errors
    /// `reason_needed`; `bad_name`; `bad_target`; for a tool or server `reach_needed` and `stale_reach`; `stop_unrecorded`
    /// when it holds but could not be recorded.
    pub async fn lock(&self, person: &PersonSession, request: LockRequest) -> Result<Locked, Refusal> {
        let LockRequest { target, reason, reach } = request;
        check_reason(&reason, "a lock")?;
        self.check_target(&target)?;
        let about = About::target(&self.state(), &target);
        self.hold_act(person, Act::Lock, &about).await?;
        let until = if is_wide(&target) {
            self.hold_reach(&target, reach)?;
            Some(self.now().plus(WIDE_FOR))
        } else {
            None
        };
        let id = random::id(self.random(), "lock").map_err(|_| no_randomness())?;
        let (by, groups) = (person.person.clone(), self.policy().groups_of(&person.person));
        let lock = Lock { id: id.clone(), target: target.clone() };
        self.stop(HeldStop::Lock { lock, by, reason, groups, until }).await?;
        Ok(Locked { id, until, calls_in_flight: self.calls_stopped_by(&target) })
    }

    /// A wide lock is set by who has looked at what it reaches.
    fn hold_reach(&self, target: &LockTarget, seen: Option<Digest>) -> Result<(), Refusal> {
        let look = "look at `GET /api/v1/locks/reach` and repeat its `digest` as `reach`";
        match seen {
            None => Err(Refusal::bad("reach_needed", "a lock on a tool or server reaches others").help(look)),
            Some(seen) if seen != self.reach(target)?.digest => {
                Err(Refusal::conflict("stale_reach", "what the lock would reach has changed").help(look))
            }
            Some(_) => Ok(()),
        }
    }

    /// What a lock would stop.
    ///
    /// # Errors
    /// `bad_name`; `bad_target`.
    pub fn reach(&self, target: &LockTarget) -> Result<ReachReply, Refusal> {
        self.check_target(target)?;
        let now = self.now();
        let (mut grants, mut requests, mut subjects) = (Vec::new(), Vec::new(), Vec::<EntityRef>::new());
        {
            let state = self.state();
            for (id, entry) in state.exceptions.iter().filter(|(_, entry)| !entry.exception.is_over(now)) {
                let (exception, question) = (&entry.exception, &entry.exception.request.question);
                let held = exception.phase.grant().map(|held| held.grant.id.to_string());
                let reached = match target {
                    LockTarget::Grant(grant) => held.as_ref() == Some(grant),
                    _ => self.policy().stops(target, question),
                };
                match (&exception.phase, held) {
                    (Phase::Granted(_) | Phase::Suspended { .. }, Some(grant)) if reached => grants.push(grant),
                    (Phase::Requested, _) if reached => requests.push(id.clone()),
                    _ => continue,
                }
                subjects.push(question.call.subject.clone());
            }
            subjects.extend(state.flights.users(target, &self.policy(), now, USED_WITHIN).cloned());
        }
        grants.sort();
        subjects.sort();
        subjects.dedup();
        let reach = Reach { target: target.clone(), grants, requests, subjects };
        let digest = Digest::of(&canonical(&reach)?);
        Ok(ReachReply { reach, digest, calls_in_flight: self.calls_stopped_by(target) })
    }

    /// Lets a lock that would end by itself go on: 24 h from now.
    ///
    /// # Errors
    /// `unknown_lock`, also for one that has ended; `not_wide` for one that does not end by itself; `reason_needed`.
    pub async fn renew_lock(&self, person: &PersonSession, id: &str, reason: &str) -> Result<Locked, Refusal> {
        check_reason(reason, "a renewal")?;
        let about = self.about_lock(id);
        self.hold_act(person, Act::Lock, &about).await?;
        let now = self.now();
        let until = now.plus(WIDE_FOR);
        let (target, _) = self
            .admit(|state| {
                let entry = state.locks_now(now).find(|entry| entry.lock.id == id).ok_or_else(unknown_lock)?;
                if entry.until.is_none() {
                    return Err(Refusal::conflict("not_wide", "the lock stays until it is lifted"));
                }
                let (by, reason) = (person.person.clone(), reason.to_owned());
                let event = GateEvent::LockRenewed { id: id.to_owned(), by, reason, until, at: now };
                let records = vec![self.gate_record(now, event, true)?];
                let expected = vec![state.version(VersionKey::Locks)];
                Ok(Proposal { expected, records, answer: entry.lock.target.clone() })
            })
            .await?;
        let calls_in_flight = self.calls_stopped_by(&target);
        Ok(Locked { id: id.to_owned(), until: Some(until), calls_in_flight })
    }

    /// What the lock of this id is on; the gate where there is none.
    pub(super) fn about_lock(&self, id: &str) -> About {
        let state = self.state();
        let entry = state.locks_now(self.now()).find(|entry| entry.lock.id == id);
        entry.map_or(About::GATE, |entry| About::target(&state, &entry.lock.target))
    }

    /// The locks in force, as this person sees them.
    pub fn locks(&self, person: &PersonSession) -> LockList {
        let now = self.now();
        let state = self.state();
        let locks = state.locks_now(now).map(|entry| LockLine {
            lock: entry.lock.clone(),
            by: entry.by.clone(),
            reason: entry.reason.clone(),
            at: entry.at,
            groups: entry.groups.clone(),
            until: entry.until,
            lifting: entry.lifting.iter().map(|(voter, _)| voter.person.clone()).collect(),
            you_may: self.may_lift(&state, person, entry, now).word().to_owned(),
        });
        LockList { locks: locks.collect(), presence: self.policy().acts_presence() }
    }
}

/// Whether a lock reaches whoever uses something, rather than somebody.
const fn is_wide(target: &LockTarget) -> bool {
    matches!(target, LockTarget::Tool(_) | LockTarget::Server(_))
}

pub(super) fn unknown_lock() -> Refusal {
    Refusal::not_found("unknown_lock", "there is no such lock")
}
