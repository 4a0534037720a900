//! If you say yes: what the gate's own module answers, evaluated here, as the approver edits.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::time::Timestamp;

use super::load;
use super::state::{Loaded, Module, State};
use crate::app::Desk;
use crate::components::{Card, Countdown, Digest, Notice, Text, Tone};
use crate::view_model::facts::{reason, verdict};
use crate::view_model::preview::{Border, Flip, Flips, LISTED, Shown, Side, borders, flips, questions_asked};
use crate::view_model::problem::sentence;

/// The preview.
#[component]
pub fn Preview() -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    // What is drawn is of another grant than the form's while the worker is at it.
    let behind = Memo::new(move |_| match (state.scope(), state.shown.get()) {
        (Some(Ok(scope)), Some(shown)) => shown.scope != scope,
        (_, shown) => shown.is_some(),
    });
    let senseless =
        Memo::new(move |_| state.scope().is_some_and(|scope| scope.is_err()) && state.shown.with(Option::is_some));
    let body = move || match (state.module.get(), state.trouble.get(), state.shown.get()) {
        (Module::Broken(broken), _, _) => view! {
            <Notice tone=Tone::Bad title=refusal(&broken.code)>
                <p><Text text=sentence(&broken.message) /></p>
                <p><code>{broken.code}</code></p>
                <button on:click=move |_| spawn_local(load::load(state, desk))>"Load again"</button>
            </Notice>
        }
        .into_any(),
        (_, Some(trouble), _) => view! {
            <Notice tone=Tone::Bad title="The module did not answer for this grant.">
                <p><Text text=sentence(&trouble.message) /></p>
                <p><code>{trouble.code}</code></p>
            </Notice>
        }
        .into_any(),
        (_, None, Some(shown)) => view! { <Outcome shown /> }.into_any(),
        (Module::Starting, None, None) => {
            view! { <p class="soft">"Fetching the module and checking its SHA-256 …"</p> }.into_any()
        }
        (Module::Ready(_), None, None) => view! { <p class="soft">"Evaluating …"</p> }.into_any(),
    };
    view! {
        <Card title="If you say yes">
            {move || senseless.get().then(|| view! { <p class="warn">"What is set makes no sense as a grant. This is of the last one that did."</p> })}
            <div class="foreseen" class:behind=move || behind.get() aria-busy=move || behind.get().to_string()>{body}</div>
        </Card>
    }
}

fn refusal(code: &str) -> &'static str {
    match code {
        "digest_mismatch" => "This module is not the one that the gate runs. The page refuses to vote.",
        _ => "The policy module does not run here. The page refuses to vote.",
    }
}

#[component]
fn Outcome(shown: Shown) -> impl IntoView {
    let state = State::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    let previewed = &shown.previewed;
    let (before, after) = (verdict(previewed.before.outcome), verdict(previewed.after.outcome));
    let why_not = (!previewed.after.outcome.permits()).then(|| reason(previewed.after.reason));
    let flipped = flips(previewed, loaded.others(), &loaded.sheet.sheet.exception.request.question);
    let open = previewed.open.clone();
    let guardrails = previewed.guardrails.clone();
    let errors = previewed.after.errors.clone();
    // What was previewed was tried at the sheet's instant; it ends by the instant of the last vote.
    let (scope, longest) = (shown.scope.clone(), loaded.sheet.sheet.exception.terms.max_duration);
    let ends = move || {
        let then = scope.granted_at(state.clock.get(), Some(longest)).not_after;
        view! { <Countdown then /> }
    };
    view! {
        <div class="big">
            <div class:loud=after == "deny">
                <strong class=after>{after}</strong>
                <span>{format!("this request, {before} until now")}</span>
            </div>
            <div>
                <strong>{flipped.would_pass()}</strong>
                <span>{format!("of {} other recorded denials would pass", flipped.tried)}</span>
            </div>
            <div class:loud={previewed.by_others > 0}>
                <strong>{previewed.by_others}</strong>
                <span>"of them by another agent"</span>
            </div>
        </div>
        {why_not.map(|why| view! { <p class="problem">{why}</p> })}
        {errors.into_iter().map(|error| view! { <p class="problem"><code>{error.policy}</code> " " <Text text=error.message /></p> }).collect_view()}
        <Edges rows=borders(&previewed.edges) />
        <Listed flipped loaded=Arc::clone(&loaded) now=state.now() />
        <table>
            <tbody>
                <tr>
                    <th scope="row">"stays open"</th>
                    <td>{if open.is_empty() { view! { "nothing: every dimension is fixed" }.into_any() } else { view! { <span class="warn mono"><Text text=open.join(", ") /></span> }.into_any() }}</td>
                </tr>
                <tr>
                    <th scope="row">"guardrails"</th>
                    <td>{if guardrails.is_empty() { view! { "none applies to this action" }.into_any() } else { view! { <span class="mono"><Text text=guardrails.join(", ") /></span> " still hold" }.into_any() }}</td>
                </tr>
                <tr><th scope="row">"if granted now, ends"</th><td>{ends}</td></tr>
            </tbody>
        </table>
        <Evaluated loaded questions=questions_asked(previewed) millis=shown.millis />
    }
    .into_any()
}

