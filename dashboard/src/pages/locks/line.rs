//! One lock that is in force.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::digest::Digest;
use policy_core::presence::{Presence, SignedAct};
use proviso_api::stops::LockLine;

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Countdown, Failure, Text};
use crate::signing::{Decided, shown};
use crate::view_model::problem::ApiError;
use crate::view_model::stops::says;
use crate::view_model::time::{ago, zoned};

/// What it stops, who set it and why, and what this person can do about it.
#[component]
pub(super) fn Line(line: LockLine, presence: RwSignal<Presence>) -> impl IntoView {
    let desk = Desk::take();
    let failed = RwSignal::new(None::<ApiError>);
    let told = RwSignal::new(None::<String>);
    let reason = RwSignal::new(String::new());
    let (id, field) = (StoredValue::new(line.lock.id.clone()), format!("renew-{}", line.lock.id));
    let focus = StoredValue::new(field.clone());
    let fail = move |error: ApiError| {
        desk.note(&error);
        desk.said.set(error.what());
        failed.set(Some(error));
    };
    let lock = StoredValue::new(line.lock.clone());
    let lifting = RwSignal::new(false);
    let lift = move |_| {
        // The authenticator asks once.
        if lifting.get_untracked() {
            return;
        }
        let Signed::In(session) = desk.signed.get_untracked() else { return };
        let lock = lock.get_value();
        // A lock always has a canonical form.
        let Ok(digest) = Digest::of_json(&lock) else { return };
        lifting.set(true);
        spawn_local(async move {
            let (act, about, reason) = (SignedAct::LiftLock, lock.id.clone(), String::new());
            let decided = Decided { act, person: session.person, about, shown: digest, reason };
            let send = async |signature| api::unlock(&lock.id, signature).await;
            let came = shown(presence.get_untracked(), decided, send).await;
            // The line is gone where it is lifted.
            let _ = lifting.try_set(false);
            match came {
                Ok(lifting) if lifting.lifted => desk.said.set("The lock is lifted.".to_owned()),
                Ok(_) => {
                    let words =
                        "Your wish is on record. One more person from outside the setter's groups has to want it, too.";
                    desk.said.set(words.to_owned());
                    told.set(Some(words.to_owned()));
                }
                Err(error) => fail(error),
            }
        });
    };
    let renew = move |_| {
        let why = reason.get_untracked().trim().to_owned();
        if why.is_empty() {
            desk.said.set("Say why it has to go on.".to_owned());
            super::super::focus(&focus.get_value());
            return;
        }
        let id = id.get_value();
        spawn_local(async move {
            match api::renew_lock(&id, why).await {
                Ok(_) => desk.said.set("The lock goes on for 24 hours from now.".to_owned()),
                Err(error) => fail(error),
            }
        });
    };
    let (at, by) = (line.at, line.by.id.clone());
    let busy = move || lifting.get().to_string();
    let act = match line.you_may.as_str() {
        "lift" => view! { <button aria-disabled=busy on:click=lift>"Lift"</button> }.into_any(),
        "vote" => view! { <button aria-disabled=busy on:click=lift>"Ask for it to be lifted"</button> }.into_any(),
        _ => view! { <p class="soft">"Members of the setter's groups lift it, or two people from outside them."</p> }
            .into_any(),
    };
    let wanted = line.lifting.iter().map(|person| person.id.clone()).collect::<Vec<_>>().join(", ");
    let wide = line.until.is_some();
    view! {
        <li>
            <p class="what"><b class="mono"><Text text=says(&line.lock.target) /></b></p>
            <p class="quote"><Text text=line.reason /></p>
            <p class="soft">
                "set by " <Text text=by /> ", "
                <time datetime=at.to_string() title=zoned(at)>{move || ago(desk.now.get(), at)}</time>
                {line.until.map(|until| view! { ", ends unless it is renewed at " <Countdown then=until /> })}
                {(!wanted.is_empty()).then(|| view! { ", to be lifted as " <Text text=wanted /> " wants" })}
            </p>
            <div class="judge">
                {act}
                {wide.then(|| view! {
                    <label class="unseen" for=field.clone()>"Why it has to go on"</label>
                    <input id=field type="text" maxlength="2000" autocomplete="off" placeholder="why it has to go on" prop:value=reason
                        on:input=move |event| reason.set(event_target_value(&event)) />
                    <button class="quiet" on:click=renew>"Renew for a day"</button>
                })}
            </div>
            {move || told.get().map(|told| view! { <p class="soft">{told}</p> })}
            {move || failed.get().map(|error| view! { <Failure error /> })}
        </li>
    }
}
