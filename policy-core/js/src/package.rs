//! The JavaScript class of the npm package. Its types are written by hand in `package/index.d.ts`.

use js_sys::wasm_bindgen::JsValue;
use js_sys::{Error, Reflect};
use policy_core::abi::{Compile, Console, Eligible, Evaluate, Load, Preview};
use policy_core::digest::{Digest, DigestError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::plain;

/// A running policy module, as JavaScript sees it.
#[wasm_bindgen]
pub struct PolicyModule {
    engine: Engine,
}

#[wasm_bindgen]
impl PolicyModule {
    /// Compiles and starts `policy.wasm`, when its bytes have this SHA-256 in lower-case hexadecimal.
    ///
    /// # Errors
    /// An `Error` with a `code`, see [`EngineError::code`].
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &[u8], expected_sha256: &str) -> Result<PolicyModule, JsValue> {
        let digest = expected_sha256.parse::<Digest>();
        let digest = digest.map_err(|error: DigestError| throw(&EngineError::BadInput(error.to_string())))?;
        Engine::from_bytes(bytes, digest).map(|engine| Self { engine }).map_err(|error| throw(&error))
    }

    /// The raw boundary: canonical JSON in, canonical JSON out.
    ///
    /// # Errors
    /// An `Error` with a `code` when the module trapped. A refusal is an answer.
    pub fn call(&self, op: i32, input: &[u8]) -> Result<Vec<u8>, JsValue> {
        self.engine.call(op, input).map_err(|error| throw(&error))
    }

    /// Loads a bundle's policies.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn load(&self, load: JsValue) -> Result<JsValue, JsValue> {
        answer(load, |load: Load| self.engine.load(&load))
    }

    /// Evaluates a question.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn evaluate(&self, evaluate: JsValue) -> Result<JsValue, JsValue> {
        answer(evaluate, |evaluate: Evaluate| self.engine.evaluate(&evaluate))
    }

    /// The terms for what the question requests.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn terms(&self, evaluate: JsValue) -> Result<JsValue, JsValue> {
        answer(evaluate, |evaluate: Evaluate| self.engine.terms(&evaluate))
    }

    /// Who of these people may approve.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn eligible(&self, eligible: JsValue) -> Result<JsValue, JsValue> {
        answer(eligible, |eligible: Eligible| self.engine.eligible(&eligible))
    }

    /// A grant as policy.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn compile(&self, compile: JsValue) -> Result<JsValue, JsValue> {
        answer(compile, |compile: Compile| self.engine.compile(&compile))
    }

    /// What a yes would allow.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn preview(&self, preview: JsValue) -> Result<JsValue, JsValue> {
        answer(preview, |preview: Preview| self.engine.preview(&preview))
    }

    /// What of this one person may do in Proviso itself.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn console(&self, console: JsValue) -> Result<JsValue, JsValue> {
        answer(console, |console: Console| self.engine.console(&console))
    }
}

/// One operation over plain objects.
fn answer<I: DeserializeOwned, O: Serialize>(
    input: JsValue,
    ask: impl FnOnce(I) -> Result<O, EngineError>,
) -> Result<JsValue, JsValue> {
    let asked = plain::read(input).and_then(ask).and_then(|answer| plain::write(&answer));
    asked.map_err(|error| throw(&error))
}

/// What JavaScript catches: an `Error` with a stable `code`.
fn throw(error: &EngineError) -> JsValue {
    let thrown = Error::new(&error.to_string());
    thrown.set_name("PolicyError");
    // Cannot fail on an object that was just made; without the code it would still be an error.
    let _ = Reflect::set(&thrown, &"code".into(), &error.code().into());
    thrown.into()
}
