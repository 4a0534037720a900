//! Receipts: taken from the gate, and checked without it.

use audit_verify::log::Trust;
use audit_verify::receipt::Receipt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Card, Notice, Text, Tone, save};
use crate::witness;

/// A button that takes the receipt of one record.
#[component]
pub fn TakeReceipt(
    /// Which log.
    log: String,
    /// The record's position.
    seq: u64,
) -> impl IntoView {
    let desk = Desk::take();
    let label = format!("Receipt of record {seq} of {log}");
    let take = move |_| {
        let name = log.replace('/', "-");
        spawn_local(async move {
            match api::receipt(&name, seq).await {
                Ok(text) => {
                    let saved = save(&format!("{name}-{seq}.tlog-proof"), &text);
                    desk.said.set(match saved {
                        Ok(()) => "The receipt was saved.".to_owned(),
                        Err(_) => "This browser did not save the receipt.".to_owned(),
                    });
                }
                Err(error) => {
                    desk.said.set(error.what());
                    desk.note(&error);
                }
            }
        });
    };
    view! { <button class="quiet" aria-label=label on:click=take>"receipt"</button> }
}

/// What a check of one record came to, where there was one: in a sentence either way.
pub type CameTo = RwSignal<Option<Result<String, String>>>;

/// A button that has this browser check one record against the head that it keeps.
#[component]
pub fn Proof(
    /// Which log.
    log: String,
    /// The record's position.
    seq: u64,
    /// Where it is told.
    came_to: CameTo,
) -> impl IntoView {
    let desk = Desk::take();
    let label = format!("Check record {seq} of {log} here");
    let busy = RwSignal::new(false);
    let check = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let demo = desk.signed.with_untracked(|signed| matches!(signed, Signed::In(session) if session.demo));
        let log = log.clone();
        spawn_local(async move {
            let proved = witness::prove(&log, seq, demo).await;
            let told = proved.map(|proved| {
                let head = proved.checkpoint.size;
                format!("In the log: proved here under the head over {head} records that this browser keeps.")
            });
            desk.said.set(match &told {
                Ok(told) => told.clone(),
                Err(why) => format!("This proves nothing. {why}"),
            });
            // Whoever has left the page has heard it.
            drop(came_to.try_set(Some(told)));
            let _ = busy.try_set(false);
        });
    };
    view! {
        <button class="quiet" aria-label=label aria-disabled=move || busy.get().to_string() on:click=check>"check"</button>
    }
}

/// What the check came to, on a line of its own below the record: a sentence is wider than its place.
#[component]
pub fn Proved(
    /// What it came to.
    came_to: CameTo,
) -> impl IntoView {
    move || {
        came_to.get().map(|told| match told {
            Ok(told) => view! { <p class="proved good"><Text text=told /></p> }.into_any(),
            Err(why) => view! { <p class="proved bad">"This proves nothing. " <Text text=why /></p> }.into_any(),
        })
    }
}

/// What a receipt came to.
type Checked = Result<(String, Vec<(String, String)>), String>;

/// Checks a receipt by the keys that this browser keeps. Nothing is asked of the gate.
#[component]
pub fn CheckReceipt() -> impl IntoView {
    let checked = RwSignal::new(None::<Checked>);
    let chosen = move |event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        spawn_local(async move {
            let text = JsFuture::from(file.unchecked_ref::<web_sys::Blob>().text()).await;
            let text = text.ok().and_then(|text| text.as_string()).unwrap_or_default();
            checked.set(Some(check(&text)));
        });
    };
    let told = move || {
        checked.get().map(|checked| match checked {
            Ok((told, payloads)) => view! {
                <Notice tone=Tone::Good title=told>
                    {payloads
                        .into_iter()
                        .map(|(name, text)| view! { <h3 class="mono">{name}</h3> <pre class="note" tabindex="0"><Text text /></pre> })
                        .collect_view()}
                </Notice>
            }
            .into_any(),
            Err(why) => view! { <Notice tone=Tone::Bad title="This proves nothing."><p>{why}</p></Notice> }.into_any(),
        })
    };
    view! {
        <Card title="Check a receipt">
            <p>
                <label for="receipt">"A file that ends in .tlog-proof: "</label>
                <input id="receipt" type="file" accept=".tlog-proof" on:change=chosen />
            </p>
            <div role="status">{told}</div>
            <p class="soft">"It is checked here, by the keys that this browser keeps. Nothing is sent."</p>
        </Card>
    }
}

fn check(text: &str) -> Checked {
    let keys = witness::keys().iter().filter_map(|key| key.parse().ok()).collect();
    let trust = Trust { keys, complete: false };
    let proved = Receipt::read(text).and_then(|receipt| receipt.verify(&trust)).map_err(|error| format!("{error}."))?;
    let (leaf, head) = (&proved.leaf, &proved.checkpoint);
    let told = format!(
        "Record {} of {} ({}, {}) is in the log, under a signed head over {} records.",
        leaf.seq, leaf.log, leaf.kind, leaf.at, head.size
    );
    Ok((told, proved.payloads.into_iter().collect()))
}
