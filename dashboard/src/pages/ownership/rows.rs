//! What somebody leaves behind, each kind in a card of its own; a kind of which there is nothing has none.

use leptos::prelude::*;
use proviso_api::findings::FindingLine;
use proviso_api::ownership::{LeftAgent, LeftCredential, LeftException, LeftLock, Owned, Part};
use proviso_api::routing::DeputyLine;

use super::departure::{Give, Hand};
use crate::components::{Card, Text};
use crate::view_model::ownership::{names, parts, source};
use crate::view_model::time::zoned;

#[component]
fn Act(hand: Hand, what: Give, word: &'static str, of: String) -> impl IntoView {
    let what = StoredValue::new(what);
    view! {
        <button class="quiet" on:click=move |_| hand.give.run(what.get_value())>
            {word}<span class="unseen">{format!(" {of}")}</span>
        </button>
    }
}

/// Agents that need another owner.
#[component]
pub(super) fn Agents(lines: Vec<LeftAgent>, hand: Hand) -> impl IntoView {
    (!lines.is_empty()).then(move || {
        let all: Vec<Owned> = lines.iter().map(|line| Owned::Agent(line.agent.clone())).collect();
        let several = (hand.mine && all.len() > 1).then(|| {
            let word = format!("{} agents", all.len());
            view! { <Act hand what=Give::Owned(all) word="Hand over all" of=word /> }
        });
        let row = move |line: LeftAgent| {
            let others: Vec<_> = line.owners.clone();
            let act = hand.mine.then(|| {
                let what = Give::Owned(vec![Owned::Agent(line.agent.clone())]);
                view! { <Act hand what word="Hand over" of=line.agent.id.to_string() /> }
            });
            let says = format!("{}'s, {}", names(&others), source(line.source));
            view! {
                <tr><td class="mono"><Text text=line.agent.id.clone() /></td><td><Text text=says /></td><td class="verdict">{act}</td></tr>
            }
        };
        view! {
            <Card title="Agents">
                <table class="left"><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table>
                {several}
            </Card>
        }
    })
}

/// Requests and grants that are not over.
#[component]
pub(super) fn Exceptions(lines: Vec<LeftException>, hand: Hand) -> impl IntoView {
    (!lines.is_empty()).then(move || {
        let row = move |line: LeftException| {
            let act = (hand.mine && line.parts.contains(&Part::Owner)).then(|| {
                let what = Give::Owned(vec![Owned::Exception(line.id.clone())]);
                view! { <Act hand what word="Hand over" of=line.says.clone() /> }
            });
            let told = parts(&line);
            view! {
                <tr>
                    <td><a href=format!("/exceptions/{}", line.id)><Text text=line.says /></a></td>
                    <td>{line.state} ", " {told}</td>
                    <td class="verdict">{act}</td>
                </tr>
            }
        };
        view! {
            <Card title="Open requests and grants">
                <table class="left"><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table>
                <p class="soft">"What hangs on an agent goes with the agent. Once somebody has left, an approval of theirs on an open request does not count."</p>
            </Card>
        }
    })
}

/// Findings that they look after.
#[component]
pub(super) fn Findings(lines: Vec<FindingLine>, hand: Hand) -> impl IntoView {
    (!lines.is_empty()).then(move || {
        let row = move |line: FindingLine| {
            view! {
                <tr>
                    <td><a href=format!("/findings/{}", line.id)><Text text=line.says.clone() /></a></td>
                    <td>{format!("found {}", zoned(line.opened_at))}</td>
                    <td class="verdict"><Act hand what=Give::Finding(line.id) word="Hand over" of=line.says /></td>
                </tr>
            }
        };
        view! { <Card title="Findings"><table class="left"><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table></Card> }
    })
}

/// Who stands in for whom.
#[component]
pub(super) fn Deputies(lines: Vec<DeputyLine>, hand: Hand) -> impl IntoView {
    (!lines.is_empty()).then(move || {
        let row = move |line: DeputyLine| {
            let says = format!("{} stands in for {}", line.deputy.id, line.absent.id);
            let act = hand.mine.then(|| view! { <Act hand what=Give::Deputy(line.id.clone()) word="End" of=says.clone() /> });
            view! {
                <tr>
                    <td><Text text=says.clone() /></td>
                    <td>{format!("until {}", zoned(line.until))}</td>
                    <td class="verdict">{act}</td>
                </tr>
            }
        };
        view! { <Card title="Deputyships"><table class="left"><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table></Card> }
    })
}

/// Locks that they set and that hold.
#[component]
pub(super) fn Locks(lines: Vec<LeftLock>) -> impl IntoView {
    (!lines.is_empty()).then(move || {
        let row = move |line: LeftLock| {
            view! {
                <tr><td><Text text=line.reason /></td><td>{format!("set {}", zoned(line.at))}</td><td class="verdict"><code>{line.id}</code></td></tr>
            }
        };
        view! {
            <Card title="Locks">
                <table class="left"><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table>
                <p class="soft">"They hold on. Whoever is in a group of the setter's lifts one, or two others do."</p>
            </Card>
        }
    })
}

/// Live credentials in their name.
#[component]
pub(super) fn Credentials(lines: Vec<LeftCredential>) -> impl IntoView {
    (!lines.is_empty()).then(move || {
        let row = move |line: LeftCredential| {
            view! {
                <tr>
                    <td><code>{line.id}</code></td>
                    <td>{line.kind} ": " <Text text=line.what /></td>
                    <td class="verdict">{format!("until {}", zoned(line.expires_at))}</td>
                </tr>
            }
        };
        view! {
            <Card title="Live credentials in their name">
                <table class="left"><tbody>{lines.into_iter().map(row).collect_view()}</tbody></table>
                <p class="soft">"Agents that act in their name go on until the operator revokes these."</p>
            </Card>
        }
    })
}
