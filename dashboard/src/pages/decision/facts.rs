//! What will run, who asks, and why it is blocked: from the decision sheet alone.

use leptos::prelude::*;

use super::state::State;
use crate::components::{Card, Digest, Text};
use crate::view_model::facts::{entity, known_of, owned, reason, remedy, shown_by, terms, vouched};
use crate::view_model::time::zoned;

/// An argument longer than this gets a box of its own that scrolls.
const LONG: usize = 160;

/// The call, in the bundle author's words with the arguments as quoted values.
#[component]
pub fn WhatWillRun() -> impl IntoView {
    let Some(loaded) = State::take().sheet() else { return ().into_any() };
    let sheet = loaded.sheet.sheet.clone();
    let question = sheet.exception.request.question.clone();
    let call = question.call.clone();
    let resources = call
        .resources
        .iter()
        .map(|resource| {
            let known = known_of(&question, resource);
            view! {
                <div>
                    <span class="mono"><Text text=entity(resource) /></span>
                    {known.into_iter().map(|(name, value)| view! { " " <span class="chip"><Text text=format!("{name}: {value}") /></span> }).collect_view()}
                </div>
            }
        })
        .collect_view();
    let arguments = sheet
        .arguments
        .iter()
        .map(|argument| {
            let text = argument.text.clone();
            let value = if text.chars().count() > LONG {
                view! { <pre class="long" tabindex="0"><Text text /></pre> }.into_any()
            } else {
                view! { <span class="mono"><Text text /></span> }.into_any()
            };
            view! { <tr><th scope="row" class="mono"><Text text=argument.at.join(".") /></th><td>{value}</td></tr> }
        })
        .collect_view();
    view! {
        <Card title="What will run">
            <p class="call"><span class="mono"><Text text=call.action.clone() /></span></p>
            <p><Text text=sheet.says.clone() /></p>
            <table>
                <tbody>
                    {call.server.clone().map(|server| view! { <tr><th scope="row">"server"</th><td class="mono"><Text text=server /></td></tr> })}
                    <tr><th scope="row">"resource"</th><td>{resources}</td></tr>
                    {arguments}
                    <tr><th scope="row">"their digest"</th><td><Digest digest=call.input_digest.to_string() /></td></tr>
                </tbody>
            </table>
        </Card>
    }
    .into_any()
}

/// The chain with who vouches for each hop, and the people who cannot vote because of it.
#[component]
pub fn WhoAsks() -> impl IntoView {
    let Some(loaded) = State::take().sheet() else { return ().into_any() };
    let request = loaded.sheet.sheet.exception.request.clone();
    let newest = State::take().newest;
    let question = request.question.clone();
    let hops = question
        .chain
        .iter()
        .map(|hop| {
            view! {
                <li>
                    "for " <span class="mono"><Text text=entity(&hop.entity) /></span>
                    <span class="vouched"><Text text=vouched(&hop.issuer) /></span>
                </li>
            }
        })
        .collect_view();
    let known = known_of(&question, &question.call.subject)
        .into_iter()
        .map(|(name, value)| view! { <span class="chip"><Text text=format!("{name}: {value}") /></span> " " })
        .collect_view();
    let owners = request.owners.iter().map(|owner| owner.id.clone()).collect::<Vec<_>>().join(", ");
    let through = question.enforcement_point.clone();
    view! {
        <Card title="Who asks">
            <ul class="hops">
                <li>
                    <span class="mono"><Text text=entity(&question.call.subject) /></span>
                    <span class="vouched"><Text text=shown_by(&question) /></span>
                </li>
                {hops}
            </ul>
            <p class="chips">{known}</p>
            <table>
                <tbody>
                    <tr><th scope="row">"task"</th><td class="mono"><Text text=question.task.clone() /></td></tr>
                    <tr><th scope="row">"asked by"</th><td><Text text=request.requester.id.clone() /></td></tr>
                    {(!owners.is_empty()).then(|| view! { <tr><th scope="row">"owner"</th><td><Text text=owners /></td></tr> })}
                    {move || newest.with(|newest| newest.as_ref().and_then(|detail| detail.owner.as_ref()).map(owned)).map(|owned| view! { <tr><th scope="row">"owned now by"</th><td><Text text=owned /></td></tr> })}
                    {through.map(|through| view! { <tr><th scope="row">"enforced by"</th><td class="mono"><Text text=through /></td></tr> })}
                    <tr><th scope="row">"asked at"</th><td>{zoned(request.requested_at)}</td></tr>
                </tbody>
            </table>
            <p class="soft">"Who asks, who stands in the chain and who owns the agent cannot vote."</p>
        </Card>
    }
    .into_any()
}

/// Why the call was refused, and what policy demands for a yes.
#[component]
pub fn WhyBlocked() -> impl IntoView {
    let Some(loaded) = State::take().sheet() else { return ().into_any() };
    let sheet = loaded.sheet.sheet.clone();
    let refused = sheet.refused.clone();
    let named = |policies: &[String]| {
        policies.iter().map(|policy| view! { <code><Text text=policy.clone() /></code> " " }).collect_view()
    };
    let errors = refused
        .errors
        .iter()
        .map(|error| {
            view! { <li class="bad"><code><Text text=error.policy.clone() /></code> " could not be evaluated: " <Text text=error.message.clone() /></li> }
        })
        .collect_view();
    let demands = terms(&sheet.exception.terms)
        .into_iter()
        .map(|(name, words)| view! { <tr><th scope="row">{name}</th><td><Text text=words /></td></tr> })
        .collect_view();
    let changed: Vec<String> = sheet
        .bundle
        .changed
        .iter()
        .filter(|(_, files)| *files > 0)
        .map(|(folder, files)| format!("{folder}: {files}"))
        .collect();
    view! {
        <Card title="Why it is blocked">
            <div class="why">
                <p>{reason(refused.reason)}</p>
                {remedy(refused.reason).map(|help| view! { <p class="soft">"The agent is told: " {help}</p> })}
                {(!refused.policies.is_empty()).then(|| view! { <p>"Decided by " {named(&refused.policies)}</p> })}
                <ul>{errors}</ul>
            </div>
            <h3>"Terms of a yes"</h3>
            <table>
                <tbody>
                    {demands}
                    <tr><th scope="row">"policies"</th><td>{named(&sheet.exception.terms.policies)}</td></tr>
                    <tr>
                        <th scope="row">"bundle"</th>
                        <td>
                            <Digest digest=sheet.bundle.digest.to_string() />
                            " activated by " <Text text=sheet.bundle.activated_by.clone() />
                            {format!(", {}: ", zoned(sheet.bundle.activated_at))}
                            <Text text=sheet.bundle.reason.clone() />
                            {(!changed.is_empty()).then(|| format!(" (files changed: {})", changed.join(", ")))}
                        </td>
                    </tr>
                </tbody>
            </table>
        </Card>
    }
    .into_any()
}
