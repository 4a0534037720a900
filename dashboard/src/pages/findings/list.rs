//! The list, with state and kind in the address. It follows the gate without a reload.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use proviso_api::findings::{FindingKind, FindingLine, FindingList};

use crate::api;
use crate::app::Desk;
use crate::components::{Failure, Text};
use crate::pages::set_title;
use crate::pages::stay::Stay;
use crate::view_model::findings::{Show, address, class, kind, kind_from_word, state, tone, wanted};
use crate::view_model::problem::ApiError;
use crate::view_model::time::ago;

/// The findings.
#[component]
pub fn Findings() -> impl IntoView {
    set_title("Findings");
    let desk = Desk::take();
    let query = use_query_map();
    let word = move |name: &'static str| query.with(|query| query.get(name).unwrap_or_default());
    let show = Memo::new(move |_| Show::from_word(&word("state")));
    let of_kind = Memo::new(move |_| kind_from_word(&word("kind")));
    let (stay, list) = (Stay::here(), RwSignal::new(None::<FindingList>));
    let failed = RwSignal::new(None::<ApiError>);
    Effect::new(move |_| {
        desk.position.track();
        let (show, kind) = (show.get(), of_kind.get());
        stay.spawn(async move {
            match api::findings(&wanted(show, kind)).await {
                Ok(fresh) => {
                    failed.set(None);
                    desk.findings.set(Some(fresh.unresolved));
                    // Answers can overtake one another: an older one never replaces a newer, nor one for another filter.
                    let newest =
                        list.with_untracked(|list| list.as_ref().is_none_or(|list| list.position <= fresh.position));
                    let is_wanted =
                        show == Show::from_word(&query.with_untracked(|query| query.get("state").unwrap_or_default()));
                    if newest && is_wanted {
                        list.set(Some(fresh));
                    }
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    let tabs = move || {
        Show::ALL
            .map(|each| {
                let current = (each == show.get()).then_some("page");
                view! { <a href=address(each, of_kind.get()) aria-current=current>{each.label()}</a> }
            })
            .collect_view()
    };
    let navigate = use_navigate();
    let on_kind = move |event| {
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&address(show.get_untracked(), kind_from_word(&event_target_value(&event))), options);
    };
    let kinds = move || {
        let chosen = of_kind.get();
        FindingKind::ALL
            .map(|each| view! { <option value=each.word() selected=chosen == Some(each)>{kind(each)}</option> })
            .collect_view()
    };
    let lines = Memo::new(move |_| list.with(|list| list.as_ref().map(|list| list.findings.clone())));
    let body = move || {
        match lines.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(lines) if lines.is_empty() => view! {
            <p class="empty">
                "Nothing here. What ran is held against what was approved, as enforcement points, agents and the logs of \
                 systems tell it; each difference stands here until somebody resolves it."
            </p>
        }
        .into_any(),
        Some(_) => view! {
            <ul class="lines findings">
                <For
                    each=move || lines.get().unwrap_or_default()
                    // The whole line is the key: a line that changed is drawn again, the others keep the focus.
                    key=|line| serde_json::to_string(line).unwrap_or_default()
                    children=|line| view! { <Line line /> }
                />
            </ul>
        }
        .into_any(),
    }
    };
    view! {
        <h1>"Findings"</h1>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <div class="tools">
            <nav class="tabs" aria-label="Which findings">{tabs}</nav>
            <label class="filter">
                <span class="unseen">"Kind"</span>
                <select on:change=on_kind>
                    <option value="" selected=move || of_kind.get().is_none()>"every kind"</option>
                    {kinds}
                </select>
            </label>
        </div>
        {body}
    }
}

#[component]
fn Line(line: FindingLine) -> impl IntoView {
    let desk = Desk::take();
    let (happened, owner) = (line.at, line.owner.as_ref().map(|owner| owner.id.clone()));
    let task = line.task.clone().map(|task| view! { " in task " <span class="mono"><Text text=task /></span> });
    let acted = line.acted.iter().map(|act| match act.as_str() {
        "revoke" => view! { <span class="chip state-denied">"revoked"</span> },
        _ => view! { <span class="chip state-denied">"locked"</span> },
    });
    view! {
        <li>
            <a href=format!("/findings/{}", line.id) data-line="">
                <span class="says"><Text text=line.says.clone() /></span>
                <span class="soft by"><span class="mono"><Text text=line.subject.id.clone() /></span> {task}</span>
                <span class="chips">
                    <span class=tone(&line)>{state(&line)}</span>
                    <span class="chip">{kind(line.kind)}</span>
                    <span class="chip">{class(line.strength)}</span>
                    {line.ambiguous.then(|| view! { <span class="chip warn">"ambiguous"</span> })}
                    {acted.collect_view()}
                </span>
                <span class="clock">
                    <span class="label">{owner.map_or_else(|| "nobody's".to_owned(), |owner| format!("{owner}'s"))}</span>
                    " " {move || ago(desk.now.get(), happened)}
                </span>
            </a>
        </li>
    }
}
