//! A box that says something, in one of few colours with one meaning each.

use leptos::prelude::*;

use super::text::Text;
use crate::view_model::problem::ApiError;

/// What a notice means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// To know.
    Plain,
    /// To look at.
    Warn,
    /// Something is wrong.
    Bad,
    /// It went well.
    Good,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "notice",
            Self::Warn => "notice warn",
            Self::Bad => "notice bad",
            Self::Good => "notice good",
        }
    }
}

/// A box that says something.
#[component]
pub fn Notice(
    /// What it means.
    tone: Tone,
    /// Its first words.
    #[prop(into)]
    title: String,
    /// The rest.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class=tone.class()>
            <strong><Text text=title /></strong>
            {children.map(|children| children())}
        </div>
    }
}

/// What went wrong with a call, with its code and its remedy.
#[component]
pub fn Failure(
    /// What went wrong.
    error: ApiError,
) -> impl IntoView {
    let code = error.code().to_owned();
    view! {
        <Notice tone=Tone::Bad title=error.what()>
            {error.help().map(|help| view! { <p><Text text=help /></p> })}
            <p><code>{code}</code></p>
        </Notice>
    }
}
