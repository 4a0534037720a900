//! One preview for a vote that is cast without a page of its own.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use proviso_api::exceptions::{QuestionsReply, SheetReply};

use super::client::{Preview, Said, Start};
use crate::api;
use crate::view_model::grant_form::GrantForm;
use crate::view_model::preview::{Shown, check_module, trial};
use policy_core::time::Timestamp;

/// What the page of this request opens with, previewed on the module that its sheet names.
///
/// # Errors
/// One sentence about why there is no preview.
pub async fn opening(sheet: &SheetReply, questions: &QuestionsReply, now: Timestamp) -> Result<Shown, String> {
    let form = GrantForm::open(sheet, questions);
    let scope = form.scope(now)?;
    let bundle = api::bundle(sheet.sheet.bundle.digest).await.map_err(|error| error.what())?;
    let module = sheet.sheet.module;
    let bytes = api::module(module).await.map_err(|error| error.what())?;
    check_module(&bytes, module)
        .map_err(|found| format!("what the gate sent has the SHA-256 {found}, and the sheet names {module}"))?;
    let start = Start {
        module,
        load: bundle.load,
        question: questions.question.clone(),
        grant: questions.grant.clone(),
        others: questions.others.clone(),
        at: sheet.sheet.at,
    };
    let (answer, answered) = oneshot::channel::<Result<Box<Shown>, String>>();
    let answer = Rc::new(RefCell::new(Some(answer)));
    let preview = Preview::start(start, bytes, move |said| {
        let told = match said {
            Said::Ready(_) => return,
            Said::Tried(Ok(shown)) => Ok(shown),
            Said::Tried(Err(broken)) | Said::Broken(broken) => Err(broken.message),
        };
        if let Some(answer) = answer.borrow_mut().take() {
            // Whoever asked has gone: then nobody waits for it.
            drop(answer.send(told));
        }
    })
    .map_err(|broken| broken.message)?;
    preview.ask(trial(&form, scope, questions));
    let told = answered.await.map_err(|_| "the browser ended the worker".to_owned())?;
    drop(preview);
    told.map(|shown| *shown)
}
