//! One proposal: what of what was asked comes out differently, what is different, who is for it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use proviso_api::activation::{ChangeLine, ChangeList, FileChange, ProposalReply};

use super::vote::Vote;
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::set_title;
use crate::view_model::activation::{Line, asked, came, change, diff, outcome, stands, step};
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn Proposal() -> impl IntoView {
    set_title("Proposed policies");
    let desk = Desk::take();
    let params = use_params_map();
    let bundle = Memo::new(move |_| params.with(|params| params.get("digest").unwrap_or_default()));
    let proposal = LocalResource::new(move || {
        desk.position.track();
        let bundle = bundle.get();
        async move { api::proposal(&bundle).await }
    });
    // What the gate says once more is not drawn once more.
    let told = Memo::new(move |_| proposal.get());
    let body = move || match told.get() {
        None => view! { <p class="soft">"Asking the gate …"</p> }.into_any(),
        Some(Err(error)) => {
            desk.note(&error);
            view! { <Failure error /> }.into_any()
        }
        Some(Ok(told)) => view! { <Told told /> }.into_any(),
    };
    // What is typed stays while what stands above it is drawn anew. Another list is another thing to vote on.
    let reason = RwSignal::new(String::new());
    let voting = Memo::new(move |_| {
        told.with(|told| {
            let ProposalReply { proposal, you_may_not, .. } = told.as_ref()?.as_ref().ok()?;
            Some((proposal.bundle, proposal.list, proposal.narrower, proposal.presence, you_may_not.clone()))
        })
    });
    let vote = move || {
        voting.get().map(|(bundle, list, narrower, presence, you_may_not)| {
            view! { <Card title="Your vote"><Vote bundle list narrower presence you_may_not reason /></Card> }
        })
    };
    view! {
        <p class="crumb"><a href="/policies">"Policies"</a></p>
        <h1>"What it changes"</h1>
        {body}
        {vote}
    }
}

#[component]
fn Told(told: ProposalReply) -> impl IntoView {
    let ProposalReply { proposal, list, files, .. } = told;
    let tone = match (proposal.state.as_str(), proposal.narrower) {
        ("open", true) => Tone::Good,
        ("open", false) => Tone::Warn,
        _ => Tone::Bad,
    };
    let what = if proposal.is_module { "Policy module " } else { "Bundle " };
    let no_file = files.is_empty().then(|| view! { <p class="soft">"No file of the bundle is different."</p> });
    let by = format!("Proposed by {} at {}", proposal.by, zoned(proposal.at));
    let votes = proposal.votes.iter().map(|vote| {
        let word = if vote.activates { "is for it" } else { "is against it" };
        view! {
            <li>
                <time datetime=vote.at.to_string()>{zoned(vote.at)}</time>
                <div>
                    <p><Text text=vote.by.to_string() /> {format!(" {word}")}</p>
                    <p class="quote"><Text text=vote.reason.clone() /></p>
                </div>
            </li>
        }
    });
    let (votes, none) = (votes.collect_view(), proposal.votes.is_empty());
    view! {
        <p class="soft"><Text text=by /></p>
        <p class="quote"><Text text=proposal.reason.clone() /></p>
        <Notice tone title=stands(&proposal)>
            <p>{what} <code class="whole">{proposal.bundle.to_string()}</code></p>
        </Notice>
        <Changes list=list.clone() />
        <Steps list />
        <Card title="The files">
            {no_file}
            {files.into_iter().map(|file| view! { <File file /> }).collect_view()}
        </Card>
        <Card title="Votes">
            {none.then(|| view! { <p class="soft">"Nobody has voted on this list."</p> })}
            <ul class="history">{votes}</ul>
        </Card>
    }
}

