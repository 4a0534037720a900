//! What a person does about a finding: one field for the words, and a button for each act.

use leptos::prelude::*;
use policy_core::console::Act as Right;
use policy_core::entity::EntityRef;
use proviso_api::findings::{FindingLine, FindingOutcome, FindingState, FindingStateRequest};

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Card, Failure};
use crate::pages::acts::Acts as Pending;
use crate::view_model::findings::OUTCOMES;

/// An act.
#[derive(Clone)]
enum Act {
    Comment,
    Acknowledge,
    Reopen,
    Resolve(FindingOutcome),
    /// To this person.
    Take(EntityRef),
    Assign(EntityRef),
    Revoke,
    Lock,
}

/// What was typed and not sent.
#[derive(Clone, Copy)]
pub struct Written {
    words: RwSignal<String>,
    to: RwSignal<String>,
}

impl Written {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { words: RwSignal::new(String::new()), to: RwSignal::new(String::new()) }
    }
}

/// The words and the acts.
#[component]
pub fn Acts(finding: FindingLine, written: Written) -> impl IntoView {
    let desk = Desk::take();
    let Written { words, to } = written;
    let pending = Pending::new();
    let id = StoredValue::new(finding.id.clone());
    let person_type =
        finding.owner.as_ref().map_or_else(|| me(desk).map(|me| me.kind), |owner| Some(owner.kind.clone()));
    let run = move |act: Act| {
        let said = words.get_untracked().trim().to_owned();
        let work = async move {
            let id = id.get_value();
            match act {
                Act::Comment => api::comment_finding(&id, said).await,
                Act::Acknowledge => api::set_finding_state(&id, state(FindingState::Acknowledged, None, said)).await,
                Act::Reopen => api::set_finding_state(&id, state(FindingState::Open, None, said)).await,
                Act::Resolve(outcome) => {
                    api::set_finding_state(&id, state(FindingState::Resolved, Some(outcome), said)).await
                }
                Act::Take(person) | Act::Assign(person) => api::assign_finding(&id, person, said).await,
                Act::Revoke => api::act_on_finding(&id, "revoke", said).await,
                Act::Lock => api::act_on_finding(&id, "lock", said).await,
            }
        };
        pending.run(work, move |_| {
            words.set(String::new());
            "It is written down.".to_owned()
        });
    };
    let may = |right: Right| desk.why_not(right).is_none();
    let is_over = finding.state == FindingState::Resolved;
    let acknowledge = (finding.state == FindingState::Open)
        .then(|| view! { <button class="quiet" on:click=move |_| run(Act::Acknowledge)>"I look at it"</button> });
    let reopen =
        is_over.then(|| view! { <button class="quiet" on:click=move |_| run(Act::Reopen)>"Open it again"</button> });
    let resolve = (!is_over).then(|| {
        OUTCOMES
            .map(|(outcome, word)| {
                view! { <button class="quiet" on:click=move |_| run(Act::Resolve(outcome))>{word}</button> }
            })
            .collect_view()
    });
    let mine = me(desk).filter(|me| finding.owner.as_ref() != Some(me));
    let take = mine.map(|me| {
        let me = StoredValue::new(me);
        view! { <button class="quiet" on:click=move |_| run(Act::Take(me.get_value()))>"Take it"</button> }
    });
    let hand = person_type.map(|kind| {
        let kind = StoredValue::new(kind);
        let hand = move |_| run(Act::Assign(EntityRef::new(kind.get_value(), to.get_untracked().trim().to_owned())));
        view! {
            <label class="unseen" for="finding-to">"Whom to hand it to"</label>
            <input
                id="finding-to" type="text" maxlength="256" autocomplete="off" placeholder="a person's id"
                prop:value=to on:input=move |event| to.set(event_target_value(&event))
            />
            <button class="quiet" on:click=hand>"Hand it over"</button>
        }
    });
    let revoke = (finding.exception.is_some() && !finding.acted.contains(&"revoke".to_owned()) && may(Right::Revoke))
        .then(|| view! { <button class="quiet no" on:click=move |_| run(Act::Revoke)>"Revoke the grant"</button> });
    let lock = (!finding.acted.contains(&"lock_subject".to_owned()) && may(Right::Lock))
        .then(|| view! { <button class="quiet no" on:click=move |_| run(Act::Lock)>"Lock the agent"</button> });
    // Who may not look after it may still be one who stops what it is about.
    let no_words = desk.why_not(Right::Investigate);
    let looks_after = no_words.is_none();
    let why = no_words.map(|why| view! { <p class="why-not">{why}</p> });
    view! {
        <Card title="What to do">
            {why}
            <label for="finding-words">"Your words: a comment, or why"</label>
            <textarea
                id="finding-words" maxlength="2000" rows="2"
                prop:value=words on:input=move |event| words.set(event_target_value(&event))
            ></textarea>
            <div class="judge" role="group" aria-label="Act on this finding">
                {looks_after.then(|| view! {
                    <button class="quiet" on:click=move |_| run(Act::Comment)>"Comment"</button>
                    {acknowledge} {resolve} {reopen} {take}
                })}
                {revoke} {lock}
            </div>
            {looks_after.then(|| view! { <div class="judge" role="group" aria-label="Hand this finding over">{hand}</div> })}
            {move || pending.failed.get().map(|error| view! { <Failure error /> })}
        </Card>
    }
}

const fn state(state: FindingState, outcome: Option<FindingOutcome>, note: String) -> FindingStateRequest {
    FindingStateRequest { state, outcome, note }
}

/// Who is signed in.
fn me(desk: Desk) -> Option<EntityRef> {
    desk.signed.with_untracked(|signed| match signed {
        Signed::In(session) => Some(session.person.clone()),
        _ => None,
    })
}
