//! The grant as policy: the Cedar permit that it compiles to.

use leptos::prelude::*;

use super::state::State;
use crate::components::Card;
use crate::view_model::cedar::{Ink, pieces};

/// The Cedar text.
#[component]
pub fn Policy() -> impl IntoView {
    let state = State::take();
    let text = Memo::new(move |_| state.shown.with(|shown| shown.as_ref().map(|shown| shown.cedar.clone())));
    let body = move || match text.get() {
        None => view! { <p class="soft">"Nothing to compile yet."</p> }.into_any(),
        Some(text) => view! { <pre tabindex="0"><Coloured text /></pre> }.into_any(),
    };
    view! { <Card title="As policy">{body}</Card> }
}

/// Cedar text in colour, odd characters visible.
#[component]
fn Coloured(text: String) -> impl IntoView {
    pieces(&text)
        .into_iter()
        .map(|(ink, piece)| match ink {
            Ink::Keyword => view! { <span class="keyword">{piece}</span> }.into_any(),
            Ink::Text => view! { <span class="string"><crate::components::Text text=piece /></span> }.into_any(),
            Ink::Plain => piece.into_any(),
        })
        .collect_view()
}
