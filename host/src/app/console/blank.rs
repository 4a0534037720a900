//! An exception as somebody sees it who may not see what is called with.

use policy_core::digest::Digest;
use policy_core::grant::{ArgumentScope, Grant, Scope};
use policy_core::lifecycle::{Exception, GrantState, Phase};
use policy_core::presence::Proof;
use policy_core::question::SealedQuestion;
use policy_core::record::Record;

/// What stands for what is not shown.
const HIDDEN: &str = "(not shown to you)";

/// What would run, without its arguments.
pub(in crate::app) fn without_arguments(question: &SealedQuestion) -> String {
    let call = &question.call;
    let on: Vec<String> = call.resources.iter().take(4).map(ToString::to_string).collect();
    format!("{} on {}; what with is not shown to you", call.action, on.join(", "))
}

/// Takes out of an exception what it is called with, what it may be called with, and what people and agents said of it:
/// texts quote arguments.
pub(in crate::app) fn blank(exception: &mut Exception) {
    question(&mut exception.request.question);
    scope(&mut exception.request.scope);
    hide(&mut exception.request.justification);
    exception.versions.iter_mut().for_each(|version| scope(&mut version.scope));
    for vote in &mut exception.votes {
        hide(&mut vote.reason);
        signed(&mut vote.proof);
    }
    exception.answers.iter_mut().for_each(|answer| hide(&mut answer.words));
    exception.repeats.iter_mut().for_each(|repeat| hide(&mut repeat.justification));
    if let Some(emergency) = &mut exception.emergency {
        hide(&mut emergency.reason);
        signed(&mut emergency.proof);
    }
    exception.disposition.iter_mut().for_each(|disposed| hide(&mut disposed.note));
    for closing in exception.reviews.iter_mut().filter_map(|review| review.closed.as_mut()) {
        hide(&mut closing.note);
    }
    for given in exception.unconfirmed.iter_mut().flat_map(|unconfirmed| &mut unconfirmed.confirmations) {
        hide(&mut given.reason);
        signed(&mut given.proof);
    }
    match &mut exception.phase {
        Phase::Granted(held) | Phase::Exhausted { grant: held, .. } => state(held),
        Phase::Revoked { grant: held, reason, .. } => {
            state(held);
            hide(reason);
        }
        Phase::Lapsed { grant: held, .. } | Phase::Suspended { grant: held, .. } => {
            held.iter_mut().for_each(|held| state(held));
        }
        Phase::Denied { reason, .. } | Phase::Cancelled { reason, .. } => hide(reason),
        Phase::Requested => {}
    }
}

fn hide(text: &mut String) {
    if !text.is_empty() {
        HIDDEN.clone_into(text);
    }
}

/// What was signed quotes the scope and the reason, and what was made over it tells whoever guesses them.
fn signed(proof: &mut Proof) {
    if let Proof::Signature(signature) = proof {
        hide(&mut signature.statement);
        hide(&mut signature.client_data);
        hide(&mut signature.signature);
    }
}

/// A digest of arguments that anybody could guess tells them.
fn question(question: &mut SealedQuestion) {
    question.call.input = None;
    question.call.input_digest = Digest::of(b"null");
    question.call.paths.clear();
    question.context = Record::new();
    question.claimed.clear();
    question.candidates.clear();
    (question.requested.sum, question.requested.held_sum) = (0, 0);
    // Arguments name entities, too.
    let call = &question.call;
    let named = question.chain.iter().map(|hop| &hop.entity).chain(&call.resources).chain([&call.subject]);
    question.entities.retain(|fact| named.clone().any(|uid| *uid == fact.uid));
}

fn state(state: &mut GrantState) {
    grant(&mut state.grant);
    state.spent.clear();
    for taken in &mut state.taken {
        taken.amounts.clear();
        taken.given_back.iter_mut().for_each(|given| hide(&mut given.reason));
    }
}

fn scope(scope: &mut Scope) {
    scope.arguments = ArgumentScope::Exact;
    scope.budgets.clear();
}

fn grant(grant: &mut Grant) {
    scope(&mut grant.scope);
    grant.input_digest = Digest::of(b"null");
    grant.input_names.clear();
}
