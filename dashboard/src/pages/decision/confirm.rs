//! The second step of a yes in the strongest tier: the name of what it is on, letter by letter. The gate checks it.

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use policy_core::lifecycle::VoteDecision;

use super::state::State;
use super::vote::cast;
use crate::app::Desk;
use crate::components::Text;

/// The dialog, shown while the page is confirming.
#[component]
pub fn Confirm() -> impl IntoView {
    let (state, desk) = (State::take(), Desk::take());
    let (dialog, field) = (NodeRef::<Dialog>::new(), NodeRef::<Input>::new());
    let Some(name) = state.name_to_type() else { return ().into_any() };
    let Some(loaded) = state.sheet() else { return ().into_any() };
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if state.confirming.get() && !dialog.open() {
            state.typed.set(String::new());
            drop(dialog.show_modal());
            if let Some(field) = field.get_untracked() {
                drop(field.focus());
            }
        } else if !state.confirming.get_untracked() && dialog.open() {
            dialog.close();
        }
    });
    let wanted = StoredValue::new(name.clone());
    let fits = move || state.typed.with(|typed| typed.trim() == wanted.get_value());
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !fits() {
            desk.said.set("That is not its name.".to_owned());
            return;
        }
        state.confirming.set(false);
        cast(state, desk, VoteDecision::Approve);
    };
    let says = loaded.sheet.sheet.says.clone();
    let ends = state.ends();
    view! {
        <dialog class="asking" node_ref=dialog aria-labelledby="confirm-title" on:close=move |_| state.confirming.set(false)>
            <form on:submit=send>
                <h2 id="confirm-title">"This is of the strongest tier"</h2>
                <p><b><Text text=says /></b></p>
                <p>
                    "A yes lets it run"
                    {move || ends.get().map(|end| view! { " until " <crate::components::Countdown then=end /> })}
                    ". Type what it is on: " <code class="whole"><Text text=name.clone() /></code>
                </p>
                <label for="confirm-name">"Its name"</label>
                <input id="confirm-name" type="text" class="mono" autocomplete="off" spellcheck="false" node_ref=field
                    prop:value=state.typed on:input=move |event| state.typed.set(event_target_value(&event)) />
                <div class="buttons">
                    <button type="button" on:click=move |_| state.confirming.set(false)>"Back"</button>
                    <button class="yes" aria-disabled=move || (!fits()).to_string()>"Approve"</button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}
