//! Locks: what is stopped at this moment, by whom and why, lifting it, and stopping something else at once.

mod line;
mod set;

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::console::Act;
use policy_core::presence::Presence;
use proviso_api::stops::LockLine;

use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::Failure;
use crate::view_model::problem::ApiError;
use line::Line;
use set::SetLock;

/// The page.
#[component]
pub fn Locks() -> impl IntoView {
    set_title("Locks");
    let desk = Desk::take();
    let list = RwSignal::new(None::<Vec<LockLine>>);
    let presence = RwSignal::new(Presence::Session);
    let failed = RwSignal::new(None::<ApiError>);
    let half_minute = Memo::new(move |_| desk.now.get().millis() / 30_000);
    Effect::new(move |_| {
        desk.position.track();
        half_minute.track();
        spawn_local(async move {
            match api::locks().await {
                Ok(fresh) => {
                    failed.set(None);
                    presence.set(fresh.presence);
                    list.set(Some(fresh.locks));
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    let empty = Memo::new(move |_| list.with(|list| list.as_ref().map(Vec::is_empty)));
    let body = move || match empty.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(true) => view! {
            <p class="empty">
                "Nothing is locked. A lock stops an agent, a person's agents, a task, a grant, a tool or a server at \
                 once, above every grant and policy, until it is lifted."
            </p>
        }
        .into_any(),
        Some(false) => view! {
            <ul class="locks">
                <For
                    each=move || list.get().unwrap_or_default()
                    key=|line| serde_json::to_string(line).unwrap_or_default()
                    children=move |line| view! { <Line line presence /> }
                />
            </ul>
        }
        .into_any(),
    };
    view! {
        <h1>"Locks"</h1>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        {body}
        {move || match desk.why_not(Act::Lock) {
            None => view! { <SetLock /> }.into_any(),
            Some(why) => view! { <p class="soft">{why}</p> }.into_any(),
        }}
    }
}
