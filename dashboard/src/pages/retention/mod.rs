//! Retention: how long what is kept, which legal holds stand, what was erased, and what two people want erased. Holds and
//! ages are the operator's to change.

mod erasures;

use std::collections::BTreeMap;

use leptos::prelude::*;
use proviso_api::retention::{Erased, ErasureLine, HoldLine, RetentionReply};

use self::erasures::{Proposals, Propose};
use super::acts::Acts;
use super::record::Tabs;
use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Text};
use crate::view_model::retention::{about, class, covers, kept, lost, payloads};
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn Retention() -> impl IntoView {
    set_title("Retention");
    let desk = Desk::take();
    let retention = LocalResource::new(move || {
        // Holds and erasures are records: ask again with each.
        desk.position.track();
        api::retention()
    });
    let body = move || {
        retention.get().map(|retention| match retention {
            Err(error) => {
                desk.note(&error);
                view! { <Failure error /> }.into_any()
            }
            Ok(told) => view! { <Told told /> }.into_any(),
        })
    };
    let known = move || retention.get().and_then(Result::ok);
    // The fields stay while the rest is drawn anew.
    let may = Memo::new(move |_| known().is_some_and(|told| told.you_may_erase));
    let proposals = Memo::new(move |_| known().map(|told| (told.proposals, told.presence)).unwrap_or_default());
    let named = RwSignal::new(BTreeMap::<String, String>::new());
    let acts = Acts::new();
    let proposed = move || {
        let (lines, presence) = proposals.get();
        view! { <Proposals lines may=may.get() presence named acts /> }
    };
    view! {
        <h1>"Retention"</h1>
        <Tabs here="retention" />
        {proposed}
        {move || may.get().then(|| view! { <Propose /> })}
        <Transition fallback=|| view! { <p class="soft">"Asking the gate …"</p> }>{body}</Transition>
    }
}

#[component]
fn Told(told: RetentionReply) -> impl IntoView {
    let kept_rows = told
        .keep
        .iter()
        .map(|line| view! { <tr><th scope="row">{class(&line.class).to_owned()}</th><td>{kept(line)}</td></tr> })
        .collect_view();
    let (no_rule, looked_at) = (told.keep.is_empty(), told.looked_at);
    let (no_hold, no_erasure, earlier) = (told.holds.is_empty(), told.erasures.is_empty(), told.earlier);
    view! {
        <Card title="Legal holds">
            {no_hold.then(|| view! { <p class="soft">"Nothing is on hold."</p> })}
            <ul class="history">{told.holds.into_iter().map(|line| view! { <Hold line /> }).collect_view()}</ul>
            <p class="soft">
                "What a hold covers is not erased, whoever wants it and however old it is. The operator places and lifts them: "
                <code>"proviso hold"</code> "."
            </p>
        </Card>
        <Card title="What is kept for how long">
            {no_rule.then(|| view! { <p>"Nothing is erased by age."</p> })}
            <table><tbody>{kept_rows}</tbody></table>
            {(!no_rule).then(|| {
                let looked = looked_at.map_or_else(|| "not yet".to_owned(), |at| format!("last at {}", zoned(at)));
                view! { <p class="soft">{format!("The gate looks once a day, {looked}. Everything else is kept for ever.")}</p> }
            })}
        </Card>
        <Card title="What was erased">
            {if no_erasure {
                view! { <p class="soft">"Nothing was ever erased."</p> }.into_any()
            } else {
                view! { <Numbers erased=told.erased /> }.into_any()
            }}
            <ul class="history">{told.erasures.into_iter().map(|line| view! { <Erasure line /> }).collect_view()}</ul>
            {(earlier > 0).then(|| view! { <p class="soft">{format!("{earlier} earlier erasures are counted above.")}</p> })}
            <p class="soft">
                "Whom an erasure was about is told to nobody; the rest of the record still verifies. Two people whom the bundle lets do it erase here; the operator, on the gate's host, by "
                <code>"proviso erase"</code> "."
            </p>
        </Card>
    }
}

#[component]
fn Hold(line: HoldLine) -> impl IntoView {
    let what = match line.exception.clone() {
        Some(id) => {
            view! { "Covers " <a href=format!("/exceptions/{id}")><code>{id.clone()}</code></a> ": " {covers(&line)} }
                .into_any()
        }
        None => view! { "Covers " <Text text=covers(&line) /> }.into_any(),
    };
    view! {
        <li>
            <time datetime=line.at.to_string()>{zoned(line.at)}</time>
            <div>
                <p>{what}<span class="soft">" by " <Text text=line.by /></span></p>
                <p class="quote"><Text text=line.reason /></p>
            </div>
            <span class="place"><code>{line.id}</code></span>
        </li>
    }
}

/// All that is gone, as large numbers with their words.
#[component]
fn Numbers(erased: Erased) -> impl IntoView {
    let all: u64 = erased.payloads.iter().map(|line| line.count).sum();
    let losses = lost(&erased)
        .into_iter()
        .map(|(count, what)| view! { <div><strong>{count}</strong><span>{what}</span></div> })
        .collect_view();
    view! {
        <div class="big">
            <div><strong>{all}</strong><span>{format!("payloads in all: {}", payloads(&erased))}</span></div>
            {losses}
        </div>
    }
}

#[component]
fn Erasure(line: ErasureLine) -> impl IntoView {
    let told = format!("{} {}", payloads(&line.erased), about(&line));
    let losses =
        lost(&line.erased).into_iter().map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join("; ");
    view! {
        <li>
            <time datetime=line.at.to_string()>{zoned(line.at)}</time>
            <div>
                <p>{told} <span class="soft">" by " <Text text=line.by /></span></p>
                <p class="soft">{losses}</p>
                <p class="quote"><Text text=line.reason /></p>
            </div>
            <span class="place"><code>{line.run}</code></span>
        </li>
    }
}
