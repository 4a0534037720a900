//! The page as a whole: who is signed in, what time it is at the gate, what is new, and which page stands where.

use std::time::Duration;

use audit_verify::witness::Verdict;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;
use policy_core::console::Act;
use policy_core::time::Timestamp;
use proviso_api::operations::EpochLine;
use proviso_api::session::Session;

use crate::api;
use crate::components::notice::Failure;
use crate::live::follow;
use crate::pages::{NotFound, Page, Queue, Shell, decision, fetch_all, later, sign_in};
use crate::preferences;
use crate::view_model::arrival::Arrival;
use crate::view_model::problem::ApiError;
use crate::view_model::rights::why_not;
use crate::view_model::time::GateClock;
use crate::witness;

/// When the code of the other pages is fetched, after somebody signed in.
const LATER: Duration = Duration::from_secs(1);

/// Who is signed in.
#[derive(Clone, PartialEq)]
pub enum Signed {
    /// Not known yet.
    Unknown,
    /// Nobody; with what went wrong when a link was tried.
    Out(Option<ApiError>),
    /// Somebody.
    In(Box<Session>),
    /// The gate did not say.
    Failed(ApiError),
}

/// What every page shares. Small and `Copy`: signals only.
#[derive(Clone, Copy)]
pub struct Desk {
    /// Who is signed in.
    pub signed: RwSignal<Signed>,
    /// The gate's time, once a second.
    pub now: RwSignal<Timestamp>,
    /// The newest ledger position that the gate told of.
    pub position: RwSignal<u64>,
    /// What a screen reader is told: one sentence, politely.
    pub said: RwSignal<String>,
    /// Whether the gate's record is not the one that this browser saw: then no page is to be believed (R9).
    pub forked: RwSignal<bool>,
    /// How many exceptions wait for this person, as the queue last knew.
    pub needs_me: RwSignal<Option<usize>>,
    /// The epoch that the gate is in, where its record was restored; as it was last asked.
    pub epoch: RwSignal<Option<EpochLine>>,
    /// How many findings are not resolved, as the gate last told.
    pub findings: RwSignal<Option<usize>>,
    /// Counts what may change what is to be seen of any exception.
    pub whole: RwSignal<u32>,
    /// Since when the gate's changes are not heard of.
    pub away_since: RwSignal<Option<Timestamp>>,
    /// When the page last changed under the hand, by the browser's monotonic clock.
    changed_at: StoredValue<f64>,
    clock: RwSignal<Option<GateClock>>,
}

impl Desk {
    fn new() -> Self {
        Self {
            signed: RwSignal::new(Signed::Unknown),
            now: RwSignal::new(Timestamp::from_millis(0)),
            position: RwSignal::new(0),
            said: RwSignal::new(String::new()),
            forked: RwSignal::new(false),
            needs_me: RwSignal::new(None),
            epoch: RwSignal::new(None),
            findings: RwSignal::new(None),
            whole: RwSignal::new(0),
            away_since: RwSignal::new(None),
            changed_at: StoredValue::new(f64::MIN),
            clock: RwSignal::new(None),
        }
    }

    /// The desk that the page stands on.
    pub fn take() -> Self {
        expect_context::<Self>()
    }

    /// The gate said that it is `said` now.
    pub fn set_time(&self, said: Timestamp) {
        self.clock.set(Some(GateClock::new(said, monotonic())));
        self.tick();
    }

    fn tick(&self) {
        if let Some(clock) = self.clock.get_untracked() {
            self.now.set(clock.now(monotonic()));
        }
    }

    /// Asks who is signed in, after trying what the address brought.
    pub async fn sign_in(self, arrival: Arrival) {
        let tried = match arrival {
            Arrival::Nothing => None,
            Arrival::Link(link) => api::sign_in(link).await.err(),
            Arrival::Provider(answer) => match api::finish_sign_in(answer).await {
                Ok(return_to) => {
                    open_page(&return_to);
                    None
                }
                Err(error) => Some(error),
            },
        };
        match api::session().await {
            Ok(session) => {
                self.set_time(session.now);
                // A link that was used up does not end a session that stands.
                if let Some(error) = tried {
                    self.said.set(error.what());
                }
                self.signed.set(Signed::In(Box::new(session)));
            }
            Err(error) if error.is_signed_out() => self.signed.set(Signed::Out(tried)),
            Err(error) => self.signed.set(Signed::Failed(error)),
        }
    }

    /// Holds the gate's record against what this browser saw of it. A gate that does not answer now is asked again with
    /// the next connection.
    pub async fn watch(self) {
        let demo = self.signed.with_untracked(|signed| matches!(signed, Signed::In(session) if session.demo));
        if let Ok((verdict, epoch)) = witness::look(demo).await {
            self.forked.set(verdict == Verdict::Broken);
            self.epoch.set(epoch);
        }
    }

    /// Asks how many findings are not resolved. A gate that does not answer now is asked again with the next change.
    pub async fn count_findings(self) {
        if let Ok(list) = api::findings("?state=unresolved").await {
            self.findings.set(Some(list.unresolved));
        }
    }

