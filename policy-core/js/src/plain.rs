//! Plain objects to typed values and back, and what is refused on the way.
//!
//! `serde-wasm-bindgen` reads whatever JavaScript holds, and JavaScript holds more than JSON: strings that no UTF-8 can
//! write become others silently, a cycle has no end. What the module would not see as the caller wrote it is refused.

use js_sys::wasm_bindgen::{JsCast, JsValue};
use js_sys::{Array, JSON, JsString, Object};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{EngineError, thrown};

/// As deep as the module reads, plus the answer that it gives to something deeper.
const MOST_LEVELS: u32 = 64;

/// A plain object as an operation's input.
pub(crate) fn read<I: DeserializeOwned>(input: JsValue) -> Result<I, EngineError> {
    check(&input, MOST_LEVELS).map_err(|problem| EngineError::BadInput(problem.into()))?;
    serde_wasm_bindgen::from_value(input).map_err(|error| EngineError::BadInput(thrown(&error.into())))
}

/// An answer as plain objects, by the runtime's own reader: `serde-wasm-bindgen` assigns members one by one, and
/// assigning `__proto__` makes no member.
pub(crate) fn write<O: Serialize>(answer: &O) -> Result<JsValue, EngineError> {
    let text = serde_json::to_string(answer).map_err(|error| EngineError::BadAnswer(error.to_string()))?;
    JSON::parse(&text).map_err(|error| EngineError::BadAnswer(thrown(&error)))
}

fn check(value: &JsValue, levels: u32) -> Result<(), &'static str> {
    if let Some(text) = value.dyn_ref::<JsString>() {
        return if text.is_valid_utf16() { Ok(()) } else { Err("a text holds half of a surrogate pair") };
    }
    if !value.is_object() {
        return Ok(());
    }
    let inner = levels.checked_sub(1).ok_or("it is nested too deeply")?;
    if let Some(items) = value.dyn_ref::<Array>() {
        return items.iter().try_for_each(|item| check(&item, inner));
    }
    let entries = Object::entries(value.unchecked_ref());
    entries.iter().try_for_each(|entry| {
        let entry = entry.unchecked_into::<Array>();
        check(&entry.get(0), inner)?;
        check(&entry.get(1), inner)
    })
}
