//! The grant as policy: the Cedar permit that it compiles to.

use leptos::prelude::*;

use super::state::State;
use crate::components::Card;
use crate::view_model::cedar::{Ink, pieces};
use crate::view_model::time::zoned;

/// The Cedar text.
#[component]
pub fn Policy() -> impl IntoView {
    let state = State::take();
    let text = Memo::new(move |_| state.shown.with(|shown| shown.as_ref().map(|shown| shown.cedar.clone())));
    let body = move || match text.get() {
        None => view! { <p class="soft">"Nothing to compile yet."</p> }.into_any(),
        Some(text) => view! { <pre tabindex="0"><Coloured text /></pre> }.into_any(),
    };
    let floats = Memo::new(move |_| {
        state.shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.scope.valid_for.is_some()))
    });
    let at = state.sheet().map(|loaded| zoned(loaded.sheet.sheet.at)).unwrap_or_default();
    let end = move || {
        let words = format!("Its end is fixed by the last vote; here it is what it would have been at {at}.");
        floats.get().then(|| view! { <p class="soft">{words}</p> })
    };
    view! { <Card title="As policy">{body}{end}</Card> }
}

/// Cedar text in colour, odd characters visible.
#[component]
pub fn Coloured(text: String) -> impl IntoView {
    pieces(&text)
        .into_iter()
        .map(|(ink, piece)| match ink {
            Ink::Keyword => view! { <span class="keyword">{piece}</span> }.into_any(),
            Ink::Text => view! { <span class="string"><crate::components::Text text=piece /></span> }.into_any(),
            Ink::Plain => piece.into_any(),
        })
        .collect_view()
}
