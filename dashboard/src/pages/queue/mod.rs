//! The queue: what needs this person, what waits, what is live, what is over. It follows the gate without a reload, and
//! moves nothing under the hand.

mod active;
mod decide;
mod follow;
mod lines;
mod minted;
mod row;
mod tools;

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use policy_core::console::Act;

use super::reviews::Due;
use super::set_title;
use super::stay::Stay;
use crate::app::Desk;
use crate::components::{Failure, Notice, Tone};
use crate::view_model::problem::ApiError;
use crate::view_model::queue::{Book, Over, Tab, View, shown};
use crate::view_model::stops::several;
use crate::view_model::time::zoned_clock;
use follow::follow;
use lines::Lines;
use minted::MintedSince;
use tools::{Narrow, Tabs};

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Page {
    /// Whether somebody is still on it.
    stay: Stay,
    /// What is shown.
    view: Memo<View>,
    /// What the page knows.
    book: RwSignal<Book>,
    /// Whether the gate has said anything yet.
    heard: RwSignal<bool>,
    /// Whether older lines are asked for at this moment.
    asking: RwSignal<bool>,
    /// Why the gate said nothing.
    failed: RwSignal<Option<ApiError>>,
    /// How many reviews are to be closed, as the gate last told.
    reviews: RwSignal<Option<usize>>,
    /// What came of taking a grant away from here, by the grant: its line is drawn again meanwhile, and may be over.
    revoked: RwSignal<BTreeMap<String, String>>,
}

impl Page {
    fn take() -> Self {
        expect_context::<Self>()
    }
}

/// The queue with its tabs and its filters, all in the address.
#[component]
pub fn Queue() -> impl IntoView {
    let desk = Desk::take();
    let query = use_query_map();
    let page = Page {
        stay: Stay::here(),
        view: Memo::new(move |_| query.with(|query| View::read(|name| query.get(name)))),
        book: RwSignal::new(Book::default()),
        heard: RwSignal::new(false),
        asking: RwSignal::new(false),
        failed: RwSignal::new(None),
        reviews: RwSignal::new(None),
        revoked: RwSignal::new(BTreeMap::new()),
    };
    provide_context(page);
    follow(page);
    Effect::new(move |_| {
        let waiting = desk.needs_me.get().unwrap_or(0);
        set_title(&if waiting > 0 { format!("Queue ({waiting})") } else { "Queue".to_owned() });
    });
    let fresh = Memo::new(move |_| {
        let view = page.view.get();
        page.book.with(|book| shown(&book.lines(), &view, &book.tiers))
    });
    let of_reviews = Memo::new(move |_| page.view.with(|view| view.tab == Tab::Reviews));
    let empty = ViewFn::from(move || {
        let view = page.view.get();
        let why = desk.why_not(Act::View).filter(|_| !view.narrows());
        let told = why.unwrap_or_else(|| match view.narrows() {
            true => "Nothing in this tab matches the filter.".to_owned(),
            false => view.tab.empty().to_owned(),
        });
        let clear = View { tab: view.tab, ..View::default() }.address();
        view! {
            <p class="empty">
                {told}
                {view.narrows().then(|| view! { " " <a href=clear>"Show the whole tab"</a> })}
            </p>
        }
    });
    // Said anew at each look; the list is drawn once, and keeps what is held.
    let heard = Memo::new(move |_| page.heard.get());
    let body = move || match (of_reviews.get(), heard.get()) {
        (true, _) => view! { <Due /> }.into_any(),
        (false, false) => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        (false, true) => view! { <Lines fresh empty=empty.clone() /> }.into_any(),
    };
    view! {
        <h1>"Queue"</h1>
        <MintedSince />
        <Attention />
        {move || page.failed.get().map(|error| view! { <Failure error /> })}
        <Tabs />
        <Show when=move || !of_reviews.get()><Narrow /></Show>
        {body}
        <Older />
    }
}

/// That this person has decided as much today as a day is to hold.
#[component]
fn Attention() -> impl IntoView {
    let page = Page::take();
    let line = Memo::new(move |_| page.book.with(|book| book.attention));
    move || {
        line.get().map(|line| match line.decided >= line.limit {
            true => {
                let title = format!("You have decided {} today.", several(line.decided as usize, "request"));
                let until = zoned_clock(line.until);
                view! {
                    <Notice tone=Tone::Warn title>
                        <p>
                            {format!("Until {until} further ones go to others who may decide them. They stand under ")}
                            <a href="/?tab=waiting">"Waiting on others"</a>
                            ", marked, and you may decide one all the same. Emergencies, and what is handed to you, still come."
                        </p>
                    </Notice>
                }
                .into_any()
            }
            false => view! {
                <p class="soft">{format!("{} of {} decisions of today.", line.decided, line.limit)}</p>
            }
            .into_any(),
        })
    }
}

/// What is over and not here yet.
#[component]
fn Older() -> impl IntoView {
    let page = Page::take();
    let more = Memo::new(move |_| {
        page.view.with(|view| view.tab.shows_what_is_over())
            && page.book.with(|book| matches!(book.over, Over::Some(_)))
    });
    let ask = move |_| follow::ask_older(page);
    move || {
        more.get().then(|| {
            view! {
                <p class="older">
                    <button disabled=move || page.asking.get() on:click=ask>
                        {move || if page.asking.get() { "Asking for older ones …" } else { "Older ones" }}
                    </button>
                </p>
            }
        })
    }
}
