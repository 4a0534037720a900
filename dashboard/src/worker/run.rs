//! The worker's side: holds the module and answers one trial after the other.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use policy_core::abi::{ABI_VERSION, Compile, Evaluate, Load, Preview, Previews};
use policy_core::digest::Digest;
use policy_core::grant::Grant;
use policy_core::time::Timestamp;
use policy_js::{Engine, EngineError};
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use super::messages::{Answered, Broken, FromWorker, One, Start, ToWorker, Tried};

/// What the worker keeps between messages.
struct Held {
    engine: Engine,
    bytes: Vec<u8>,
    module: Digest,
    load: Load,
    /// What each trial's grant is put into: a thousand recorded denials are written down for none of them.
    previews: Previews,
    at: Timestamp,
}

/// Listens, and says that it does: what is sent before is lost.
pub fn start() {
    console_error_panic_hook::set_once();
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let held: Rc<RefCell<Option<Held>>> = Rc::default();
    let answering = scope.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(answer) = answer(&held, &event.data()) {
            post(&answering, &answer);
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    post(&scope, &FromWorker::Up);
}

fn post(scope: &DedicatedWorkerGlobalScope, message: &FromWorker) {
    if let Ok(text) = serde_json::to_string(message) {
        // Nobody listens any more when this fails: the page is gone.
        drop(scope.post_message(&JsValue::from_str(&text)));
    }
}

fn answer(held: &RefCell<Option<Held>>, data: &JsValue) -> Option<FromWorker> {
    let parts: &Array = data.dyn_ref()?;
    match serde_json::from_str(&parts.get(0).as_string()?).ok()? {
        ToWorker::Start(start) => {
            let bytes = parts.get(1).dyn_ref::<Uint8Array>()?.to_vec();
            let begun = now();
            let Start { module, load, question, grant, others, at } = *start;
            let previews = Previews::new(&Preview { v: ABI_VERSION, question, grant, others, at });
            let previews = previews.map_err(|error| EngineError::BadInput(error.to_string()));
            Some(match previews.and_then(|previews| Ok((previews, open(&bytes, module, &load)?))) {
                Ok((previews, engine)) => {
                    *held.borrow_mut() = Some(Held { engine, bytes, module, load, previews, at });
                    FromWorker::Ready { millis: now() - begun }
                }
                Err(error) => FromWorker::Broken(broken(&error)),
            })
        }
        ToWorker::One(one) => {
            let bytes = parts.get(1).dyn_ref::<Uint8Array>()?.to_vec();
            Some(FromWorker::Answered(evaluate(&bytes, &one).map(Box::new).map_err(|error| broken(&error))))
        }
        ToWorker::Try(seq, trial) => {
            let mut held = held.borrow_mut();
            let held = held.as_mut()?;
            let tried = attempt(held, &trial.grant).map(Box::new).map_err(|error| broken(&error));
            if tried.is_err() {
                // After a trap the instance is spent; the next trial gets a fresh one from the same bytes.
                if let Ok(engine) = open(&held.bytes, held.module, &held.load) {
                    held.engine = engine;
                }
            }
            Some(FromWorker::Tried(seq, tried))
        }
    }
}

fn open(bytes: &[u8], module: Digest, load: &Load) -> Result<Engine, EngineError> {
    let engine = Engine::from_bytes(bytes, module)?;
    engine.load(load)?;
    Ok(engine)
}

fn evaluate(bytes: &[u8], one: &One) -> Result<Answered, EngineError> {
    let engine = Engine::from_bytes(bytes, one.module)?;
    engine.load(&one.load)?;
    let begun = now();
    let answer = engine.evaluate(&Evaluate { v: ABI_VERSION, question: one.question.clone() })?;
    Ok(Answered { answer, millis: now() - begun })
}

fn attempt(held: &Held, tried: &Grant) -> Result<Tried, EngineError> {
    let begun = now();
    let previewed = held.engine.preview_of(&held.previews, tried)?;
    let millis = now() - begun;
    // As policy a grant has an end, not a length: the one that it would have had at the sheet's instant.
    let grant = Grant { scope: tried.scope.granted_at(held.at, None), ..tried.clone() };
    let compiled = held.engine.compile(&Compile { v: ABI_VERSION, grant })?;
    Ok(Tried { previewed, cedar: compiled.cedar, millis })
}

fn broken(error: &EngineError) -> Broken {
    Broken { code: error.code().to_owned(), message: error.to_string() }
}

/// The worker's monotonic clock, in milliseconds.
fn now() -> f64 {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    scope.performance().map_or(0.0, |performance| performance.now())
}
