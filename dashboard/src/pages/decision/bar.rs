//! The bar at the foot: the clocks, the reason, the buttons, and why a button does nothing.

use leptos::prelude::*;
use leptos::task::spawn_local;
use policy_core::lifecycle::{Rejection, VoteDecision};
use policy_core::presence::Presence;

use super::super::judge::Judge;
use super::hand_over::HandOver;
use super::load;
use super::state::{Module, State, Voting};
use super::vote::{REASON_NEEDED, answer_question, cast, confirm, declare_emergency, revoke};
use crate::app::Desk;
use crate::components::{Countdown, Failure, Notice, Text, Tone};
use crate::view_model::ballot::{Standing, obstacle};
use crate::view_model::epoch::confirmed;
use crate::view_model::said::questions;

/// The bar for what can be done now; nothing when nothing can.
#[component]
pub fn Bar() -> impl IntoView {
    let state = State::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    if loaded.is_open() {
        return view! { <VoteBar /> }.into_any();
    }
    if loaded.detail.state == "unconfirmed" {
        return view! { <ConfirmBar /> }.into_any();
    }
    match loaded.detail.exception.phase.grant() {
        Some(grant) if matches!(loaded.detail.state.as_str(), "granted" | "not_active") => {
            view! { <RevokeBar grant=grant.grant.id.to_string() /> }.into_any()
        }
        _ if loaded.detail.allowed.dispose.why_not() == Some(Rejection::NotClosed) => ().into_any(),
        _ => view! { <JudgeBar /> }.into_any(),
    }
}

/// Closed: what it says of policy, by one key.
#[component]
fn JudgeBar() -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    if let Some(rejection) = loaded.detail.allowed.dispose.why_not() {
        return view! { <p class="soft">{format!("You cannot judge this: {rejection}.")}</p> }.into_any();
    }
    let stands = Signal::derive(move || {
        let newest = state.newest.get()?;
        newest.exception.disposition.map(|disposed| disposed.disposition)
    });
    let done = move |_| spawn_local(load::load(state, desk));
    view! {
        <div class="bar judging" role="region" aria-label="Judge">
            <p>"What does this say of policy?"</p>
            <Judge id=state.id.get_value() stands done />
        </div>
    }
    .into_any()
}

