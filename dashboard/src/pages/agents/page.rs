//! One agent: who owns it, what stops it, and what it may do today.

use leptos::prelude::*;
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use proviso_api::agents::AgentReply;

use super::parts::{Calls, Exceptions, Policies};
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::set_title;
use crate::pages::stay::Stay;
use crate::view_model::facts::{owned, value};
use crate::view_model::problem::ApiError;
use crate::view_model::queue::encoded;
use crate::view_model::stops::says;

/// The page. It follows the gate.
#[component]
pub(super) fn Page(agent: EntityRef) -> impl IntoView {
    set_title(&agent.id);
    let desk = Desk::take();
    let reply = RwSignal::new(None::<AgentReply>);
    let failed = RwSignal::new(None::<ApiError>);
    let (stay, of) = (Stay::here(), StoredValue::new(agent.clone()));
    let ten_seconds = Memo::new(move |_| desk.now.get().millis() / 10_000);
    Effect::new(move |_| {
        desk.position.track();
        ten_seconds.track();
        stay.spawn(async move {
            match api::agent(&of.get_value()).await {
                Ok(fresh) => {
                    failed.set(None);
                    desk.set_time(fresh.now);
                    if reply.with_untracked(|reply| reply.as_ref().is_none_or(|known| known.position <= fresh.position))
                    {
                        reply.set(Some(fresh));
                    }
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    let loaded = Memo::new(move |_| reply.with(Option::is_some));
    let lock = format!("/locks?subject={}", encoded(&agent.to_string()));
    view! {
        <p class="crumb"><a href="/agents">"Agents"</a> " / " <code><Text text=agent.kind.clone() /></code></p>
        <h1 class="mono"><Text text=agent.id.clone() /></h1>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <Show
            when=move || loaded.get()
            fallback=move || failed.with(Option::is_none).then(|| view! { <p class="soft">"Asking the gate …"</p> })
        >
            <Who reply />
            <p><a href=lock.clone()>"Lock this agent"</a></p>
            <div class="columns">
                <div>
                    <Exceptions reply />
                    <Calls reply />
                </div>
                <div><Policies reply /></div>
            </div>
        </Show>
    }
}

/// Who owns it, what the bundle says of it, and what stops it.
#[component]
fn Who(reply: RwSignal<Option<AgentReply>>) -> impl IntoView {
    let chips = move || {
        reply.with(|reply| {
            reply.as_ref().map(|reply| {
                let attributes = reply
                    .attributes
                    .iter()
                    .map(|(name, told)| view! { <span class="chip"><Text text=format!("{name}: {}", value(told)) /></span> })
                    .collect_view();
                let owner = reply.owner.as_ref().map(owned);
                view! {
                    <p class="chips">
                        {(!reply.line.known).then(|| view! { <span class="chip warn">"the bundle does not know it"</span> })}
                        {owner.map(|owner| view! { <span class="chip strong">"owned by " <Text text=owner /></span> })}
                        {attributes}
                    </p>
                }
            })
        })
    };
    let locks = move || {
        let locks = reply.with(|reply| reply.as_ref().map(|reply| reply.locks.clone()).unwrap_or_default());
        locks
            .into_iter()
            .map(|line| {
                let title = format!("Locked: {}.", says(&line.lock.target));
                view! {
                    <Notice tone=Tone::Bad title>
                        <p class="quote"><Text text=line.reason /></p>
                        <p>"set by " <Text text=line.by.id /> ". " <a href="/locks">"Locks"</a></p>
                    </Notice>
                }
            })
            .collect_view()
    };
    let hidden = move || {
        let hidden = reply.with(|reply| reply.as_ref().map(|reply| reply.hidden.clone()).unwrap_or_default());
        let told = match (hidden.contains(&Act::ViewRecord), hidden.contains(&Act::ViewArguments)) {
            (true, _) => Some("What it asked for of late is not shown to you."),
            (false, true) => Some("What its calls are made with is not shown to you."),
            (false, false) => None,
        };
        told.map(|told| view! { <p class="soft">{told}</p> })
    };
    view! {
        {chips}
        {locks}
        {hidden}
    }
}

/// A card under a heading, for the parts.
#[component]
pub(super) fn Part(title: &'static str, told: &'static str, children: Children) -> impl IntoView {
    view! {
        <Card title>
            <p class="soft">{told}</p>
            {children()}
        </Card>
    }
}
