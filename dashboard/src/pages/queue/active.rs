//! Acting on lines of the list: taking one grant away by its button, and several that were chosen.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use proviso_api::stops::RevokeReply;

use super::Page;
use super::decide::DecideOnChosen;
use crate::api;
use crate::app::Desk;
use crate::components::Failure;
use crate::view_model::problem::ApiError;
use crate::view_model::queue::{Row, Tab};
use crate::view_model::stops::{caught, several};

/// Why, where nobody says more: the record wants a reason, and a stop must not wait for one.
const REASON: &str = "not needed any more";

impl Page {
    /// Keeps what came of taking a grant away, to be read in its line.
    fn acknowledge(self, grant: String, reply: &RevokeReply) -> String {
        let told = format!("Revoked at record {}. {}", reply.position, caught(reply.calls_in_flight.len()));
        self.revoked.update(|revoked| drop(revoked.insert(grant, told.clone())));
        told
    }
}

/// The button of one grant, with the reason that it gives. One step, and what came of it stays to be read.
#[component]
pub(super) fn RevokeOne(grant: String) -> impl IntoView {
    let (page, desk) = (Page::take(), Desk::take());
    let (reason, sending) = (RwSignal::new(REASON.to_owned()), RwSignal::new(false));
    let failed = RwSignal::new(None::<ApiError>);
    let label = format!("Why grant {grant} is taken away");
    let grant = StoredValue::new(grant);
    let done = Memo::new(move |_| page.revoked.with(|revoked| grant.with_value(|grant| revoked.get(grant).cloned())));
    let revoke = move |_| {
        if sending.get_untracked() {
            return;
        }
        sending.set(true);
        let grant = grant.get_value();
        let why = Some(reason.get_untracked().trim().to_owned()).filter(|why| !why.is_empty());
        spawn_local(async move {
            match api::revoke(&grant, why.unwrap_or_else(|| REASON.to_owned())).await {
                Ok(reply) => {
                    failed.try_set(None);
                    desk.said.set(page.acknowledge(grant, &reply));
                }
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    failed.try_set(Some(error));
                }
            }
            sending.try_set(false);
        });
    };
    view! {
        <div class="act">
            {move || match done.get() {
                Some(told) => view! { <p class="good">{told}</p> }.into_any(),
                None => view! {
                    <div class="judge">
                        <input type="text" maxlength="2000" autocomplete="off" aria-label=label.clone() prop:value=reason
                            on:input=move |event| reason.set(event_target_value(&event)) />
                        <button class="quiet no" data-revoke="" aria-disabled=move || sending.get().to_string() on:click=revoke>"Revoke"</button>
                    </div>
                }
                .into_any(),
            }}
            {move || failed.get().map(|error| view! { <Failure error /> })}
        </div>
    }
}

/// What can be done with several lines at once: grants are taken away. There is no approving of all.
#[component]
pub(super) fn ActOnChosen(
    tab: Memo<Tab>,
    chosen: RwSignal<BTreeSet<String>>,
    drawn: RwSignal<Vec<Row>>,
) -> impl IntoView {
    let (page, desk) = (Page::take(), Desk::take());
    let (reason, sending) = (RwSignal::new(String::new()), RwSignal::new(false));
    let failed = RwSignal::new(None::<ApiError>);
    // What is no longer here is not acted on.
    let lines = Memo::new(move |_| {
        let chosen = chosen.get();
        drawn.with(|rows| {
            let here = rows.iter().filter(|row| !row.gone && chosen.contains(&row.line.id));
            here.map(|row| row.line.clone()).collect::<Vec<_>>()
        })
    });
    Effect::new(move |before: Option<Tab>| {
        let now = tab.get();
        if before.is_some_and(|before| before != now) {
            chosen.set(BTreeSet::new());
        }
        now
    });
    let shown = Memo::new(move |_| tab.get() == Tab::Active && lines.with(|lines| !lines.is_empty()));
    let revoke = move |_| {
        let why = reason.get_untracked().trim().to_owned();
        if sending.get_untracked() || why.is_empty() {
            super::super::focus("reason-chosen");
            return;
        }
        sending.set(true);
        let grants: Vec<String> = lines.get_untracked().into_iter().filter_map(|line| line.grant).collect();
        spawn_local(async move {
            let (mut done, mut calls) = (0_usize, 0_usize);
            for grant in grants {
                match api::revoke(&grant, why.clone()).await {
                    Ok(reply) => {
                        done += 1;
                        calls += reply.calls_in_flight.len();
                        page.acknowledge(grant, &reply);
                    }
                    Err(error) => {
                        desk.note(&error);
                        failed.set(Some(error));
                    }
                }
            }
            desk.said.set(format!("{} revoked. {}", several(done, "grant"), caught(calls)));
            chosen.set(BTreeSet::new());
            sending.set(false);
        });
    };
    let to_decide = Memo::new(move |_| if tab.get() == Tab::NeedsMe { lines.get() } else { Vec::new() });
    let clear = Callback::new(move |()| chosen.set(BTreeSet::new()));
    view! {
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <DecideOnChosen lines=to_decide clear />
        <Show when=move || shown.get()>
            <div class="chosen" role="region" aria-label="What was chosen">
                <label for="reason-chosen">"Why"</label>
                <input id="reason-chosen" type="text" maxlength="2000" autocomplete="off" prop:value=reason
                    on:input=move |event| reason.set(event_target_value(&event)) />
                <button class="no" aria-disabled=move || sending.get().to_string() on:click=revoke>
                    {move || format!("Revoke {}", several(lines.with(Vec::len), "grant"))}
                </button>
                <button class="quiet" on:click=move |_| chosen.set(BTreeSet::new())>"Choose none"</button>
            </div>
        </Show>
    }
}
