//! Setting a lock: what, why, and for a tool or a server first a look at what it would stop.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use policy_core::question::LockTarget;
use proviso_api::stops::ReachReply;

use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::view_model::problem::ApiError;
use crate::view_model::stops::{Kind, caught, says, several, target};

/// The form. A link can fill it in: `/locks?task=close-q3`.
#[component]
pub(super) fn SetLock() -> impl IntoView {
    let desk = Desk::take();
    let query = use_query_map();
    let given =
        Kind::ALL.into_iter().find_map(|kind| query.with_untracked(|query| Some((kind, query.get(kind.word())?))));
    let (kind, named) = given.unwrap_or_default();
    let (kind, named) = (RwSignal::new(kind), RwSignal::new(named));
    let reason = RwSignal::new(String::new());
    let reach = RwSignal::new(None::<(LockTarget, ReachReply)>);
    let (done, missing) = (RwSignal::new(None::<String>), RwSignal::new(None::<String>));
    let failed = RwSignal::new(None::<ApiError>);
    let wanted = move || target(kind.get(), &named.get());
    // What was looked at is of what is named now, or it is nothing.
    let looked = Memo::new(move |_| {
        let wanted = wanted().ok()?;
        reach.with(|reach| reach.as_ref().filter(|(of, _)| *of == wanted).map(|(_, reply)| reply.clone()))
    });
    let fail = move |error: ApiError| {
        desk.note(&error);
        desk.said.set(error.what());
        failed.set(Some(error));
    };
    let complain = move |words: &str, field: &str| {
        missing.set(Some(words.to_owned()));
        desk.said.set(words.to_owned());
        super::super::focus(field);
    };
    let look = move |_| match target(kind.get_untracked(), &named.get_untracked()) {
        Err(words) => complain(words, "lock-what"),
        Ok(of) => spawn_local(async move {
            missing.set(None);
            match api::reach(&of).await {
                Ok(reply) => {
                    failed.set(None);
                    reach.set(Some((of, reply)));
                }
                Err(error) => fail(error),
            }
        }),
    };
    let set = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let why = reason.get_untracked().trim().to_owned();
        let of = match target(kind.get_untracked(), &named.get_untracked()) {
            Err(words) => return complain(words, "lock-what"),
            Ok(of) => of,
        };
        if why.is_empty() {
            return complain("Say why: whoever meets the lock reads it.", "lock-why");
        }
        let digest = looked.get_untracked().map(|reply| reply.digest);
        if kind.get_untracked().is_wide() && digest.is_none() {
            return complain("Look first at what it would stop: it is for everybody.", "lock-look");
        }
        missing.set(None);
        let words = says(&of);
        spawn_local(async move {
            match api::lock(of, why, digest).await {
                Ok(locked) => {
                    let told = format!("Locked: {words}. {}", caught(locked.calls_in_flight.len()));
                    desk.said.set(told.clone());
                    done.set(Some(told));
                    failed.set(None);
                    named.set(String::new());
                    reason.set(String::new());
                }
                Err(error) => fail(error),
            }
        });
    };
    let kinds = Kind::ALL
        .map(|each| view! { <option value=each.word() selected=move || kind.get() == each>{each.label()}</option> })
        .collect_view();
    view! {
        <Card title="Lock something">
            {move || done.get().map(|told| view! { <Notice tone=Tone::Good title=told /> })}
            <form class="setting" on:submit=set>
                <label for="lock-kind">"What"</label>
                <select id="lock-kind" on:change=move |event| kind.set(Kind::from_word(&event_target_value(&event)))>{kinds}</select>
                <label for="lock-what">"Which"</label>
                <input id="lock-what" type="text" class="mono" autocomplete="off" spellcheck="false" maxlength="500" prop:value=named
                    placeholder=move || if matches!(kind.get(), Kind::Subject | Kind::Person) { "TYPE::ID" } else { "its name" }
                    on:input=move |event| named.set(event_target_value(&event)) />
                <label for="lock-why">"Why"</label>
                <input id="lock-why" type="text" maxlength="2000" autocomplete="off" prop:value=reason
                    on:input=move |event| reason.set(event_target_value(&event)) />
                <div class="buttons">
                    <button type="button" id="lock-look" on:click=look>"What it would stop"</button>
                    <button class="no">"Lock"</button>
                </div>
            </form>
            <p class="problem" role="status">{move || missing.get()}</p>
            {move || looked.get().map(|reply| view! { <Reach reply /> })}
            {move || failed.get().map(|error| view! { <Failure error /> })}
        </Card>
    }
}

/// What a lock would stop.
#[component]
fn Reach(reply: ReachReply) -> impl IntoView {
    let reach = reply.reach;
    let told = format!(
        "It would stop {}, {} and {} under way.",
        several(reach.grants.len(), "live grant"),
        several(reach.requests.len(), "open request"),
        several(reply.calls_in_flight.len(), "call")
    );
    let subjects = reach
        .subjects
        .into_iter()
        .map(|subject| view! { <li class="mono"><Text text=subject.to_string() /></li> })
        .collect_view();
    view! {
        <Notice tone=Tone::Warn title=told>
            <p>"Whose calls these are:"</p>
            <ul>{subjects}</ul>
        </Notice>
    }
}
