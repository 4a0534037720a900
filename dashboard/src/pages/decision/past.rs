//! History at a glance: what became of the like, and of what this person decided last. No part of what is voted on.

use leptos::prelude::*;
use proviso_api::past::{PastReply, YourDecision};

use super::state::State;
use crate::app::Desk;
use crate::components::{Card, Text};
use crate::view_model::afterwards::word;
use crate::view_model::past::{decided, headline, told};
use crate::view_model::time::{ago, length};

/// The card.
#[component]
pub fn Past() -> impl IntoView {
    let (state, desk) = (State::take(), Desk::take());
    let past = Memo::new(move |_| state.past.get());
    let body = move |past: PastReply| {
        let refusals = past
            .refusals
            .iter()
            .map(|refusal| {
                let at = refusal.at;
                view! {
                    <li>
                        <a href=format!("/exceptions/{}", refusal.exception)>"refused by " <Text text=refusal.by.clone() /></a>
                        <span class="soft">" " {move || ago(desk.now.get(), at)}</span>
                        {(!refusal.reason.is_empty()).then(|| view! { <p class="quote"><Text text=refusal.reason.clone() /></p> })}
                    </li>
                }
            })
            .collect_view();
        let judged = past
            .dispositions
            .iter()
            .map(|line| view! { <span class="chip">{format!("{} × {}", line.count, word(line.disposition))}</span> })
            .collect_view();
        let yours = (!past.yours.is_empty()).then(|| {
            view! {
                <h3>"What became of your last decisions"</h3>
                <table class="yours"><tbody>{past.yours.iter().cloned().map(|line| view! { <Yours line /> }).collect_view()}</tbody></table>
            }
        });
        view! {
            <p><b>{headline(&past.counts)}</b></p>
            {(past.counts.asked > 0).then(|| view! { <p>{told(&past.counts)}</p> })}
            {past.needed.map(|needed| view! { <p class="soft">{format!("Nine of ten such grants were used for the last time within {}.", length(needed))}</p> })}
            {(!past.dispositions.is_empty()).then(|| view! { <p class="chips">{judged}</p> })}
            {(!past.refusals.is_empty()).then(|| view! { <ul class="plain">{refusals}</ul> })}
            {yours}
        }
    };
    view! {
        <Card title="What became of the like">
            {move || match past.get() {
                None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
                Some(past) => body(past).into_any(),
            }}
        </Card>
    }
}

#[component]
fn Yours(line: YourDecision) -> impl IntoView {
    let desk = Desk::take();
    let at = line.at;
    view! {
        <tr>
            <td class="word">{decided(line.decision)} <p class="soft">{move || ago(desk.now.get(), at)}</p></td>
            <td>
                <a href=format!("/exceptions/{}", line.exception)><Text text=line.says /></a>
                <p class="soft">
                    <span class=format!("chip state-{}", line.state)>{line.state.clone()}</span>
                    {(line.uses > 0).then(|| format!(" used {}", line.uses))}
                    {line.disposition.map(|disposition| format!(" judged: {}", word(disposition)))}
                </p>
            </td>
        </tr>
    }
}

/// The one fact that differs most from the last approved call of this shape: it stands before everything else.
#[component]
pub fn Differs() -> impl IntoView {
    let state = State::take();
    let told = Memo::new(move |_| state.past.get().map(|past| (past.differs, past.last_approved)));
    move || {
        let (differs, last) = told.get()?;
        let last = last.map(|id| format!("/exceptions/{id}"));
        Some(match (differs.split_first(), last) {
            (_, None) => view! { <p class="differs soft">"Nothing of this shape was approved before."</p> }.into_any(),
            (None, Some(last)) => view! {
                <p class="differs soft">"The same as "<a href=last>"the last approved one"</a>", in every argument."</p>
            }
            .into_any(),
            (Some((first, others)), Some(last)) => {
                let (at, before, now) = (first.at.clone(), shown(&first.before), shown(&first.now));
                let also = others.iter().map(|other| other.at.clone()).collect::<Vec<_>>().join(", ");
                let also = (!also.is_empty()).then(|| {
                    view! { <p class="soft">"and in " <span class="mono"><Text text=also /></span></p> }
                });
                view! {
                    <div class="differs">
                        <p>
                            "Differs most from " <a href=last>"the last approved one"</a> " in " <b class="mono"><Text text=at /></b> ": "
                            <s class="mono"><Text text=before /></s> " " <b class="mono"><Text text=now /></b>
                        </p>
                        {also}
                    </div>
                }
                .into_any()
            }
        })
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() { "nothing".into() } else { value.to_owned() }
}
