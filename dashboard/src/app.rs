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
use crate::pages::{Decision, Finding, Findings, NotFound, Queue, Record, Reviews, Shell, SignIn};
use crate::view_model::problem::ApiError;
use crate::view_model::rights::why_not;
use crate::view_model::time::GateClock;
use crate::witness;

/// How long a closed stream of changes is left closed.
const RECONNECT: Duration = Duration::from_secs(5);

/// Who is signed in.
#[derive(Clone, PartialEq)]
pub enum Signed {
    /// Not known yet.
    Unknown,
    /// Nobody; with what went wrong when a link was tried.
    Out(Option<ApiError>),
    /// Somebody.
    In(Session),
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

    /// Asks who is signed in, after trying a one-time link where the address holds one.
    pub async fn sign_in(self, link: Option<String>) {
        let tried = match link {
            Some(link) => api::sign_in(link).await.err(),
            None => None,
        };
        match api::session().await {
            Ok(session) => {
                self.set_time(session.now);
                // A link that was used up does not end a session that stands.
                if let Some(error) = tried {
                    self.said.set(error.what());
                }
                self.signed.set(Signed::In(session));
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
    let link = link_in_address();
    leptos::mount::mount_to_body(move || view! { <Root link=link.clone() /> });
}

/// The secret of a one-time link, taken out of the address at once: it must not stay in the history.
fn link_in_address() -> Option<String> {
    let location = window().location();
    let at_sign_in = location.pathname().is_ok_and(|path| path == "/sign-in");
    let secret = location.hash().ok()?.strip_prefix('#').map(str::to_owned).filter(|secret| !secret.is_empty());
    if at_sign_in {
        let history = window().history().ok()?;
        history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some("/")).ok()?;
    }
    secret.filter(|_| at_sign_in)
}

/// The browser's monotonic clock, in milliseconds.
fn monotonic() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Follows the gate's changes while somebody is signed in. The browser bridges a short gap by itself; a stream that was
/// closed for good is opened again.
fn follow(desk: Desk) {
    spawn_local(desk.watch());
    spawn_local(async move {
        api::changes(move |change| {
            if change.kind.starts_with("finding_") || change.kind == "missed" {
                spawn_local(desk.count_findings());
            }
            desk.position.update(|position| *position = (*position).max(change.position));
        })
        .await;
        let again = move || {
            if desk.signed.with_untracked(|signed| matches!(signed, Signed::In(_))) {
                follow(desk);
            }
        };
        set_timeout(again, RECONNECT);
    });
}

#[component]
fn Root(link: Option<String>) -> impl IntoView {
    let desk = Desk::new();
    provide_context(desk);
    set_interval(move || desk.tick(), Duration::from_secs(1));
    spawn_local(desk.sign_in(link));
    let signed_in = Memo::new(move |_| desk.signed.with(|signed| matches!(signed, Signed::In(_))));
    Effect::new(move |_| {
        if signed_in.get() {
            follow(desk);
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
            <Route path=path!("/exceptions/:id") view=Decision />
            <Route path=path!("/findings") view=Findings />
            <Route path=path!("/findings/:id") view=Finding />
            <Route path=path!("/reviews") view=Reviews />
            <Route path=path!("/record") view=Record />
        </Routes>
    }
}

/// What stands there while nobody is signed in, whatever the address says: it stays, and is opened after signing in.
#[component]
fn Outside() -> impl IntoView {
    let desk = Desk::take();
    move || match desk.signed.get() {
        Signed::Out(error) => view! { <SignIn error /> }.into_any(),
        Signed::Failed(error) => view! { <Failure error /> }.into_any(),
        Signed::Unknown | Signed::In(_) => {
            view! { <p class="soft">"Asking the gate who is signed in …"</p> }.into_any()
        }
    }
}
