//! What lets an agent do something: grants and requests, the module's word on its calls of late, the policies.

use leptos::prelude::*;
use proviso_api::agents::{AgentReply, CallToday, PolicyMention};
use proviso_api::exceptions::ExceptionLine;

use super::page::Part;
use crate::app::Desk;
use crate::components::{Countdown, Text};
use crate::pages::decision::Coloured;
use crate::view_model::agents::{about, differs, folder, today};
use crate::view_model::facts::{reason, uses};
use crate::view_model::time::ago;

/// Its live grants and open requests.
#[component]
pub(super) fn Exceptions(reply: RwSignal<Option<AgentReply>>) -> impl IntoView {
    let lines = Memo::new(move |_| {
        reply.with(|reply| reply.as_ref().map(|reply| reply.exceptions.clone()).unwrap_or_default())
    });
    let row = |line: ExceptionLine| {
        let clock = match line.not_after {
            Some(end) => view! { "ends " <Countdown then=end /> }.into_any(),
            None => view! { "decide by " <Countdown then=line.decide_by /> }.into_any(),
        };
        let used = (line.max_uses > 0 && line.grant.is_some())
            .then(|| format!(", used {} of {}", line.uses, uses(line.max_uses)));
        view! {
            <tr>
                <td class="word"><span class=format!("chip state-{}", line.state)>{line.state.clone()}</span></td>
                <td>
                    <a href=format!("/exceptions/{}", line.id)><Text text=line.says /></a>
                    <p class="soft">"task " <Text text=line.task /> ", " {clock} {used}</p>
                </td>
            </tr>
        }
    };
    view! {
        <Part title="By exception, today" told="What people granted, and what waits for them. Each opens the record of who said yes and why.">
            {move || {
                let lines = lines.get();
                if lines.is_empty() {
                    return view! { <p>"Nothing is granted and nothing is asked for."</p> }.into_any();
                }
                view! { <table><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table> }.into_any()
            }}
        </Part>
    }
}

/// The calls that it asked for of late, asked again of the module now.
#[component]
pub(super) fn Calls(reply: RwSignal<Option<AgentReply>>) -> impl IntoView {
    let desk = Desk::take();
    let calls =
        Memo::new(move |_| reply.with(|reply| reply.as_ref().map(|reply| (reply.calls.clone(), reply.more_calls))));
    let row = move |call: CallToday| {
        let (asked, changed) = (call.asked_at, differs(&call));
        let class = if call.outcome.permits() { "allow" } else { "deny" };
        let by = call.policies.join(", ");
        view! {
            <tr>
                <td>
                    <Text text=call.says />
                    <p class="soft">
                        "task " <Text text=call.task /> ", asked " {move || ago(desk.now.get(), asked)} ", "
                        {format!("record {}", call.seq)} " · " <a href=format!("/what-if?record={}", call.seq)>"what if"</a>
                    </p>
                </td>
                <td class="verdict">
                    <strong class=class>{today(call.outcome)}</strong>
                    {changed.then(|| view! { <span class="chip warn">{if call.permitted_then { "allowed then" } else { "denied then" }}</span> })}
                    <p class="soft">
                        {reason(call.reason)} {(!by.is_empty()).then(|| view! { " By " <code><Text text=by /></code> })}
                        {call.exception.map(|id| view! { " " <a href=format!("/exceptions/{id}")>"the grant"</a> })}
                    </p>
                </td>
            </tr>
        }
    };
    view! {
        <Part title="Its calls of late, asked again now" told="Each different call of the last days, put to the gate's module with the policies, grants and locks of this moment. It consumes nothing.">
            {move || calls.get().map(|(calls, more)| {
                if calls.is_empty() {
                    return view! { <p>"No call of it is known of late."</p> }.into_any();
                }
                view! {
                    <table class="today"><tbody>{calls.into_iter().map(row).collect_view()}</tbody></table>
                    {(more > 0).then(|| view! { <p class="soft">{format!("and {more} more, older")}</p> })}
                }
                .into_any()
            })}
        </Part>
    }
}

/// The policies that could decide about it.
#[component]
pub(super) fn Policies(reply: RwSignal<Option<AgentReply>>) -> impl IntoView {
    let policies =
        Memo::new(move |_| reply.with(|reply| reply.as_ref().map(|reply| reply.policies.clone()).unwrap_or_default()));
    let row = |mention: PolicyMention| {
        let on = about(&mention);
        let place = format!("{}:{}", mention.file, mention.line);
        view! {
            <details class="mention">
                <summary>
                    <code><Text text=mention.policy /></code> " " <Text text=on />
                    {mention.looks_at_the_call.then(|| view! { <span class="chip">"depends on the call"</span> })}
                </summary>
                <p class="soft mono">{place}</p>
                <pre tabindex="0"><Coloured text=mention.text /></pre>
            </details>
        }
    };
    move || {
        ["guardrails", "scope", "approval/request"]
            .map(|of| {
                let mine: Vec<PolicyMention> =
                    policies.get().into_iter().filter(|mention| mention.folder == of).collect();
                let told = if mine.is_empty() {
                    "No policy of this folder could decide about it."
                } else {
                    "By the heads of the policies, and by what of their conditions needs no call."
                };
                view! {
                    <Part title=folder(of) told>{mine.into_iter().map(row).collect_view()}</Part>
                }
            })
            .collect_view()
    }
}
