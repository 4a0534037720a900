//! Keeping up with the gate: what is open or live as a whole, what changed as it changes, what is over as it is wanted.

use leptos::prelude::*;

use super::Page;
use crate::api;
use crate::app::Desk;
use crate::view_model::problem::ApiError;
use crate::view_model::queue::{Over, Sort, Tab, count};

/// How many pages of what is over are fetched by themselves where something is searched: ten thousand lines.
const MOST_PAGES: usize = 20;

/// Asks now, and again with each change; what is open or live each half minute besides: time alone changes a state, and
/// who waits, and a stream can be cut.
pub(super) fn follow(page: Page) {
    let desk = Desk::take();
    let half_minute = Memo::new(move |_| desk.now.get().millis() / 30_000);
    Effect::new(move |_| {
        half_minute.track();
        desk.whole.track();
        page.stay.spawn(current(page, desk));
    });
    Effect::new(move |before: Option<()>| {
        desk.position.track();
        if before.is_some() {
            page.stay.spawn(changes(page, desk));
        }
    });
    // What is over is asked for when it is looked at, and all of it where something is looked for in it.
    let wanted = Memo::new(move |_| {
        page.view.with(|view| {
            let all = view.narrows() || view.sort != Sort::default();
            view.tab.shows_what_is_over().then_some(all)
        })
    });
    Effect::new(move |_| match wanted.get() {
        None => {}
        Some(all) => page.stay.spawn(older(page, desk, if all { MOST_PAGES } else { 1 }, !all)),
    });
}

/// Asks for the next page of what is over.
pub(super) fn ask_older(page: Page) {
    let desk = Desk::take();
    page.stay.spawn(older(page, desk, 1, false));
}

async fn current(page: Page, desk: Desk) {
    let mut token = None;
    let mut all = None::<proviso_api::exceptions::ExceptionList>;
    loop {
        match api::current_exceptions(token.as_deref()).await {
            Ok(mut list) => {
                token = list.next.take();
                match &mut all {
                    Some(all) => all.exceptions.append(&mut list.exceptions),
                    None => all = Some(list),
                }
                if token.is_none() {
                    break;
                }
            }
            Err(error) => return fail(page, desk, error),
        }
    }
    if let Some(list) = all {
        page.failed.set(None);
        desk.set_time(list.now);
        page.book.update(|book| book.take_current(list));
        page.heard.set(true);
        tell(page, desk);
    }
    if let Ok(list) = api::open_reviews().await {
        page.reviews.set(Some(list.reviews.len()));
    }
}

async fn changes(page: Page, desk: Desk) {
    // Before the first look there is nothing that could have changed.
    if !page.heard.get_untracked() {
        return;
    }
    let since = page.book.with_untracked(|book| book.position);
    let mut token = None;
    loop {
        match api::exceptions_since(since, token.as_deref()).await {
            Ok(mut list) => {
                token = list.next.take();
                page.failed.set(None);
                desk.set_time(list.now);
                page.book.update(|book| book.take_changes(list));
                if token.is_none() {
                    break;
                }
            }
            Err(error) => return fail(page, desk, error),
        }
    }
    tell(page, desk);
}

/// Asks for pages of what is over; `only_first`: where none is here yet.
async fn older(page: Page, desk: Desk, pages: usize, only_first: bool) {
    if page.asking.get_untracked() {
        return;
    }
    page.asking.set(true);
    for _ in 0..pages {
        let token = match page.book.with_untracked(|book| book.over.clone()) {
            Over::All => break,
            Over::Some(_) if only_first => break,
            Over::Some(token) => Some(token),
            Over::Nothing => None,
        };
        match api::exceptions_over(token.as_deref()).await {
            Ok(list) => page.book.update(|book| book.take_over(list)),
            Err(error) => {
                fail(page, desk, error);
                break;
            }
        }
    }
    page.asking.set(false);
}

/// Says what changed for this person.
fn tell(page: Page, desk: Desk) {
    let waiting = page.book.with_untracked(|book| count(&book.lines(), Tab::NeedsMe));
    if desk.needs_me.get_untracked().is_some_and(|before| waiting > before) {
        desk.said.set(format!("A new request needs you. {waiting} in all."));
    }
    desk.needs_me.set(Some(waiting));
}

fn fail(page: Page, desk: Desk, error: ApiError) {
    desk.note(&error);
    page.failed.set(Some(error));
}
