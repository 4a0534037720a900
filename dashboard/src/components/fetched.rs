//! What is drawn by code that is not here yet.
//!
//! The build cuts the linked program at what is marked with `wasm_split`: what nothing but that reaches lies in a file of
//! its own, which is fetched when it is called first.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::SplitLoaderError;

use super::notice::{Notice, Tone};

/// What fetches code, and what comes of it.
pub type Code<D> = fn() -> Pin<Box<dyn Future<Output = Result<D, SplitLoaderError>>>>;

/// What is known of it.
#[derive(Clone, Copy)]
enum Known<D> {
    /// It is on its way.
    Asked,
    /// It did not come.
    Failed,
    /// It is here.
    Here(D),
}

/// Draws something as soon as the code for it is here.
#[component]
pub fn Fetched<D: Copy + Send + Sync + 'static>(
    /// Fetches the code; once it came, it is here at once.
    code: Code<D>,
    /// What it draws.
    draw: impl Fn(D) -> AnyView + Send + 'static,
) -> impl IntoView {
    let known = RwSignal::new(Known::Asked);
    let fetch = move || {
        known.set(Known::Asked);
        spawn_local(async move {
            let came = code().await.map_or(Known::Failed, Known::Here);
            // Whoever waited for it may have left.
            known.try_set(came);
        });
    };
    fetch();
    move || match known.get() {
        Known::Here(drawn) => draw(drawn),
        Known::Asked => view! { <p class="soft">"Fetching this page …"</p> }.into_any(),
        Known::Failed => view! {
            <Notice tone=Tone::Bad title="This could not be fetched">
                <p>"The gate did not answer, or it was updated since you opened Proviso. Then reload the page."</p>
                <button type="button" on:click=move |_| fetch()>"Try again"</button>
            </Notice>
        }
        .into_any(),
    }
}
