//! The keyboard: single-key shortcuts, the list of them, and the switch that turns them off (WCAG 2.1.4).

use std::time::Duration;

use leptos::ev::keydown;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use wasm_bindgen::JsCast;

use super::focus;
use super::palette::Palette;
use crate::api;
use crate::app::Desk;
use crate::view_model::keys::{Command, INERT_FOR, KEYS, Keys, PLACES, Press};

/// Where the browser keeps whether shortcuts are off.
const STORED_AS: &str = "proviso.shortcuts";

/// Listens for keys, and shows the list of them.
#[component]
pub fn Keyboard() -> impl IntoView {
    let desk = Desk::take();
    let (shown, palette) = (RwSignal::new(false), RwSignal::new(false));
    let switched_on = RwSignal::new(stored() != Some("off".into()));
    let keys = StoredValue::new(Keys::default());
    let close = move || {
        shown.set(false);
        focus("keys");
    };
    let location = use_location();
    Effect::new(move |_| {
        location.pathname.track();
        api::forget_asked();
        desk.page_changed();
    });
    let navigate = use_navigate();
    let listener = window_event_listener(keydown, move |event| {
        let key = event.key();
        if key == "Escape" {
            if shown.get_untracked() {
                close();
            }
            return;
        }
        let control = event.ctrl_key() || event.meta_key();
        let press = Press {
            key: &key,
            with_modifier: control || event.alt_key(),
            with_control: control && !event.alt_key() && !event.shift_key(),
            typing: is_typing(event.target()),
            since_change: desk.since_change(),
        };
        let command = keys.try_update_value(|keys| keys.press(press)).flatten();
        let Some(command) = command.filter(|command| *command == Command::Palette || switched_on.get_untracked())
        else {
            return;
        };
        event.prevent_default();
        match command {
            Command::Next => step(1),
            Command::Previous => step(-1),
            Command::Open => press_of_line("a[data-line]"),
            Command::Choose => press_of_line("[data-choose]"),
            Command::Approve => press_first("[data-key=approve]"),
            Command::Refuse => focus("reason"),
            Command::Revoke => revoke(),
            Command::Narrow => narrow(),
            Command::Undo => press_first("[data-key=undo]"),
            Command::Search => focus("search"),
            Command::Go(address) => navigate(address, NavigateOptions::default()),
            Command::Judge(place) => press_judge(place),
            Command::Palette => palette.update(|shown| *shown = !*shown),
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
        <Inert />
        <button id="keys" class="keys" aria-haspopup="dialog" on:click=move |_| shown.set(true)>"Keys"</button>
        <Palette shown=palette keys=shown />
        <Show when=move || shown.get()>
            <div class="help" role="dialog" aria-labelledby="keys-title">
                <h2 id="keys-title">"Keys"</h2>
                <dl>
                    {KEYS.map(|(key, does)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div> }).collect_view()}
                    {PLACES.map(|(key, _, name)| view! { <div class="place"><dt><kbd>{key}</kbd></dt><dd>{name}</dd></div> }).collect_view()}
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

/// Marks the page while keys that decide are inert, for whoever looks and for what runs beside it.
#[component]
fn Inert() -> impl IntoView {
    let desk = Desk::take();
    let marked = StoredValue::new(None::<bool>);
    let look = move || {
        let ready = desk.since_change() >= INERT_FOR;
        if marked.get_value() == Some(ready) {
            return;
        }
        marked.set_value(Some(ready));
        if let Some(root) = document().document_element() {
            drop(root.set_attribute("data-keys", if ready { "ready" } else { "inert" }));
        }
    };
    if let Ok(timer) = set_interval_with_handle(look, Duration::from_millis(100)) {
        on_cleanup(move || timer.clear());
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
    let row = focused.and_then(|element| element.closest("li").ok().flatten());
    let is_here = |index: &u32| {
        let line = at(*index).and_then(|line| line.closest("li").ok().flatten());
        line.is_some() && line == row
    };
    let next = match (0..lines.length()).find(is_here) {
        Some(index) => index.saturating_add_signed(by).min(lines.length().saturating_sub(1)),
        None => 0,
    };
    if let Some(line) = at(next) {
        // A line that cannot take the focus leaves it where it is.
        drop(line.focus());
    }
}

/// The line that has the focus.
fn line() -> Option<web_sys::Element> {
    document().active_element()?.closest("li").ok().flatten()
}

/// Presses something of the line that has the focus.
fn press_of_line(selector: &str) {
    click(line().and_then(|line| line.query_selector(selector).ok().flatten()));
}

/// Presses the first of these on the page, and takes the focus along: what comes of it is told there.
fn press_first(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(button) = found.as_ref().and_then(|button| button.dyn_ref::<web_sys::HtmlElement>()) {
        drop(button.focus());
    }
    click(found);
}

/// To why a grant is taken away: of the line in focus, or of the page's one grant.
fn revoke() {
    let button = line().and_then(|line| line.query_selector("[data-revoke]").ok().flatten());
    match button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
        Some(button) => drop(button.focus()),
        None => focus("reason"),
    }
}

/// To the first knob, opening them where they are folded.
fn narrow() {
    let folded = document().query_selector("[data-key=open]").ok().flatten();
    if folded.is_some() {
        click(folded);
        request_animation_frame(|| focus("length"));
    } else {
        focus("length");
    }
}

fn click(found: Option<web_sys::Element>) {
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        element.click();
    }
}

/// Presses the button of a disposition: of the line that has the focus, else of the page's one exception. Where a list
/// has no focus nothing is meant.
fn press_judge(place: usize) {
    let button = format!("[data-judge=\"{place}\"]");
    let found = match line() {
        Some(line) => line.query_selector(&button),
        None => document().query_selector(&format!(".bar {button}")),
    };
    click(found.ok().flatten());
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
