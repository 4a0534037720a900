//! The record as a file: a button, and a dialog that asks as what and of whom.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use policy_core::console::Act;

use crate::api;
use crate::app::Desk;
use crate::components::{Failure, Fetched, Field, save_blob};
use crate::view_model::export::{Format, Wanted};
use crate::view_model::problem::ApiError;

/// The button with its dialog.
#[component]
pub fn Export(
    /// Of this exception alone, to begin with.
    #[prop(optional, into)]
    exception: String,
) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let start = StoredValue::new(Wanted { exception, ..Wanted::default() });
    // What was filled in goes with the dialog: it opens as it was first.
    let opened = RwSignal::new(0_u32);
    let open = move |_| {
        opened.update(|opened| *opened += 1);
        if let Some(dialog) = dialog.get_untracked() {
            // One that is open already stays so.
            drop(dialog.show_modal());
        }
    };
    let close = move || {
        // A page that was left meanwhile has taken its dialog along.
        if let Some(dialog) = dialog.try_get_untracked().flatten() {
            dialog.close();
        }
    };
    let draw = move |form: Draw| form(start.get_value(), Callback::new(move |()| close()));
    let desk = Desk::take();
    let may = move || desk.why_not(Act::Export).is_none();
    view! {
        {move || may().then(|| view! { <button class="quiet" aria-haspopup="dialog" on:click=open>"Export …"</button> })}
        <dialog class="asking" node_ref=dialog aria-labelledby="export-title">
            <h2 id="export-title">"Export the record"</h2>
            {move || (opened.get() > 0).then(|| view! { <Fetched code=|| Box::pin(form()) draw /> })}
        </dialog>
    }
}

/// Draws the form.
type Draw = fn(Wanted, Callback<()>) -> AnyView;

#[wasm_split(later, wasm_split_path = leptos::wasm_split, fallible)]
fn form() -> Result<Draw, SplitLoaderError> {
    Ok(|start, close| view! { <Form start close /> }.into_any())
}

#[component]
fn Form(start: Wanted, close: Callback<()>) -> impl IntoView {
    let desk = Desk::take();
    let wanted = RwSignal::new(start);
    let failed = RwSignal::new(None::<ApiError>);
    let wrong = Memo::new(move |_| wanted.with(|wanted| wanted.address().err()));
    let busy = RwSignal::new(false);
    let take = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Ok(address) = wanted.with_untracked(Wanted::address) else { return };
        if busy.get_untracked() {
            return;
        }
        let name = wanted.with_untracked(Wanted::file_name);
        busy.set(true);
        failed.set(None);
        spawn_local(async move {
            let done = match api::export(&address).await {
                Ok(blob) => save_blob(&name, &blob).map_err(|_| ApiError::CutOff),
                Err(error) => Err(error),
            };
            busy.set(false);
            match done {
                Ok(()) => {
                    desk.said.set(format!("Saved as {name}."));
                    close.run(());
                }
                Err(error) => {
                    desk.said.set(error.what());
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    };
    let formats = Format::ALL
        .map(|each| {
            let id = format!("export-{}", each.word());
            let checked = move || wanted.with(|wanted| wanted.format == each);
            view! {
                <div class="choice">
                    <input
                        type="radio" name="export-format" id=id.clone() value=each.word() prop:checked=checked
                        aria-describedby=format!("{id}-says")
                        on:change=move |_| wanted.update(|wanted| wanted.format = each)
                    />
                    <label for=id.clone()>{each.label()}</label>
                    <span class="soft" id=format!("{id}-says")>{each.says()}</span>
                </div>
            }
        })
        .collect_view();
    view! {
        <form on:submit=take>
            <fieldset class="choices"><legend>"As"</legend>{formats}</fieldset>
            <div class="pair">
                <Field id="export-since" label="From (UTC)" kind="datetime-local" fields=wanted of=|wanted| &mut wanted.since />
                <Field id="export-until" label="Up to, not included (UTC)" kind="datetime-local" fields=wanted of=|wanted| &mut wanted.until />
            </div>
            <Field id="export-agent" label="Agent: its id, or TYPE::ID" kind="text" fields=wanted of=|wanted| &mut wanted.agent />
            <Field id="export-approver" label="Approver" kind="text" fields=wanted of=|wanted| &mut wanted.approver />
            <Field id="export-exception" label="Exception, by id" kind="text" fields=wanted of=|wanted| &mut wanted.exception />
            <p class="soft">"What is left empty narrows nothing."</p>
            <p class="problem" role="status">{move || wrong.get()}</p>
            {move || failed.get().map(|error| view! { <Failure error /> })}
            <div class="buttons">
                <button type="button" on:click=move |_| close.run(())>"Cancel"</button>
                <button type="submit" class="yes" aria-disabled=move || (busy.get() || wrong.get().is_some()).to_string()>
                    {move || if busy.get() { "Exporting …" } else { "Export" }}
                </button>
            </div>
        </form>
    }
}
