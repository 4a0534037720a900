//! One person: what the bundle lets them do, where they are signed in, by what accounts they come; and ending that.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use policy_core::console::Act;
use proviso_api::people::{AccountLine, LinkAccountRequest, MemberDetail, UnlinkAccountRequest};
use proviso_api::sessions::SessionLine;

use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::acts::Acts;
use crate::pages::{focus, set_title};
use crate::view_model::ownership::departure_address;
use crate::view_model::people::{account_source, rights, standing};
use crate::view_model::sessions::place;
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn Person() -> impl IntoView {
    set_title("Person");
    let (desk, parameters) = (Desk::take(), use_params_map());
    let user = Memo::new(move |_| parameters.with(|known| known.get("user").unwrap_or_default()));
    let told = LocalResource::new(move || {
        desk.position.track();
        let user = user.get();
        async move { api::member(&user).await }
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
    let acts = Memo::new(move |_| {
        let other = desk.signed.with(|signed| matches!(signed, Signed::In(session) if session.person.id != user.get()));
        other && desk.why_not(Act::Administer).is_none()
    });
    view! {
        <p class="crumb"><a href="/people">"People"</a></p>
        <h1>{move || view! { <Text text=user.get() /> }}</h1>
        <Transition fallback=|| view! { <p class="soft">"Asking the gate …"</p> }>{body}</Transition>
        {move || acts.get().then(|| view! { <Administer user=user.get() /> })}
    }
}

#[component]
fn Told(told: MemberDetail) -> impl IntoView {
    let member = told.member;
    let address = departure_address(&member.person);
    let groups = member.groups.iter().cloned().map(|group| view! { <span class="chip"><Text text=group /></span> });
    let new = member.new_until.map(|until| {
        let title = format!("New until {}", zoned(until));
        view! {
            <Notice tone=Tone::Warn title>
                <p>"Who came by an invitation decides on nothing above the lowest tier for a day."</p>
            </Notice>
        }
    });
    let (accounts, sessions) = (told.accounts, told.sessions);
    view! {
        <p class="chips">{groups.collect_view()}</p>
        <p>{standing(&member)} ". " <a href=address>"What they would leave behind"</a></p>
        {new}
        <Card title="What the bundle lets them do">
            <p>{rights(&told.may)}</p>
            <p class="soft">"About the gate or any agent, as strongly signed in as there is."</p>
        </Card>
        <Card title="Accounts">
            {accounts.is_empty().then(|| view! { <p class="soft">"None of a provider: they come in by links."</p> })}
            <ul class="sessions">
                {accounts.into_iter().map(|account| view! { <Account user=member.person.id.to_string() account /> }).collect_view()}
            </ul>
        </Card>
        <Card title="Sessions">
            {sessions.is_empty().then(|| view! { <p class="soft">"Signed in nowhere."</p> })}
            <ul class="sessions">{sessions.into_iter().map(|line| view! { <Session line /> }).collect_view()}</ul>
        </Card>
    }
}

#[component]
fn Session(line: SessionLine) -> impl IntoView {
    view! {
        <li>
            <div>
                <b><Text text=place(&line) /></b>
                <p class="soft">
                    "by " <Text text=line.by /> ", as " <Text text=line.assurance /> ", since " {zoned(line.since)}
                    ", last seen " {zoned(line.last_seen)}
                </p>
            </div>
        </li>
    }
}

#[component]
fn Account(user: String, account: AccountLine) -> impl IntoView {
    let (desk, acts) = (Desk::take(), Acts::new());
    let source = account_source(&account);
    let linked = account.linked_at.is_some() && desk.why_not(Act::Administer).is_none();
    let request = StoredValue::new((
        user,
        UnlinkAccountRequest {
            provider: account.provider.clone(),
            subject: account.subject.clone(),
            reason: "taken away on the person's page".to_owned(),
        },
    ));
    let unlink = move |_| {
        let (user, request) = request.get_value();
        acts.run(async move { api::unlink_account(&user, &request).await }, |ended| {
            format!("Taken away; sessions that ended: {ended}.")
        });
    };
    view! {
        <li>
            <div>
                <b><Text text=account.subject.clone() /></b> " of " <Text text=account.provider />
                <p class="soft">{source}</p>
                {move || acts.failed.get().map(|error| view! { <Failure error /> })}
            </div>
            {linked.then(|| view! {
                <button class="no" disabled=move || acts.busy() on:click=unlink>
                    "Unlink"<span class="unseen">{format!(" {}", account.subject)}</span>
                </button>
            })}
        </li>
    }
}

/// What an administrator does for somebody else.
#[component]
fn Administer(user: String) -> impl IntoView {
    let acts = Acts::new();
    let user = StoredValue::new(user);
    let [provider, subject, reason] = [(); 3].map(|()| RwSignal::new(String::new()));
    let given = move |field: RwSignal<String>| field.get_untracked().trim().to_owned();
    let why = move || {
        let why = given(reason);
        let there = acts.has_reason(&why);
        if !there {
            focus("member-why");
        }
        there.then_some(why)
    };
    let link = move |_| {
        let (provider, subject) = (given(provider), given(subject));
        if provider.is_empty() || subject.is_empty() {
            focus("member-provider");
            return;
        }
        let Some(reason) = why() else { return };
        let (user, request) = (user.get_value(), LinkAccountRequest { provider, subject, reason });
        acts.run(async move { api::link_account(&user, &request).await }, |_| {
            "Proposed: another administrator has to agree.".to_owned()
        });
    };
    let end_sessions = move |_| {
        let user = user.get_value();
        acts.run(async move { api::end_sessions_of(&user).await }, |ended| format!("{ended} ended."));
    };
    let end = move |_| {
        let Some(reason) = why() else { return };
        let user = user.get_value();
        acts.run(async move { api::end_person(&user, reason).await }, |()| "They have left.".to_owned());
    };
    let field = move |id: &'static str, label: &'static str, of: RwSignal<String>| {
        view! {
            <div>
                <label for=id>{label}</label>
                <input id=id type="text" maxlength="2000" autocomplete="off" prop:value=of on:input=move |event| of.set(event_target_value(&event)) />
            </div>
        }
    };
    view! {
        <Card title="Look after them">
            {field("member-why", "Why", reason)}
            <div class="pair">
                {field("member-provider", "Provider", provider)}
                {field("member-subject", "Account: its sub there", subject)}
            </div>
            <p>
                <button disabled=move || acts.busy() on:click=link>"Propose the account"</button> " "
                <button class="no" disabled=move || acts.busy() on:click=end_sessions>"End all their sessions"</button> " "
                <button class="no" disabled=move || acts.busy() on:click=end>"They have left"</button>
            </p>
            <p class="soft">"An account takes a second administrator. That they are back, the host's operator says."</p>
            {move || acts.failed.get().map(|error| view! { <Failure error /> })}
        </Card>
    }
}
