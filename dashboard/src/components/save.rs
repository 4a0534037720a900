//! A file for the person to keep.

use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};

/// Lets the browser save this text under this name.
///
/// # Errors
/// When the browser has no such thing as a file.
pub fn save(name: &str, text: &str) -> Result<(), JsValue> {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    save_blob(name, &web_sys::Blob::new_with_str_sequence(&parts)?)
}

/// The same of bytes that the browser holds already.
///
/// # Errors
/// When the browser has no such thing as a file.
pub fn save_blob(name: &str, blob: &web_sys::Blob) -> Result<(), JsValue> {
    let address = web_sys::Url::create_object_url_with_blob(blob)?;
    let link: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&address);
    link.set_download(name);
    link.click();
    web_sys::Url::revoke_object_url(&address)
}
