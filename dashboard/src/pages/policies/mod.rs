//! Policies: which bundle is active, which were, and which are proposed.

mod proposal;
mod vote;

pub use proposal::Proposal;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use policy_core::console::Act;
use proviso_api::activation::{ActivationLine, BundleList, ProposalLine};

use super::set_title;
use super::stay::Stay;
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Digest, Failure, Notice, Text, Tone};
use crate::view_model::activation::stands;
use crate::view_model::problem::ApiError;
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn Policies() -> impl IntoView {
    set_title("Policies");
    let desk = Desk::take();
    let bundles = LocalResource::new(move || {
        // Proposals, votes and activations are records: ask again with each.
        desk.position.track();
        api::bundles()
    });
    let told = Memo::new(move |_| bundles.get());
    let body = move || match told.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(Err(error)) => {
            desk.note(&error);
            view! { <Failure error /> }.into_any()
        }
        Some(Ok(told)) => view! { <Told told /> }.into_any(),
    };
    // Somebody may be writing into a line of these: it keeps its place while what stands above it is drawn anew.
    let history = Memo::new(move |_| {
        told.with(|told| {
            let BundleList { active, history, .. } = told.as_ref()?.as_ref().ok()?;
            Some(history.iter().map(|line| (line.clone(), line.bundle != *active)).collect::<Vec<_>>())
        })
    });
    let known = Memo::new(move |_| history.with(Option::is_some));
    view! {
        <h1>"Policies"</h1>
        {body}
        <Show when=move || known.get()>
            <Card title="Activated">
                <ul class="history">
                    <For
                        each=move || history.get().unwrap_or_default()
                        key=|(line, earlier)| (line.seq, *earlier)
                        children=|(line, earlier)| view! { <Activated line earlier /> }
                    />
                </ul>
            </Card>
        </Show>
    }
}

#[component]
fn Told(told: BundleList) -> impl IntoView {
    let active = told.active.to_string();
    let operator = told.operator_alone.then(|| {
        view! {
            <Notice tone=Tone::Warn title="One person alone can change them.">
                <p>"Whoever starts this gate can activate another bundle: by its settings, or since fewer than two people may here."</p>
            </Notice>
        }
    });
    let next = told.next_module.map(|module| {
        view! { <p>"The next start may run the policy module " <code class="whole">{module.to_string()}</code></p> }
    });
    let none = told.proposals.is_empty();
    let proposals = told.proposals.into_iter().map(|line| view! { <Proposed line /> }).collect_view();
    view! {
        <p>"Active: " <code class="whole">{active}</code></p>
        {next}
        {operator}
        <Card title="Proposed">
            {none.then(|| view! {
                <p class="soft">"Nothing is proposed. " <code>"proviso bundle propose DIR --reason TEXT"</code> " proposes a bundle."</p>
            })}
            <ul class="history">{proposals}</ul>
        </Card>
    }
}

#[component]
fn Proposed(line: ProposalLine) -> impl IntoView {
    let address = format!("/policies/{}", line.bundle);
    let narrower = line.narrower.then(|| view! { " " <span class="chip">"proved narrower"</span> });
    let module = line.is_module.then(|| view! { " " <span class="chip">"policy module"</span> });
    let allows = (line.new_allows > 0)
        .then(|| view! { " " <span class="bad">{format!("{} newly allowed", line.new_allows)}</span> });
    view! {
        <li>
            <time datetime=line.at.to_string()>{zoned(line.at)}</time>
            <div>
                <p><a href=address>"What it changes"</a> {module} {narrower} {allows}</p>
                <p class="soft">{stands(&line)} " Proposed by " <Text text=line.by.to_string() /></p>
                <p class="quote"><Text text=line.reason /></p>
            </div>
            <span class="place"><Digest digest=line.bundle.to_string() /></span>
        </li>
    }
}

/// An activation; an earlier bundle can be proposed again.
#[component]
fn Activated(line: ActivationLine, earlier: bool) -> impl IntoView {
    let (desk, stay) = (Desk::take(), Stay::here());
    let navigate = use_navigate();
    let asking = RwSignal::new(false);
    let reason = RwSignal::new(String::new());
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let bundle = line.bundle;
    let propose = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (said, navigate) = (reason.get_untracked().trim().to_owned(), navigate.clone());
        spawn_local(async move {
            let made = api::propose_earlier(bundle, said).await;
            busy.set(false);
            match made {
                // Whoever has gone elsewhere meanwhile is not fetched back.
                Ok(_) if stay.is_over() => desk.said.set("It is proposed again.".to_owned()),
                Ok(made) => {
                    navigate(&format!("/policies/{}", made.proposal.bundle), NavigateOptions::default());
                }
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    failed.set(Some(error));
                }
            }
        });
    };
    let may = earlier && desk.why_not(Act::Activate).is_none();
    let (id, seq) = (format!("back-{}", line.seq), line.seq);
    let form = move || {
        let (id, propose) = (id.clone(), propose.clone());
        may.then(|| {
            if asking.get() {
                view! {
                    <div class="judge" role="group" aria-label=format!("Propose the bundle of record {seq} again")>
                        <label class="unseen" for=id.clone()>"Why"</label>
                        <input
                            id=id type="text" maxlength="2000" autocomplete="off" placeholder="why"
                            prop:value=reason on:input=move |event| reason.set(event_target_value(&event))
                        />
                        <button class="quiet" on:click=propose>"Propose it again"</button>
                    </div>
                }
                .into_any()
            } else {
                view! { <button class="quiet" on:click=move |_| asking.set(true)>"Go back to it"</button> }.into_any()
            }
        })
    };
    let changed = line.changed.iter().map(|(folder, count)| format!("{folder} ({count})")).collect::<Vec<_>>();
    let narrower = line.narrower.then(|| view! { " " <span class="chip">"proved narrower"</span> });
    let changed = if changed.is_empty() { "no file".to_owned() } else { changed.join(", ") };
    view! {
        <li>
            <time datetime=line.at.to_string()>{zoned(line.at)}</time>
            <div>
                <p>"By " <Text text=line.by /> {narrower}</p>
                <p class="soft">{format!("Changed: {changed}")}</p>
                <p class="quote"><Text text=line.reason /></p>
                {form}
                {move || failed.get().map(|error| view! { <Failure error /> })}
            </div>
            <span class="place"><Digest digest=line.bundle.to_string() /></span>
        </li>
    }
}