    /// Why the signed-in person may not do something here at all; nothing where they may. Follows who is signed in.
    pub fn why_not(&self, act: Act) -> Option<String> {
        self.signed.with(|signed| match signed {
            Signed::In(session) => why_not(&session.may, act),
            _ => None,
        })
    }

    /// What stands under the hand is another than a moment ago: keys that decide are inert for a moment.
    pub fn page_changed(&self) {
        self.changed_at.set_value(monotonic());
    }

    /// Milliseconds since the page last changed under the hand.
    pub fn since_change(&self) -> f64 {
        monotonic() - self.changed_at.get_value()
    }

    /// Takes an API error: one that says that the session is over signs out.
    pub fn note(&self, error: &ApiError) {
        if error.is_signed_out() {
            self.signed.set(Signed::Out(None));
        }
    }
}

/// Puts the page into the document.
pub fn start() {
    console_error_panic_hook::set_once();
    preferences::apply();
    api::watch();
    let arrival = arrival();
    leptos::mount::mount_to_body(move || view! { <Root arrival=arrival.clone() /> });
}

/// What signs in is taken out of the address at once: it must not stay in the history.
fn arrival() -> Arrival {
    let location = window().location();
    let (path, query, hash) = (location.pathname(), location.search(), location.hash());
    let (path, query, hash) = (path.unwrap_or_default(), query.unwrap_or_default(), hash.unwrap_or_default());
    if Arrival::is_sign_in(&path) && !show_address("/") {
        return Arrival::Nothing;
    }
    let members = web_sys::UrlSearchParams::new_with_str(&query).ok();
    Arrival::at(&path, &hash, |name| members.as_ref()?.get(name))
}

/// Whether the address of the page is this one now, with nothing loaded.
fn show_address(address: &str) -> bool {
    let history = window().history();
    history.is_ok_and(|history| history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(address)).is_ok())
}

/// Opens the page that somebody wanted before they had to sign in. The router hears of it as of any step in the history.
fn open_page(address: &str) {
    if address.starts_with('/') && !address.starts_with("//") && show_address(address) {
        let event = web_sys::Event::new("popstate");
        drop(event.and_then(|event| window().dispatch_event(&event)));
    }
}

/// The browser's monotonic clock, in milliseconds.
fn monotonic() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

#[component]
fn Root(arrival: Arrival) -> impl IntoView {
    let desk = Desk::new();
    provide_context(desk);
    set_interval(move || desk.tick(), Duration::from_secs(1));
    spawn_local(desk.sign_in(arrival));
    let signed_in = Memo::new(move |_| desk.signed.with(|signed| matches!(signed, Signed::In(_))));
    Effect::new(move |_| {
        if signed_in.get() {
            follow(desk);
            // Behind the first page, so that it waits for nothing that it does not need, and the next one for nothing.
            set_timeout(|| spawn_local(fetch_all()), LATER);
        }
    });
    view! {
        <Router>
            <Shell>
                {move || if signed_in.get() { view! { <Pages /> }.into_any() } else { view! { <Outside /> }.into_any() }}
            </Shell>
        </Router>
    }
}

#[component]
fn Pages() -> impl IntoView {
    view! {
        <Routes fallback=|| view! { <NotFound /> }>
            <Route path=path!("/") view=Queue />
            <Route path=path!("/exceptions/:id") view=decision />
            <Route path=path!("/findings") view=|| later(Page::Findings) />
            <Route path=path!("/findings/:id") view=|| later(Page::Finding) />
            <Route path=path!("/reviews") view=|| later(Page::Reviews) />
            <Route path=path!("/locks") view=|| later(Page::Locks) />
            <Route path=path!("/agents") view=|| later(Page::Agents) />
            <Route path=path!("/pictures") view=|| later(Page::Pictures) />
            <Route path=path!("/design") view=|| later(Page::Design) />
            <Route path=path!("/what-if") view=|| later(Page::WhatIf) />
            <Route path=path!("/ownership") view=|| later(Page::Ownership) />
            <Route path=path!("/departures/:user") view=|| later(Page::Departure) />
            <Route path=path!("/people") view=|| later(Page::People) />
            <Route path=path!("/people/:user") view=|| later(Page::Person) />
            <Route path=path!("/policies") view=|| later(Page::Policies) />
            <Route path=path!("/policies/:digest") view=|| later(Page::Proposal) />
            <Route path=path!("/record") view=|| later(Page::Record) />
            <Route path=path!("/record/log") view=|| later(Page::Log) />
            <Route path=path!("/you") view=|| later(Page::You) />
            <Route path=path!("/retention") view=|| later(Page::Retention) />
        </Routes>
    }
}

/// What stands there while nobody is signed in, whatever the address says: it stays, and is opened after signing in.
#[component]
fn Outside() -> impl IntoView {
    let desk = Desk::take();
    move || match desk.signed.get() {
        Signed::Out(error) => sign_in(error).into_any(),
        Signed::Failed(error) => view! { <Failure error /> }.into_any(),
        Signed::Unknown | Signed::In(_) => {
            view! { <p class="soft">"Asking the gate who is signed in …"</p> }.into_any()
        }
    }
}
