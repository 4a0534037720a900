//! The vote on a proposal: one field for the reason, and two buttons.

use leptos::prelude::*;
use policy_core::digest::Digest;
use policy_core::presence::{Presence, SignedAct};
use proviso_api::activation::BundleVoteRequest;

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::Failure;
use crate::pages::acts::Acts;
use crate::signing::{Decided, shown};
use crate::view_model::activation::why_not;

/// The vote, for whom it counts.
#[component]
pub(super) fn Vote(
    bundle: Digest,
    list: Digest,
    narrower: bool,
    presence: Presence,
    you_may_not: Option<String>,
    /// What was typed. It is the page's: the vote is drawn anew with another list.
    reason: RwSignal<String>,
) -> impl IntoView {
    let (acts, desk) = (Acts::new(), Desk::take());
    let cast = move |activates: bool| {
        let said = reason.get_untracked().trim().to_owned();
        let Signed::In(session) = desk.signed.get_untracked() else { return };
        let work = async move {
            let (about, reason) = (bundle.to_string(), said.clone());
            let send = async |signature| {
                let body = BundleVoteRequest { list, reason: said.clone(), signature };
                api::vote_on_bundle(&bundle.to_string(), activates, &body).await
            };
            if !activates {
                return send(None).await;
            }
            let decided = Decided { act: SignedAct::Activate, person: session.person, about, shown: list, reason };
            shown(presence, decided, send).await
        };
        acts.run(work, |reply| match reply.state.as_str() {
            "active" => "The bundle is active.".to_owned(),
            "refused" => "The proposal is refused.".to_owned(),
            _ => "Your vote is written down; it waits for another person.".to_owned(),
        });
    };
    match you_may_not {
        Some(code) => view! { <p class="why-not">{why_not(&code)}</p> }.into_any(),
        None => view! {
            <label for="bundle-reason">"Your reason"</label>
            <textarea
                id="bundle-reason" maxlength="2000" rows="2"
                prop:value=reason on:input=move |event| reason.set(event_target_value(&event))
            ></textarea>
            <div class="judge" role="group" aria-label="Vote on this bundle">
                <button class="yes" on:click=move |_| cast(true)>
                    {if narrower { "Activate" } else { "I am for it" }}
                </button>
                <button class="no" on:click=move |_| cast(false)>"Refuse"</button>
            </div>
            {move || acts.failed.get().map(|error| view! { <Failure error /> })}
        }
        .into_any(),
    }
}
