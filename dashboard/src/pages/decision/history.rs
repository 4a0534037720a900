//! Each step with its time, the people, their reasons and its place in the log.

use leptos::prelude::*;

use super::super::export::Export;
use super::super::receipt::TakeReceipt;
use super::state::State;
use crate::components::{Card, Text};
use crate::view_model::problem::sentence;
use crate::view_model::time::zoned;

/// The history, oldest first. It goes on while one looks.
#[component]
pub fn History() -> impl IntoView {
    let state = State::take();
    let steps = Memo::new(move |_| {
        state.newest.with(|newest| newest.as_ref().map(|newest| newest.history.clone()).unwrap_or_default())
    });
    let undecided =
        move || state.newest.with(|newest| newest.as_ref().is_some_and(|newest| newest.allowed.approve.is_yes()));
    let rows = move || {
        steps
            .get()
            .into_iter()
            .map(|step| {
                // Most sentences name who did it.
                // Whoever votes second has a view of their own before they read the first one's.
                let folds = undecided() && step.kind == "vote_cast";
                let by = step.by.filter(|by| !step.sentence.contains(by.id.as_str()));
                view! {
                    <li>
                        <time datetime=step.at.to_string()>{zoned(step.at)}</time>
                        <div>
                            <p>
                                <Text text=sentence(&step.sentence) />
                                {by.map(|by| view! { <span class="soft">" by " <Text text=by.id /></span> })}
                            </p>
                            {step.said.map(|said| match folds {
                                true => view! {
                                    <details class="said"><summary>"their words: look for yourself first"</summary><p class="quote"><Text text=said /></p></details>
                                }
                                .into_any(),
                                false => view! { <p class="quote"><Text text=said /></p> }.into_any(),
                            })}
                        </div>
                        <span class="place">
                            <code>{format!("{} #{}", step.log, step.seq)}</code>
                            <TakeReceipt log=step.log seq=step.seq />
                        </span>
                    </li>
                }
            })
            .collect_view()
    };
    let id = State::take().id.get_value();
    view! {
        <Card title="History">
            <ol class="history">{rows}</ol>
            <Export exception=id />
        </Card>
    }
}
