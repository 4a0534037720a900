//! What stands around every page: navigation, who is signed in, banners, the polite live region, the keys.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_query_map};
use policy_core::console::Act;

use super::epoch::Restored;
use super::help::Keyboard;
use super::people::Recovery;
use crate::api;
use crate::app::{Desk, Signed};
use crate::components::Text;
use crate::preferences::{switch_zone, tells_local_time};
use crate::view_model::queue::{Tab, address};
use crate::view_model::time::zoned_clock;
use crate::witness;

/// The frame around every page.
#[component]
pub fn Shell(
    /// The page.
    children: ChildrenFn,
) -> impl IntoView {
    let desk = Desk::take();
    // The frame is drawn when it is known for whom: nothing of it comes later and moves the rest.
    let unknown = Memo::new(move |_| desk.signed.with(|signed| *signed == Signed::Unknown));
    let children = StoredValue::new(children);
    view! {
        <a class="skip" href="#main">"Skip to the page"</a>
        {move || if unknown.get() {
            view! {
                <div class="page">
                    <aside aria-label="About this gate"><Demo /></aside>
                    <main id="main" tabindex="-1"><p class="soft">"Asking the gate who is signed in …"</p></main>
                </div>
            }
            .into_any()
        } else {
            view! { <Frame>{children.with_value(|children| children())}</Frame> }.into_any()
        }}
        <p class="unseen" role="status">{move || desk.said.get()}</p>
    }
}

/// That this is a demo, where it is one.
#[component]
fn Demo() -> impl IntoView {
    is_demo().then(|| {
        view! {
            <p class="banner">
                <b>"This is a demo."</b>
                " Its agents are scripted, anybody can sign in as anybody, and nothing here protects anything."
            </p>
        }
    })
}

/// Navigation and banners around the page, and the keys.
#[component]
fn Frame(children: Children) -> impl IntoView {
    let desk = Desk::take();
    let session = Memo::new(move |_| match desk.signed.get() {
        Signed::In(session) => Some(*session),
        _ => None,
    });
    let banners = move || {
        let single_user = session.with(|session| session.as_ref().is_some_and(|session| session.single_user));
        view! {
            <Demo />
            {single_user.then(|| view! {
                <p class="banner bad">
                    <b>"Single-user mode."</b>
                    " Agents may run under the gate's own user and could approve their own requests."
                </p>
            })}
        }
    };
    let forked = move || desk.forked.get().then(|| view! { <Forked /> });
    view! {
        <Navigation />
        <div class="page" class:forked=move || desk.forked.get()>
                <aside aria-label="About this gate">{forked}<Away /><Restored /><Recovery />{banners}</aside>
            <main id="main" tabindex="-1">{children()}</main>
        </div>
        <Keyboard />
    }
}

/// That the gate's changes are not heard of: what stands on the page may be old.
#[component]
fn Away() -> impl IntoView {
    let desk = Desk::take();
    move || {
        desk.away_since.get().map(|since| {
            let since = zoned_clock(since);
            view! {
                <p class="banner" role="status">
                    <b>"Live changes are away."</b>
                    {format!(
                        " What stands here may be as old as {since}. It is asked for again as soon as they are back, and a \
                         vote is held against what the gate knows by then."
                    )}
                </p>
            }
        })
    }
}

/// Whether this page is a demo's: the gate has marked it, so that also a page that reaches no gate says so.
fn is_demo() -> bool {
    document().query_selector("meta[name=proviso-demo]").is_ok_and(|mark| mark.is_some())
}

/// The gate's record is not the one that this browser saw.
#[component]
fn Forked() -> impl IntoView {
    let desk = Desk::take();
    let accept = move |_| {
        witness::forget();
        spawn_local(desk.watch());
    };
    view! {
        <p class="banner bad" role="alert">
            <b>"This is not the record that this browser saw."</b>
            " It was cut, rewritten or replaced: believe no page of this gate, and vote on nothing, until whoever runs it has \
             told you why. "
            <button class="quiet" on:click=accept>"I know why: this is another record"</button>
        </p>
    }
}

