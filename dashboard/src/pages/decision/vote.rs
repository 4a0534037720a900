//! Casting the vote, and taking a grant away.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::lifecycle::VoteDecision;

use super::load;
use super::state::{Loaded, State, Voting};
use crate::api;
use crate::app::{Desk, Signed};
use crate::view_model::ballot::{answer, ballot, needs_reason};
use crate::view_model::problem::ApiError;
use crate::view_model::staleness::changes;

/// What a missing reason is answered with.
pub const REASON_NEEDED: &str = "A reason is needed. The agent reads it, and the record keeps it.";

/// Votes on what is shown; without a needed reason it moves the focus there instead.
pub fn cast(state: State, desk: Desk, decision: VoteDecision) {
    let Some(loaded) = state.sheet() else { return };
    let Signed::In(session) = desk.signed.get_untracked() else { return };
    let Some(shown) = state.shown.get_untracked() else { return };
    let reason = state.reason.get_untracked();
    if reason.trim().is_empty() && needs_reason(decision, loaded.sheet.sheet.exception.terms.approvals) {
        state.missing.set(true);
        desk.said.set(REASON_NEEDED.to_owned());
        super::super::focus("reason");
        return;
    }
    let Ok(ballot) = ballot(&session.person, &loaded.sheet.sheet, &shown, decision, &reason) else {
        desk.said.set("What is shown has no canonical form, so nobody can vote on it.".to_owned());
        return;
    };
    state.missing.set(false);
    state.voting.set(Voting::Sending);
    spawn_local(async move {
        let id = state.id.get_value();
        match api::vote(&id, &ballot).await {
            Ok(reply) => {
                let told = answer(decision, &reply.state);
                desk.said.set(told.clone());
                state.reason.set(String::new());
                state.voting.set(Voting::Done(told));
                load::load(state, desk).await;
            }
            Err(error) if error.is_stale() => stale(state, desk, &loaded, error).await,
            Err(error) => {
                desk.note(&error);
                desk.said.set(error.what());
                state.voting.set(Voting::Refused(error));
            }
        }
    });
}

/// What was voted on is not what stands: says what is different, and leaves the sheet until it is asked for.
async fn stale(state: State, desk: Desk, shown: &Loaded, error: ApiError) {
    let mut told = vec![error.what()];
    if let Ok(fresh) = load::fetch(state, shown.number).await {
        told.extend(changes(&shown.sheet.sheet, &fresh.sheet.sheet));
        state.newest.set(Some(fresh.detail));
    }
    desk.said.set("The vote was not counted: the decision sheet changed.".to_owned());
    state.voting.set(Voting::Stale(told));
}

/// Takes the grant away.
pub fn revoke(state: State, desk: Desk, grant: String) {
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
        match api::revoke(&grant, reason).await {
            Ok(()) => {
                desk.said.set("Revoked. Nothing honours this grant any more.".to_owned());
                state.reason.set(String::new());
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
