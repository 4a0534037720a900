//! The vote on a proposal: one field for the reason, and two buttons.

use leptos::prelude::*;
use policy_core::digest::Digest;

use crate::api;
use crate::components::Failure;
use crate::pages::acts::Acts;
use crate::view_model::activation::why_not;

/// The vote, for whom it counts.
#[component]
pub(super) fn Vote(bundle: Digest, list: Digest, narrower: bool, you_may_not: Option<String>) -> impl IntoView {
    let acts = Acts::new();
    let reason = RwSignal::new(String::new());
    let cast = move |activates: bool| {
        let said = reason.get_untracked().trim().to_owned();
        let work = async move { api::vote_on_bundle(&bundle.to_string(), activates, list, said).await };
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
