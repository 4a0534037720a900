//! Everybody with what they have, and where bundle and log disagree.

use leptos::prelude::*;
use proviso_api::ownership::{Disagreement, OwnershipReply, PersonLine, StillNamed};

use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::set_title;
use crate::view_model::ownership::{departure_address, has, is_orphaned, names, still_named};
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn Ownership() -> impl IntoView {
    set_title("Ownership");
    let desk = Desk::take();
    let told = LocalResource::new(move || {
        desk.position.track();
        api::ownership()
    });
    let body = move || {
        told.get().map(|told| match told {
            Err(error) => {
                desk.note(&error);
                view! { <Failure error /> }.into_any()
            }
            Ok(told) => view! { <Told told /> }.into_any(),
        })
    };
    view! {
        <h1>"Ownership"</h1>
        <p class="soft">"Who has what, and what somebody who leaves would leave behind."</p>
        <Transition fallback=|| view! { <p class="soft">"Asking the gate …"</p> }>{body}</Transition>
    }
}

#[component]
fn Told(told: OwnershipReply) -> impl IntoView {
    let disagrees = !told.disagreements.is_empty() || !told.gone.is_empty();
    let more = told.more;
    view! {
        {if disagrees {
            view! {
                <Card title="Where bundle and log disagree">
                    <ul class="history">
                        {told.disagreements.into_iter().map(|line| view! { <Disagrees line /> }).collect_view()}
                        {told.gone.into_iter().map(|line| view! { <Gone line /> }).collect_view()}
                    </ul>
                    <p class="soft">"The log wins. Let the bundle follow: " <code>"proviso bundle check BUNDLE --data DIR"</code> " says the same."</p>
                </Card>
            }
            .into_any()
        } else {
            view! { <Notice tone=Tone::Good title="Bundle and log agree on who owns what and who is here." /> }.into_any()
        }}
        <Card title="People">
            <ul class="lines owners">{told.people.into_iter().map(|line| view! { <Person line /> }).collect_view()}</ul>
            {(more > 0).then(|| view! { <p class="soft">{format!("{more} more have no place in this list.")}</p> })}
        </Card>
    }
}

#[component]
fn Disagrees(line: Disagreement) -> impl IntoView {
    let says = format!(
        " is {}'s since it was handed over; by the bundle it is {}'s.",
        names(&line.hand_over),
        names(&line.bundle)
    );
    view! {
        <li>
            <time datetime=line.since.to_string()>{zoned(line.since)}</time>
            <p>
                <span class="mono"><Text text=line.agent.id /></span> <Text text=says />
                <span class="soft">" Handed over by " <Text text=line.by.to_string() /> "."</span>
            </p>
        </li>
    }
}

#[component]
fn Gone(line: StillNamed) -> impl IntoView {
    let (says, address) = (still_named(&line), departure_address(&line.person));
    view! {
        <li>
            <time datetime=line.departed_at.to_string()>{zoned(line.departed_at)}</time>
            <p><a href=address><Text text=line.person.id /></a> <Text text=says /></p>
        </li>
    }
}

#[component]
fn Person(line: PersonLine) -> impl IntoView {
    let (address, orphaned, left) = (departure_address(&line.person), is_orphaned(&line), line.departed_at.is_some());
    let groups = line.groups.iter().cloned().map(|group| view! { <span class="chip"><Text text=group /></span> });
    view! {
        <li>
            <a href=address data-line="">
                <span class="says"><Text text=line.person.id.clone() /></span>
                <span class="soft by">{has(&line)}</span>
                <span class="chips">
                    {orphaned.then(|| view! { <span class="chip state-denied">"needs new owners"</span> })}
                    {left.then(|| view! { <span class="chip warn">"left"</span> })}
                    {groups.collect_view()}
                </span>
            </a>
        </li>
    }
}
