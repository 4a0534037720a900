//! An exception as somebody sees it who may not see what it is called with: there is no sheet, and nothing to vote on.

use leptos::prelude::*;
use policy_core::console::Act;

use super::super::set_title;
use super::bar::RevokeBar;
use super::history::History;
use super::state::State;
use crate::components::{Card, Notice, Text, Tone};
use crate::view_model::facts::{people, raised};
use crate::view_model::rights::hidden;
use crate::view_model::time::zoned;

/// The page without a sheet. It follows the gate.
#[component]
pub fn Blind() -> impl IntoView {
    let state = State::take();
    let Some(first) = state.newest.get_untracked() else { return ().into_any() };
    let (hidden_acts, request) = (first.hidden.clone(), first.exception.request.clone());
    let decide_by = first.exception.decide_by();
    let subject = request.question.call.subject.clone();
    set_title(&format!("{} {}", subject.id, first.says));
    let terms = &first.exception.terms;
    let demands = format!("{} · {}", terms.tier, people(terms.approvals));
    let higher = raised(terms).map(|why| view! { <span class="chip warn">{why}</span> });
    let word = move || state.newest.with(|newest| newest.as_ref().map_or(String::new(), |newest| newest.state.clone()));
    let not_shown = hidden(&first.hidden).map(|(title, what)| {
        view! { <Notice tone=Tone::Plain title=title><p>{what}</p></Notice> }
    });
    let owners = first.owner.as_ref().map_or_else(
        || "nobody".to_owned(),
        |owner| owner.owners.iter().map(|owner| owner.id.clone()).collect::<Vec<_>>().join(", "),
    );
    let ends = first.exception.phase.grant().map(|held| held.grant.scope.not_after);
    let grant = first.exception.phase.grant().map(|held| held.grant.id.to_string());
    let live = matches!(first.state.as_str(), "granted" | "not_active");
    view! {
        <p class="crumb"><a href="/">"Queue"</a> " / " <code>{request.id.clone()}</code></p>
        <h1><span class="mono"><Text text=subject.id.clone() /></span> " " <Text text=first.says.clone() /></h1>
        <p class="chips">
            <span class=move || format!("chip state-{}", word())>{word}</span>
            <span class="chip strong">{demands}</span>
            {higher}
            <span class="chip">"task " <span class="mono"><Text text=request.question.task.clone() /></span></span>
        </p>
        {not_shown}
        <Card title="Who asks">
            <table><tbody>
                <tr><th scope="row">"agent"</th><td class="mono"><Text text=subject.to_string() /></td></tr>
                <tr><th scope="row">"for"</th><td><Text text=request.requester.id.clone() /></td></tr>
                <tr><th scope="row">"owned by"</th><td><Text text=owners /></td></tr>
                <tr><th scope="row">"asked at"</th><td>{zoned(request.requested_at)}</td></tr>
                {match ends {
                    Some(ends) => view! { <tr><th scope="row">"ends"</th><td>{zoned(ends)}</td></tr> },
                    None => view! { <tr><th scope="row">"decide by"</th><td>{zoned(decide_by)}</td></tr> },
                }}
            </tbody></table>
        </Card>
        {(!hidden_acts.contains(&Act::ViewRecord)).then(|| view! { <History /> })}
        {grant.filter(|_| live).map(|grant| view! { <RevokeBar grant /> })}
    }
    .into_any()
}
