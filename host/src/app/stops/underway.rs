//! The calls that a stop catches in the middle.

use policy_core::lifecycle::Phase;
use policy_core::question::{Lock, LockTarget};
use policy_core::time::Timestamp;
use proviso_api::stops::{CallInFlight, StopList};

use super::super::App;
use super::super::flight::Flight;
use super::super::policy::Policy;
use super::super::refusal::Refusal;
use super::super::state::State;
use super::HeldStop;
use crate::identity::Credential;

/// The most calls that an answer names: the oldest first.
const MOST_CALLS: usize = 500;

impl App {
    /// The calls under way that this is true of.
    pub(in crate::app) fn calls_in_flight(&self, caught: impl Fn(&Flight) -> bool) -> Vec<CallInFlight> {
        let now = self.now();
        let state = self.state();
        let calls = state.flights.now(now).filter(|(_, flight)| caught(flight));
        let mut calls: Vec<CallInFlight> = calls.map(|(evaluation, flight)| flight.line(evaluation)).collect();
        calls.sort_by(|a, b| (a.at, &a.call, &a.evaluation_id).cmp(&(b.at, &b.call, &b.evaluation_id)));
        calls.truncate(MOST_CALLS);
        calls
    }

    /// The calls under way that a lock stops.
    pub(super) fn calls_stopped_by(&self, target: &LockTarget) -> Vec<CallInFlight> {
        self.calls_in_flight(|flight| flight.is_stopped_by(target, &self.policy()))
    }

    /// The calls of an enforcement point that were stopped after they began: what it calls off where it can. Says
    /// nothing of who stopped them or why.
    ///
    /// # Errors
    /// `not_an_enforcement_point`.
    pub fn stopped_calls(&self, caller: &Credential) -> Result<StopList, Refusal> {
        let Credential::EnforcementPoint(point) = caller else {
            return Err(Refusal::forbidden("not_an_enforcement_point", "only an enforcement point calls off calls"));
        };
        let now = self.now();
        let held = self.held_stops();
        let state = self.state();
        let calls = state.flights.now(now).filter(|(_, flight)| flight.credential == point.token);
        let stopped = calls.filter(|(_, flight)| is_stopped(&state, &self.policy(), &held, flight, now));
        let mut calls: Vec<CallInFlight> = stopped.map(|(evaluation, flight)| flight.line(evaluation)).collect();
        calls.sort_by(|a, b| (a.at, &a.call, &a.evaluation_id).cmp(&(b.at, &b.call, &b.evaluation_id)));
        calls.truncate(MOST_CALLS);
        Ok(StopList { calls })
    }
}

impl App {
    /// Whether what permitted an evaluation of this credential still stands, and the exception that it did it by.
    pub(in crate::app) fn still_permitted(
        &self,
        state: &State,
        credential: &str,
        evaluation: &str,
        now: Timestamp,
    ) -> (bool, Option<String>) {
        let permitted = state.uses.permitted(evaluation).filter(|permitted| permitted.kind.credential == credential);
        let Some(permitted) = permitted else { return (false, None) };
        let Some(id) = &permitted.exception else { return (true, None) };
        let exception = state.exceptions.get(id).map(|entry| &entry.exception);
        let held = exception.and_then(|exception| match &exception.phase {
            Phase::Granted(held) | Phase::Exhausted { grant: held, .. } => Some(held),
            _ => None,
        });
        // INVARIANT (R7): a stop that is not recorded yet ends it, too.
        let stands = held.is_some_and(|held| {
            let id = &held.grant.id;
            let is_locked = |lock: &Lock| matches!(&lock.target, LockTarget::Grant(grant) if grant == id);
            now < held.grant.scope.not_after && !state.locks_in_force(now).any(is_locked) && !self.holds_stops()
        });
        (stands, Some(id.clone()))
    }
}

impl App {
    /// Whether a stop was acknowledged since this use was recorded: its reply is not out yet.
    pub(in crate::app) fn is_overtaken(&self, evaluation: &str, now: Timestamp) -> bool {
        let held = self.held_stops();
        let state = self.state();
        let flight = state.flights.of(evaluation);
        flight.is_some_and(|flight| is_stopped(&state, &self.policy(), &held, flight, now))
    }
}

/// Whether something has stopped a call since it was permitted.
fn is_stopped(state: &State, policy: &Policy, held: &[HeldStop], flight: &Flight, now: Timestamp) -> bool {
    if state.ended_tasks.contains(flight.task())
        || state.locks_in_force(now).any(|lock| flight.is_stopped_by(&lock.target, policy))
    {
        return true;
    }
    let entry = flight.exception.as_ref().and_then(|id| state.exceptions.get(id));
    if entry.is_some_and(|entry| matches!(entry.exception.phase, Phase::Revoked { .. } | Phase::Suspended { .. })) {
        return true;
    }
    held.iter().any(|stop| match stop {
        HeldStop::Lock { lock, .. } => flight.is_stopped_by(&lock.target, policy),
        HeldStop::EndTask { task, .. } => flight.task() == task,
        HeldStop::Revoke { exception, .. } => flight.exception.as_ref() == Some(exception),
        HeldStop::RevokeAll { target, .. } => entry.is_some_and(|entry| super::revoke::concerns(target, entry)),
    })
}
