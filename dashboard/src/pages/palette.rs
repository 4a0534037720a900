//! The palette: everything that can be gone to or done, by its name.

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::api;
use crate::app::Desk;
use crate::components::copy;
use crate::preferences::{saved_views, switch_theme, switch_zone};
use crate::view_model::curl::curl;
use crate::view_model::palette::{Does, Entry, entries, found};

/// The palette, shown while `shown` is.
#[component]
pub fn Palette(shown: RwSignal<bool>, keys: RwSignal<bool>) -> impl IntoView {
    let desk = Desk::take();
    let (dialog, field) = (NodeRef::<Dialog>::new(), NodeRef::<Input>::new());
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let all = Memo::new(move |_| {
        shown.track();
        found(entries(&saved_views()), &typed.get())
    });
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if shown.get() && !dialog.open() {
            typed.set(String::new());
            at.set(0);
            drop(dialog.show_modal());
            if let Some(field) = field.get_untracked() {
                drop(field.focus());
            }
        } else if !shown.get_untracked() && dialog.open() {
            dialog.close();
        }
    });
    let navigate = StoredValue::new_local(use_navigate());
    let act = move |entry: Entry| {
        shown.set(false);
        match entry.does {
            Does::Go(address) => navigate.with_value(|navigate| navigate(&address, NavigateOptions::default())),
            Does::Zone => switch_zone(),
            Does::Theme => desk.said.set(format!("The colours are {} now.", switch_theme())),
            Does::Keys => keys.set(true),
            Does::CopyLink => {
                let link = window().location().href().unwrap_or_default();
                copy(&link, move |told| desk.said.set(told));
            }
            Does::CopyCurl => {
                let origin = window().location().origin().unwrap_or_default();
                let lines: Vec<String> = api::asked().iter().map(|path| curl(&origin, "GET", path, None)).collect();
                copy(&lines.join("\n"), move |told| desk.said.set(told));
            }
        }
    };
    let press = move |event: web_sys::KeyboardEvent| {
        let last = all.with(|all| all.len().saturating_sub(1));
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = at.saturating_add(1).min(last)),
            "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                if let Some(entry) = all.with_untracked(|all| all.get(at.get_untracked()).cloned()) {
                    act(entry);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let rows = move || {
        all.get()
            .into_iter()
            .enumerate()
            .map(|(index, entry)| {
                let (name, keys) = (entry.name.clone(), entry.keys.clone());
                view! {
                    <li
                        id=format!("palette-{index}") role="option" aria-selected=move || (at.get() == index).to_string()
                        on:click=move |_| act(entry.clone())
                    >
                        <span>{name}</span> {(!keys.is_empty()).then(|| view! { <kbd>{keys}</kbd> })}
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <dialog class="asking palette" node_ref=dialog aria-label="Everything that can be done" on:close=move |_| shown.set(false)>
            <input
                type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="What to do"
                aria-activedescendant=move || format!("palette-{}", at.get()) autocomplete="off" spellcheck="false"
                placeholder="where to, what to do, or an exception's id" node_ref=field prop:value=typed
                on:input=move |event| { at.set(0); typed.set(event_target_value(&event)); } on:keydown=press
            />
            <ul id="palette-list" role="listbox" aria-label="What there is">{rows}</ul>
            {move || all.with(Vec::is_empty).then(|| view! { <p class="soft">"Nothing here is called that."</p> })}
        </dialog>
    }
}
