//! What the agent and its people say: boxed, labelled, plain text (R11). It decides nothing.

use leptos::prelude::*;

use super::state::State;
use crate::components::{Card, Text};
use crate::view_model::said::{Question, newest_words, questions};

/// What the agent says, after everything that is known: its newest words, and its first where those were others.
#[component]
pub fn AgentSays() -> impl IntoView {
    let Some(loaded) = State::take().sheet() else { return ().into_any() };
    let said = newest_words(&loaded.sheet.sheet.exception);
    let changed = said.changed.then(|| view! { " " <span class="chip warn">"changed"</span> });
    let first = said.first.map(|first| {
        view! {
            <div class="quote">
                <small>"untrusted text from the agent, when it asked first"</small>
                <Lines text=first />
            </div>
        }
    });
    view! {
        <Card title="What the agent says">
            <div class="quote">
                <small>"untrusted text from the agent"{changed}</small>
                <Lines text=said.words />
            </div>
            {first}
        </Card>
    }
    .into_any()
}

/// What voters asked, and what was claimed as an answer. Nothing where nobody asked.
#[component]
pub fn Questions() -> impl IntoView {
    let Some(loaded) = State::take().sheet() else { return ().into_any() };
    let asked = questions(&loaded.sheet.sheet.exception);
    if asked.is_empty() {
        return ().into_any();
    }
    let asked = asked.into_iter().map(|question| view! { <Asked question /> }).collect_view();
    view! { <Card title="Questions and answers">{asked}</Card> }.into_any()
}

#[component]
fn Asked(question: Question) -> impl IntoView {
    let open = question.claims.is_empty().then(|| view! { <p class="soft">"Nobody has answered."</p> });
    let claims = question
        .claims
        .into_iter()
        .map(|(by, words)| {
            view! {
                <div class="quote">
                    <small><Text text=by /> " claims · untrusted text"</small>
                    <Lines text=words />
                </div>
            }
        })
        .collect_view();
    view! {
        <div class="asked">
            <p><b><Text text=question.by /></b> " asks: " <Text text=question.words /></p>
            {claims}
            {open}
        </div>
    }
}

/// Somebody's text, line by line.
#[component]
fn Lines(text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <p class="soft">"Nothing."</p> }.into_any();
    }
    text.lines().map(|line| view! { <p><Text text=line.to_owned() /></p> }).collect_view().into_any()
}
