//! Deciding on several requests that were chosen: refusing them, and approving those that are one and the same call in the
//! weakest tier. Each gets a vote of its own, on its own sheet, previewed like any. There is no approving of all.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use policy_core::lifecycle::VoteDecision;
use proviso_api::exceptions::ExceptionLine;

use super::super::decision::send_vote;
use super::Page;
use crate::api;
use crate::app::{Desk, Signed};
use crate::components::Text;
use crate::preview::once::opening;
use crate::view_model::ballot::{Words, ballot};
use crate::view_model::queue::together;
use crate::view_model::stops::several;

/// The bar for chosen requests.
#[component]
pub(super) fn DecideOnChosen(lines: Memo<Vec<ExceptionLine>>, clear: Callback<()>) -> impl IntoView {
    let (page, desk) = (Page::take(), Desk::take());
    let (reason, sending) = (RwSignal::new(String::new()), RwSignal::new(false));
    let failed = RwSignal::new(Vec::<String>::new());
    let identical = Memo::new(move |_| lines.with(|lines| page.book.with(|book| together(lines, &book.tiers))));
    let send = move |decision: VoteDecision| {
        let why = reason.get_untracked().trim().to_owned();
        if sending.get_untracked() {
            return;
        }
        if why.is_empty() && decision == VoteDecision::Refuse {
            desk.said.set("A refusal has a reason: the agents read it.".to_owned());
            return super::super::focus("reason-decide");
        }
        sending.set(true);
        let ids: Vec<String> = lines.get_untracked().into_iter().map(|line| line.id).collect();
        spawn_local(async move {
            let (mut done, mut troubles) = (0_usize, Vec::new());
            let cast = caster().await;
            for id in ids {
                let cast = cast.as_ref().map(|cast| cast(desk, id.clone(), decision, why.clone()));
                let voted = match cast {
                    Ok(vote) => vote.await,
                    Err(_) => Err("what votes could not be fetched: reload the page".to_owned()),
                };
                match voted {
                    Ok(()) => done += 1,
                    Err(trouble) => troubles.push(format!("{id}: {trouble}")),
                }
            }
            let what = if decision == VoteDecision::Refuse { "refused" } else { "approved" };
            desk.said.set(format!("{} {what}.", several(done, "request")));
            failed.set(troubles);
            // The list may have been left meanwhile.
            clear.try_run(());
            sending.set(false);
        });
    };
    let approve = move || {
        identical.get().then(|| {
            view! {
                <button class="yes" aria-disabled=move || sending.get().to_string() on:click=move |_| send(VoteDecision::Approve)>
                    {move || format!("Approve {}, one and the same call", several(lines.with(Vec::len), "request"))}
                </button>
            }
        })
    };
    view! {
        <ul class="problem plain" role="status">
            {move || failed.get().into_iter().map(|trouble| view! { <li><Text text=trouble /></li> }).collect_view()}
        </ul>
        <Show when=move || lines.with(|lines| !lines.is_empty())>
            <div class="chosen" role="region" aria-label="What was chosen">
                <label for="reason-decide">"Why"</label>
                <input id="reason-decide" type="text" maxlength="2000" autocomplete="off" prop:value=reason
                    on:input=move |event| reason.set(event_target_value(&event)) />
                <button class="no" aria-disabled=move || sending.get().to_string() on:click=move |_| send(VoteDecision::Refuse)>
                    {move || format!("Refuse {}", several(lines.with(Vec::len), "request"))}
                </button>
                {approve}
                <button class="quiet" on:click=move |_| clear.run(())>"Choose none"</button>
            </div>
        </Show>
    }
}

/// Casts one vote.
type Cast = fn(Desk, String, VoteDecision, String) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Voting lies where the page of a request does: the queue alone needs none of it.
#[wasm_split(decision, wasm_split_path = leptos::wasm_split, fallible)]
fn caster() -> Result<Cast, SplitLoaderError> {
    Ok(|desk, id, decision, reason| Box::pin(async move { cast(desk, &id, decision, &reason).await }))
}

/// One vote, on what the page of this request would have opened with.
async fn cast(desk: Desk, id: &str, decision: VoteDecision, reason: &str) -> Result<(), String> {
    let Signed::In(session) = desk.signed.get_untracked() else { return Err("nobody is signed in".to_owned()) };
    let what = |error: crate::view_model::problem::ApiError| error.what();
    let detail = api::exception(id).await.map_err(what)?;
    let sheet = api::sheet(id, detail.position).await.map_err(what)?;
    let questions = api::questions(id, detail.position).await.map_err(what)?;
    let shown = opening(&sheet, &questions, detail.now).await?;
    let words = Words { reason, ..Words::default() };
    if decision == VoteDecision::Approve && !shown.previewed.after.outcome.permits() {
        return Err("it would not pass all the same: look at its page".to_owned());
    }
    let ballot = ballot(&session.person, &sheet.sheet, &shown, decision, &words)
        .map_err(|_| "what is shown has no canonical form".to_owned())?;
    let presence = sheet.sheet.exception.terms.presence;
    send_vote(id, &session.person, ballot, presence).await.map(drop).map_err(what)
}
