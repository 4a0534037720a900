//! Signing in: by a passkey, by a provider, by a one-time link, or in a demo as anybody.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::entity::EntityRef;
use proviso_api::passkeys::PasskeySignIn;
use proviso_api::sign_in::ProviderLine;

use super::set_title;
use crate::app::Desk;
use crate::components::{Failure, Notice, Text, Tone};
use crate::view_model::arrival::Arrival;
use crate::view_model::problem::ApiError;
use crate::{api, authenticator};

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
                Ok(()) => desk.sign_in(Arrival::Nothing).await,
                Err(error) => failed.set(Some(error)),
            }
        });
    };
    let ways = LocalResource::new(api::sign_in_ways);
    // Whoever has pressed once is on the way.
    let leaving = RwSignal::new(false);
    let leave_for = move |provider: String| {
        leaving.set(true);
        spawn_local(async move {
            let gone = match api::begin_sign_in(provider, here()).await {
                Ok(location) => window().location().assign(&location).map_err(|_| ApiError::Unreachable),
                Err(error) => Err(error),
            };
            if let Err(error) = gone {
                leaving.set(false);
                failed.set(Some(error));
            }
        });
    };
    let passkey = move || {
        ways.get().and_then(Result::ok).filter(|ways| ways.passkeys).map(|_| {
            let sign_in = move |_| {
                leaving.set(true);
                spawn_local(async move {
                    match by_passkey().await {
                        Ok(()) => desk.sign_in(Arrival::Nothing).await,
                        Err(error) => failed.set(Some(error)),
                    }
                    leaving.set(false);
                });
            };
            view! {
                <p>
                    <button class="yes" disabled=move || leaving.get() on:click=sign_in>"Sign in with a passkey"</button>
                    <span class="soft">" Yours, if you have added one on your page."</span>
                </p>
            }
        })
    };
    let providers = move || {
        ways.get().and_then(Result::ok).filter(|ways| !ways.providers.is_empty()).map(|ways| {
            let row = |provider: ProviderLine| {
                let name = provider.name;
                view! {
                    <li>
                        <button class="yes" disabled=move || leaving.get() on:click=move |_| leave_for(name.clone())>
                            "Sign in with " <b><Text text=provider.label /></b>
                        </button>
                    </li>
                }
            };
            view! {
                <ul class="ways">{ways.providers.into_iter().map(row).collect_view()}</ul>
                <p class="soft" role="status">
                    {move || leaving.get().then_some("Going there …")}
                </p>
                <h2>"By a link"</h2>
            }
        })
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
            {passkey}
            {providers}
            <p>
                "An operator of the gate mints a one-time link for you: "
                <code>"proviso token approver --user YOU --data DIR"</code>
                ". Open it in this browser."
            </p>
            <p class="soft">"The link works once. What was minted in your name is shown to you after you sign in."</p>
        </div>
    }
}

/// Asks the gate, the authenticator, and the gate again.
async fn by_passkey() -> Result<(), ApiError> {
    let asked = api::begin_passkey_sign_in().await?;
    let answered = authenticator::get(&asked.challenge, &asked.rp_id, &[]).await?;
    let body = PasskeySignIn { held: asked.held, user: answered.user, assertion: answered.assertion };
    api::sign_in_by_passkey(&body).await
}

/// The page that was wanted: it is opened after signing in.
fn here() -> String {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    let query = location.search().unwrap_or_default();
    if Arrival::is_sign_in(&path) { "/".to_owned() } else { format!("{path}{query}") }
}