#[component]
fn VoteBar() -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    let exception = &loaded.sheet.sheet.exception;
    let decide_by = exception.decide_by();
    let end = state.ends();
    let votes: Vec<String> = exception.approved_by().into_iter().map(|person| person.id.to_string()).collect();
    let progress = format!("{} of {}", votes.len(), exception.terms.approvals);
    let allowed = loaded.detail.allowed;
    let hands = allowed.refuse.is_yes();
    let declares = allowed.declare_emergency.is_yes();
    let signs = allowed.approve.is_yes() && exception.terms.presence == Presence::Signature;
    let several = allowed.approve.is_yes() && exception.terms.approvals > 1;
    let answering = allowed.answer.is_yes().then(|| {
        let open = questions(exception).into_iter().filter(|question| question.claims.is_empty());
        let asked = open.map(|question| {
            let place = question.vote;
            view! {
                <p class="also">
                    <Text text=question.words /> " "
                    <button class="quiet" on:click=move |_| answer_question(state, desk, place)>"Answer this"</button>
                </p>
            }
        });
        asked.collect_view()
    });
    let obstacle_to = move |decision: VoteDecision, refused: Option<Rejection>| {
        let forked = desk
            .forked
            .get()
            .then_some("The gate's record is not the one that this browser saw, so this page refuses to vote.");
        let broken = state.module.with(|module| match module {
            Module::Broken(_) => Some(
                "The policy module that was fetched does not run here or is not the gate's, so this page refuses to vote.",
            ),
            Module::Starting | Module::Ready(_) => None,
        });
        let broken = forked.or(broken);
        let now = state.clock.get();
        state.shown.with(|shown| {
            // Who refuses or asks does not have to set a grant that makes sense first.
            let scope = match (decision, shown) {
                (VoteDecision::Refuse | VoteDecision::Ask, Some(shown)) => Ok(shown.scope.clone()),
                _ => state.scope().unwrap_or_else(|| Err("There is no grant to vote on.".to_owned())),
            };
            obstacle(&Standing { refused, decide_by, now, broken, scope: &scope, shown: shown.as_ref() })
        })
    };
    let no_approval = Memo::new(move |_| obstacle_to(VoteDecision::Approve, allowed.approve.why_not()));
    let no_question = Memo::new(move |_| obstacle_to(VoteDecision::Ask, allowed.ask.why_not()));
    let no_refusal = Memo::new(move |_| obstacle_to(VoteDecision::Refuse, allowed.refuse.why_not()));
    let sending = move || state.voting.with(holds_votes);
    let reload = move |_| {
        state.voting.set(Voting::Idle);
        spawn_local(load::load(state, desk));
    };
    let answer = move || match state.voting.get() {
        Voting::Refused(error) => view! { <Failure error /> }.into_any(),
        Voting::Stale(told) => view! {
            <Notice tone=Tone::Bad title="Your vote was not counted: this is not the sheet that stands now.">
                <ul>{told.into_iter().map(|line| view! { <li><Text text=line /></li> }).collect_view()}</ul>
                <button on:click=reload>"Load the new sheet"</button>
            </Notice>
        }
        .into_any(),
        Voting::Done(told) => view! { <Notice tone=Tone::Good title=told /> }.into_any(),
        Voting::Idle | Voting::Sending => ().into_any(),
    };
    view! {
        <div class="bar" role="region" aria-label="Decide">
            <div class="answer">{answer}</div>
            {answering}
            {several.then(|| view! {
                <label class="also">
                    <input
                        type="checkbox" prop:checked=state.inside
                        on:change=move |event| state.inside.set(event_target_checked(&event))
                    />
                    " this, or anything inside it: my vote stays when somebody narrows it"
                </label>
            })}
            {signs.then(|| view! {
                <p class="also soft">"An approval is signed by a passkey of yours: the browser asks for it."</p>
            })}
            <dl class="clocks">
                <div><dt>"decide by"</dt><dd><Countdown then=decide_by /></dd></div>
                <div><dt>"if granted now, ends"</dt><dd>{move || end.get().map(|end| view! { <Countdown then=end /> })}</dd></div>
                <div><dt>"approvals"</dt><dd><b>{progress}</b> " " <Text text=votes.join(", ") /></dd></div>
            </dl>
            <Reason />
            <div class="buttons">
                <VoteButton decision=VoteDecision::Ask obstacle=no_question />
                <VoteButton decision=VoteDecision::Refuse obstacle=no_refusal />
                <VoteButton decision=VoteDecision::Approve obstacle=no_approval />
            </div>
            <p class="why-not" id="why-not" role="status">{move || {
                let missing = state.missing.get().then(|| REASON_NEEDED.to_owned());
                missing.or_else(|| no_approval.get()).or_else(|| no_refusal.get()).map(|why| view! { <Text text=why /> })
            }}</p>
            <div class="beside">
                {hands.then(|| view! { <HandOver decide_by /> })}
                {declares.then(|| view! {
                    <p class="also">
                        <button
                            class="quiet" disabled=sending
                            title="the terms of an emergency hold from then on, and somebody else reviews what comes of it"
                            on:click=move |_| declare_emergency(state, desk)
                        >"Declare an emergency"</button>
                    </p>
                })}
            </div>
        </div>
    }
    .into_any()
}

/// A sheet that was refused as stale is not voted on again: the new one has to be looked at first.
const fn holds_votes(voting: &Voting) -> bool {
    matches!(voting, Voting::Sending | Voting::Stale(_))
}

