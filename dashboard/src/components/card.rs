//! A section with a heading of its own.

use leptos::prelude::*;

/// A section that is a landmark under its heading.
#[component]
pub fn Card(
    /// The heading.
    title: &'static str,
    /// What stands under it.
    children: Children,
) -> impl IntoView {
    let id: String = title
        .chars()
        .map(|character| if character.is_alphanumeric() { character.to_ascii_lowercase() } else { '-' })
        .collect();
    let heading = id.clone();
    view! {
        <section class="card" aria-labelledby=id>
            <h2 id=heading>{title}</h2>
            {children()}
        </section>
    }
}
