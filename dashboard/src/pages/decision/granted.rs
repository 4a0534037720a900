//! What was granted, or how it ended: the right side of a page on which nobody votes any more.

use leptos::prelude::*;
use policy_core::lifecycle::Phase;
use policy_core::time::Timestamp;
use proviso_api::exceptions::UseLine;

use super::state::State;
use super::vote::give_back;
use crate::app::Desk;
use crate::components::{Card, Notice, Text, Tone};
use crate::view_model::afterwards::open_ended;
use crate::view_model::facts::uses;
use crate::view_model::scope::compare;
use crate::view_model::time::zoned;

/// How it ended, and what was granted beside what was asked.
#[component]
pub fn Granted() -> impl IntoView {
    let state = State::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    let exception = &loaded.detail.exception;
    let grant = exception.phase.grant().cloned();
    let asked = exception.request.scope.clone();
    // Uses go on while one looks.
    let used = Memo::new(move |_| {
        state
            .newest
            .with(|newest| newest.as_ref().and_then(|newest| newest.exception.phase.grant().map(|grant| grant.uses)))
    });
    view! {
        <Ending phase=exception.phase.clone() word=loaded.detail.state.clone() />
        {grant.map(|grant| {
            let most = grant.grant.scope.max_uses;
            // Both with their ends: a length that was asked for began when it was granted.
            let rows = compare(&asked.granted_at(grant.granted_at, None), &grant.grant.scope)
                .into_iter()
                .map(|line| {
                    let struck = line.is_narrowed().then(|| view! { <s><Text text=line.asked.clone() /></s> " " });
                    view! { <tr><th scope="row">{line.name}</th><td>{struck}<Text text=line.given /></td></tr> }
                })
                .collect_view();
            view! {
                <Card title="What was granted">
                    <table>
                        <tbody>
                            {rows}
                            <tr><th scope="row">"used"</th><td>{move || format!("{} of {}", used.get().unwrap_or(0), uses(most))}</td></tr>
                            <tr><th scope="row">"granted at"</th><td>{zoned(grant.granted_at)}</td></tr>
                            <tr><th scope="row">"grant"</th><td><code class="whole">{grant.grant.id.to_string()}</code></td></tr>
                        </tbody>
                    </table>
                </Card>
            }
        })}
        <OpenEnded />
    }
    .into_any()
}

/// Uses of which nobody knows how they ended. An approver can give one back that was never reported.
#[component]
fn OpenEnded() -> impl IntoView {
    let state = State::take();
    let desk = Desk::take();
    let Some(loaded) = state.sheet() else { return ().into_any() };
    let refused = loaded.detail.allowed.give_back.why_not();
    // While the grant lives the bar has the field already.
    let field = refused.is_none() && !matches!(loaded.detail.state.as_str(), "granted" | "not_active");
    let lines = Memo::new(move |_| {
        state.newest.with(|newest| newest.as_ref().map(|newest| open_ended(&newest.uses)).unwrap_or_default())
    });
    let row = move |(line, known): (UseLine, &'static str)| {
        let evaluation = StoredValue::new(line.evaluation.clone());
        let back = (refused.is_none() && line.reported.is_none()).then(|| {
            let give = move |_| give_back(state, desk, evaluation.get_value());
            view! { <button class="quiet" on:click=give>"Give back"</button> }
        });
        view! {
            <tr>
                <th scope="row"><time datetime=line.at.to_string()>{zoned(line.at)}</time></th>
                <td>{known} ": call " <code><Text text=line.call /></code></td>
                <td class="verdict">{back}</td>
            </tr>
        }
    };
    (move || {
        let lines = lines.get();
        let field = field && lines.iter().any(|(line, _)| line.reported.is_none());
        (!lines.is_empty()).then(|| {
            view! {
                <Card title="Uses of which nobody knows the end">
                    <table><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table>
                    {field.then(|| view! { <super::bar::Answer /> <super::bar::Reason /> })}
                </Card>
            }
        })
    })
    .into_any()
}

/// How it ended, in one notice.
#[component]
fn Ending(phase: Phase, word: String) -> impl IntoView {
    let told = |what: &str, at: Timestamp| format!("{what} at {}", zoned(at));
    let (tone, title, reason) = match phase {
        Phase::Granted(_) | Phase::Requested | Phase::Suspended { .. } if word == "unconfirmed" => (
            Tone::Warn,
            "Made before the gate was restored: it permits nothing until people confirm it, below.".to_owned(),
            None,
        ),
        Phase::Denied { by, reason, at } => (Tone::Bad, told(&format!("Refused by {}", by.id), at), Some(reason)),
        Phase::Cancelled { by, reason, at } => {
            (Tone::Plain, told(&format!("Taken back by {}", by.id), at), Some(reason))
        }
        Phase::Revoked { by, reason, at, .. } => (Tone::Bad, told(&format!("Revoked by {}", by.id), at), Some(reason)),
        Phase::Suspended { reason, at, .. } if reason == "build_changed" => {
            let what = "Suspended: the agent is of another build than the one that was approved";
            (Tone::Warn, told(what, at), None)
        }
        Phase::Suspended { reason, at, .. } => {
            (Tone::Warn, told("Suspended: a newer bundle would not grant it", at), Some(reason))
        }
        Phase::Exhausted { at, .. } => (Tone::Plain, told("Used up", at), None),
        Phase::Lapsed { at, .. } => (Tone::Plain, told("Lapsed: time ended it; noticed", at), None),
        Phase::Granted(_) if word == "granted" => {
            (Tone::Good, "Granted: the agent's call passes until this ends.".to_owned(), None)
        }
        Phase::Granted(_) if word == "not_active" => {
            (Tone::Plain, "Granted, and not active yet: it is judged again when it begins.".to_owned(), None)
        }
        Phase::Granted(_) => (Tone::Plain, "The window is over.".to_owned(), None),
        Phase::Requested => (Tone::Plain, "Nobody decided in time.".to_owned(), None),
    };
    view! {
        <Notice tone title>
            {reason.filter(|reason| !reason.is_empty()).map(|reason| view! { <p class="quote"><Text text=reason /></p> })}
        </Notice>
    }
}
