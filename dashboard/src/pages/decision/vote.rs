//! Casting the vote, and taking a grant away.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::VoteDecision;
use policy_core::presence::{Presence, SignedAct, Statement, challenge};
use policy_core::sheet::Ballot;
use proviso_api::exceptions::VoteReply;
use proviso_api::passkeys::{CastVote, VoteSignature};

use super::load;
use super::state::{Loaded, State, Voting};
use crate::app::{Desk, Signed};
use crate::signing::OnSheet;
use crate::view_model::ballot::{Words, answer, ballot, needs_reason};
use crate::view_model::problem::ApiError;
use crate::view_model::staleness::changes;
use crate::{api, authenticator};

/// What a missing reason is answered with.
pub const REASON_NEEDED: &str = "A reason is needed. The agent reads it, and the record keeps it.";

/// Votes on what is shown; without a needed reason it moves the focus there instead.
pub fn cast(state: State, desk: Desk, decision: VoteDecision) {
    let Some(loaded) = state.sheet() else { return };
    let Signed::In(session) = desk.signed.get_untracked() else { return };
    let Some(shown) = state.shown.get_untracked() else { return };
    let reason = state.reason.get_untracked();
    let approvals = loaded.sheet.sheet.exception.terms.approvals;
    let opened = decision == VoteDecision::Approve && state.is_wider();
    if reason.trim().is_empty() && (opened || needs_reason(decision, approvals, state.friction())) {
        state.missing.set(true);
        desk.said.set(REASON_NEEDED.to_owned());
        super::super::focus("reason");
        return;
    }
    let typed = state.typed.get_untracked();
    if decision == VoteDecision::Approve && state.name_to_type().is_some_and(|name| typed.trim() != name) {
        state.confirming.set(true);
        return;
    }
    let words = Words { reason: &reason, inside: state.inside.get_untracked(), confirm: &typed };
    let Ok(ballot) = ballot(&session.person, &loaded.sheet.sheet, &shown, decision, &words) else {
        desk.said.set("What is shown has no canonical form, so nobody can vote on it.".to_owned());
        return;
    };
    state.missing.set(false);
    state.voting.set(Voting::Sending);
    let id = state.id.get_value();
    spawn_local(async move {
        let presence = loaded.sheet.sheet.exception.terms.presence;
        match send(&id, &session.person, ballot, presence).await {
            Ok(reply) => {
                let told = answer(decision, &reply.state);
                desk.said.set(told.clone());
                state.is_said(&reason);
                state.typed.set(String::new());
                state.voting.set(Voting::Done(told));
                load::load(state, desk).await;
            }
            Err(error) if error.is_stale() => {
                state.stay.during(stale(state, desk, &loaded, error)).await;
            }
            Err(error) => {
                desk.note(&error);
                desk.said.set(error.what());
                state.voting.set(Voting::Refused(error));
            }
        }
    });
}

/// Sends a vote: signed where the terms demand it, and where the gate says that a session is not enough.
pub async fn send(id: &str, person: &EntityRef, ballot: Ballot, presence: Presence) -> Result<VoteReply, ApiError> {
    let approves = ballot.decision == VoteDecision::Approve;
    let mut vote = CastVote { ballot, signature: None };
    if approves && presence == Presence::Signature {
        vote.signature = Some(sign(id, person, &vote.ballot).await?);
        return api::vote(id, &vote).await;
    }
    match api::vote(id, &vote).await {
        Err(error) if approves && matches!(error.code(), "presence_needed" | "step_up_needed") => {
            // Whoever has no passkey is told what the gate said of the vote.
            let Ok(signature) = sign(id, person, &vote.ballot).await else { return Err(error) };
            vote.signature = Some(signature);
            api::vote(id, &vote).await
        }
        other => other,
    }
}

