//! Who acts.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::console::Act;
use proviso_api::agents::AgentLine;

use crate::api;
use crate::app::Desk;
use crate::components::{Failure, Text};
use crate::pages::set_title;
use crate::view_model::agents::{address, shown};
use crate::view_model::problem::ApiError;
use crate::view_model::stops::several;
use crate::view_model::time::ago;

/// The list.
#[component]
pub(super) fn List() -> impl IntoView {
    set_title("Agents");
    let desk = Desk::take();
    let agents = RwSignal::new(None::<Vec<AgentLine>>);
    let failed = RwSignal::new(None::<ApiError>);
    let search = RwSignal::new(String::new());
    Effect::new(move |_| {
        desk.whole.track();
        spawn_local(async move {
            let (mut all, mut token) = (Vec::new(), None);
            loop {
                match api::agents(token.as_deref()).await {
                    Ok(mut list) => {
                        desk.set_time(list.now);
                        all.append(&mut list.agents);
                        token = list.next;
                        if token.is_none() {
                            break;
                        }
                    }
                    Err(error) => {
                        desk.note(&error);
                        failed.set(Some(error));
                        return;
                    }
                }
            }
            failed.set(None);
            agents.set(Some(all));
        });
    });
    let lines = Memo::new(move |_| agents.with(|agents| agents.as_ref().map(|agents| shown(agents, &search.get()))));
    let body = move || match lines.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(lines) if lines.is_empty() => {
            let told = "No agent is known here, by the bundle or by the record.".to_owned();
            view! { <p class="empty">{desk.why_not(Act::View).unwrap_or(told)}</p> }.into_any()
        }
        Some(lines) => {
            let rows = lines.into_iter().map(|line| view! { <Line line /> }).collect_view();
            view! { <ul class="lines">{rows}</ul> }.into_any()
        }
    };
    view! {
        <h1>"Agents"</h1>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <div class="tools">
            <p class="soft">"Who acts, by the bundle and the record. One agent's page says what it may do today, and by what."</p>
            <label class="filter">
                <span class="unseen">"Search"</span>
                <input id="search" type="search" placeholder="agent, owner" prop:value=search on:input=move |event| search.set(event_target_value(&event)) />
            </label>
        </div>
        {body}
    }
}

#[component]
fn Line(line: AgentLine) -> impl IntoView {
    let desk = Desk::take();
    let owners = line.owners.iter().map(|owner| owner.id.clone()).collect::<Vec<_>>().join(", ");
    let (asked, page) = (line.asked_at, address(&line.agent));
    view! {
        <li>
            <a href=page data-line="">
                <span class="says mono"><Text text=line.agent.id /></span>
                <span class="soft by">
                    {if owners.is_empty() { view! { "nobody owns it" }.into_any() } else { view! { "owned by " <Text text=owners /> }.into_any() }}
                </span>
                <span class="chips">
                    {line.locked.then(|| view! { <span class="chip state-denied">"locked"</span> })}
                    {(!line.known).then(|| view! { <span class="chip warn">"not in the bundle"</span> })}
                    {(line.grants > 0).then(|| view! { <span class="chip state-granted">{several(line.grants as usize, "live grant")}</span> })}
                    {(line.requests > 0).then(|| view! { <span class="chip state-requested">{several(line.requests as usize, "open request")}</span> })}
                </span>
                <span class="clock">
                    <span class="label">"last asked"</span> " "
                    {move || asked.map_or_else(|| "not of late".to_owned(), |asked| ago(desk.now.get(), asked))}
                </span>
            </a>
        </li>
    }
}
