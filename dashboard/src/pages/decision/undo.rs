//! Taking one's own decision back, while it can be.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use policy_core::time::Timestamp;

use super::load;
use super::state::{State, Voting};
use crate::api;
use crate::app::Desk;
use crate::view_model::stops::caught;
use crate::view_model::time::length;

/// For a minute after a decision: one button. Nothing waits for it.
#[component]
pub fn Undo() -> impl IntoView {
    let (state, desk) = (State::take(), Desk::take());
    let until = Memo::new(move |_| state.newest.with(|newest| newest.as_ref().and_then(|newest| newest.undo_until)));
    let open = Memo::new(move |_| until.get().filter(|until| state.clock.get() < *until));
    let left = move |until: Timestamp| length(until.since(state.clock.get()));
    let navigate = StoredValue::new_local(use_navigate());
    let sending = move || state.voting.with(|voting| *voting == Voting::Sending);
    let undo = move |_| {
        if state.is_sending() {
            return;
        }
        state.voting.set(Voting::Sending);
        let id = state.id.get_value();
        // The button is drawn anew with the sheet, which often hears of the undoing before the reply to it is here.
        let navigate = navigate.get_value();
        spawn_local(async move {
            match api::undo(&id).await {
                Ok(reply) if reply.exception != id => {
                    desk.said.set("Your refusal is taken back: the request is open again.".to_owned());
                    state.voting.set(Voting::Idle);
                    let address = format!("/exceptions/{}", reply.exception);
                    // Whoever has gone elsewhere meanwhile is not fetched back.
                    if !state.stay.is_over() {
                        navigate(&address, NavigateOptions::default());
                    }
                }
                // Nothing was granted by it: whoever took it back may decide again.
                Ok(reply) if reply.state == "requested" => {
                    desk.said.set("Your approval is taken back; it counts no more.".to_owned());
                    state.voting.set(Voting::Idle);
                    load::load(state, desk).await;
                }
                Ok(reply) => {
                    let told = format!("Your approval is taken back. {}", caught(reply.calls_in_flight.len()));
                    desk.said.set(told.clone());
                    state.voting.set(Voting::Done(told));
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
    let waits = Memo::new(move |_| {
        state.newest.with(|newest| newest.as_ref().is_some_and(|newest| newest.state == "requested"))
    });
    move || {
        open.get().map(|until| {
            view! {
                <p class="undo">
                    <button data-key="undo" aria-disabled=move || sending().to_string() on:click=undo>"Undo my decision"</button>
                    <span class="soft">
                        {move || match waits.get() {
                            true => " Your approval waits for others; taken back, it counts no more. Key: ".to_owned(),
                            false => format!(" {} left. An approval becomes a revoke, a refusal opens the request again. Key: ", left(until)),
                        }}
                        <kbd>"u"</kbd>
                    </span>
                </p>
            }
        })
    }
}