/// Has the authenticator sign what the ballot says.
///
/// INVARIANT: the challenge is made here, of what this page shows. The gate gives no more to it than what nobody can foresee.
async fn sign(id: &str, person: &EntityRef, ballot: &Ballot) -> Result<VoteSignature, ApiError> {
    let begun = api::vote_challenge(id).await?;
    let statement = Statement::of(id, person, ballot).text().map_err(|_| ApiError::Unreachable)?;
    let challenge = challenge(&begun.nonce, &statement);
    let answered = authenticator::get(&challenge, &begun.rp_id, &begun.credentials).await?;
    Ok(VoteSignature { held: begun.held, assertion: answered.assertion })
}

/// What was voted on is not what stands: says what is different, and leaves the sheet until it is asked for.
async fn stale(state: State, desk: Desk, shown: &Loaded, error: ApiError) {
    let mut told = vec![error.what()];
    if let Ok(fresh) = load::fetch(state, shown.number).await {
        told.extend(changes(&shown.sheet.sheet, &fresh.sheet.sheet));
        state.hear(fresh.detail);
    }
    desk.said.set("The vote was not counted: the decision sheet changed.".to_owned());
    state.voting.set(Voting::Stale(told));
}

/// Takes the grant away.
pub fn revoke(state: State, desk: Desk, grant: String) {
    let told = "Revoked. Nothing honours this grant any more.";
    act(state, desk, told, async move |reason| api::revoke(&grant, reason).await.map(drop));
}

/// Says that what was made before a restore still stands.
pub fn confirm(state: State, desk: Desk) {
    let Some(decided) = decided(state, desk, SignedAct::Confirm) else { return };
    act(state, desk, "Confirmed.", async move |reason| {
        let id = decided.id.clone();
        decided.send(reason, async |body| api::confirm(&id, &body).await).await
    });
}

/// Declares an emergency: the terms of one hold from then on, and somebody reviews what comes of it.
pub fn declare_emergency(state: State, desk: Desk) {
    let Some(decided) = decided(state, desk, SignedAct::DeclareEmergency) else { return };
    act(state, desk, "An emergency is declared.", async move |reason| {
        let id = decided.id.clone();
        decided.send(reason, async |body| api::declare_emergency(&id, &body).await).await
    });
}

fn decided(state: State, desk: Desk, act: SignedAct) -> Option<OnSheet> {
    let Signed::In(session) = desk.signed.get_untracked() else { return None };
    OnSheet::of(act, session.person, state.id.get_value(), &state.sheet()?.sheet.sheet)
}

/// Gives a use back that nobody reported.
pub fn give_back(state: State, desk: Desk, evaluation: String) {
    let id = state.id.get_value();
    act(state, desk, "The use is given back.", async move |reason| api::give_back(&id, &evaluation, reason).await);
}

/// Answers the question of a vote, in the words of the reason's field.
pub fn answer_question(state: State, desk: Desk, vote: u32) {
    let id = state.id.get_value();
    act(state, desk, "Your answer stands in the history.", async move |words| api::answer(&id, vote, words).await);
}

/// An act that takes a reason; without one it moves the focus there instead.
fn act(state: State, desk: Desk, told: &'static str, send: impl AsyncFnOnce(String) -> Result<(), ApiError> + 'static) {
    if state.is_sending() {
        return;
    }
    let reason = state.reason.get_untracked().trim().to_owned();
    if reason.is_empty() {
        state.missing.set(true);
        desk.said.set(REASON_NEEDED.to_owned());
        super::super::focus("reason");
        return;
    }
    state.missing.set(false);
    state.voting.set(Voting::Sending);
    spawn_local(async move {
        match send(reason.clone()).await {
            Ok(()) => {
                desk.said.set(told.to_owned());
                state.is_said(&reason);
                state.voting.set(Voting::Idle);
                load::load(state, desk).await;
            }
            Err(error) => {
                desk.note(&error);
                desk.said.set(error.what());
                state.voting.set(Voting::Refused(error));
            }
        }
    });
}