#[component]
fn Navigation() -> impl IntoView {
    let desk = Desk::take();
    let (location, query) = (use_location(), use_query_map());
    let here = Memo::new(move |_| {
        let path = location.pathname.get();
        let tab = query.with(|query| query.get("tab").map(|word| Tab::from_word(&word)));
        match (path.as_str(), tab) {
            ("/", Some(Tab::Active)) => "active",
            ("/", Some(Tab::History)) => "history",
            ("/", Some(Tab::Reviews)) | ("/reviews", _) => "reviews",
            ("/locks", _) => "locks",
            ("/agents", _) => "agents",
            ("/pictures", _) => "pictures",
            ("/what-if", _) => "what-if",
            (path, _) if path.starts_with("/findings") => "findings",
            ("/ownership", _) => "ownership",
            (path, _) if path.starts_with("/departures/") => "ownership",
            (path, _) if path.starts_with("/people") => "people",
            (path, _) if path.starts_with("/policies") => "policies",
            ("/record" | "/retention", _) => "record",
            ("/you", _) => "you",
            _ => "queue",
        }
    });
    let current = move |name: &'static str| move || (here.get() == name).then_some("page");
    let who = move || match desk.signed.get() {
        Signed::In(session) => view! {
            <p class="who">
                <a href="/you" aria-current=current("you")><b><Text text=session.person.id.clone() /></b></a>
                <span>{format!("signed in by {}", session.assurance)}</span>
                <button class="quiet" title="The other way of telling times" on:click=move |_| switch_zone()>
                    {if tells_local_time() { "Times: as here" } else { "Times: UTC" }}
                </button>
                <button class="quiet" on:click=move |_| sign_out(desk)>"Sign out"</button>
            </p>
        }
        .into_any(),
        _ => ().into_any(),
    };
    view! {
        <nav aria-label="Proviso">
            <a class="brand" href="/">"Proviso"</a>
            <a href="/" aria-current=current("queue")>
                "Queue"
                {move || desk.needs_me.get().filter(|count| *count > 0).map(|count| view! {
                    <span class="count">{count}<span class="unseen">" need you"</span></span>
                })}
            </a>
            <a href=address(Tab::Active) aria-current=current("active")>"Active grants"</a>
            <a href=address(Tab::History) aria-current=current("history")>"History"</a>
            <a href="/locks" aria-current=current("locks")>"Locks"</a>
            <a href="/reviews" aria-current=current("reviews")>"Reviews"</a>
            // What somebody may read of nobody leads nowhere.
            {move || desk.why_not(Act::ViewRecord).is_none().then(|| view! {
                <a href="/findings" aria-current=current("findings")>
                    "Findings"
                    {move || desk.findings.get().filter(|count| *count > 0).map(|count| view! {
                        <span class="count">{count}<span class="unseen">" not resolved"</span></span>
                    })}
                </a>
            })}
            {move || desk.why_not(Act::ViewRecord).is_none().then(|| view! {
                <a href="/ownership" aria-current=current("ownership")>"Ownership"</a>
            })}
            {move || [Act::Administer, Act::ViewRecord].into_iter().any(|act| desk.why_not(act).is_none()).then(|| view! {
                <a href="/people" aria-current=current("people")>"People"</a>
            })}
            <a href="/policies" aria-current=current("policies")>"Policies"</a>
            <a href="/agents" aria-current=current("agents")>"Agents"</a>
            <a href="/pictures" aria-current=current("pictures")>"Pictures"</a>
            {move || desk.why_not(Act::ViewRecord).is_none().then(|| view! {
                <a href="/what-if" aria-current=current("what-if")>"What if"</a>
            })}
            <a href="/record" aria-current=current("record")>"Record"</a>
            <footer>{who}</footer>
        </nav>
    }
}

fn sign_out(desk: Desk) {
    spawn_local(async move {
        match api::sign_out().await {
            Ok(None) => desk.signed.set(Signed::Out(None)),
            // At the provider, too: whoever comes to this browser next does not come in by a press of a button.
            Ok(Some(location)) => {
                desk.signed.set(Signed::Out(None));
                drop(window().location().assign(&location));
            }
            Err(error) => {
                desk.said.set(error.what());
                desk.note(&error);
            }
        }
    });
}
