//! What is looked at afterwards: reviews that wait for somebody, and closed exceptions that nobody has judged.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::lifecycle::{Disposition, ReviewOutcome};
use proviso_api::exceptions::ExceptionLine;
use proviso_api::reviews::ReviewLine;

use super::judge::Judge;
use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::{Countdown, Failure, Text};
use crate::view_model::afterwards::{OUTCOMES, kind, merged, word};
use crate::view_model::facts::{entity, uses};
use crate::view_model::problem::{ApiError, sentence};

/// Both work lists.
#[component]
pub fn Reviews() -> impl IntoView {
    set_title("Reviews");
    view! {
        <h1>"Reviews"</h1>
        <h2>"Reviews due"</h2>
        <Due />
        <h2>"Closed, and not judged"</h2>
        <p class="soft">
            "One word of what a closed exception says of policy: what recurs becomes a rule. "
            <kbd>"j"</kbd> " and " <kbd>"k"</kbd> " move, " <kbd>"1"</kbd> " to " <kbd>"5"</kbd> " judge the line in focus."
        </p>
        <Unjudged />
    }
}

#[component]
pub(super) fn Due() -> impl IntoView {
    let desk = Desk::take();
    let failed = RwSignal::new(None::<ApiError>);
    let list = RwSignal::new(None::<Vec<ReviewLine>>);
    let half_minute = Memo::new(move |_| desk.now.get().millis() / 30_000);
    Effect::new(move |_| {
        desk.position.track();
        half_minute.track();
        spawn_local(async move {
            match api::open_reviews().await {
                Ok(fresh) => {
                    failed.set(None);
                    list.set(Some(fresh.reviews));
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    // The list is drawn anew only where it begins or ends to have lines: a line keeps the focus while others come.
    let empty = Memo::new(move |_| list.with(|list| list.as_ref().map(Vec::is_empty)));
    let body = move || match empty.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(true) => view! {
            <p class="empty">
                "Nothing is to be reviewed. A review opens after an emergency, and after use where policy says "
                <code>"@review_within"</code> "; while one is overdue, its agent gets nothing else of that tier."
            </p>
        }
        .into_any(),
        Some(false) => view! {
            <ul class="lines">
                <For
                    each=move || list.get().unwrap_or_default()
                    key=|line| (line.review.id.clone(), line.overdue, line.may_close.is_yes())
                    children=|line| view! { <DueLine line /> }
                />
            </ul>
        }
        .into_any(),
    };
    view! {
        {move || failed.get().map(|error| view! { <Failure error /> })}
        {body}
    }
}

#[component]
fn DueLine(line: ReviewLine) -> impl IntoView {
    let overdue = line.overdue.then(|| view! { <span class="chip state-denied">"overdue"</span> });
    let closing = match line.may_close.why_not() {
        None => view! { <Closing review=line.review.id.clone() /> }.into_any(),
        Some(rejection) => {
            let why = format!("You cannot close it: {rejection}. {}", sentence(rejection.help()));
            view! { <p class="soft">{why}</p> }.into_any()
        }
    };
    view! {
        <li>
            <a href=format!("/exceptions/{}", line.exception) data-line="">
                <span class="says"><Text text=line.says /></span>
                <span class="soft by">
                    <span class="mono"><Text text=line.subject.id /></span> " in task "
                    <span class="mono"><Text text=line.task /></span>
                </span>
                <span class="chips">
                    {overdue}
                    <span class="chip">{kind(line.review.kind)}</span>
                    <span class="chip">{line.tier}</span>
                </span>
                <span class="clock"><span class="label">"close by"</span> " " <Countdown then=line.review.due /></span>
            </a>
            <div class="act">{closing}</div>
        </li>
    }
}

/// What was found, with a note where it was not as it should be.
#[component]
fn Closing(review: String) -> impl IntoView {
    let desk = Desk::take();
    let note = RwSignal::new(String::new());
    let missing = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);
    let field = format!("note-{review}");
    let review = StoredValue::new(review);
    let focus = StoredValue::new(field.clone());
    let close = move |outcome: ReviewOutcome, needs_note: bool| {
        let said = note.get_untracked().trim().to_owned();
        if needs_note && said.is_empty() {
            missing.set(true);
            desk.said.set("Say what was wrong.".to_owned());
            super::focus(&focus.get_value());
            return;
        }
        missing.set(false);
        let review = review.get_value();
        spawn_local(async move {
            match api::close_review(&review, outcome, said).await {
                // The change comes back as news, and takes the line away.
                Ok(()) => desk.said.set("The review is closed.".to_owned()),
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    failed.set(Some(error));
                }
            }
        });
    };
    let buttons = OUTCOMES
        .map(|(outcome, word, needs_note)| {
            view! { <button class="quiet" on:click=move |_| close(outcome, needs_note)>{word}</button> }
        })
        .collect_view();
    view! {
        <div class="judge" role="group" aria-label="Close this review">
            <label class="unseen" for=field.clone()>"Note"</label>
            <input
                id=field type="text" maxlength="2000" autocomplete="off" placeholder="what you looked at, what you found"
                aria-invalid=move || missing.get().to_string()
                prop:value=note
                on:input=move |event| note.set(event_target_value(&event))
            />
            {buttons}
        </div>
        {move || failed.get().map(|error| view! { <Failure error /> })}
    }
}

#[component]
fn Unjudged() -> impl IntoView {
    let desk = Desk::take();
    let failed = RwSignal::new(None::<ApiError>);
    let list = RwSignal::new(None::<Vec<ExceptionLine>>);
    let touched = RwSignal::new(BTreeSet::<String>::new());
    Effect::new(move |_| {
        desk.position.track();
        spawn_local(async move {
            match api::unjudged().await {
                Ok(fresh) => {
                    failed.set(None);
                    list.update(|list| {
                        let shown = list.take().unwrap_or_default();
                        *list = Some(touched.with_untracked(|touched| merged(&shown, &fresh.exceptions, touched)));
                    });
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    let empty = Memo::new(move |_| list.with(|list| list.as_ref().map(Vec::is_empty)));
    let body = move || match empty.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(true) => view! { <p class="empty">"Every closed exception is judged."</p> }.into_any(),
        Some(false) => view! {
            <ul class="lines">
                <For
                    each=move || list.get().unwrap_or_default()
                    key=|line| line.id.clone()
                    children=move |line| view! { <UnjudgedLine line touched /> }
                />
            </ul>
        }
        .into_any(),
    };
    view! {
        {move || failed.get().map(|error| view! { <Failure error /> })}
        {body}
    }
}

#[component]
fn UnjudgedLine(line: ExceptionLine, touched: RwSignal<BTreeSet<String>>) -> impl IntoView {
    let stands = RwSignal::new(None::<Disposition>);
    let id = line.id.clone();
    let begun = move |()| {
        touched.update(|touched| {
            touched.insert(id.clone());
        });
    };
    let done = move |disposition| stands.set(Some(disposition));
    let resources = line.resources.iter().map(entity).collect::<Vec<_>>().join(", ");
    view! {
        <li>
            <a href=format!("/exceptions/{}", line.id) data-line="">
                <span class="says"><Text text=line.says /></span>
                <span class="soft by">
                    <span class="mono"><Text text=line.subject.id /></span> " on "
                    <span class="mono"><Text text=resources /></span>
                </span>
                <span class="chips">
                    <span class=format!("chip state-{}", line.state)>{line.state.clone()}</span>
                    <span class="chip">{line.tier}</span>
                    {move || stands.get().map(|stands| view! { <span class="chip strong">{word(stands)}</span> })}
                </span>
                <span class="clock">
                    <span class="label">"used"</span> " " {format!("{} of {}", line.uses, uses(line.max_uses))}
                </span>
            </a>
            <div class="act"><Judge id=line.id.clone() stands=stands.into() begun done /></div>
        </li>
    }
}