/// Where the grant ends in each dimension, each side tried on the module.
#[component]
fn Edges(rows: Vec<Border>) -> impl IntoView {
    let side = |side: Side| {
        let class = if side.as_promised { "mono" } else { "mono wrong" };
        let told = (!side.as_promised).then(|| format!(" (the module says {})", side.verdict));
        view! { <td class=class><Text text=side.words />{told}</td> }
    };
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <th scope="row" class="mono"><Text text=row.dimension /></th>
                    {side(row.passes)}
                    {side(row.fails)}
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="edges borders">
            <caption>"The edge of this grant, each side tried on the module"</caption>
            <thead>
                <tr><th scope="col">"dimension"</th><th scope="col" class="allow">"allow"</th><th scope="col">"deny"</th></tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// The recorded denials that would pass: all are counted, and the first of them drawn.
#[component]
fn Listed(flipped: Flips, loaded: Arc<Loaded>, now: Timestamp) -> impl IntoView {
    let would_pass = flipped.would_pass();
    if would_pass == 0 {
        return ().into_any();
    }
    let most = RwSignal::new(LISTED);
    let rows = move || {
        let this = &loaded.sheet.sheet.exception.request.question;
        flipped
            .rows(loaded.others(), this, now, most.get())
            .into_iter()
            .map(|row| view! { <Passes row /> })
            .collect_view()
    };
    let more = move || {
        let left = would_pass.saturating_sub(most.get());
        (left > 0).then(|| {
            view! {
                <p class="soft">
                    {format!("{left} more would pass. ")}
                    <button class="quiet" on:click=move |_| most.update(|most| *most = most.saturating_add(LISTED))>
                        {format!("Show {} more", left.min(LISTED))}
                    </button>
                </p>
            }
        })
    };
    view! {
        <table class="edges">
            <caption>"Refused before, would pass"</caption>
            <tbody>{rows}</tbody>
        </table>
        {more}
    }
    .into_any()
}

#[component]
fn Passes(row: Flip) -> impl IntoView {
    let other = row.other_agent.map(|agent| view! { <b class="bad">"by " <Text text=agent /></b> });
    view! {
        <tr>
            <td class="mono"><Text text=row.call /> " " {other}</td>
            <td class="soft when">{row.when}</td>
            <td class="verdict allow">"allow"</td>
        </tr>
    }
}

/// By what this was evaluated: the digests that the sheet names.
#[component]
fn Evaluated(loaded: Arc<Loaded>, questions: usize, millis: f64) -> impl IntoView {
    let sheet = &loaded.sheet.sheet;
    let told = format!(" · {questions} questions in {millis:.0} ms · facts as of record {}", sheet.as_of);
    view! {
        <div class="same">
            <span class="dot" aria-hidden="true"></span>
            <p>
                "Evaluated in this browser by module " <Digest digest=sheet.module.to_string() />
                ", the bytes that the gate runs · bundle " <Digest digest=sheet.bundle.digest.to_string() />
                {told}
            </p>
        </div>
    }
}
