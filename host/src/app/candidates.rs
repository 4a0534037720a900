//! What the state holds of a call: the grants that may cover it, the locks on it, and the versions that they were read at.

use policy_core::containment;
use policy_core::lifecycle::Phase;
use policy_core::question::{Candidate, Lock, LockTarget, Purpose, SealedQuestion};
use policy_core::sabotaged;

use super::App;
use super::asker::{Ask, Asker};
use super::foreign::{is_of_build, is_shown_as_approved};
use super::refusal::Refusal;
use super::state::State;
use super::uses::UseKey;
use crate::store::VersionKey;

/// What the state holds of a call, with the versions that it was read at.
pub(super) struct Read {
    pub candidates: Vec<Candidate>,
    /// The grant that permitted this very call a moment ago.
    pub repeats: Option<String>,
    pub locks: Vec<Lock>,
    /// Whether what permitted the call that this continues has ended.
    pub begun_ended: bool,
    /// What every outcome expects.
    pub expected: Vec<(VersionKey, u64)>,
    /// What an outcome expects that uses one of the candidates, in their order.
    pub used: Vec<(VersionKey, u64)>,
}

impl App {
    /// Reads what the state holds of this call.
    pub(super) fn read(
        &self,
        asker: &Asker,
        ask: &Ask,
        question: &SealedQuestion,
        safe: bool,
    ) -> Result<Read, Refusal> {
        let now = question.now;
        let call = &question.call;
        let state = self.state();
        self.hold_credentials(&state, asker, now)?;
        // INVARIANT (R4): what was sealed by another bundle than the active one is admitted under none. The bundle changes
        // with the state, so that under one lock the two are of one moment.
        let version = state.version(VersionKey::Bundle);
        let of_now = question.bundle == self.policy().digest();
        let version = if of_now { version } else { (VersionKey::Bundle, u64::MAX) };
        let mut expected = vec![version, state.version(VersionKey::Locks)];
        expected.extend(asker.credentials().map(|id| state.version(VersionKey::Identity(id.to_owned()))));
        // What the task was permitted before is read only where the action shows it to policy.
        if question.context.contains_key("done") {
            expected.push(state.version(VersionKey::Task(question.task.to_string())));
        }
        let past =
            ask.call.as_deref().and_then(|id| state.uses.repeats(&UseKey::new(asker.credential(), id, question), now));
        let repeats = past.map(|past| past.grant.clone()).filter(|_| ask.purpose == Purpose::Use);
        let mut ids = self.index().find(&call.subject, &question.task);
        ids.extend(repeats.clone());
        ids.retain(|id| state.by_grant(id).is_some_and(|entry| is_of_build(entry, asker.agent.build.as_deref())));
        ids.retain(|id| state.by_grant(id).is_some_and(|entry| is_shown_as_approved(entry, &asker.agent)));
        ids.sort();
        ids.dedup();
        // INVARIANT (R6, R7): while the clock or a stop is in doubt, no grant is a candidate.
        let candidates: Vec<Candidate> = if (safe || sabotaged!("r6_clock_believed")) && !self.holds_stops() {
            ids.iter().filter_map(|id| self.candidate(&state, question, id, repeats.as_deref())).collect()
        } else {
            Vec::new()
        };
        // INVARIANT (R3): the versions are those of the counters that the candidates show, read under one lock.
        let used = candidates.iter().map(|candidate| VersionKey::Exception(candidate.grant.exception.to_string()));
        let used = used.map(|key| state.version(key)).collect();
        let locks = self.locks_on(&state, question, now);
        let mut begun_ended = false;
        if let Some(evaluation) = &ask.continues {
            let (stands, exception) = self.still_permitted(&state, asker.credential(), evaluation, now);
            begun_ended = !stands;
            expected.extend(exception.map(|id| state.version(VersionKey::Exception(id))));
        }
        Ok(Read { candidates, repeats, locks, begun_ended, expected, used })
    }

    /// A grant as a candidate, whatever the index says of it.
    ///
    /// INVARIANT (R3): looked up in the folded state and held against subject and task again.
    fn candidate(
        &self,
        state: &State,
        question: &SealedQuestion,
        id: &str,
        repeats: Option<&str>,
    ) -> Option<Candidate> {
        let exception = &state.by_grant(id)?.exception;
        let repeated = repeats == Some(id);
        let held = match &exception.phase {
            Phase::Granted(held) => held,
            // The last use may be repeated, too: it consumes nothing again.
            Phase::Exhausted { grant, .. } if repeated => grant,
            _ => return None,
        };
        let grant = &held.grant;
        let locked = state
            .locks_in_force(question.now)
            .any(|lock| matches!(&lock.target, LockTarget::Grant(held) if held == id));
        let subject = grant.subject == question.call.subject || sabotaged!("r3_subject");
        let task = grant.task == question.task || sabotaged!("r3_task");
        let ours = grant.id == id && subject && task;
        // INVARIANT (R9): what was granted before a restore is no candidate until people confirm it.
        if exception.is_unconfirmed() {
            return None;
        }
        // INVARIANT (R4): judged under the bundle that is active, and at a later start again, or no candidate.
        let judged = exception.bundle == question.bundle || sabotaged!("r4_not_judged_again");
        if locked || !ours || !judged || held.awaits_activation() {
            return None;
        }
        // What this very call has consumed already is not held against it.
        let amounts = containment::amounts(&grant.scope, &question.call).ok().filter(|_| repeated);
        let used = held.uses.saturating_sub(u32::from(repeated));
        let budgets = grant.scope.budgets.iter().zip(&held.spent).enumerate().map(|(index, (budget, spent))| {
            let back = amounts.as_ref().and_then(|amounts| amounts.get(index)).copied().unwrap_or(0);
            budget.max.saturating_sub(spent.saturating_sub(back))
        });
        Some(Candidate {
            grant: grant.clone(),
            uses_left: grant.scope.max_uses.saturating_sub(used),
            budgets_left: budgets.collect(),
            rate_left: held.rate_left(question.now).map(|left| left.saturating_add(u32::from(repeated))),
        })
    }

    /// The live grants of a question's subject and task, as they would be put to the module now.
    pub(super) fn live_candidates(&self, state: &State, question: &SealedQuestion) -> Vec<Candidate> {
        let mut ids = self.index().find(&question.call.subject, &question.task);
        ids.sort();
        ids.dedup();
        ids.iter().filter_map(|id| self.candidate(state, question, id, None)).collect()
    }

    /// Judges the subject's live grants again where a newer bundle is active, or a later start has come (R4).
    pub(super) async fn refresh_grants(&self, question: &SealedQuestion) -> Result<(), Refusal> {
        let stale: Vec<String> = {
            let state = self.state();
            let ids = self.index().find(&question.call.subject, &question.task);
            let entries = ids.iter().filter_map(|id| state.by_grant(id)).map(|entry| &entry.exception);
            let stale = entries.filter(|exception| exception.needs_judging(question.bundle, question.now));
            stale.map(|exception| exception.request.id.clone()).collect()
        };
        for id in stale {
            // One that cannot be judged stays no candidate.
            if let Err(refusal) = self.refresh(&id).await {
                tracing::warn!(code = refusal.code, exception = id, "a grant could not be judged again");
            }
        }
        Ok(())
    }
}
