//! What the gate may make of the module's answer, and whether a record is that. Pure, and told by name.

use policy_core::outcome::{Evaluation, Outcome, Reason};
use policy_core::question::Purpose;

use super::classes::Class;
use crate::app::event::DecisionRecord;
use crate::app::inputs::{
    APPROVAL_UNVERIFIABLE, BEGUN_ENDED, NO_COPY, NOT_A_CANDIDATE, NOT_SEALED, STEP_UP, USE_REFUSED,
};
use crate::app::{denial, outcome_word};

/// What can be told of a decision without asking anything; nothing where the module is to be asked.
///
/// INVARIANT (R10): an outcome that a limit made is its kind, and a denial: a limit never permits.
pub(super) fn unasked(decision: &DecisionRecord) -> Option<Class> {
    let bare = |reason| decision.answer == denial(reason);
    match decision.limit.as_deref() {
        Some(STEP_UP | NO_COPY | NOT_A_CANDIDATE | USE_REFUSED | BEGUN_ENDED | APPROVAL_UNVERIFIABLE) => None,
        Some(kind) if bare(Reason::Limit) => Some(Class::Limit(kind.to_owned())),
        Some(kind) => {
            let message = format!("the limit `{kind}` makes a denial, recorded is {}", told(&decision.answer));
            Some(Class::disagreed("outcome_differs", message))
        }
        None if bare(Reason::Contended) => Some(Class::Gate("contended")),
        None => None,
    }
}

/// A decision without a question: what could not be sealed was refused, whatever it was.
pub(super) fn unsealed(decision: &DecisionRecord) -> Class {
    if decision.answer == denial(decision.answer.reason) && decision.limit.is_none() {
        Class::Gate(NOT_SEALED)
    } else {
        Class::disagreed("outcome_differs", format!("it has no question, and is {}", told(&decision.answer)))
    }
}

/// Whether the record is what the gate makes of this answer to a question that so many grants might have covered.
pub(super) fn held(decision: &DecisionRecord, candidates: usize, answer: &Evaluation) -> Class {
    let differs = || {
        let (then, now) = (told(&decision.answer), told(answer));
        Class::disagreed("outcome_differs", format!("recorded: {then}; asked again: {now}"))
    };
    let permits = answer.outcome.permits();
    let by_grant = answer.outcome == Outcome::PermittedByException;
    if let Some(kind) = &decision.limit {
        let (fits, reason) = match kind.as_str() {
            STEP_UP => (answer.terms.as_ref().is_some_and(|terms| terms.step_up.is_some()), Reason::TermsUnavailable),
            NO_COPY => (by_grant || answer.terms.is_some(), Reason::TermsUnavailable),
            NOT_A_CANDIDATE => (by_grant, Reason::Limit),
            USE_REFUSED => (by_grant && decision.purpose == Purpose::Use, Reason::NotPermitted),
            BEGUN_ENDED => (permits && decision.continues.is_some(), Reason::NotPermitted),
            APPROVAL_UNVERIFIABLE => (permits && decision.state_fault.is_some(), Reason::NotPermitted),
            _ => return differs(),
        };
        return if fits && decision.answer == denial(reason) { Class::Limit(kind.clone()) } else { differs() };
    }
    if decision.answer == denial(Reason::ClockUnsafe) {
        // A grant might have covered it: none was a candidate, and nothing else permitted it.
        let unpermitted = matches!(answer.reason, Reason::NotPermitted | Reason::ApprovalRequired);
        return if unpermitted && candidates == 0 { Class::Gate("clock_unsafe") } else { differs() };
    }
    let repeats = !decision.repeated || (by_grant && decision.purpose == Purpose::Use && decision.call.is_some());
    if *answer == decision.answer && repeats {
        Class::Agreed { questions: 1, search: false, repeated: decision.repeated }
    } else {
        differs()
    }
}

/// An answer in a few words.
pub(super) fn told(answer: &Evaluation) -> String {
    let mut text = format!("{} ({})", outcome_word(answer.outcome), answer.reason.code());
    if !answer.policies.is_empty() {
        text.push_str(&format!(" by {}", answer.policies.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests;
