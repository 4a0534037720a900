//! The arguments of a grant: as in the call, or a condition for each.

use leptos::prelude::*;

use super::state::State;
use crate::components::Text;
use crate::view_model::facts::scalar;
use crate::view_model::knob::{Kind, Knob as Model};
use crate::view_model::scope::{arguments, demand, path};

/// Exact, or by conditions with a knob for each argument.
#[component]
pub fn Arguments() -> impl IntoView {
    let state = State::take();
    let Some((can, asked, count)) = state.form.with_untracked(|form| {
        form.as_ref().map(|form| (form.can_have_conditions(), form.asked().arguments.clone(), form.knobs.len()))
    }) else {
        return ().into_any();
    };
    let exact = Memo::new(move |_| state.form.with(|form| form.as_ref().is_none_or(|form| form.exact)));
    if !can {
        return view! {
            <div class="knob wide"><span class="name">"arguments"</span><span>{arguments(&asked)}</span></div>
        }
        .into_any();
    }
    let choose = move |exact: bool| state.edit(|form| form.exact = exact);
    view! {
        <fieldset class="knob wide">
            <legend>"arguments"</legend>
            <label><input type="radio" name="arguments" prop:checked=move || exact.get() on:change=move |_| choose(true) />" exactly as in the call"</label>
            <label><input type="radio" name="arguments" prop:checked=move || !exact.get() on:change=move |_| choose(false) />" by conditions"</label>
        </fieldset>
        <p class="under">
            {let asked = arguments(&asked); move || exact.get().then(|| view! { <s><Text text=asked.clone() /></s> })}
        </p>
        <Show when=move || !exact.get()>
            {(0..count).map(|index| view! { <Knob index /> }).collect_view()}
        </Show>
    }
    .into_any()
}

/// The knob for one argument. It is drawn once; only what stands in it changes, so the field keeps the focus.
#[component]
fn Knob(index: usize) -> impl IntoView {
    let state = State::take();
    let Some(knob) = state.form.with_untracked(|form| form.as_ref().and_then(|form| form.knobs.get(index).cloned()))
    else {
        return ().into_any();
    };
    let read = move |read: fn(&Model) -> String| {
        state.form.with(|form| form.as_ref().and_then(|form| form.knobs.get(index)).map(read).unwrap_or_default())
    };
    let change = move |change: &dyn Fn(&mut Model)| {
        state.edit(|form| {
            if let Some(knob) = form.knobs.get_mut(index) {
                change(knob);
            }
        });
    };
    let kind = Memo::new(move |_| Kind::from_word(&read(|knob| knob.kind.word().to_owned())));
    let name = path(&knob.at);
    let id = format!("knob-{index}");
    let options = knob
        .kinds()
        .into_iter()
        .map(|each| view! { <option value=each.word() prop:selected=move || kind.get() == Some(each)>{each.word()}</option> })
        .collect_view();
    let on_kind = move |event| {
        if let Some(kind) = Kind::from_word(&event_target_value(&event)) {
            change(&|knob| knob.kind = kind);
        }
    };
    let value = scalar(&knob.value);
    let label = name.clone();
    let fields = move || {
        match kind.get() {
        Some(Kind::Equals) => view! { <span class="mono value"><Text text=value.clone() /></span> }.into_any(),
        Some(Kind::OneOf) => view! {
            <textarea
                rows="3" class="mono" aria-label=format!("{label}: one value a line")
                prop:value=move || read(|knob| knob.values.clone())
                on:input=move |event| { let text = event_target_value(&event); change(&|knob| knob.values.clone_from(&text)); }
            ></textarea>
        }
        .into_any(),
        Some(Kind::Between) => view! {
            <span class="range">
                <input
                    type="text" inputmode="numeric" class="mono" aria-label=format!("{label}: at least")
                    prop:value=move || read(|knob| knob.min.clone())
                    on:input=move |event| { let text = event_target_value(&event); change(&|knob| knob.min.clone_from(&text)); }
                />
                " to "
                <input
                    type="text" inputmode="numeric" class="mono" aria-label=format!("{label}: at most")
                    prop:value=move || read(|knob| knob.max.clone())
                    on:input=move |event| { let text = event_target_value(&event); change(&|knob| knob.max.clone_from(&text)); }
                />
            </span>
        }
        .into_any(),
        Some(Kind::Inside) => view! {
            <input
                type="text" class="mono" aria-label=format!("{label}: the folder")
                spellcheck="false" autocomplete="off"
                prop:value=move || read(|knob| knob.folder.clone())
                on:input=move |event| { let text = event_target_value(&event); change(&|knob| knob.folder.clone_from(&text)); }
            />
        }
        .into_any(),
        Some(Kind::Open) | None => view! { <span class="warn">"any value that the schema admits"</span> }.into_any(),
    }
    };
    let asked = knob.asked.as_ref().map_or_else(|| "anything".to_owned(), demand);
    view! {
        <div class="knob three">
            <label for=id.clone() class="mono"><Text text=name /></label>
            <select id=id on:change=on_kind>{options}</select>
            {fields}
        </div>
        <p class="under"><s><Text text=asked /></s></p>
    }
    .into_any()
}
