//! Pictures: what people would rather look at than read. Each opens the list behind it.

mod draw;
mod tables;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use proviso_api::past::PicturesReply;

use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::Failure;
use crate::view_model::problem::ApiError;
use draw::{Requests, TimesOfDays};
use tables::{Judged, Narrowing, People, Recurs};

/// The spans that can be looked at, in days.
const SPANS: [u32; 3] = [7, 30, 90];

/// The page.
#[component]
pub fn Pictures() -> impl IntoView {
    set_title("Pictures");
    let desk = Desk::take();
    let query = use_query_map();
    let days =
        Memo::new(move |_| query.with(|query| query.get("days").and_then(|days| days.parse().ok()).unwrap_or(30)));
    let reply = RwSignal::new(None::<PicturesReply>);
    let failed = RwSignal::new(None::<ApiError>);
    let minute = Memo::new(move |_| desk.now.get().millis() / 60_000);
    Effect::new(move |_| {
        minute.track();
        let days = days.get();
        spawn_local(async move {
            match api::pictures(days).await {
                Ok(fresh) => {
                    failed.set(None);
                    reply.set(Some(fresh));
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    let navigate = use_navigate();
    let on_span = move |event| {
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&format!("/pictures?days={}", event_target_value(&event)), options);
    };
    let spans = SPANS
        .map(|span| view! { <option value=span.to_string() selected=move || days.get() == span>{format!("the last {span} days")}</option> })
        .collect_view();
    let nothing = Memo::new(move |_| reply.with(|reply| reply.as_ref().map(|reply| reply.requests.is_empty())));
    view! {
        <h1>"Pictures"</h1>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <div class="tools">
            <p class="soft">"Of what you may see. Nobody is told anybody else's times: you see your own, and of others teams of five or more."</p>
            <label class="pick"><span class="unseen">"Span"</span><select id="span" on:change=on_span>{spans}</select></label>
        </div>
        {move || match nothing.get() {
            None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
            Some(true) => view! {
                <p class="empty">"No agent has asked for anything in this span. Requests by day, times to decide and what recurs are drawn here."</p>
            }
            .into_any(),
            Some(false) => view! {
                <div class="columns">
                    <div><Requests reply /><Recurs reply /></div>
                    <div><TimesOfDays reply /><People reply /><Narrowing reply /><Judged reply /></div>
                </div>
            }
            .into_any(),
        }}
    }
}
