//! The page's head: what is wanted in one line, where it stands, and news since the sheet was rendered.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::super::set_title;
use super::load;
use super::state::State;
use crate::app::Desk;
use crate::components::{Notice, Text, Tone};
use crate::view_model::facts::{people, raised};
use crate::view_model::said::news;

/// Title, chips and news.
#[component]
pub fn Header() -> impl IntoView {
    let state = State::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    let sheet = &loaded.sheet.sheet;
    let request = &sheet.exception.request;
    let title = format!("{} {}", request.question.call.subject.id, sheet.says);
    set_title(&title);
    let terms = &sheet.exception.terms;
    let sign_in = terms.step_up.as_ref().map(|step_up| format!(" · {step_up}")).unwrap_or_default();
    let demands = format!("{} · {}{sign_in}", terms.tier, people(terms.approvals));
    let higher = raised(terms).map(|why| view! { <span class="chip warn">{why}</span> });
    let word = move || state.newest.with(|newest| newest.as_ref().map_or(String::new(), |newest| newest.state.clone()));
    let waits = move || {
        let waits = state.newest.with(|newest| newest.as_ref().is_some_and(|newest| newest.waiting));
        waits.then(|| view! { <span class="chip warn">"the agent waits for this"</span> })
    };
    view! {
        <p class="crumb"><a href="/">"Queue"</a> " / " <code>{request.id.clone()}</code></p>
        <h1><span class="mono"><Text text=request.question.call.subject.id.clone() /></span> " " <Text text=sheet.says.clone() /></h1>
        <p class="chips">
            <span class=move || format!("chip state-{}", word())>{word}</span>
            <span class="chip strong">{demands}</span>
            {higher}
            {sheet.effects.iter().map(|effect| view! { <span class="chip">{effect.clone()}</span> }).collect_view()}
            <span class="chip">"task " <span class="mono"><Text text=request.question.task.clone() /></span></span>
            {request.emergency.then(|| view! { <span class="chip warn">"said to be an emergency"</span> })}
            {sheet.exception.emergency.as_ref().map(|emergency| {
                let by = emergency.by.id.clone();
                view! { <span class="chip state-denied">"emergency declared by " <Text text=by /></span> }
            })}
            {request.renews.as_ref().map(|renews| {
                let of = format!("/exceptions/{}", renews.of);
                view! { <a class="chip" href=of>{format!("renewal {} of an earlier grant", renews.number)}</a> }
            })}
            {(sheet.exception.repeated > 0).then(|| {
                view! { <span class="chip">{format!("asked {} times", u64::from(sheet.exception.repeated) + 1)}</span> }
            })}
            {waits}
            {loaded.detail.reopens.clone().map(|of| view! {
                <a class="chip" href=format!("/exceptions/{of}")>"opened again, after a refusal that was taken back"</a>
            })}
        </p>
        {loaded.detail.reopened_as.clone().map(|next| view! {
            <Notice tone=Tone::Plain title="The refusal was taken back.">
                <p><a href=format!("/exceptions/{next}")>"The request goes on here"</a></p>
            </Notice>
        })}
        {loaded.detail.routed_on.then(|| view! {
            <Notice tone=Tone::Warn title="You have decided enough for today: others are asked about this one.">
                <p>"You may decide it all the same."</p>
            </Notice>
        })}
        <News />
    }
    .into_any()
}

/// Says that the gate knows more than the sheet, without touching what the approver looks at.
#[component]
fn News() -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    let told = Memo::new(move |_| {
        let (Some(loaded), Some(newest)) = (state.loaded.get(), state.newest.get()) else { return None };
        let (before, after) = (&loaded.detail, &newest);
        if before.state != after.state {
            return Some(format!("This request is {} now.", after.state));
        }
        news(&before.exception, &after.exception).map(str::to_owned)
    });
    let reload = move |_| spawn_local(load::load(state, desk));
    move || {
        told.get().map(|told| {
            view! {
                <Notice tone=Tone::Warn title=told>
                    <p>"What stands below is the sheet as it was. " <button on:click=reload>"Load the new sheet"</button></p>
                </Notice>
            }
        })
    }
}
