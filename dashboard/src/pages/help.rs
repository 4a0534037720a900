//! The keyboard: single-key shortcuts, the list of them, and the switch that turns them off (WCAG 2.1.4).

use leptos::ev::keydown;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use super::focus;
use crate::view_model::keys::{Command, KEYS, Keys, Press};

/// Where the browser keeps whether shortcuts are off.
const STORED_AS: &str = "proviso.shortcuts";

/// Listens for keys, and shows the list of them.
#[component]
pub fn Keyboard() -> impl IntoView {
    let shown = RwSignal::new(false);
    let switched_on = RwSignal::new(stored() != Some("off".into()));
    let keys = StoredValue::new(Keys::default());
    let close = move || {
        shown.set(false);
        focus("keys");
    };
    let navigate = use_navigate();
    let listener = window_event_listener(keydown, move |event| {
        let key = event.key();
        if key == "Escape" {
            if shown.get_untracked() {
                close();
            }
            return;
        }
        let press = Press {
            key: &key,
            with_modifier: event.ctrl_key() || event.alt_key() || event.meta_key(),
            typing: is_typing(event.target()),
        };
        let command = keys.try_update_value(|keys| keys.press(press)).flatten();
        let Some(command) = command.filter(|_| switched_on.get_untracked()) else { return };
        event.prevent_default();
        match command {
            Command::Next => step(1),
            Command::Previous => step(-1),
            Command::Approve => focus("approve"),
            Command::Refuse | Command::Revoke => focus("reason"),
            Command::Narrow => focus("length"),
            Command::Queue => navigate("/", leptos_router::NavigateOptions::default()),
            Command::Afterwards => navigate("/reviews", leptos_router::NavigateOptions::default()),
            Command::Judge(place) => press_judge(place),
            Command::Help => shown.update(|shown| *shown = !*shown),
        }
    });
    on_cleanup(move || listener.remove());
    let switch = move |event| {
        let on = event_target_checked(&event);
        switched_on.set(on);
        store(if on { "on" } else { "off" });
    };
    view! {
        <button id="keys" class="keys" aria-haspopup="dialog" on:click=move |_| shown.set(true)>"Keys"</button>
        <Show when=move || shown.get()>
            <div class="help" role="dialog" aria-labelledby="keys-title">
                <h2 id="keys-title">"Keys"</h2>
                <dl>
                    {KEYS.map(|(key, does)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div> }).collect_view()}
                </dl>
                <label>
                    <input type="checkbox" prop:checked=move || switched_on.get() on:change=switch />
                    " single keys do this"
                </label>
                <button autofocus on:click=move |_| close()>"Close"</button>
            </div>
        </Show>
    }
}

/// Whether what has the focus takes text.
fn is_typing(target: Option<web_sys::EventTarget>) -> bool {
    let Some(element) = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return false };
    match element.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => true,
        "INPUT" => !matches!(element.get_attribute("type").as_deref(), Some("checkbox" | "radio" | "range" | "button")),
        _ => false,
    }
}

/// Moves the focus to the next or the previous line of the list on the page.
fn step(by: i32) {
    let Ok(lines) = document().query_selector_all("[data-line]") else { return };
    let focused = document().active_element();
    let at = |index: u32| lines.item(index).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok());
    let current = (0..lines.length()).find(|index| at(*index).map(web_sys::Element::from) == focused);
    let next = match current {
        Some(index) => index.saturating_add_signed(by).min(lines.length().saturating_sub(1)),
        None => 0,
    };
    if let Some(line) = at(next) {
        // A line that cannot take the focus leaves it where it is.
        drop(line.focus());
    }
}

/// Presses the button of a disposition: of the line that has the focus, else of the page's one exception. Where a list
/// has no focus nothing is meant.
fn press_judge(place: usize) {
    let button = format!("[data-judge=\"{place}\"]");
    let line = document().active_element().and_then(|element| element.closest("li").ok().flatten());
    let found = match line {
        Some(line) => line.query_selector(&button),
        None => document().query_selector(&format!(".bar {button}")),
    };
    if let Some(button) = found.ok().flatten().and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
        button.click();
    }
}

fn stored() -> Option<String> {
    window().local_storage().ok()??.get_item(STORED_AS).ok()?
}

fn store(word: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // Without storage the choice lasts until the page is closed.
        drop(storage.set_item(STORED_AS, word));
    }
}
