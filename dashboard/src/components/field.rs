//! One text of what a form is about, with its label.

use leptos::prelude::*;

/// A label and its field. It follows what it edits, also where something else changes that.
#[component]
pub fn Field<T: Clone + Send + Sync + 'static>(
    /// The field's id on the page.
    id: &'static str,
    /// What stands above it.
    label: &'static str,
    /// The kind of input.
    kind: &'static str,
    /// The id of a list that proposes values.
    #[prop(optional)]
    list: Option<&'static str>,
    /// What the form is about.
    fields: RwSignal<T>,
    /// Which text of it.
    of: fn(&mut T) -> &mut String,
) -> impl IntoView {
    let value = move || fields.with(|fields| std::mem::take(of(&mut fields.clone())));
    view! {
        <div>
            <label for=id>{label}</label>
            <input
                id=id type=kind list=list maxlength="512" autocomplete="off" prop:value=value
                on:input=move |event| fields.update(|fields| *of(fields) = event_target_value(&event))
            />
        </div>
    }
}
