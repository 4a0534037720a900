//! Links for the command line: made here by their person, shown once, and ended here while nobody has used them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use proviso_api::sessions::{LinkLine, LinkMade};

use crate::api;
use crate::app::Desk;
use crate::components::{Card, Notice, Tone, copy};
use crate::view_model::problem::ApiError;
use crate::view_model::time::zoned;

/// The card of the person's own page.
#[component]
pub(super) fn CommandLine(
    /// The links that wait.
    links: Signal<Vec<LinkLine>>,
    /// Ends one, by its public id.
    end: Callback<String>,
    /// Asks the gate for the lists again.
    again: RwSignal<u32>,
    failed: RwSignal<Option<ApiError>>,
) -> impl IntoView {
    let desk = Desk::take();
    let made = RwSignal::new(None::<LinkMade>);
    let making = RwSignal::new(false);
    let make = move |_| {
        making.set(true);
        spawn_local(async move {
            match api::make_link().await {
                Ok(link) => {
                    desk.said.set("The link is on the page.".to_owned());
                    made.set(Some(link));
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
            making.set(false);
            again.update(|count| *count = count.wrapping_add(1));
        });
    };
    let shown = move || made.get().map(|link| view! { <Made link made /> });
    let rows = move || {
        let links = links.get();
        (!links.is_empty()).then(|| {
            let rows = links.into_iter().map(|line| view! { <Row line end /> }).collect_view();
            view! { <ul class="links">{rows}</ul> }
        })
    };
    view! {
        <Card title="From the command line">
            <p class="soft">
                "A link lets one command act as you, once. What it opens ends with this session, after an hour at the latest, \
                 and signs nothing: what must be signed is signed here."
            </p>
            {shown}
            {rows}
            <button disabled=move || making.get() on:click=make>"Make a link"</button>
        </Card>
    }
}

/// The link that was just made.
#[component]
fn Made(link: LinkMade, made: RwSignal<Option<LinkMade>>) -> impl IntoView {
    let desk = Desk::take();
    let text = link.link.clone();
    view! {
        <Notice tone=Tone::Good title="Your link".to_owned()>
            <p>
                {format!("It works once, until {}, and is shown this once. Put it into the variable PROVISO_LINK, or into a \
                          file that you alone can read, and hand it to nobody.", zoned(link.expires_at))}
            </p>
            <label for="own-link">"Link"</label>
            <input id="own-link" type="text" readonly=true value=link.link />
            <button class="quiet" on:click=move |_| copy(&text, move |told| desk.said.set(told))>"Copy"</button>
            <button class="quiet" on:click=move |_| made.set(None)>"I have it"</button>
        </Notice>
    }
}

/// A link that waits.
#[component]
fn Row(line: LinkLine, end: Callback<String>) -> impl IntoView {
    let label = format!("End the link that was made {}", zoned(line.since));
    let id = line.id;
    view! {
        <li>
            <div>
                <b>"A link that nobody has used"</b>
                <p class="soft">
                    "made " {zoned(line.since)} {if line.here { " in this session" } else { " in another session" }}
                    ", works until " {zoned(line.expires_at)}
                </p>
            </div>
            <button class="no" aria-label=label on:click=move |_| end.run(id.clone())>"End"</button>
        </li>
    }
}