/// What comes out differently, new allows first and in red.
#[component]
fn Changes(list: ChangeList) -> impl IntoView {
    let all: u64 = list.counts.values().sum();
    let listed = u64::try_from(list.changes.len()).unwrap_or(u64::MAX);
    let more = (listed < all)
        .then(|| view! { <p class="soft">{format!("{} more are counted, and not listed.", all - listed)}</p> });
    let (asked, came, none) = (asked(&list.asked), came(&list), list.changes.is_empty());
    let rows = list.changes.into_iter().map(|line| view! { <Change line /> }).collect_view();
    view! {
        <Card title="What was asked">
            <p>{asked} " " {came}</p>
            {(!none).then(|| view! {
                <table class="changes">
                    <caption>"Recorded questions that come out differently"</caption>
                    <tbody>{rows}</tbody>
                </table>
            })}
            {more}
        </Card>
    }
}

#[component]
fn Change(line: ChangeLine) -> impl IntoView {
    let (word, red) = change(&line.kind);
    let seq = line.seq;
    let call = match line.call {
        None => view! { <p class="soft">{format!("What was asked in record {seq} was erased.")}</p> }.into_any(),
        Some(call) => {
            let on = call.resources.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let what = format!("{} on {on}", call.action);
            let place = format!(", record {seq} at {}", zoned(call.at));
            view! {
                <p class="call"><Text text=what /></p>
                <p class="soft"><Text text=call.subject.to_string() /> " in " <Text text=call.task /> {place}</p>
            }
            .into_any()
        }
    };
    let by = |policies: &[String]| {
        if policies.is_empty() { String::new() } else { format!(" by {}", policies.join(", ")) }
    };
    let before = format!("{}{}", outcome(&line.before.outcome), by(&line.before.policies));
    let after = format!("{}{}", outcome(&line.after.outcome), by(&line.after.policies));
    view! {
        <tr>
            <th scope="row" class=if red { "bad" } else { "" }>{word}</th>
            <td>
                {call}
                <p><s><Text text=before /></s> " → " <span class=if red { "bad" } else { "" }><Text text=after /></span></p>
            </td>
        </tr>
    }
}

/// What of the bundle is different, and of whom it says something else.
#[component]
fn Steps(list: ChangeList) -> impl IntoView {
    let row = |narrows: bool, text: String| {
        let word = if narrows { "narrower" } else { "not proved" };
        view! { <tr><th scope="row" class=if narrows { "" } else { "warn" }>{word}</th><td><Text text /></td></tr> }
    };
    let steps = list.steps.iter().map(|one| row(one.narrows, step(one))).collect_view();
    let (none, named) = (list.steps.is_empty(), list.named.iter().map(ToString::to_string).collect::<Vec<_>>());
    let named = (!named.is_empty()).then(|| {
        view! { <p>"It is about " <Text text=named.join(", ") /> ", who have no say in it."</p> }
    });
    view! {
        <Card title="What is different">
            {none.then(|| view! { <p class="soft">"No policy decides anything else."</p> })}
            <table><tbody>{steps}</tbody></table>
            {named}
        </Card>
    }
}

/// A file's lines that differ.
#[component]
fn File(file: FileChange) -> impl IntoView {
    let word = match (&file.before, &file.after) {
        (None, _) => "new",
        (_, None) => "taken away",
        _ => "changed",
    };
    let (before, after) = (file.before.unwrap_or_default(), file.after.unwrap_or_default());
    let lines = diff(&before, &after)
        .into_iter()
        .map(|line| match line {
            Line::Same(text) => view! { <span class="same">"  " <Text text=text /></span> }.into_any(),
            Line::Gone(text) => view! { <del>"- " <Text text=text /></del> }.into_any(),
            Line::New(text) => view! { <ins>"+ " <Text text=text /></ins> }.into_any(),
            Line::Left(count) => view! { <span class="soft">{format!("… {count} lines as before")}</span> }.into_any(),
        })
        .collect_view();
    view! {
        <h3 class="mono"><Text text=file.path /> <span class="soft">{format!(" {word}")}</span></h3>
        <pre class="diff">{lines}</pre>
    }
}
