//! What a person likes of the page, kept in this browser: colours, the zone that times are told in, saved views.

use leptos::prelude::{document, window};

use crate::view_model::queue::Saved;
use crate::view_model::time::tell_in;

const ZONE: &str = "proviso.zone";
const THEME: &str = "proviso.theme";
const VIEWS: &str = "proviso.views";

/// Makes the page as it was liked before.
pub fn apply() {
    if stored(ZONE).as_deref() == Some("local") {
        tell_in(Some(offset));
    }
    show_theme(stored(THEME).as_deref());
}

/// Whether times are told as this computer does.
pub fn tells_local_time() -> bool {
    stored(ZONE).as_deref() == Some("local")
}

/// Tells times in the other way. The page is loaded anew: no time on it is left in the old one.
pub fn switch_zone() {
    store(ZONE, if tells_local_time() { "utc" } else { "local" });
    drop(window().location().reload());
}

/// Goes on from the system's colours to light ones, to dark ones, and back. What it is now.
pub fn switch_theme() -> &'static str {
    let next = match stored(THEME).as_deref() {
        Some("light") => "dark",
        Some("dark") => "system",
        _ => "light",
    };
    store(THEME, next);
    show_theme(Some(next));
    next
}

/// The views that were saved.
pub fn saved_views() -> Vec<Saved> {
    stored(VIEWS).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Keeps these views in the place of those before.
pub fn save_views(views: &[Saved]) {
    if let Ok(text) = serde_json::to_string(views) {
        store(VIEWS, &text);
    }
}

fn show_theme(theme: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    // Without the mark the page follows the system.
    drop(match theme {
        Some(theme @ ("light" | "dark")) => root.set_attribute("data-theme", theme),
        _ => root.remove_attribute("data-theme"),
    });
}

/// How many minutes this computer's zone is before UTC then.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an instant and an offset of a day")]
fn offset(millis: i64) -> i32 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(millis as f64));
    -(date.get_timezone_offset() as i32)
}

fn stored(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(name).ok()?
}

fn store(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // Without storage the choice lasts until the page is closed.
        drop(storage.set_item(name, value));
    }
}
