//! Text for the clipboard.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Puts a text into the clipboard, and says how that went.
pub fn copy(text: &str, told: impl Fn(String) + 'static) {
    let promise = write(text);
    spawn_local(async move {
        let written = match promise {
            Ok(promise) => JsFuture::from(promise).await.is_ok(),
            Err(_) => false,
        };
        told(if written { "Copied.".to_owned() } else { "The browser does not let this page copy.".to_owned() });
    });
}

fn write(text: &str) -> Result<Promise, JsValue> {
    let navigator = Reflect::get(&window(), &JsValue::from_str("navigator"))?;
    let clipboard = Reflect::get(&navigator, &JsValue::from_str("clipboard"))?;
    let write: Function = Reflect::get(&clipboard, &JsValue::from_str("writeText"))?.dyn_into()?;
    write.call1(&clipboard, &JsValue::from_str(text))?.dyn_into()
}
