//! The log as a list: filters in the address, pages one behind another, each line with its page and its proof.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use proviso_api::record::RecordLine;

use super::receipt::{CameTo, Proof, Proved, TakeReceipt};
use super::record::Tabs;
use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::{Failure, Field, Text};
use crate::view_model::log::{KINDS, Told, Wanted, erased, far, page_of, what};
use crate::view_model::problem::{ApiError, sentence};
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn Log() -> impl IntoView {
    set_title("The log");
    let desk = Desk::take();
    let query = use_query_map();
    let wanted = Memo::new(move |_| query.with(|query| Wanted::read(|name| query.get(name))));
    let told = RwSignal::new(None::<Told>);
    let failed = RwSignal::new(None::<ApiError>);
    let wrong = RwSignal::new(None::<&'static str>);
    let busy = RwSignal::new(false);
    let look = move |of: Wanted, token: Option<String>| {
        let address = match of.asked(token.as_deref()) {
            Ok(address) => address,
            Err(why) => {
                wrong.set(Some(why));
                told.set(None);
                return;
            }
        };
        wrong.set(None);
        busy.set(true);
        spawn_local(async move {
            let answer = api::record_lines(&address).await;
            // The page may have been left, or narrowed to something else: then nobody wants this any more.
            if wanted.try_get_untracked().as_ref() != Some(&of) {
                return;
            }
            busy.set(false);
            match answer {
                Ok(page) => {
                    failed.set(None);
                    told.update(|told| match told {
                        Some(told) if token.is_some() => told.go_on(page),
                        _ => *told = Some(Told::begin(of, page)),
                    });
                }
                Err(error) => {
                    desk.said.set(error.what());
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    };
    Effect::new(move |_| {
        let of = wanted.get();
        told.set(None);
        failed.set(None);
        look(of, None);
    });
    let older = move |_| {
        let next = told.with_untracked(|told| told.as_ref().and_then(|told| told.last.next.clone()));
        if let Some(token) = next.filter(|_| !busy.get_untracked()) {
            look(wanted.get_untracked(), Some(token));
        }
    };
    let lines = move || told.with(|told| told.as_ref().map(|told| told.lines.clone()).unwrap_or_default());
    let more = Memo::new(move |_| told.with(|told| told.as_ref().is_some_and(|told| told.last.next.is_some())));
    let newer = Memo::new(move |_| {
        let of = told.with(|told| told.as_ref().map(|told| told.last.position));
        of.is_some_and(|position| desk.position.get() > position)
    });
    let how_far = move || {
        told.with(|told| {
            told.as_ref().map(|told| {
                let back = told.last.back_to.map(|at| format!(" Back to {}.", zoned(at))).unwrap_or_default();
                format!("{}{back}", far(told))
            })
        })
    };
    view! {
        <h1>"The log"</h1>
        <Tabs here="log" />
        <Filters wanted />
        <p class="problem" role="status">{move || wrong.get()}</p>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        {move || newer.get().then(|| view! {
            <p><button class="quiet" on:click=move |_| look(wanted.get_untracked(), None)>"There is more by now: look again"</button></p>
        })}
        <ol class="history" aria-label="Records, newest first">
            <For each=lines key=|line| (line.log.clone(), line.seq) children=|line| view! { <Line line /> } />
        </ol>
        <p class="soft" role="status">{move || if busy.get() { Some("Asking the gate …".to_owned()) } else { how_far() }}</p>
        {move || more.get().then(|| view! { <p><button on:click=older>"Older"</button></p> })}
    }
}

/// The filters: what is filled in goes into the address.
#[component]
fn Filters(wanted: Memo<Wanted>) -> impl IntoView {
    let fields = RwSignal::new(Wanted::default());
    // What the address says is what the fields hold, also after going back.
    Effect::new(move |_| fields.set(wanted.get()));
    let navigate = use_navigate();
    let take = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        navigate(
            &fields.with_untracked(Wanted::address),
            NavigateOptions { scroll: false, ..NavigateOptions::default() },
        );
    };
    let chosen = move |name: &'static str| fields.with(|fields| fields.log == name);
    view! {
        <form class="card" on:submit=take aria-label="Which records">
            <div class="pair">
                <div>
                    <label for="log-log">"Log"</label>
                    <select id="log-log" on:change=move |event| fields.update(|fields| fields.log = event_target_value(&event))>
                        <option value="" selected=move || chosen("")>"both"</option>
                        <option value="ledger" selected=move || chosen("ledger")>"ledger"</option>
                        <option value="decisions-main" selected=move || chosen("decisions-main")>"decisions"</option>
                    </select>
                </div>
                <Field id="log-kind" label="Kind" kind="text" list="log-kinds" fields of=|fields| &mut fields.kind />
            </div>
            <datalist id="log-kinds">{KINDS.map(|kind| view! { <option value=kind></option> }).collect_view()}</datalist>
            <div class="pair">
                <Field id="log-person" label="Who did it" kind="text" fields of=|fields| &mut fields.person />
                <Field id="log-agent" label="Agent: its id, or TYPE::ID" kind="text" fields of=|fields| &mut fields.agent />
            </div>
            <div class="pair">
                <Field id="log-task" label="Task" kind="text" fields of=|fields| &mut fields.task />
                <Field id="log-exception" label="Exception, by id" kind="text" fields of=|fields| &mut fields.exception />
            </div>
            <div class="pair">
                <Field id="log-grant" label="Grant, by id" kind="text" fields of=|fields| &mut fields.grant />
                <Field id="log-since" label="From (UTC)" kind="datetime-local" fields of=|fields| &mut fields.since />
            </div>
            <div class="pair">
                <Field id="log-until" label="Up to, not included (UTC)" kind="datetime-local" fields of=|fields| &mut fields.until />
                <Field id="log-seq" label="One record, by its number" kind="text" fields of=|fields| &mut fields.seq />
            </div>
            <div class="buttons">
                {move || wanted.with(Wanted::narrows).then(|| view! { <a href="/record/log">"Everything"</a> })}
                <button type="submit" class="yes">"Show"</button>
            </div>
        </form>
    }
}

#[component]
fn Line(line: RecordLine) -> impl IntoView {
    let came_to: CameTo = RwSignal::new(None);
    let by = line.by.clone().map(|by| view! { <span class="soft">" by " <Text text=by.id /></span> });
    let subject = line.subject.clone().map(|subject| {
        let task = line.task.clone().map(|task| view! { " in task " <span class="mono"><Text text=task /></span> });
        view! { <p class="soft"><span class="mono"><Text text=subject.id /></span> {task}</p> }
    });
    let said = match (line.said.clone(), line.hidden) {
        (Some(said), _) => Some(view! { <p class="quote"><Text text=said /></p> }.into_any()),
        (None, true) => Some(view! { <p class="soft">"What was said of it is not shown to you."</p> }.into_any()),
        (None, false) => None,
    };
    view! {
        <li>
            <time datetime=line.at.to_string()>{zoned(line.at)}</time>
            <div>
                <p><a href=page_of(&line)><Text text=sentence(&what(&line)) /></a> {by}</p>
                {subject}
                {said}
                {erased(&line).map(|told| view! { <p class="soft">{told}</p> })}
            </div>
            <span class="place">
                <a href=Wanted::record(&line.log, line.seq).address()><code>{format!("{} #{}", line.log, line.seq)}</code></a>
                <TakeReceipt log=line.log.clone() seq=line.seq />
                <Proof log=line.log seq=line.seq came_to />
            </span>
            <Proved came_to />
        </li>
    }
}
