//! Every page but the queue, which is what somebody opens Proviso for: their code is fetched behind it.

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::agents::Agents;
use super::decision::Decision;
use super::design::Design;
use super::findings::{Finding, Findings};
use super::locks::Locks;
use super::log::Log;
use super::ownership::{Departure, Ownership};
use super::people::{People, Person};
use super::pictures::Pictures;
use super::policies::{Policies, Proposal};
use super::record::Record;
use super::retention::Retention;
use super::reviews::Reviews;
use super::sign_in::SignIn;
use super::what_if::WhatIf;
use super::you::You;
use crate::components::Fetched;
use crate::view_model::problem::ApiError;

/// The pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// What agents may do today.
    Agents,
    /// What somebody leaves behind.
    Departure,
    /// The tokens and components.
    Design,
    /// One finding.
    Finding,
    /// The findings.
    Findings,
    /// The locks.
    Locks,
    /// The log as a list.
    Log,
    /// Who owns what.
    Ownership,
    /// The people.
    People,
    /// One of them.
    Person,
    /// Counts over time.
    Pictures,
    /// The active bundle and its history.
    Policies,
    /// A bundle that is proposed.
    Proposal,
    /// The record as a whole.
    Record,
    /// What is kept, and what is erased.
    Retention,
    /// The reviews.
    Reviews,
    /// A question that nobody asked.
    WhatIf,
    /// Whoever is signed in.
    You,
}

/// Draws one of the pages.
type Draw = fn(Page) -> AnyView;

/// Fetches what is not here yet, one after the other: what decides comes first. What does not come now is fetched where it
/// is needed.
pub async fn fetch_all() {
    drop(fetch_decision().await);
    drop(fetch_later().await);
}

/// The page of an exception.
pub fn decision() -> impl IntoView {
    let draw = |draw: fn() -> AnyView| draw();
    view! { <Fetched code=|| Box::pin(decision_code()) draw /> }
}

/// One of the other pages.
pub fn later(page: Page) -> impl IntoView {
    let draw = move |draw: Draw| draw(page);
    view! { <Fetched code=|| Box::pin(later_code()) draw /> }
}

/// The page for whoever is not signed in, with what went wrong with a link.
pub fn sign_in(error: Option<ApiError>) -> impl IntoView {
    let draw = move |draw: fn(Option<ApiError>) -> AnyView| draw(error.clone());
    view! { <Fetched code=|| Box::pin(sign_in_code()) draw /> }
}

#[wasm_split(sign_in, wasm_split_path = leptos::wasm_split, fallible)]
fn sign_in_code() -> Result<fn(Option<ApiError>) -> AnyView, SplitLoaderError> {
    Ok(|error| view! { <SignIn error /> }.into_any())
}

#[wasm_split(decision, wasm_split_path = leptos::wasm_split, preload(fetch_decision), fallible)]
fn decision_code() -> Result<fn() -> AnyView, SplitLoaderError> {
    Ok(|| view! { <Decision /> }.into_any())
}

#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(fetch_later), fallible)]
fn later_code() -> Result<Draw, SplitLoaderError> {
    Ok(|page| match page {
        Page::Agents => view! { <Agents /> }.into_any(),
        Page::Departure => view! { <Departure /> }.into_any(),
        Page::Design => view! { <Design /> }.into_any(),
        Page::Finding => view! { <Finding /> }.into_any(),
        Page::Findings => view! { <Findings /> }.into_any(),
        Page::Locks => view! { <Locks /> }.into_any(),
        Page::Log => view! { <Log /> }.into_any(),
        Page::Ownership => view! { <Ownership /> }.into_any(),
        Page::People => view! { <People /> }.into_any(),
        Page::Person => view! { <Person /> }.into_any(),
        Page::Pictures => view! { <Pictures /> }.into_any(),
        Page::Policies => view! { <Policies /> }.into_any(),
        Page::Proposal => view! { <Proposal /> }.into_any(),
        Page::Record => view! { <Record /> }.into_any(),
        Page::Retention => view! { <Retention /> }.into_any(),
        Page::Reviews => view! { <Reviews /> }.into_any(),
        Page::WhatIf => view! { <WhatIf /> }.into_any(),
        Page::You => view! { <You /> }.into_any(),
    })
}
