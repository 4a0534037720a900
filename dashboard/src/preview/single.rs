//! The page's side of a worker that answers one question and is ended.

use js_sys::{Array, Uint8Array};
use policy_core::abi::Load;
use policy_core::digest::Digest;
use policy_core::question::SealedQuestion;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

use super::client::LOADER;
use crate::worker::messages::{Answered, FromWorker, One, ToWorker};

/// A worker for one question. It ends with this.
pub struct Single {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

impl Single {
    /// Starts it. What it says goes to `said`.
    ///
    /// # Errors
    /// When the browser starts no worker.
    pub fn start(
        module: Digest,
        load: Load,
        question: SealedQuestion,
        bytes: Vec<u8>,
        said: impl Fn(Result<Box<Answered>, String>) + Clone + 'static,
    ) -> Result<Self, String> {
        let no_worker = || "the browser starts no worker for the policy module".to_owned();
        let worker = Worker::new(LOADER).map_err(|_| no_worker())?;
        let (asking, told) = (worker.clone(), said.clone());
        let one = ToWorker::One(Box::new(One { module, load, question }));
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let message = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
            match message {
                Some(FromWorker::Up) => {
                    let parts = Array::of1(&JsValue::from_str(&serde_json::to_string(&one).unwrap_or_default()));
                    parts.push(&Uint8Array::from(bytes.as_slice()));
                    // A worker that takes no message answers nothing, and its error is heard of.
                    drop(asking.post_message(&parts));
                }
                Some(FromWorker::Answered(answer)) => told(answer.map_err(|broken| broken.message)),
                Some(FromWorker::Broken(broken)) => told(Err(broken.message)),
                _ => {}
            }
        });
        let on_error = Closure::<dyn FnMut(JsValue)>::new(move |_| said(Err(no_worker())));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
