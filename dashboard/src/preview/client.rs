//! The page's side: starts the worker, sends it the newest trial, and hands back what it says.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

use crate::view_model::latest::Latest;
use crate::view_model::preview::{Shown, Trial};
pub use crate::worker::messages::{Broken, Start};
use crate::worker::messages::{FromWorker, ToWorker};

/// Trunk's loader for the worker's Wasm: a static file, so that no `blob:` stands in the content security policy.
pub(super) const LOADER: &str = "/preview_worker_loader.js";

/// What the worker says.
pub enum Said {
    /// The module stands and has read the bundle; milliseconds for both.
    Ready(f64),
    /// There is no module to ask.
    Broken(Broken),
    /// The newest trial gave this.
    Tried(Result<Box<Shown>, Broken>),
}

/// A preview in a worker of its own. The worker ends with it.
pub struct Preview {
    worker: Worker,
    state: Rc<RefCell<State>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

#[derive(Default)]
struct State {
    start: Option<(Start, Vec<u8>)>,
    ready: bool,
    asked_early: Option<Trial>,
    latest: Latest<Trial>,
    in_flight: Option<Trial>,
}

impl Preview {
    /// Starts a worker on these bytes. What it says goes to `on_said`.
    ///
    /// # Errors
    /// When the browser starts no worker.
    pub fn start(start: Start, module: Vec<u8>, on_said: impl Fn(Said) + Clone + 'static) -> Result<Self, Broken> {
        let worker = Worker::new(LOADER).map_err(|_| no_worker())?;
        let state = Rc::new(RefCell::new(State { start: Some((start, module)), ..State::default() }));
        let (listening, answering, told) = (Rc::clone(&state), worker.clone(), on_said.clone());
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let message = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
            // The answer is told after the state is let go: whoever listens may ask again at once.
            let said = message.and_then(|message| listening.borrow_mut().hear(message, &answering));
            if let Some(said) = said {
                told(said);
            }
        });
        let on_error = Closure::<dyn FnMut(JsValue)>::new(move |_| on_said(Said::Broken(no_worker())));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, state, _on_message: on_message, _on_error: on_error })
    }

    /// Tries a grant. Of several asked while one is tried, the newest is tried next.
    pub fn ask(&self, trial: Trial) {
        let mut state = self.state.borrow_mut();
        if state.ready {
            let next = state.latest.ask(trial);
            state.send(next, &self.worker);
        } else {
            state.asked_early = Some(trial);
        }
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl State {
    fn hear(&mut self, message: FromWorker, worker: &Worker) -> Option<Said> {
        match message {
            FromWorker::Up => {
                let (start, module) = self.start.take()?;
                post(worker, &ToWorker::Start(Box::new(start)), Some(&module));
                None
            }
            FromWorker::Ready { millis } => {
                self.ready = true;
                let early = self.asked_early.take().and_then(|trial| self.latest.ask(trial));
                self.send(early, worker);
                Some(Said::Ready(millis))
            }
            FromWorker::Broken(broken) => Some(Said::Broken(broken)),
            FromWorker::Answered(_) => None,
            FromWorker::Tried(seq, tried) => {
                let trial = self.in_flight.take();
                let (show, next) = self.latest.answered(seq);
                self.send(next, worker);
                let trial = trial.filter(|_| show)?;
                Some(Said::Tried(tried.map(|tried| {
                    Box::new(Shown {
                        scope: trial.scope,
                        previewed: tried.previewed,
                        cedar: tried.cedar,
                        millis: tried.millis,
                    })
                })))
            }
        }
    }

    fn send(&mut self, next: Option<(u64, Trial)>, worker: &Worker) {
        if let Some((seq, trial)) = next {
            post(worker, &ToWorker::Try(seq, Box::new(trial.clone())), None);
            self.in_flight = Some(trial);
        }
    }
}

fn post(worker: &Worker, message: &ToWorker, bytes: Option<&[u8]>) {
    let Ok(text) = serde_json::to_string(message) else { return };
    let parts = Array::of1(&JsValue::from_str(&text));
    if let Some(bytes) = bytes {
        parts.push(&Uint8Array::from(bytes));
    }
    // A worker that cannot be reached has ended, and `on_error` has said so.
    drop(worker.post_message(&parts));
}

fn no_worker() -> Broken {
    Broken { code: "no_worker".into(), message: "the browser did not start the preview's worker".into() }
}
