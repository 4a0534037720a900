//! Agents: who acts, and on one agent's page what it may do today and which record or policy gave each part.

mod list;
mod page;
mod parts;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use policy_core::entity::EntityRef;

/// The list, or the page of the agent that the address names: an id has slashes, so that it is no part of the path.
#[component]
pub fn Agents() -> impl IntoView {
    let query = use_query_map();
    let named = Memo::new(move |_| {
        query.with(|query| Some(EntityRef::new(query.get("type")?, query.get("id").filter(|id| !id.is_empty())?)))
    });
    move || match named.get() {
        Some(agent) => view! { <page::Page agent /> }.into_any(),
        None => view! { <list::List /> }.into_any(),
    }
}
