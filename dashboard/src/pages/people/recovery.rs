//! That the last administrator is said to be lost, on every page, and stopping it.

use leptos::prelude::*;
use proviso_api::people::RecoveryLine;

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Countdown, Text};
use crate::pages::acts::Acts;
use crate::pages::focus;

/// The banner, where a recovery is under way.
#[component]
pub fn Recovery() -> impl IntoView {
    let desk = Desk::take();
    let line = Memo::new(move |_| match desk.signed.get() {
        Signed::In(session) => session.recovery,
        _ => None,
    });
    move || line.get().map(|line| view! { <Banner line /> })
}

#[component]
fn Banner(line: RecoveryLine) -> impl IntoView {
    let (desk, acts, reason) = (Desk::take(), Acts::new(), RwSignal::new(String::new()));
    let stop = move |_| {
        let why = reason.get_untracked().trim().to_owned();
        if !acts.has_reason(&why) {
            focus("stop-why");
            return;
        }
        acts.run(api::stop_recovery(why), move |()| {
            desk.signed.update(|signed| {
                if let Signed::In(session) = signed {
                    session.recovery = None;
                }
            });
            "Stopped: nobody is let in.".to_owned()
        });
    };
    view! {
        <div class="banner bad">
            <p>
                <b>"The last administrator is said to be lost."</b> " " <Text text=line.by.to_string() /> " lets "
                <b><Text text=line.person.id /></b> " in, because: " <Text text=line.reason /> ". That happens "
                <Countdown then=line.ready_at /> " unless somebody stops it. If you know an administrator who is here, stop it."
            </p>
            <label for="stop-why">"Why it is stopped"</label>
            <input id="stop-why" type="text" maxlength="2000" autocomplete="off" prop:value=reason on:input=move |event| reason.set(event_target_value(&event)) />
            <button class="no" disabled=move || acts.busy() on:click=stop>"Stop it"</button>
            {move || acts.failed.get().map(|error| view! { <p>{error.what()}</p> })}
        </div>
    }
}
