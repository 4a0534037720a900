//! The agent's words: boxed, labelled, plain text (R11). They decide nothing.

use leptos::prelude::*;

use super::state::State;
use crate::components::{Card, Text};

/// What the agent says, after everything that is known.
#[component]
pub fn AgentSays() -> impl IntoView {
    let Some(loaded) = State::take().sheet() else { return ().into_any() };
    let words = loaded.sheet.sheet.exception.request.justification.clone();
    let words = if words.is_empty() {
        view! { <p class="soft">"Nothing."</p> }.into_any()
    } else {
        words.lines().map(|line| view! { <p><Text text=line.to_owned() /></p> }).collect_view().into_any()
    };
    view! {
        <Card title="What the agent says">
            <div class="quote">
                <small>"untrusted text from the agent"</small>
                {words}
            </div>
        </Card>
    }
    .into_any()
}
