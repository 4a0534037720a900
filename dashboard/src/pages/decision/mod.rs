//! The decision page: what would run, who asks, why it is blocked, what a yes would be and allow, and the vote.
//!
//! Nothing of the request is shown that is not in the decision sheet, and what is shown is what is voted on.

mod agent_says;
mod bar;
mod blind;
mod confirm;
mod facts;
mod form;
mod granted;
mod hand_over;
mod header;
mod history;
mod knobs;
mod length;
mod load;
mod past;
mod policy;
mod preview;
mod state;
mod undo;
mod vote;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::set_title;
use crate::components::Failure;
pub use policy::Coloured;
use state::State;
pub(super) use vote::send as send_vote;

/// The page of one exception.
#[component]
pub fn Decision() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    // Each exception has a page of its own: nothing of another one is carried over.
    move || view! { <Page id=id.get() /> }
}

#[component]
fn Page(id: String) -> impl IntoView {
    set_title("Decision");
    let state = State::new(id);
    provide_context(state);
    load::begin(state);
    let sheet = Memo::new(move |_| state.loaded.get().map(|loaded| loaded.number));
    move || match (sheet.get(), state.failed.get()) {
        (Some(_), _) => view! { <Body /> }.into_any(),
        (None, _) if state.blind.get() => view! { <blind::Blind /> }.into_any(),
        (None, Some(error)) => view! { <Failure error /> }.into_any(),
        (None, None) => view! { <p class="soft">"Asking the gate for the decision sheet …"</p> }.into_any(),
    }
}

/// Everything of one sheet. A reload of the sheet draws it anew.
#[component]
fn Body() -> impl IntoView {
    let state = State::take();
    let Some(loaded) = state.loaded.get_untracked() else { return ().into_any() };
    let open = loaded.is_open();
    let right = if open {
        view! { <form::GrantForm /> <preview::Preview /> <past::Past /> <policy::Policy /> }.into_any()
    } else {
        view! { <granted::Granted /> <history::History /> }.into_any()
    };
    view! {
        <header::Header />
        <undo::Undo />
        {open.then(|| view! { <past::Differs /> })}
        <div class="columns">
            <div>
                <facts::WhatWillRun />
                <facts::WhoAsks />
                <facts::WhyBlocked />
                <agent_says::AgentSays />
                <agent_says::Questions />
            </div>
            <div>{right}</div>
        </div>
        {open.then(|| view! { <history::History /> })}
        <bar::Bar />
        {open.then(|| view! { <confirm::Confirm /> })}
    }
    .into_any()
}
