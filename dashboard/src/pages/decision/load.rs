//! Loading: the exception, its sheet and questions at one position, the module and its bundle. After that the page
//! needs no network until the vote.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::state::{Loaded, Module, State};
use crate::api;
use crate::app::Desk;
use crate::preview::client::{Broken, Preview, Said, Start};
use crate::view_model::grant_form::GrantForm;
use crate::view_model::preview::check_module;
use crate::view_model::problem::ApiError;

/// Loads the page, and follows the exception from then on.
pub fn begin(state: State) {
    let desk = Desk::take();
    spawn_local(load(state, desk));
    Effect::new(move |before: Option<()>| {
        desk.position.track();
        if before.is_some() {
            state.stay.spawn(refresh(state, desk));
        }
    });
    // The worker ends with the page.
    on_cleanup(move || state.preview.set_value(None));
}

/// Loads sheet and all, in place of what is shown, while somebody is there to be shown it.
pub async fn load(state: State, desk: Desk) {
    state.stay.during(load_now(state, desk)).await;
}

/// What went on meanwhile is loaded too.
async fn load_now(state: State, desk: Desk) {
    loop {
        let number = state.loaded.with_untracked(|loaded| loaded.as_ref().map_or(1, |loaded| loaded.number + 1));
        match fetch(state, number).await {
            Ok(loaded) => show(state, desk, loaded).await,
            Err(error) if error.code() == "not_permitted_here" && without_sheet(state, desk).await => return,
            Err(error) => {
                desk.note(&error);
                state.failed.set(Some(error));
                return;
            }
        }
        if !state.has_gone_on() {
            return;
        }
    }
}

/// Shows what there is without a sheet, where the gate shows anything at all.
async fn without_sheet(state: State, desk: Desk) -> bool {
    let Ok(detail) = api::exception(&state.id.get_value()).await else { return false };
    desk.set_time(detail.now);
    state.hear(detail);
    state.blind.set(true);
    true
}

/// What the gate says of the exception now, all of one position.
pub async fn fetch(state: State, number: u32) -> Result<Loaded, ApiError> {
    let id = state.id.get_value();
    let detail = api::exception(&id).await?;
    let (open, position) = (detail.state == "requested", detail.position);
    let questions = async { if open { api::questions(&id, position).await.map(Some) } else { Ok(None) } };
    // It is told beside the sheet: without it one decides all the same. It comes along, so that nothing moves for it.
    let past = async { if open { api::past(&id).await.ok() } else { None } };
    let (sheet, questions, past) = futures::join!(api::sheet(&id, position), questions, past);
    Ok(Loaded { number, detail, sheet: sheet?, questions: questions?, past })
}

/// Shows what was loaded. An open one gets a form and a module.
pub async fn show(state: State, desk: Desk, loaded: Loaded) {
    desk.set_time(loaded.detail.now);
    let loaded = Arc::new(loaded);
    let form = loaded.questions.as_ref().map(|questions| GrantForm::open(&loaded.sheet, questions));
    state.opened.set(false);
    state.preview.set_value(None);
    state.shown.set(None);
    state.trouble.set(None);
    state.module.set(Module::Starting);
    state.form.set(form);
    state.failed.set(None);
    state.hear(loaded.detail.clone());
    // Other buttons stand under the hand.
    let before = state.loaded.with_untracked(|before| before.as_ref().map(|before| before.detail.state.clone()));
    if before.as_ref() != Some(&loaded.detail.state) {
        desk.page_changed();
    }
    if loaded.past.is_some() {
        state.past.set(loaded.past.clone());
    }
    state.loaded.set(Some(Arc::clone(&loaded)));
    if loaded.is_open() {
        match start(state, &loaded).await {
            Ok(preview) => {
                state.preview.set_value(Some(preview));
                state.try_form();
            }
            Err(broken) => state.module.set(Module::Broken(broken)),
        }
    }
}

/// Fetches the module that the sheet names and starts it in a worker.
async fn start(state: State, loaded: &Loaded) -> Result<Preview, Broken> {
    let sheet = &loaded.sheet.sheet;
    let Some(questions) = loaded.questions.clone() else { return Err(broken("not_open", "no vote is wanted")) };
    let unreachable = |error: ApiError| broken(error.code(), &error.what());
    let bundle = api::bundle(sheet.bundle.digest).await.map_err(unreachable)?;
    let bytes = api::module(sheet.module).await.map_err(unreachable)?;
    check_module(&bytes, sheet.module).map_err(|found| {
        broken(
            "digest_mismatch",
            &format!("what the gate sent has the SHA-256 {found}, and the decision sheet names {}", sheet.module),
        )
    })?;
    let number = loaded.number;
    let is_current = move || {
        let current = state.loaded.try_with_untracked(|now| now.as_ref().is_some_and(|now| now.number == number));
        current.unwrap_or_default()
    };
    let start = Start {
        module: sheet.module,
        load: bundle.load,
        question: questions.question,
        grant: questions.grant,
        others: questions.others,
        at: sheet.at,
    };
    Preview::start(start, bytes, move |said| {
        if !is_current() {
            return;
        }
        match said {
            Said::Ready(millis) => state.module.set(Module::Ready(millis)),
            Said::Broken(broken) => state.module.set(Module::Broken(broken)),
            Said::Tried(Ok(shown)) => {
                state.trouble.set(None);
                state.shown.set(Some(*shown));
            }
            Said::Tried(Err(broken)) => {
                state.shown.set(None);
                state.trouble.set(Some(broken));
            }
        }
    })
}

fn broken(code: &str, message: &str) -> Broken {
    Broken { code: code.to_owned(), message: message.to_owned() }
}

/// Asks for the newest detail. A failure leaves what is shown: the preview works without the network.
async fn refresh(state: State, desk: Desk) {
    let id = state.id.get_value();
    let Ok(detail) = api::exception(&id).await else { return };
    desk.set_time(detail.now);
    let word = detail.state.clone();
    let changed = state.newest.with_untracked(|newest| newest.as_ref().is_some_and(|newest| newest.state != word));
    if changed {
        desk.said.set(format!("This request is {word} now."));
    }
    state.hear(detail);
    // A sheet that is voted on stays until the approver asks for another; where nobody votes, the page just follows.
    let voting = state.loaded.with_untracked(|loaded| loaded.as_ref().is_some_and(|loaded| loaded.is_open()));
    if changed && !voting {
        load(state, desk).await;
    }
}
