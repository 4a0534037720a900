//! What was minted in this person's name since their last sign-in: somebody who did not ask for it sees it here.

use leptos::prelude::*;

use crate::app::{Desk, Signed};
use crate::components::{Notice, Text, Tone};
use crate::view_model::time::zoned;

/// The list, until it is put aside.
#[component]
pub(super) fn MintedSince() -> impl IntoView {
    let desk = Desk::take();
    let dismissed = RwSignal::new(false);
    move || {
        let Signed::In(session) = desk.signed.get() else { return ().into_any() };
        if session.minted.is_empty() || dismissed.get() {
            return ().into_any();
        }
        let rows = session
            .minted
            .into_iter()
            .map(|minted| {
                view! {
                    <li>
                        {format!("{}: ", zoned(minted.at))} <b>{minted.kind}</b> " for " <Text text=minted.what />
                        " by operating-system user " <code><Text text=minted.by /></code>
                        " (" <code>{minted.id}</code> ")"
                    </li>
                }
            })
            .collect_view();
        view! {
            <Notice tone=Tone::Warn title="Minted in your name since you last signed in">
                <ul>{rows}</ul>
                <p>"If you do not know one of these, tell the operator: it can be revoked."</p>
                <button class="quiet" on:click=move |_| dismissed.set(true)>"I know these"</button>
            </Notice>
        }
        .into_any()
    }
}
