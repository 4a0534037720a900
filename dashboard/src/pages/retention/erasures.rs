//! Erasures that two people decide on: one looks and proposes, another confirms.

use std::collections::BTreeMap;

use leptos::prelude::*;
use policy_core::presence::{Presence, SignedAct};
use proviso_api::erasures::{ConfirmErasure, ErasurePreview, ErasureProposalLine, ErasureWhat, ProposeErasure};

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Card, Failure, Text};
use crate::pages::acts::Acts;
use crate::pages::focus;
use crate::signing::{Decided, shown};
use crate::view_model::erasures::{KINDS, confirmed, is_about_somebody, is_open, says, standing, what};
use crate::view_model::retention::{lost, payloads};
use crate::view_model::time::zoned;

/// What was looked at: a proposal is of that and nothing else.
type Looked = RwSignal<Option<(ErasureWhat, ErasurePreview)>>;

/// The fields of a proposal, and what it would come to.
#[component]
pub(super) fn Propose() -> impl IntoView {
    let (acts, desk) = (Acts::new(), Desk::take());
    let kind = RwSignal::new("person".to_owned());
    let (of, older, reason) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let looked: Looked = RwSignal::new(None);
    let look = move |_| {
        let filled = what(&kind.get_untracked(), &of.get_untracked(), &older.get_untracked());
        match filled {
            Err(otherwise) => {
                desk.said.set(otherwise.to_owned());
                focus("erase-of");
            }
            Ok(filled) => acts.run(
                async move { api::preview_erasure(&filled).await.map(|preview| (filled, preview)) },
                move |found| {
                    looked.set(Some(found));
                    "What it would come to is on the page.".to_owned()
                },
            ),
        }
    };
    let propose = move |_| {
        let Signed::In(session) = desk.signed.get_untracked() else { return };
        let Some((what, preview)) = looked.get_untracked() else { return };
        let why = reason.get_untracked().trim().to_owned();
        if !acts.has_reason(&why) {
            focus("erase-why");
            return;
        }
        let work = async move {
            let (digest, presence) = (preview.digest, preview.presence);
            let decided = Decided {
                act: SignedAct::Erase,
                person: session.person,
                about: digest.to_string(),
                shown: digest,
                reason: why.clone(),
            };
            let send = async |signature| {
                let body = ProposeErasure { what: what.clone(), reason: why.clone(), shown: digest, signature };
                api::propose_erasure(&body).await
            };
            shown(presence, decided, send).await
        };
        acts.run(work, move |_| {
            looked.set(None);
            of.set(String::new());
            reason.set(String::new());
            "Proposed: another person has to confirm it.".to_owned()
        });
    };
    // What was filled in otherwise was not looked at.
    let fill = move |field: RwSignal<String>, value: String| {
        looked.set(None);
        field.set(value);
    };
    let written = move || {
        let kind = kind.get();
        KINDS.into_iter().find(|(word, ..)| *word == kind).map_or("", |(_, _, written)| written)
    };
    view! {
        <Card title="Propose an erasure">
            <p class="soft">
                "Nothing is gone before another person confirms it. What is younger than eight days, and what the gate still needs, stays."
            </p>
            <div class="pair">
                <div>
                    <label for="erase-kind">"What it is about"</label>
                    <select id="erase-kind" on:change=move |event| fill(kind, event_target_value(&event))>
                        {KINDS.into_iter().map(|(word, called, _)| view! { <option value=word>{called}</option> }).collect_view()}
                    </select>
                </div>
                <div>
                    <label for="erase-of">"Whom or which: " {written}</label>
                    <input id="erase-of" type="text" maxlength="512" autocomplete="off" prop:value=of
                        on:input=move |event| fill(of, event_target_value(&event)) />
                </div>
                <div>
                    <label for="erase-older">"Only what is older, such as 90d"</label>
                    <input id="erase-older" type="text" maxlength="20" autocomplete="off" prop:value=older
                        on:input=move |event| fill(older, event_target_value(&event)) />
                </div>
                <div>
                    <label for="erase-why">"Why. It stays for ever: no name belongs here"</label>
                    <input id="erase-why" type="text" maxlength="2000" autocomplete="off" prop:value=reason
                        on:input=move |event| reason.set(event_target_value(&event)) />
                </div>
            </div>
            <p><button class="quiet" disabled=move || acts.busy() on:click=look>"Look at what it would erase"</button></p>
            {move || looked.get().map(|(_, preview)| view! { <Preview preview /> })}
            {move || looked.with(Option::is_some).then(|| view! {
                <p><button class="yes" disabled=move || acts.busy() on:click=propose>"Propose it"</button></p>
            })}
            {move || acts.failed.get().map(|error| view! { <Failure error /> })}
        </Card>
    }
}

