//! Text from outside: text nodes only, with odd characters made visible (R11).

use leptos::prelude::*;

use crate::view_model::facts::{marked, short};

/// Plain text with odd characters standing out.
#[component]
pub fn Text(
    /// The text.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    marked(&text)
        .into_iter()
        .map(|(odd, piece)| {
            if odd {
                view! { <span class="odd" title="a character that does not show as what it is">{piece}</span> }
                    .into_any()
            } else {
                piece.into_any()
            }
        })
        .collect_view()
}

/// A digest: its ends, and all of it in the tooltip.
#[component]
pub fn Digest(
    /// The digest.
    #[prop(into)]
    digest: String,
) -> impl IntoView {
    view! { <code class="digest" title=digest.clone()>{short(&digest)}</code> }
}
