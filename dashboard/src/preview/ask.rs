//! One question for the module, in a worker that ends with the answer.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use policy_core::digest::Digest;
use policy_core::outcome::Evaluation;
use policy_core::question::SealedQuestion;

use super::single::Single;
use crate::api;
use crate::view_model::preview::check_module;
use crate::worker::messages::Answered;

/// What the module answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its answer.
    pub answer: Evaluation,
    /// How long it took, in milliseconds.
    pub millis: f64,
}

/// Has the module with this digest evaluate a question. Its bytes are held against the digest first.
///
/// # Errors
/// One sentence about why there is no answer.
pub async fn ask(module: Digest, question: &SealedQuestion) -> Result<Asked, String> {
    let bundle = api::bundle(question.bundle).await.map_err(|error| error.what())?;
    let bytes = api::module(module).await.map_err(|error| error.what())?;
    check_module(&bytes, module)
        .map_err(|found| format!("what the gate sent has the SHA-256 {found}, and it names {module}"))?;
    let (answer, answered) = oneshot::channel::<Result<Box<Answered>, String>>();
    let answer = Rc::new(RefCell::new(Some(answer)));
    let said = move |told| {
        if let Some(answer) = answer.borrow_mut().take() {
            // Whoever asked has gone: then nobody waits for it.
            drop(answer.send(told));
        }
    };
    // It lives until it has answered.
    let single = Single::start(module, bundle.load, question.clone(), bytes, said)?;
    let told = answered.await.map_err(|_| "the browser ended the worker".to_owned())?;
    drop(single);
    told.map(|told| Asked { answer: told.answer, millis: told.millis })
}