/// What would go, what is lost with it, and what would stay.
#[component]
fn Preview(preview: ErasurePreview) -> impl IntoView {
    let losses = lost(&preview.erased).into_iter().map(|(count, what)| view! { <li>{format!("{count} {what}")}</li> });
    let kept = preview.kept.iter().map(|line| {
        let told = format!("{} records stay: {}", line.count, line.says);
        view! { <li>{told}</li> }
    });
    view! {
        <p>"It would erase " <b>{payloads(&preview.erased)}</b> "."</p>
        <ul class="soft">{losses.collect_view()}{kept.collect_view()}</ul>
    }
}

/// What people proposed. `named` has what was typed of whom each is about, and `acts` what is under way: the lines are
/// drawn anew with each change, also with those that a confirmation makes.
#[component]
pub(super) fn Proposals(
    lines: Vec<ErasureProposalLine>,
    may: bool,
    presence: Presence,
    named: RwSignal<BTreeMap<String, String>>,
    acts: Acts,
) -> impl IntoView {
    let (open, over): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_open);
    let row = move |line: ErasureProposalLine| view! { <Proposal line may presence named acts /> };
    view! {
        {move || acts.failed.get().map(|error| view! { <Failure error /> })}
        {(!open.is_empty()).then(|| view! {
            <Card title="Erasures that wait"><ul class="sessions">{open.into_iter().map(row).collect_view()}</ul></Card>
        })}
        {(!over.is_empty()).then(|| view! {
            <details>
                <summary>{format!("{} proposed erasures that are over", over.len())}</summary>
                <ul class="sessions">{over.into_iter().map(row).collect_view()}</ul>
            </details>
        })}
    }
}

#[component]
fn Proposal(
    line: ErasureProposalLine,
    may: bool,
    presence: Presence,
    named: RwSignal<BTreeMap<String, String>>,
    acts: Acts,
) -> impl IntoView {
    let desk = Desk::take();
    let (told, says) = (StoredValue::new(line.clone()), says(&line));
    let field = format!("named-{}", line.id);
    let focus_on = StoredValue::new(field.clone());
    let typed =
        move || named.with(|named| named.get(&told.with_value(|line| line.id.clone())).cloned().unwrap_or_default());
    let confirm = move |_| {
        let Signed::In(session) = desk.signed.get_untracked() else { return };
        let line = told.get_value();
        let of = named.with_untracked(|named| named.get(&line.id).cloned().unwrap_or_default());
        let what = match confirmed(&line, &of) {
            Ok(what) => what,
            Err(otherwise) => {
                desk.said.set(otherwise.to_owned());
                focus(&focus_on.get_value());
                return;
            }
        };
        let work = async move {
            let decided = Decided {
                act: SignedAct::Erase,
                person: session.person,
                about: line.id.clone(),
                shown: line.digest,
                reason: String::new(),
            };
            let send = async |signature| {
                let body = ConfirmErasure { what: what.clone(), shown: line.digest, signature };
                api::confirm_erasure(&line.id, &body).await
            };
            shown(presence, decided, send).await
        };
        acts.run(work, |reply| format!("Erased: {}.", payloads(&reply.erased)));
    };
    let withdraw = move |_| {
        let id = told.with_value(|line| line.id.clone());
        acts.run(async move { api::withdraw_erasure(&id).await }, |()| "Taken back: nothing is erased.".to_owned());
    };
    let type_name = move |event| {
        let (id, value) = (told.with_value(|line| line.id.clone()), event_target_value(&event));
        named.update(|named| drop(named.insert(id, value)));
    };
    let (may_confirm, somebody) = (line.you_may_confirm, is_about_somebody(&line));
    let withdrawable = may && line.state == "waits";
    let asks = format!("Whom it is about, as {} told you", line.by.id);
    let (of, of_back) = (format!(": {says}"), format!(": {says}"));
    let state = standing(&line);
    view! {
        <li>
            <div>
                <b><Text text=says /></b>
                <p class="soft">
                    <Text text=line.by.id.clone() /> ": " <Text text=line.reason.clone() /> " (" {zoned(line.at)} "); " {state}
                </p>
                {(may_confirm && somebody).then(|| view! {
                    <label for=field.clone()>{asks}</label>
                    <input id=field type="text" maxlength="512" autocomplete="off" prop:value=typed on:input=type_name />
                })}
            </div>
            <span>
                {may_confirm.then(|| view! {
                    <button class="yes" disabled=move || acts.busy() on:click=confirm>
                        "Confirm and erase"<span class="unseen">{of}</span>
                    </button>
                    " "
                })}
                {withdrawable.then(|| view! {
                    <button class="no" disabled=move || acts.busy() on:click=withdraw>"Take back"<span class="unseen">{of_back}</span></button>
                })}
            </span>
        </li>
    }
}
