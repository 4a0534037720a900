//! Inviting somebody, and what waits for a second yes.

use leptos::prelude::*;
use policy_core::time::Timestamp;
use proviso_api::people::{ProposalLine, ProposalReply};

use crate::api;
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::acts::Acts;
use crate::pages::focus;
use crate::view_model::people::{is_under_way, proposal_state, wanted};
use crate::view_model::time::zoned;

/// A link that stands nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Made {
    person: String,
    link: String,
    until: Timestamp,
}

impl Made {
    fn of(reply: &ProposalReply) -> Option<Self> {
        let (link, until) = (reply.link.clone()?, reply.link_expires_at?);
        Some(Self { person: reply.proposal.person.id.to_string(), link, until })
    }
}

/// The link that was just made, for the person who is invited.
#[component]
pub(super) fn MadeLink(made: RwSignal<Option<Made>>) -> impl IntoView {
    move || {
        made.get().map(|made_now| {
            let title = format!("The link of {}", made_now.person);
            view! {
                <Notice tone=Tone::Good title>
                    <p>
                        {format!("It works once, until {}, and is shown this once. Hand it over yourself, and to nobody \
                                  else.", zoned(made_now.until))}
                    </p>
                    <label for="made-link">"Link"</label>
                    <input id="made-link" type="text" readonly=true value=made_now.link />
                    <button class="quiet" on:click=move |_| made.set(None)>"I have it"</button>
                </Notice>
            }
        })
    }
}

/// The fields of an invitation.
#[component]
pub(super) fn Invite(made: RwSignal<Option<Made>>) -> impl IntoView {
    let acts = Acts::new();
    let (user, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let invite = move |_| {
        let (who, why) = (user.get_untracked().trim().to_owned(), reason.get_untracked().trim().to_owned());
        if who.is_empty() {
            focus("invited");
            return;
        }
        if !acts.has_reason(&why) {
            focus("invited-why");
            return;
        }
        acts.run(api::invite(who, why), move |reply| {
            made.set(Made::of(&reply));
            user.set(String::new());
            reason.set(String::new());
            match reply.link {
                Some(_) => "Invited: the link is on the page.".to_owned(),
                None => "Proposed: another administrator has to agree.".to_owned(),
            }
        });
    };
    view! {
        <Card title="Invite somebody">
            <p class="soft">"A person of the bundle who was never here. Whoever could vote, or look after people, takes a second administrator."</p>
            <div class="pair">
                <div>
                    <label for="invited">"Who: a person's id"</label>
                    <input id="invited" type="text" maxlength="256" autocomplete="off" prop:value=user on:input=move |event| user.set(event_target_value(&event)) />
                </div>
                <div>
                    <label for="invited-why">"Why they are invited"</label>
                    <input id="invited-why" type="text" maxlength="2000" autocomplete="off" prop:value=reason on:input=move |event| reason.set(event_target_value(&event)) />
                </div>
            </div>
            <p><button class="yes" disabled=move || acts.busy() on:click=invite>"Invite"</button></p>
            {move || acts.failed.get().map(|error| view! { <Failure error /> })}
        </Card>
    }
}

/// What administrators have begun.
#[component]
pub(super) fn Proposals(lines: Vec<ProposalLine>, made: RwSignal<Option<Made>>) -> impl IntoView {
    let acts = Acts::new();
    let (open, over): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_under_way);
    let row = move |line: ProposalLine| view! { <Proposal line made acts /> };
    view! {
        {move || acts.failed.get().map(|error| view! { <Failure error /> })}
        {(!open.is_empty()).then(|| view! {
            <Card title="Under way"><ul class="sessions">{open.into_iter().map(row).collect_view()}</ul></Card>
        })}
        {(!over.is_empty()).then(|| view! {
            <details>
                <summary>{format!("{} that are over", over.len())}</summary>
                <ul class="sessions">{over.into_iter().map(row).collect_view()}</ul>
            </details>
        })}
    }
}

#[component]
fn Proposal(line: ProposalLine, made: RwSignal<Option<Made>>, acts: Acts) -> impl IntoView {
    let (id, says) = (StoredValue::new(line.id.clone()), wanted(&line));
    let agree = move |_| {
        let id = id.get_value();
        acts.run(async move { api::agree(&id).await }, move |reply| {
            made.set(Made::of(&reply));
            "Agreed.".to_owned()
        });
    };
    let withdraw = move |_| {
        let id = id.get_value();
        acts.run(async move { api::withdraw(&id).await }, |()| "Taken back.".to_owned());
    };
    let (under_way, may_agree, state) = (is_under_way(&line), line.you_may_agree, proposal_state(&line));
    let of = format!(" that {says}");
    let of_back = of.clone();
    view! {
        <li>
            <div>
                <b><Text text=says /></b>
                <p class="soft">
                    <Text text=line.by.id /> ": " <Text text=line.reason /> " (" {zoned(line.at)} "); " {state}
                </p>
            </div>
            <span>
                {may_agree.then(|| view! {
                    <button class="yes" disabled=move || acts.busy() on:click=agree>"Agree"<span class="unseen">{of}</span></button>
                    " "
                })}
                {under_way.then(|| view! {
                    <button class="no" disabled=move || acts.busy() on:click=withdraw>"Take back"<span class="unseen">{of_back}</span></button>
                })}
            </span>
        </li>
    }
}
