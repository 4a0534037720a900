//! The grant form: what was asked for struck through, beside what would be given.

use leptos::prelude::*;
use policy_core::time::{Span, Timestamp};

use super::knobs::Arguments;
use super::state::State;
use crate::components::{Card, Countdown, Text};
use crate::view_model::facts::uses;
use crate::view_model::grant_form::GrantForm as Form;
use crate::view_model::scope::resource;
use crate::view_model::time::{clock, length};

/// The knobs of a grant.
#[component]
pub fn GrantForm() -> impl IntoView {
    let state = State::take();
    let problem = Memo::new(move |_| state.scope().and_then(Result::err));
    view! {
        <Card title="What a yes would be">
            <p class="soft">"Opens with the smallest grant that lets this call through. It can never go beyond what was asked for."</p>
            <Length />
            <Uses />
            <Resource />
            <Arguments />
            <p class="problem" role="status" id="grant-problem">
                {move || problem.get().map(|problem| view! { <Text text=problem /> })}
            </p>
        </Card>
    }
}

#[component]
fn Length() -> impl IntoView {
    let state = State::take();
    // The stops of the slider change only when the time left passes one of them.
    let lengths = Memo::new(move |_| {
        let now = state.clock.get();
        state.form.with(|form| form.as_ref().map(|form| form.lengths(now)).unwrap_or_default())
    });
    let last = move || lengths.with(|lengths| lengths.len().saturating_sub(1));
    let index = move || {
        let now = state.clock.get();
        state.form.with(|form| form.as_ref().map_or(0, |form| form.length_index(now)))
    };
    let of_form = move |read: fn(&Form, Timestamp) -> Span| {
        let now = state.clock.get();
        state.form.with(|form| form.as_ref().map(|form| read(form, now)))
    };
    let end = state.ends();
    let (set, asked) = (Memo::new(move |_| of_form(Form::length)), Memo::new(move |_| of_form(Form::asked_length)));
    let words = move || set.get().map(length).unwrap_or_default();
    let latest = state.form.with_untracked(|form| form.as_ref().map(|form| form.asked().not_after));
    let on_input = move |event| {
        if let Ok(index) = event_target_value(&event).parse() {
            state.edit(|form| form.set_length(index, state.now()));
        }
    };
    view! {
        <div class="knob">
            <label for="length">"valid for"</label>
            <input
                id="length" type="range" min="0" step="1"
                prop:max=last prop:value=index on:input=on_input
                aria-valuetext=words
            />
            <output for="length">
                {move || asked.get().filter(|asked| Some(*asked) != set.get()).map(|asked| view! { <s>{length(asked)}</s> " " })}
                {words}
            </output>
        </div>
        <p class="under">"if granted now, ends " {move || end.get().map(|end| view! { <Countdown then=end /> })}</p>
        {move || lengths.with(Vec::is_empty).then(|| {
            let latest = latest.map(clock).unwrap_or_default();
            view! { <p class="problem">{format!("What was asked for ended at {latest} UTC.")}</p> }
        })}
    }
}

#[component]
fn Uses() -> impl IntoView {
    let state = State::take();
    let (most, asked) = state
        .form
        .with_untracked(|form| form.as_ref().map_or((1, 1), |form| (form.most_uses(), form.asked().max_uses)));
    let set = Memo::new(move |_| state.form.with(|form| form.as_ref().map_or(1, |form| form.uses)));
    let on_input = move |event| {
        if let Ok(uses) = event_target_value(&event).parse::<u32>() {
            state.edit(|form| form.uses = uses);
        }
    };
    view! {
        <div class="knob">
            <label for="uses">"uses"</label>
            <input id="uses" type="number" inputmode="numeric" min="1" max=most prop:value=move || set.get() on:input=on_input />
            <output for="uses">
                {move || (asked != set.get()).then(|| view! { <s>{uses(asked)}</s> " " })}
                {move || uses(set.get())}
            </output>
        </div>
        {(most < asked).then(|| view! { <p class="under">{format!("the terms allow at most {}", uses(most))}</p> })}
    }
}

#[component]
fn Resource() -> impl IntoView {
    let state = State::take();
    let Some((choices, asked)) =
        state.form.with_untracked(|form| form.as_ref().map(|form| (form.resources(), form.asked().resource.clone())))
    else {
        return ().into_any();
    };
    let set = Memo::new(move |_| state.form.with(|form| form.as_ref().map(|form| form.resource.clone())));
    let words = move || set.get().as_ref().map(resource).unwrap_or_default();
    let struck = move || {
        let asked = asked.clone();
        set.get().filter(|set| *set != asked).map(|_| view! { <s><Text text=resource(&asked) /></s> " " })
    };
    if choices.len() < 2 {
        return view! {
            <div class="knob wide"><span class="name">"resource"</span><span class="mono">{move || view! { <Text text=words() /> }}</span></div>
        }
        .into_any();
    }
    let options = choices
        .iter()
        .enumerate()
        .map(|(index, choice)| {
            let choice_is_set = {
                let choice = choice.clone();
                move || set.get().as_ref() == Some(&choice)
            };
            view! { <option value=index.to_string() prop:selected=choice_is_set>{resource(choice)}</option> }
        })
        .collect_view();
    let on_change = move |event| {
        let chosen = event_target_value(&event).parse::<usize>().ok().and_then(|index| choices.get(index).cloned());
        if let Some(chosen) = chosen {
            state.edit(|form| form.resource = chosen);
        }
    };
    view! {
        <div class="knob wide">
            <label for="resource">"resource"</label>
            <select id="resource" on:change=on_change>{options}</select>
        </div>
        <p class="under mono">{struck}{move || view! { <Text text=words() /> }}</p>
    }
    .into_any()
}
