//! The queue: what needs this person, what waits, what is live, what is over. It follows the gate without a reload.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use policy_core::console::Act;
use proviso_api::exceptions::{ExceptionLine, ExceptionList};

use super::export::Export;
use super::set_title;
use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Countdown, Failure, Notice, Text, Tone};
use crate::view_model::facts::{entity, uses};
use crate::view_model::problem::ApiError;
use crate::view_model::queue::{Tab, address, count, shown};
use crate::view_model::time::{ago, stamp};

/// The queue with its tabs and its filter, both in the address.
#[component]
pub fn Queue() -> impl IntoView {
    let desk = Desk::take();
    let query = use_query_map();
    let tab =
        Memo::new(move |_| query.with(|query| query.get("tab").map_or(Tab::default(), |word| Tab::from_word(&word))));
    let filter = Memo::new(move |_| query.with(|query| query.get("q").unwrap_or_default()));
    let list = RwSignal::new(None::<ExceptionList>);
    let failed = RwSignal::new(None::<ApiError>);

    // Time alone changes a state, and a stream can be cut: what is shown is never older than this.
    let half_minute = Memo::new(move |_| desk.now.get().millis() / 30_000);
    Effect::new(move |_| {
        desk.position.track();
        half_minute.track();
        spawn_local(follow(desk, list, failed));
    });
    Effect::new(move |_| {
        let waiting = desk.needs_me.get().unwrap_or(0);
        set_title(&if waiting > 0 { format!("Queue ({waiting})") } else { "Queue".to_owned() });
    });

    let navigate = use_navigate();
    let on_filter = move |event| {
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&address(tab.get_untracked(), &event_target_value(&event)), options);
    };
    let tabs = move || {
        let lines = list.with(|list| list.as_ref().map(|list| list.exceptions.clone()).unwrap_or_default());
        Tab::ALL
            .map(|each| {
                view! {
                    <a href=address(each, &filter.get()) aria-current=(each == tab.get()).then_some("page")>
                        {each.label()} " " <span class="count">{count(&lines, each)}</span>
                    </a>
                }
            })
            .collect_view()
    };
    let lines = Memo::new(move |_| {
        list.with(|list| list.as_ref().map(|list| shown(&list.exceptions, tab.get(), &filter.get())))
    });
    let body = move || match lines.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(lines) if lines.is_empty() && filter.get().is_empty() => {
            let why = desk.why_not(Act::View);
            view! { <p class="empty">{why.unwrap_or_else(|| tab.get().empty().to_owned())}</p> }.into_any()
        }
        Some(lines) if lines.is_empty() => {
            view! { <p class="empty">"Nothing in this tab matches the filter."</p> }.into_any()
        }
        Some(_) => view! {
            <ul class="lines">
                <For
                    each=move || lines.get().unwrap_or_default()
                    // The whole line is the key: a line that changed is drawn again, the others keep the focus.
                    key=|line| serde_json::to_string(line).unwrap_or_default()
                    children=|line| view! { <Line line /> }
                />
            </ul>
        }
        .into_any(),
    };
    view! {
        <h1>"Queue"</h1>
        <MintedSince />
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <div class="tools">
            <nav class="tabs" aria-label="Which exceptions">{tabs}</nav>
            {move || matches!(tab.get(), Tab::History | Tab::All).then(|| view! { <Export /> })}
            <label class="filter">
                <span class="unseen">"Filter"</span>
                <input type="search" placeholder="agent, task, tool, resource" prop:value=filter on:input=on_filter />
            </label>
        </div>
        {body}
    }
}

