//! The buttons that judge a closed exception, each under one key.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::lifecycle::Disposition;

use crate::api;
use crate::app::Desk;
use crate::components::Failure;
use crate::view_model::afterwards::{DISPOSITIONS, word};
use crate::view_model::problem::ApiError;

/// The dispositions as buttons. The one that stands is pressed; another one replaces it.
#[component]
pub fn Judge(
    /// The exception.
    id: String,
    /// How it was judged, as the page knows it.
    stands: Signal<Option<Disposition>>,
    /// Told before the gate is: its news can be here before its answer.
    #[prop(into, optional)]
    begun: Option<Callback<()>>,
    /// Told of a disposition that the gate took.
    #[prop(into)]
    done: Callback<Disposition>,
) -> impl IntoView {
    let desk = Desk::take();
    let failed = RwSignal::new(None::<ApiError>);
    let sending = RwSignal::new(false);
    let id = StoredValue::new(id);
    let judge = move |disposition: Disposition| {
        if sending.get_untracked() || stands.get_untracked() == Some(disposition) {
            return;
        }
        sending.set(true);
        if let Some(begun) = begun {
            begun.run(());
        }
        let id = id.get_value();
        spawn_local(async move {
            let answer = api::judge(&id, disposition).await;
            sending.set(false);
            match answer {
                Ok(()) => {
                    failed.set(None);
                    desk.said.set(format!("Judged: {}.", word(disposition)));
                    // The line may have been taken away by the news of it.
                    done.try_run(disposition);
                }
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    failed.set(Some(error));
                }
            }
        });
    };
    let buttons = DISPOSITIONS
        .into_iter()
        .enumerate()
        .map(|(place, (disposition, word, meaning))| {
            let place = (place + 1).to_string();
            view! {
                <button
                    class="quiet" title=meaning data-judge=place.clone()
                    aria-pressed=move || (stands.get() == Some(disposition)).to_string()
                    aria-disabled=move || sending.get().to_string()
                    on:click=move |_| judge(disposition)
                ><kbd>{place.clone()}</kbd> " " {word}</button>
            }
        })
        .collect_view();
    view! {
        <div class="judge" role="group" aria-label="Judge this exception">{buttons}</div>
        {move || failed.get().map(|error| view! { <Failure error /> })}
    }
}
