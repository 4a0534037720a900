//! Handing the request to another person who may decide it, and what comes of it if nobody does anything.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;

use super::load;
use super::state::{State, Voting};
use super::vote::REASON_NEEDED;
use crate::api;
use crate::app::{Desk, Signed};
use crate::view_model::time::zoned_clock;

/// To whom, with the reason of the bar. The gate says whether they may decide it.
#[component]
pub fn HandOver(decide_by: Timestamp) -> impl IntoView {
    let (state, desk) = (State::take(), Desk::take());
    let (open, to) = (RwSignal::new(false), RwSignal::new(String::new()));
    let sending = move || state.voting.with(|voting| *voting == Voting::Sending);
    let send = move |_| {
        if state.is_sending() {
            return;
        }
        let (to, reason) = (to.get_untracked().trim().to_owned(), state.reason.get_untracked().trim().to_owned());
        if to.is_empty() {
            desk.said.set("Say who decides instead.".to_owned());
            return super::super::focus("hand-to");
        }
        if reason.is_empty() {
            state.missing.set(true);
            desk.said.set(REASON_NEEDED.to_owned());
            return super::super::focus("reason");
        }
        // People are of the type that this person is of.
        let kind = desk.signed.with_untracked(|signed| match signed {
            Signed::In(session) => session.person.kind.to_string(),
            _ => "User".to_owned(),
        });
        let id = state.id.get_value();
        state.missing.set(false);
        state.voting.set(Voting::Sending);
        spawn_local(async move {
            match api::hand_request_over(&id, EntityRef::new(kind, to.clone()), reason.clone()).await {
                Ok(()) => {
                    let told = format!("Handed over to {to}.");
                    desk.said.set(told.clone());
                    state.is_said(&reason);
                    state.voting.set(Voting::Done(told));
                    open.set(false);
                    load::load(state, desk).await;
                }
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    state.voting.set(Voting::Refused(error));
                }
            }
        });
    };
    view! {
        <p class="also">
            <span class="soft">{format!("If nobody decides by {}, it lapses and nothing is granted.", zoned_clock(decide_by))}</span>
            <Show
                when=move || open.get()
                fallback=move || view! { <button class="quiet" aria-expanded="false" on:click=move |_| open.set(true)>"Hand over …"</button> }
            >
                <label for="hand-to" class="unseen">"To whom"</label>
                <input id="hand-to" type="text" autocomplete="off" maxlength="200" placeholder="to whom, by their id" prop:value=to
                    on:input=move |event| to.set(event_target_value(&event)) />
                <button class="quiet" aria-disabled=move || sending().to_string() on:click=send>"Hand over"</button>
            </Show>
        </p>
    }
}
