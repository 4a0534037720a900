//! Which grant would have let a refused call through, and why it does not any more, or not yet.

use policy_core::containment::{Miss, covers};
use policy_core::lifecycle::{Exception, GrantState, effective_state};
use policy_core::question::{Candidate, SealedQuestion};
use policy_core::time::Timestamp;
use proviso_api::authzen::GrantHint;

use super::App;
use super::state::State;

impl App {
    /// The newest grant of this subject and task that covers the call in all but time and counters, with its state's
    /// word: `not_active`, `suspended`, `unconfirmed`, `expired`, `exhausted`, `revoked`, `over_budget` or `over_rate`.
    pub(super) fn hint(&self, question: &SealedQuestion, now: Timestamp) -> Option<GrantHint> {
        let state = self.state();
        let mut held = state.grants_of(&question.call.subject, &question.task).rev();
        held.find_map(|exception| hint(exception, question, now))
    }
}

fn hint(exception: &Exception, question: &SealedQuestion, now: Timestamp) -> Option<GrantHint> {
    // First what is told at once: a task may have had very many grants.
    let held = exception.phase.grant().filter(|held| held.grant.action == question.call.action)?;
    let miss = covers(&counted(held, now), question).err();
    let state = match (&miss, effective_state(exception, now).word) {
        (Some(Miss::OutOfScope(_)), _) => return None,
        (Some(Miss::OverBudget(_) | Miss::OverRate), "granted") => miss.as_ref().map_or("granted", Miss::code),
        // It is live and covers the call: something else stands against it, and has a reason of its own.
        (_, "granted") => return None,
        (_, word) => word,
    };
    Some(GrantHint { id: held.grant.id.to_string(), state: state.to_owned() })
}

/// A grant with what its counters leave now.
fn counted(held: &GrantState, now: Timestamp) -> Candidate {
    let scope = &held.grant.scope;
    let budgets = scope.budgets.iter().zip(&held.spent).map(|(budget, spent)| budget.max.saturating_sub(*spent));
    Candidate {
        grant: held.grant.clone(),
        uses_left: scope.max_uses.saturating_sub(held.uses),
        budgets_left: budgets.collect(),
        rate_left: held.rate_left(now),
    }
}

impl State {
    /// The exceptions of a subject in a task that came to a grant, oldest grant first.
    fn grants_of<'a>(
        &'a self,
        subject: &policy_core::entity::EntityRef,
        task: &str,
    ) -> impl DoubleEndedIterator<Item = &'a Exception> {
        let ids = self.granted.get(&(subject.clone(), task.into())).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.exceptions.get(id)).map(|entry| &entry.exception)
    }
}
