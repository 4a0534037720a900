//! What if: a question typed, pasted or taken from a record, evaluated in this browser on the gate's own module. The address
//! holds it, so that a link asks another person the same.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use policy_core::outcome::Evaluation;
use proviso_api::what_if::WhatIfReply;

use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Digest, Failure, Notice, Text, Tone};
use crate::preview::ask::{Asked, ask};
use crate::view_model::agents::today;
use crate::view_model::facts::{reason, terms};
use crate::view_model::problem::ApiError;
use crate::view_model::what_if::Form;

/// What came of a question.
#[derive(Clone)]
enum Came {
    /// The module answered.
    Answer(Box<WhatIfReply>, Box<Asked>),
    /// There is no answer by the module that the gate names.
    Broken(String),
}

/// The page.
#[component]
pub fn WhatIf() -> impl IntoView {
    set_title("What if");
    let desk = Desk::take();
    let query = use_query_map();
    let form = RwSignal::new(Form::default());
    let (asking, came) = (RwSignal::new(false), RwSignal::new(None::<Came>));
    let (problem, failed) = (RwSignal::new(None::<String>), RwSignal::new(None::<ApiError>));
    let named = Memo::new(move |_| query.with(|query| Form::read(|name| query.get(name))));
    Effect::new(move |_| {
        let wanted = named.get();
        form.set(wanted.clone());
        asking.set(false);
        if wanted.is_empty() {
            return;
        }
        let question = match wanted.question() {
            Ok(question) => question,
            Err(words) => {
                problem.set(Some(words));
                return;
            }
        };
        problem.set(None);
        asking.set(true);
        spawn_local(async move {
            // Answers can overtake one another: only what the address still asks is shown.
            let is_wanted = || named.try_with_untracked(|named| *named == wanted).unwrap_or_default();
            let replied = api::what_if(&question).await;
            if !is_wanted() {
                return;
            }
            match replied {
                Ok(reply) => {
                    failed.set(None);
                    form.set(Form::of(&reply.asked));
                    let answered = match ask(reply.module, &reply.question).await {
                        Ok(asked) => Came::Answer(Box::new(reply), Box::new(asked)),
                        Err(why) => Came::Broken(why),
                    };
                    if !is_wanted() {
                        return;
                    }
                    came.set(Some(answered));
                }
                Err(error) => {
                    desk.note(&error);
                    came.set(None);
                    failed.set(Some(error));
                }
            }
            asking.set(false);
        });
    });
    let navigate = use_navigate();
    let send = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = form.get_untracked();
        match typed.question() {
            Ok(_) => navigate(&typed.address(), NavigateOptions { scroll: false, ..NavigateOptions::default() }),
            Err(words) => {
                desk.said.set(words.clone());
                problem.set(Some(words));
            }
        }
    };
    view! {
        <h1>"What if"</h1>
        <p class="soft">
            "A question as an agent would ask it, sealed with today's facts, grants and locks, and evaluated in this browser by the \
             module that the gate runs. Nothing is decided, consumed or written down by it. Begin from any record: its number \
             stands in the history of an exception, and on an agent's page."
        </p>
        <div class="columns">
            <Card title="The question">
                <form class="setting" on:submit=send>
                    <Field form id="what-record" label="record" read=|form| &form.record write=|form| &mut form.record />
                    <Field form id="what-subject" label="agent" read=|form| &form.subject write=|form| &mut form.subject />
                    <Field form id="what-task" label="task" read=|form| &form.task write=|form| &mut form.task />
                    <Field form id="what-for" label="for" read=|form| &form.on_behalf write=|form| &mut form.on_behalf />
                    <Field form id="what-server" label="server" read=|form| &form.server write=|form| &mut form.server />
                    <Field form id="what-action" label="action" read=|form| &form.action write=|form| &mut form.action />
                    <Field form id="what-resource" label="resource" read=|form| &form.resource write=|form| &mut form.resource />
                    <label for="what-input">"arguments"</label>
                    <textarea id="what-input" class="mono" rows="7" spellcheck="false" prop:value=move || form.with(|form| form.input.clone())
                        on:input=move |event| form.update(|form| form.input = event_target_value(&event))></textarea>
                    <div class="buttons"><button class="yes" aria-disabled=move || asking.get().to_string()>"Ask"</button></div>
                </form>
                <p class="problem" role="status">{move || problem.get().map(|problem| view! { <Text text=problem /> })}</p>
                {move || failed.get().map(|error| view! { <Failure error /> })}
            </Card>
            <div>
                {move || match (asking.get(), came.get()) {
                    (true, _) => view! { <p class="soft">"Sealing and evaluating …"</p> }.into_any(),
                    (false, Some(Came::Answer(reply, asked))) => view! { <Answer reply=*reply asked=*asked /> }.into_any(),
                    (false, Some(Came::Broken(why))) => view! {
                        <Notice tone=Tone::Bad title="The module that the gate names does not answer here."><p><Text text=why /></p></Notice>
                    }
                    .into_any(),
                    (false, None) => view! { <p class="empty">"What the module says stands here, with the policies that decided."</p> }.into_any(),
                }}
            </div>
        </div>
    }
}