/// Asks for the list again, and says what changed for this person.
async fn follow(desk: Desk, list: RwSignal<Option<ExceptionList>>, failed: RwSignal<Option<ApiError>>) {
    match api::exceptions().await {
        Ok(fresh) => {
            failed.set(None);
            desk.set_time(fresh.now);
            let waiting = count(&fresh.exceptions, Tab::NeedsMe);
            if desk.needs_me.get_untracked().is_some_and(|before| waiting > before) {
                desk.said.set(format!("A new request needs you. {waiting} in all."));
            }
            desk.needs_me.set(Some(waiting));
            // Answers can overtake one another: an older one never replaces a newer.
            if list.with_untracked(|list| list.as_ref().is_none_or(|list| list.position <= fresh.position)) {
                list.set(Some(fresh));
            }
        }
        Err(error) => {
            desk.note(&error);
            failed.set(Some(error));
        }
    }
}

#[component]
fn Line(line: ExceptionLine) -> impl IntoView {
    let desk = Desk::take();
    let resources = line.resources.iter().map(entity).collect::<Vec<_>>().join(", ");
    let votes = format!("{} of {}", line.votes, line.approvals);
    let asked = line.requested_at;
    let clock = match (line.state.as_str(), line.not_after) {
        ("requested", _) => {
            view! { <span class="label">"decide by"</span> " " <Countdown then=line.decide_by /> }.into_any()
        }
        ("unconfirmed", _) => {
            view! { <span class="label">"before the restore"</span> " asked " {move || ago(desk.now.get(), asked)} }
                .into_any()
        }
        ("granted", Some(end)) => view! { <span class="label">"ends"</span> " " <Countdown then=end /> }.into_any(),
        _ => view! { <span class="label">"asked"</span> " " {move || ago(desk.now.get(), asked)} }.into_any(),
    };
    let counts = match line.state.as_str() {
        "requested" => view! { <span class="label">"votes"</span> " " {votes} }.into_any(),
        "unconfirmed" => view! { <span class="label">"confirmed"</span> " " {votes} }.into_any(),
        _ if line.max_uses > 0 => {
            view! { <span class="label">"used"</span> " " {format!("{} of {}", line.uses, uses(line.max_uses))} }
                .into_any()
        }
        _ => ().into_any(),
    };
    view! {
        <li>
            <a href=format!("/exceptions/{}", line.id) data-line="">
                <span class="says"><Text text=line.says /></span>
                <span class="soft by">
                    <span class="mono"><Text text=line.subject.id /></span> " in task "
                    <span class="mono"><Text text=line.task /></span> " on "
                    <span class="mono"><Text text=resources /></span>
                </span>
                <span class="chips">
                    <span class=format!("chip state-{}", line.state)>{line.state.clone()}</span>
                    <span class="chip">{line.tier}</span>
                    {line.hidden.contains(&Act::ViewArguments).then(|| view! { <span class="chip">"not shown whole"</span> })}
                </span>
                <span class="clock">{clock}</span>
                <span class="clock">{counts}</span>
            </a>
        </li>
    }
}

/// What was minted in this person's name since their last sign-in: somebody who did not ask for it sees it here.
#[component]
fn MintedSince() -> impl IntoView {
    let desk = Desk::take();
    let dismissed = RwSignal::new(false);
    move || {
        let Signed::In(session) = desk.signed.get() else { return ().into_any() };
        if session.minted.is_empty() || dismissed.get() {
            return ().into_any();
        }
        let rows = session
            .minted
            .into_iter()
            .map(|minted| {
                view! {
                    <li>
                        {format!("{} UTC: ", stamp(minted.at))} <b>{minted.kind}</b> " for " <Text text=minted.what />
                        " by operating-system user " <code><Text text=minted.by /></code>
                        " (" <code>{minted.id}</code> ")"
                    </li>
                }
            })
            .collect_view();
        view! {
            <Notice tone=Tone::Warn title="Minted in your name since you last signed in">
                <ul>{rows}</ul>
                <p>"If you do not know one of these, tell the operator: it can be revoked."</p>
                <button class="quiet" on:click=move |_| dismissed.set(true)>"I know these"</button>
            </Notice>
        }
        .into_any()
    }
}
