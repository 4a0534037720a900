//! Signing in: by a one-time link, or in a demo as anybody.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::entity::EntityRef;

use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::{Failure, Notice, Text, Tone};
use crate::view_model::problem::ApiError;

/// The page for whoever is not signed in.
#[component]
pub fn SignIn(
    /// What went wrong with a link.
    error: Option<ApiError>,
) -> impl IntoView {
    set_title("Sign in");
    let desk = Desk::take();
    let people = LocalResource::new(api::demo_people);
    let failed = RwSignal::new(error);
    let sign_in_as = move |person: EntityRef| {
        spawn_local(async move {
            match api::demo_sign_in(person).await {
                Ok(()) => desk.sign_in(None).await,
                Err(error) => failed.set(Some(error)),
            }
        });
    };
    let demo = move || {
        people.get().and_then(Result::ok).map(|list| {
            let rows = list
                .people
                .into_iter()
                .map(|person| {
                    let (who, name) = (person.person.clone(), person.person.id);
                    let groups = person.groups.join(", ");
                    view! {
                        <li>
                            <button on:click=move |_| sign_in_as(who.clone())>
                                "Sign in as " <b><Text text=name /></b>
                            </button>
                            <span class="soft"><Text text=groups /></span>
                        </li>
                    }
                })
                .collect_view();
            view! {
                <Notice tone=Tone::Warn title="Here anybody can sign in as anybody.">
                    <p>"A real gate lets people in by a one-time link only."</p>
                </Notice>
                <ul class="people">{rows}</ul>
            }
        })
    };
    view! {
        <div class="narrow">
            <h1>"Sign in"</h1>
            {move || failed.get().map(|error| view! { <Failure error /> })}
            {demo}
            <p>
                "An operator of the gate mints a one-time link for you: "
                <code>"proviso token approver --user YOU --data DIR"</code>
                ". Open it in this browser."
            </p>
            <p class="soft">"The link works once. What was minted in your name is shown to you after you sign in."</p>
        </div>
    }
}