#[component]
fn Field(
    form: RwSignal<Form>,
    id: &'static str,
    label: &'static str,
    read: fn(&Form) -> &String,
    write: fn(&mut Form) -> &mut String,
) -> impl IntoView {
    view! {
        <label for=id>{label}</label>
        <input id=id type="text" class="mono" autocomplete="off" spellcheck="false" maxlength="2000"
            prop:value=move || form.with(|form| read(form).clone())
            on:input=move |event| form.update(|form| *write(form) = event_target_value(&event)) />
    }
}

#[component]
fn Answer(reply: WhatIfReply, asked: Asked) -> impl IntoView {
    let then = reply.then.clone().map(|then| view! { <tr><th scope="row">"then"</th><td>{told(&then)}</td></tr> });
    let answer = asked.answer.clone();
    let class = if answer.outcome.permits() { "allow" } else { "deny" };
    let demands = answer
        .terms
        .iter()
        .flat_map(terms)
        .map(|(name, words)| view! { <tr><th scope="row">{name}</th><td><Text text=words /></td></tr> })
        .collect_view();
    let errors = answer
        .errors
        .iter()
        .map(|error| view! { <p class="problem"><code><Text text=error.policy.clone() /></code> " " <Text text=error.message.clone() /></p> })
        .collect_view();
    let grants = reply.question.candidates.len();
    view! {
        <Card title="What the module says">
            <p class="call"><Text text=reply.says.clone() /></p>
            <div class="big"><div><strong class=class>{if answer.outcome.permits() { "allow" } else { "deny" }}</strong><span>{today(answer.outcome)}</span></div></div>
            {errors}
            <table>
                <tbody>
                    <tr><th scope="row">"now"</th><td>{told(&answer)}</td></tr>
                    {then}
                    {(!answer.policies.is_empty()).then(|| view! { <tr><th scope="row">"decided by"</th><td class="mono"><Text text=answer.policies.join(", ") /></td></tr> })}
                    {answer.grant.clone().map(|grant| view! { <tr><th scope="row">"grant"</th><td><code class="whole">{grant}</code></td></tr> })}
                    <tr><th scope="row">"grants tried"</th><td>{grants}</td></tr>
                    {demands}
                </tbody>
            </table>
            <div class="same">
                <span class="dot" aria-hidden="true"></span>
                <p>"Evaluated in this browser by module " <Digest digest=reply.module.to_string() /> {format!(", in {:.1} ms", asked.millis)}</p>
            </div>
        </Card>
    }
}

fn told(answer: &Evaluation) -> String {
    format!("{}: {}", today(answer.outcome), reason(answer.reason))
}
