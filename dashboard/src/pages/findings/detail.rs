//! One finding: what is said to have run beside what the gate decided, what happened to it, and what can be done.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use proviso_api::findings::{DecisionLine, EvidenceLine, FindingDetail, FindingStep};

use super::acts::{Acts, Written};
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Digest, Failure, Text};
use crate::pages::set_title;
use crate::pages::stay::Stay;
use crate::view_model::findings::{class, kind, phase, state, tone};
use crate::view_model::problem::ApiError;
use crate::view_model::time::zoned;

/// One finding.
#[component]
pub fn Finding() -> impl IntoView {
    set_title("Finding");
    let desk = Desk::take();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let (stay, detail) = (Stay::here(), RwSignal::new(None::<FindingDetail>));
    let failed = RwSignal::new(None::<ApiError>);
    Effect::new(move |_| {
        desk.position.track();
        let id = id.get();
        stay.spawn(async move {
            match api::finding(&id).await {
                Ok(fresh) => {
                    failed.set(None);
                    // Answers can overtake one another: an older one never replaces a newer.
                    let newest = detail.with_untracked(|held| {
                        held.as_ref()
                            .is_none_or(|held| held.finding.id != fresh.finding.id || held.position <= fresh.position)
                    });
                    if newest {
                        detail.set(Some(fresh));
                    }
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    let finding = Memo::new(move |_| detail.with(|detail| detail.as_ref().map(|detail| detail.finding.clone())));
    let heading = move || {
        finding.get().map(|finding| {
            let owner = finding.owner.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
            let exception = finding.exception.clone().map(|exception| {
                view! { <tr><th scope="row">"exception"</th><td><a href=format!("/exceptions/{exception}")>{exception.clone()}</a></td></tr> }
            });
            let task = finding.task.clone().map(|task| {
                view! { <tr><th scope="row">"task"</th><td class="mono"><Text text=task /></td></tr> }
            });
            view! {
                <h1><Text text=finding.says.clone() /></h1>
                <p class="chips">
                    <span class=tone(&finding)>{state(&finding)}</span>
                    <span class="chip">{kind(finding.kind)}</span>
                    <span class="chip">{class(finding.strength)}</span>
                    {finding.ambiguous.then(|| view! {
                        <span class="chip warn" title="which of several alike it was cannot be told">"ambiguous"</span>
                    })}
                </p>
                <Card title="About">
                    <table><tbody>
                        <tr><th scope="row">"who"</th><td class="mono"><Text text=finding.subject.to_string() /></td></tr>
                        {task}
                        {exception}
                        <tr><th scope="row">"owner"</th><td><Text text=owner /></td></tr>
                        <tr><th scope="row">"happened"</th><td>{zoned(finding.at)}</td></tr>
                        <tr><th scope="row">"found"</th><td>{zoned(finding.opened_at)}</td></tr>
                    </tbody></table>
                </Card>
            }
        })
    };
    let beside = move || {
        detail.with(|detail| {
            detail.as_ref().map(|detail| {
                let evidence = detail.evidence.iter().cloned().map(|line| view! { <Evidence line /> }).collect_view();
                let decisions = detail.decisions.iter().cloned().map(|line| view! { <Decision line /> }).collect_view();
                let history = detail.history.iter().cloned().map(|step| view! { <Step step /> }).collect_view();
                let (no_evidence, no_decision) = (detail.evidence.is_empty(), detail.decisions.is_empty());
                view! {
                    <div class="columns">
                        <Card title="What ran">
                            {no_evidence.then(|| view! { <p class="soft">"There is no evidence that anything ran."</p> })}
                            {evidence}
                        </Card>
                        <Card title="What was decided">
                            {no_decision.then(|| view! { <p class="soft">"The gate decided nothing that is like it."</p> })}
                            {decisions}
                        </Card>
                    </div>
                    <Card title="History">
                        <ol class="history">{history}</ol>
                    </Card>
                }
            })
        })
    };
    // What was typed outlives what others do to the finding meanwhile.
    let written = Written::new();
    let acts = move || finding.get().map(|finding| view! { <Acts finding written /> });
    view! {
        <p class="crumb"><a href="/findings">"Findings"</a></p>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        {move || (finding.get().is_none() && failed.get().is_none()).then(|| view! { <p class="soft">"Asking the gate …"</p> })}
        {heading}
        {acts}
        {beside}
    }
}

/// A row, where there is something to say.
fn row(name: &'static str, value: Option<String>) -> impl IntoView {
    value.map(|value| view! { <tr><th scope="row">{name}</th><td class="mono"><Text text=value /></td></tr> })
}

#[component]
fn Evidence(line: EvidenceLine) -> impl IntoView {
    let told = |at: Option<policy_core::time::Timestamp>| at.map(zoned);
    let digest = line.input_digest.map(|digest| {
        view! { <tr><th scope="row">"arguments"</th><td><Digest digest=digest.to_string() /></td></tr> }
    });
    view! {
        <h3>{phase(line.phase)} ", " {class(line.class)}</h3>
        <table><tbody>
            {row("source", Some(line.source))}
            {row("action", line.action)}
            {row("server", line.server)}
            {row("host", line.host)}
            {row("task", line.task)}
            {row("began", told(line.started_at))}
            {row("ended", told(line.ended_at))}
            {row("recorded", told(Some(line.recorded_at)))}
            {row("call", line.call)}
            {digest}
        </tbody></table>
    }
}

#[component]
fn Decision(line: DecisionLine) -> impl IntoView {
    let exception = line.exception.map(|id| {
        view! { <tr><th scope="row">"exception"</th><td><a href=format!("/exceptions/{id}")>{id.clone()}</a></td></tr> }
    });
    let digest = line.input_digest.map(|digest| {
        view! { <tr><th scope="row">"arguments"</th><td><Digest digest=digest.to_string() /></td></tr> }
    });
    let verdict = if line.permitted { "permitted" } else { "denied" };
    view! {
        <h3>{verdict} ", " {line.reason}</h3>
        <table><tbody>
            {row("action", Some(line.action))}
            {row("server", line.server)}
            {row("task", Some(line.task))}
            {row("at", Some(zoned(line.at)))}
            {row("call", line.call)}
            {row("evaluation", Some(line.evaluation_id))}
            {exception}
            {digest}
        </tbody></table>
    }
}

#[component]
fn Step(step: FindingStep) -> impl IntoView {
    let said = step.said.map(|said| view! { <blockquote class="quote"><Text text=said /></blockquote> });
    view! {
        <li>
            <time>{zoned(step.at)}</time>
            <div><p><Text text=step.sentence /></p>{said}</div>
        </li>
    }
}
