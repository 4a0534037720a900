//! What a restore left to do: the gap, and what waits to be confirmed.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::presence::Presence;
use proviso_api::acts::ShownReason;
use proviso_api::exceptions::ExceptionLine;
use proviso_api::operations::EpochLine;

use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Text};
use crate::view_model::epoch::{gap, told, waiting};
use crate::view_model::problem::ApiError;

/// On every page, until nothing waits any more.
#[component]
pub fn Restored() -> impl IntoView {
    let desk = Desk::take();
    move || {
        desk.epoch.get().filter(|epoch| epoch.unconfirmed > 0).map(|epoch| {
            view! {
                <p class="banner bad">
                    <b>"This gate was restored."</b>
                    {format!(" {} ", waiting(epoch.unconfirmed))}
                    <a href="/record">"Look at them"</a>
                </p>
            }
        })
    }
}

/// The epoch with all that waits. Nothing in a gate's first epoch.
#[component]
pub fn Epoch() -> impl IntoView {
    let desk = Desk::take();
    let lines = RwSignal::new(Vec::<ExceptionLine>::new());
    let failed = RwSignal::new(None::<ApiError>);
    let reason = RwSignal::new(String::new());
    Effect::new(move |_| {
        desk.position.track();
        spawn_local(look(desk, lines, failed));
    });
    let begun = Memo::new(move |_| desk.epoch.get());
    let some = Memo::new(move |_| lines.with(|lines| !lines.is_empty()));
    move || {
        begun.with(Option::is_some).then(|| {
            view! {
                <Card title="This record was restored">
                    {move || begun.get().map(|epoch| view! { <Told epoch /> })}
                    {move || failed.get().map(|error| view! { <Failure error /> })}
                    {move || some.get().then(|| view! {
                        <label for="confirm-reason">"Why what you confirm still stands"</label>
                        <input
                            id="confirm-reason"
                            maxlength="2000"
                            prop:value=reason
                            on:input=move |event| reason.set(event_target_value(&event))
                        />
                    })}
                    <ul class="lines">
                        <For
                            each=move || lines.get()
                            key=|line| (line.id.clone(), line.needs_me)
                            children=move |line| view! { <Waiting line reason failed /> }
                        />
                    </ul>
                </Card>
            }
        })
    }
}

#[component]
fn Told(epoch: EpochLine) -> impl IntoView {
    let gaps = epoch.gaps.iter().map(|log| view! { <li>{gap(log)}</li> }).collect_view();
    view! {
        <p>{told(&epoch)}</p>
        <p class="quote"><Text text=epoch.reason /></p>
        <ul>{gaps}</ul>
    }
}

#[component]
fn Waiting(line: ExceptionLine, reason: RwSignal<String>, failed: RwSignal<Option<ApiError>>) -> impl IntoView {
    let desk = Desk::take();
    let id = StoredValue::new(line.id.clone());
    let sending = RwSignal::new(false);
    let confirm = move |_| {
        if sending.get_untracked() {
            return;
        }
        let why = reason.get_untracked().trim().to_owned();
        if why.is_empty() {
            desk.said.set("Say why it still stands.".to_owned());
            super::focus("confirm-reason");
            return;
        }
        let id = id.get_value();
        sending.set(true);
        spawn_local(async move {
            let came = api::confirm(&id, &ShownReason { reason: why, signed: None }).await;
            // The line may have gone meanwhile.
            let _ = sending.try_set(false);
            match came {
                // The change comes back as news, and takes the line away where nobody else is needed.
                Ok(()) => {
                    failed.set(None);
                    desk.said.set("Confirmed.".to_owned());
                }
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    failed.set(Some(error));
                }
            }
        });
    };
    let act = match (line.needs_me, line.presence) {
        // INVARIANT: what is signed is the whole sheet, and no list shows that.
        (true, Presence::Signature) => {
            view! { <a href=format!("/exceptions/{}", line.id)>"Look at it, and sign"</a> }.into_any()
        }
        (true, _) => view! {
            <button class="quiet" aria-disabled=move || sending.get().to_string() on:click=confirm>"Confirm"</button>
        }
        .into_any(),
        (false, _) => view! { <p class="soft">"Its page says why it is not yours to confirm."</p> }.into_any(),
    };
    view! {
        <li>
            <a href=format!("/exceptions/{}", line.id) data-line="">
                <span class="says"><Text text=line.says /></span>
                <span class="soft by">
                    <span class="mono"><Text text=line.subject.id /></span> " in task "
                    <span class="mono"><Text text=line.task /></span>
                </span>
                <span class="chips"><span class="chip">{line.tier}</span></span>
            </a>
            <div class="act">{act}</div>
        </li>
    }
}

/// Asks for the epoch, and for what waits where one has begun.
async fn look(desk: Desk, lines: RwSignal<Vec<ExceptionLine>>, failed: RwSignal<Option<ApiError>>) {
    let found = match api::record().await {
        Ok(record) => {
            let begun = record.epoch.is_some();
            if desk.epoch.with_untracked(|known| *known != record.epoch) {
                desk.epoch.set(record.epoch);
            }
            if begun { api::unconfirmed().await } else { return }
        }
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => lines.set(found.exceptions),
        Err(error) => {
            desk.note(&error);
            failed.set(Some(error));
        }
    }
}
