//! What a yes would be: the smallest grant that lets this call through, told line by line beside what was asked for, with
//! by name what it does not fix. Opening more than that is a step of its own, and takes a reason.

use leptos::prelude::*;
use policy_core::time::{Span, Timestamp};

use super::knobs::Arguments;
use super::length::Length;
use super::state::State;
use crate::components::{Card, Text};
use crate::view_model::facts::uses;
use crate::view_model::grant_form::GrantForm as Form;
use crate::view_model::scope::{compare, resource};
use crate::view_model::time::length;

/// The grant as it would be, and the knobs that open it.
#[component]
pub fn GrantForm() -> impl IntoView {
    let state = State::take();
    let problem = Memo::new(move |_| state.scope().and_then(Result::err));
    let open = move |_| state.opened.set(true);
    view! {
        <Card title="What a yes would be">
            <p class="soft">{move || if state.is_wider() {
                "More is open than this call needs. The reason that you give says why."
            } else {
                "The smallest grant that lets this call through. It can never go beyond what was asked for."
            }}</p>
            <Show when=move || !state.opened.get()>
                <Lines />
                <p><button data-key="open" aria-expanded="false" aria-controls="knobs" on:click=open>"Open more than this …"</button></p>
            </Show>
            <div id="knobs">
                <Show when=move || state.opened.get()>
                    <Length />
                    <Uses />
                    <Resource />
                    <Arguments />
                    <p><button class="quiet" on:click=move |_| state.close_again()>"Back to the smallest grant"</button></p>
                </Show>
            </div>
            <p class="problem" role="status" id="grant-problem">
                {move || problem.get().map(|problem| view! { <Text text=problem /> })}
            </p>
            <NotFixed />
        </Card>
    }
}

/// The grant line by line, with what was asked for struck through where that was more.
#[component]
fn Lines() -> impl IntoView {
    let state = State::take();
    let lines = Memo::new(move |_| {
        let scope = state.scope()?.ok()?;
        let (now, asked) = (state.clock.get(), state.form.with(|form| form.as_ref().map(|form| form.asked().clone()))?);
        Some(compare(&asked.granted_at(now, None), &scope.granted_at(now, None)))
    });
    move || {
        lines.get().map(|lines| {
            let rows = lines
                .into_iter()
                .map(|line| {
                    let struck = line.is_narrowed().then(|| view! { <s><Text text=line.asked.clone() /></s> " " });
                    view! { <tr><th scope="row">{line.name}</th><td>{struck}<Text text=line.given /></td></tr> }
                })
                .collect_view();
            view! { <table class="grant"><tbody>{rows}</tbody></table> }
        })
    }
}

/// What this yes leaves open, by name; red where there is anything.
#[component]
fn NotFixed() -> impl IntoView {
    let state = State::take();
    let open = Memo::new(move |_| state.shown.with(|shown| shown.as_ref().map(|shown| shown.previewed.open.clone())));
    view! {
        <h3 id="not-fixed">"Not fixed by this yes"</h3>
        {move || match open.get() {
            None => view! { <p class="soft">"The module has not answered yet."</p> }.into_any(),
            Some(open) if open.is_empty() => view! { <p>"Nothing. This very call, and no other."</p> }.into_any(),
            Some(open) => view! {
                <ul class="not-fixed" aria-labelledby="not-fixed">
                    {open.into_iter().map(|name| view! { <li class="bad mono"><Text text=name /></li> }).collect_view()}
                </ul>
            }
            .into_any(),
        }}
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

/// How long a grant of the form would last now, and what was asked for.
pub(super) fn lengths(form: &Form, now: Timestamp) -> (Span, Span) {
    (form.length(now), form.asked_length(now))
}

/// A length beside the one that was asked for, which is struck through where it is another.
pub(super) fn beside(set: Option<Span>, asked: Option<Span>) -> impl IntoView {
    view! {
        {asked.filter(|asked| Some(*asked) != set).map(|asked| view! { <s>{length(asked)}</s> " " })}
        {set.map(length).unwrap_or_default()}
    }
}
