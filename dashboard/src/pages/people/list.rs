//! Everybody, and what waits for a second yes.

use leptos::prelude::*;
use policy_core::console::Act;
use proviso_api::people::{Member, PeopleReply};

use super::proposals::{Invite, Made, MadeLink, Proposals};
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::set_title;
use crate::view_model::people::{member_address, standing, too_few};

/// The page.
#[component]
pub fn People() -> impl IntoView {
    set_title("People");
    let desk = Desk::take();
    let made = RwSignal::new(None::<Made>);
    let told = LocalResource::new(move || {
        desk.position.track();
        api::people()
    });
    let body = move || {
        told.get().map(|told| match told {
            Err(error) => {
                desk.note(&error);
                view! { <Failure error /> }.into_any()
            }
            Ok(told) => view! { <Told told made /> }.into_any(),
        })
    };
    // The fields stay while what is below them is drawn anew.
    let invites = Memo::new(move |_| desk.why_not(Act::Administer).is_none());
    view! {
        <h1>"People"</h1>
        <p class="soft">"Who is here. Who is a person, and in which groups, the bundle says."</p>
        <MadeLink made />
        {move || invites.get().then(|| view! { <Invite made /> })}
        <Transition fallback=|| view! { <p class="soft">"Asking the gate …"</p> }>{body}</Transition>
    }
}

#[component]
fn Told(told: PeopleReply, made: RwSignal<Option<Made>>) -> impl IntoView {
    let few = too_few(&told);
    let more = told.more;
    view! {
        {few.map(|few| view! { <Notice tone=Tone::Warn title=few /> })}
        <Proposals lines=told.proposals made />
        <Card title="Everybody">
            <ul class="lines owners">{told.people.into_iter().map(|member| view! { <Row member /> }).collect_view()}</ul>
            {(more > 0).then(|| view! { <p class="soft">{format!("{more} more have no place in this list.")}</p> })}
        </Card>
    }
}

#[component]
fn Row(member: Member) -> impl IntoView {
    let groups = member.groups.iter().cloned().map(|group| view! { <span class="chip"><Text text=group /></span> });
    view! {
        <li>
            <a href=member_address(&member.person) data-line="">
                <span class="says"><Text text=member.person.id.clone() /></span>
                <span class="soft by">{standing(&member)}</span>
                <span class="chips">
                    {member.administrator.then(|| view! { <span class="chip state-granted">"administrator"</span> })}
                    {member.new_until.map(|_| view! { <span class="chip warn">"new"</span> })}
                    {groups.collect_view()}
                </span>
            </a>
        </li>
    }
}
