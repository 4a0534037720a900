//! How long the grant is valid: presets as buttons, and a field for exactly that long.

use leptos::prelude::*;
use policy_core::time::Span;

use super::form::{beside, lengths};
use super::state::State;
use crate::components::Countdown;
use crate::view_model::length::{presets, read};
use crate::view_model::time::{length, zoned_clock};

/// The length.
#[component]
pub(super) fn Length() -> impl IntoView {
    let state = State::take();
    // The presets change only when the time left passes one of them.
    let offered = Memo::new(move |_| {
        let now = state.clock.get();
        let longest = state.form.with(|form| form.as_ref().map_or(0, |form| form.longest(now).seconds()));
        presets(longest)
    });
    let both = Memo::new(move |_| {
        let now = state.clock.get();
        state.form.with(|form| form.as_ref().map(|form| lengths(form, now)))
    });
    let set = move || both.get().map(|(set, _)| set);
    let end = state.ends();
    let latest = state.form.with_untracked(|form| form.as_ref().map(|form| form.asked().not_after));
    let (typed, senseless) =
        (RwSignal::new(both.get_untracked().map(|(set, _)| length(set)).unwrap_or_default()), RwSignal::new(false));
    let choose = move |seconds: u64| {
        senseless.set(false);
        typed.set(length(Span::from_seconds(seconds)));
        state.edit(|form| form.set_length(seconds, state.now()));
    };
    let on_input = move |event| {
        let text = event_target_value(&event);
        let seconds = read(&text);
        typed.set(text);
        senseless.set(seconds.is_none());
        if let Some(seconds) = seconds {
            state.edit(|form| form.set_length(seconds, state.now()));
        }
    };
    let buttons = move || {
        let chosen = set().map(Span::seconds);
        offered
            .get()
            .into_iter()
            .map(|seconds| {
                let pressed = chosen == Some(seconds);
                view! {
                    <button type="button" class="quiet" aria-pressed=pressed.to_string() on:click=move |_| choose(seconds)>
                        {length(Span::from_seconds(seconds))}
                    </button>
                }
            })
            .collect_view()
    };
    view! {
        <div class="knob">
            <label for="length">"valid for"</label>
            <input
                id="length" type="text" autocomplete="off" aria-describedby="length-ends"
                aria-invalid=move || senseless.get().to_string() prop:value=typed on:input=on_input
            />
            <output for="length">{move || beside(set(), both.get().map(|(_, asked)| asked))}</output>
        </div>
        <div class="under presets" role="group" aria-label="valid for, at once">{buttons}</div>
        <p class="under" id="length-ends">
            {move || senseless.get().then_some("Write it like 90s, 15m or 1h 30m. ")}
            "if granted now, ends " {move || end.get().map(|end| view! { <Countdown then=end /> })}
        </p>
        {move || offered.with(Vec::is_empty).then(|| {
            let latest = latest.map(zoned_clock).unwrap_or_default();
            view! { <p class="problem">{format!("What was asked for ended at {latest}.")}</p> }
        })}
    }
}
