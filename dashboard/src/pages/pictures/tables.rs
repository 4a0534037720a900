//! What is told in few numbers: what recurs, whose times, how much was narrowed, how closed ones were judged.

use leptos::prelude::*;
use proviso_api::past::{PicturesReply, Times};

use crate::components::{Card, Text};
use crate::view_model::afterwards::word;
use crate::view_model::pictures::{percent, seconds};
use crate::view_model::queue::{Tab, View};

type Reply = RwSignal<Option<PicturesReply>>;

/// What is asked for again and again.
#[component]
pub(super) fn Recurs(reply: Reply) -> impl IntoView {
    let rows = move || {
        let recurring = reply.with(|reply| reply.as_ref().map(|reply| reply.recurring.clone()).unwrap_or_default());
        if recurring.is_empty() {
            return view! { <p>"Nothing was asked for twice."</p> }.into_any();
        }
        let most = recurring.first().map_or(1, |line| line.asked.max(1));
        let rows = recurring
            .into_iter()
            .map(|line| {
                let view = View {
                    tab: Tab::All,
                    search: format!("{} {}", line.action, line.resource.rsplit("::").next().unwrap_or_default().trim_matches('"')),
                    agent: line.agent.clone(),
                    ..View::default()
                };
                let part = line.asked.saturating_mul(100) / most;
                view! {
                    <li>
                        <a href=view.address()><span class="mono"><Text text=line.action /></span> " on " <span class="mono"><Text text=line.resource /></span></a>
                        <meter min="0" max="100" value=part.to_string() aria-label="how often, against what recurs most">{part}</meter>
                        <span class="soft">
                            {format!("{} times, {} granted, {} refused", line.asked, line.granted, line.refused)}
                            {line.agent.map(|agent| view! { ", by " <Text text=agent /> " alone" })}
                        </span>
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="plain recurs">{rows}</ul> }.into_any()
    };
    view! { <Card title="What recurs">{rows}</Card> }
}

/// One's own times, and those of teams.
#[component]
pub(super) fn People(reply: Reply) -> impl IntoView {
    let told = |times: Times| {
        format!("{} decisions, half within {}, most within {}", times.decided, seconds(times.half), seconds(times.most))
    };
    let rows = move || {
        reply.with(|reply| {
            reply.as_ref().map(|reply| {
                let yours = reply.yours.map_or_else(|| "You have decided nothing in this span.".to_owned(), told);
                let teams = reply
                    .teams
                    .iter()
                    .map(|team| view! { <tr><th scope="row"><Text text=team.group.clone() /></th><td>{format!("{} people: {}", team.people, told(team.times))}</td></tr> })
                    .collect_view();
                view! {
                    <table><tbody><tr><th scope="row">"you"</th><td>{yours}</td></tr>{teams}</tbody></table>
                }
            })
        })
    };
    view! { <Card title="Times of people">{rows}</Card> }
}

/// What was granted of what was asked, and what was not needed.
#[component]
pub(super) fn Narrowing(reply: Reply) -> impl IntoView {
    let rows = move || {
        reply.with(|reply| {
            reply.as_ref().map(|reply| {
                let sum = reply.narrowed;
                let part = |count: u64, of: u64| percent(count, of).map_or_else(|| "–".to_owned(), |part| format!("{part} %"));
                let unused = View { tab: Tab::History, state: Some("expired".to_owned()), ..View::default() };
                view! {
                    <table><tbody>
                        <tr><th scope="row">"narrower than asked"</th><td>{format!("{} of {} grants", sum.narrower, sum.grants)}</td></tr>
                        <tr><th scope="row">"time"</th><td>{format!("{} of what was asked", part(sum.granted_seconds, sum.asked_seconds))}</td></tr>
                        <tr><th scope="row">"uses"</th><td>{format!("{} of what was asked, {} of what was granted taken", part(sum.granted_uses, sum.asked_uses), part(sum.taken_uses, sum.granted_uses))}</td></tr>
                        <tr><th scope="row">"never used"</th><td><a href=unused.address()>{format!("{} of {} grants that ended", reply.unused.count, reply.unused.of)}</a></td></tr>
                    </tbody></table>
                }
            })
        })
    };
    view! { <Card title="Granted against requested">{rows}</Card> }
}

/// How closed ones were judged.
#[component]
pub(super) fn Judged(reply: Reply) -> impl IntoView {
    let rows = move || {
        reply.with(|reply| {
            reply.as_ref().map(|reply| {
                let chips = reply
                    .dispositions
                    .iter()
                    .map(|line| view! { <span class="chip">{format!("{} {}", line.count, word(line.disposition))}</span> })
                    .collect_view();
                view! {
                    <p class="chips">{chips}</p>
                    <p><a href="/reviews">{format!("{} are not judged yet", reply.not_judged)}</a></p>
                }
            })
        })
    };
    view! { <Card title="How they were judged">{rows}</Card> }
}