/// A button that votes. It takes the focus also while it does nothing, and then says why when it is pressed: who works by
/// the keyboard can be here before the preview is.
#[component]
fn VoteButton(decision: VoteDecision, obstacle: Memo<Option<String>>) -> impl IntoView {
    let (state, desk) = (State::take(), Desk::take());
    let (id, class, word) = match decision {
        VoteDecision::Ask => ("ask", "", "Ask"),
        VoteDecision::Refuse => ("refuse", "no", "Refuse"),
        VoteDecision::Approve => ("approve", "yes", "Approve"),
    };
    let blocked = move || state.voting.with(holds_votes) || obstacle.with(Option::is_some);
    let press = move |_| match obstacle.get_untracked() {
        Some(why) => desk.said.set(why),
        None if state.voting.with_untracked(holds_votes) => {}
        None => cast(state, desk, decision),
    };
    view! {
        <button id=id data-key=id class=class aria-describedby="why-not" aria-disabled=move || blocked().to_string() on:click=press>
            {word}
        </button>
    }
}

/// Made before a restore: whoever may vote on it says that it still stands.
#[component]
fn ConfirmBar() -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    let refused = loaded.detail.allowed.confirm.why_not();
    let blocked = move || refused.is_some() || state.voting.with(|voting| *voting == Voting::Sending);
    // Others confirm while one looks.
    let progress = move || {
        state.newest.with(|newest| newest.as_ref().map(|newest| confirmed(&newest.exception))).unwrap_or_default()
    };
    view! {
        <div class="bar" role="region" aria-label="Confirm">
            <Answer />
            <dl class="clocks"><div><dt>"confirmed"</dt><dd>{progress}</dd></div></dl>
            <Reason />
            <div class="buttons">
                <button id="confirm" class="yes" aria-describedby="why-not" disabled=blocked on:click=move |_| confirm(state, desk)>
                    "Confirm that it still stands"
                </button>
            </div>
            <p class="why-not" id="why-not" role="status">{move || match refused {
                Some(refused) => Some(format!("You cannot confirm this: {refused}.")),
                None => state.missing.get().then(|| REASON_NEEDED.to_owned()),
            }}</p>
        </div>
    }
    .into_any()
}

/// The bar of a live grant. It needs no sheet: who may not see arguments may be one who stops things.
#[component]
pub fn RevokeBar(grant: String) -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    let Some(detail) = state.newest.get_untracked() else { return ().into_any() };
    let refused = detail.allowed.revoke.why_not();
    let blocked = move || refused.is_some() || state.voting.with(|voting| *voting == Voting::Sending);
    let end = detail.exception.phase.grant().map(|grant| grant.grant.scope.not_after);
    view! {
        <div class="bar" role="region" aria-label="Act on the grant">
            <Answer />
            <dl class="clocks">
                <div><dt>"ends"</dt><dd>{end.map(|end| view! { <Countdown then=end /> })}</dd></div>
            </dl>
            <Reason />
            <div class="buttons">
                <button id="revoke" class="no" aria-describedby="why-not" disabled=blocked on:click=move |_| revoke(state, desk, grant.clone())>"Revoke"</button>
            </div>
            <p class="why-not" id="why-not" role="status">{move || match refused {
                Some(refused) => Some(format!("You cannot revoke this: {refused}.")),
                None => state.missing.get().then(|| REASON_NEEDED.to_owned()),
            }}</p>
        </div>
    }
    .into_any()
}

/// What the gate said to the last act.
#[component]
pub fn Answer() -> impl IntoView {
    let state = State::take();
    let answer = move || match state.voting.get() {
        Voting::Refused(error) => view! { <Failure error /> }.into_any(),
        Voting::Done(told) => view! { <Notice tone=Tone::Good title=told /> }.into_any(),
        _ => ().into_any(),
    };
    view! { <div class="answer">{answer}</div> }
}

/// The field for the person's words.
#[component]
pub fn Reason() -> impl IntoView {
    let state = State::take();
    view! {
        <div class="reason">
            <label for="reason">"Reason"</label>
            <input
                id="reason" type="text" maxlength="2000" autocomplete="off"
                aria-describedby="why-not" aria-invalid=move || state.missing.get().to_string()
                prop:value=move || state.reason.get()
                on:input=move |event| { state.missing.set(false); state.reason.set(event_target_value(&event)); }
            />
        </div>
    }
}
