//! An address with nothing behind it.

use leptos::prelude::*;

use super::set_title;

/// Says that there is nothing here.
#[component]
pub fn NotFound() -> impl IntoView {
    set_title("Not found");
    view! {
        <h1>"Nothing stands here"</h1>
        <p><a href="/">"Go to the queue"</a></p>
    }
}
