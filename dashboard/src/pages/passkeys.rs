//! The passkeys of a person, on their own page: which there are, adding and ending them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{AddPasskey, PasskeyLine, PasskeyList};

use crate::app::Desk;
use crate::components::{Card, Failure, Text};
use crate::view_model::passkeys::{label, standing, trouble};
use crate::view_model::problem::ApiError;
use crate::view_model::sessions::browser;
use crate::{api, authenticator};

/// The card.
#[component]
pub fn Passkeys() -> impl IntoView {
    let desk = Desk::take();
    let again = RwSignal::new(0_u32);
    let failed = RwSignal::new(None::<ApiError>);
    let name = RwSignal::new(String::new());
    let adding = RwSignal::new(false);
    let list = LocalResource::new(move || {
        desk.position.track();
        again.track();
        api::passkeys()
    });
    let done = move |result: Result<&str, ApiError>| {
        match result {
            Ok(told) => {
                failed.set(None);
                desk.said.set(told.to_owned());
            }
            Err(error) => {
                desk.note(&error);
                desk.said.set(error.what());
                failed.set(Some(error));
            }
        }
        again.update(|count| *count = count.wrapping_add(1));
    };
    let end = Callback::new(move |id: String| {
        spawn_local(async move { done(api::end_passkey(id).await.map(|()| "That passkey signs nothing any more.")) });
    });
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        adding.set(true);
        spawn_local(async move {
            let added = add(&name.get_untracked()).await;
            adding.set(false);
            if added.is_ok() {
                name.set(String::new());
            }
            done(added.map(|_| "The passkey is added."));
        });
    };
    let told = Memo::new(move |_| list.get());
    let body = move || match told.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(Err(error)) => {
            desk.note(&error);
            view! { <Failure error /> }.into_any()
        }
        Some(Ok(PasskeyList { rp_id: None, .. })) => view! {
            <p class="soft">
                "This gate has no name that browsers make passkeys for: the operator gives it one by "
                <code>"--public-url"</code> "."
            </p>
        }
        .into_any(),
        Some(Ok(PasskeyList { now, passkeys, .. })) => {
            let none = passkeys.is_empty();
            let rows = passkeys.into_iter().map(|line| view! { <Row line now end /> }).collect_view();
            view! {
                {none.then(|| view! { <p>"You have none. The first one counts at once."</p> })}
                <ul class="passkeys">{rows}</ul>
            }
            .into_any()
        }
    };
    // Whoever is writing a name goes on while the list is drawn anew.
    let named = Memo::new(move |_| told.with(|told| matches!(told, Some(Ok(PasskeyList { rp_id: Some(_), .. })))));
    let form = move || {
        named.get().then(|| {
            view! {
                <form class="add-passkey" on:submit=add>
                    <label for="passkey-name">"Name"</label>
                    <input
                        id="passkey-name"
                        maxlength="64"
                        placeholder="this laptop"
                        prop:value=move || name.get()
                        on:input=move |event| name.set(event_target_value(&event))
                    />
                    <button class="yes" disabled=move || adding.get()>"Add a passkey"</button>
                </form>
            }
        })
    };
    view! {
        <Card title="Your passkeys">
            <p class="soft">
                "A passkey signs your votes, and signs you in. One that you do not know: end it, and tell whoever runs the gate."
            </p>
            {move || failed.get().map(|error| view! { <Failure error /> })}
            {body}
            {form}
        </Card>
    }
}

/// Asks the gate, the authenticator, and the gate again.
async fn add(typed: &str) -> Result<PasskeyList, ApiError> {
    let asked = api::begin_passkey().await?;
    let made = authenticator::create(&asked).await?;
    let said = window().navigator().user_agent().unwrap_or_default();
    let body = AddPasskey {
        held: asked.held,
        label: label(typed, &browser(Some(&said))),
        attestation_object: made.attestation_object,
        client_data: made.client_data,
    };
    api::add_passkey(&body).await
}

/// One passkey.
#[component]
fn Row(line: PasskeyLine, now: Timestamp, end: Callback<String>) -> impl IntoView {
    let told = standing(&line, now);
    let wrong = trouble(&line);
    let label = format!("End the passkey {}", line.label);
    let id = line.id;
    view! {
        <li>
            <div>
                <b><Text text=line.label /></b>
                {wrong.map(|wrong| view! { <p class="wrong">{wrong}</p> })}
                <p class="soft"><Text text=told /></p>
            </div>
            <button class="no" aria-label=label on:click=move |_| end.run(id.clone())>"End"</button>
        </li>
    }
}
