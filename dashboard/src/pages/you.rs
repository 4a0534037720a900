//! The person's own page: how they are signed in, where else, and ending that.

use leptos::prelude::*;
use leptos::task::spawn_local;
use proviso_api::sessions::{SessionLine, SessionList};

use super::command_line::CommandLine;
use super::passkeys::Passkeys;
use super::set_title;
use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Card, Failure, Text};
use crate::view_model::problem::ApiError;
use crate::view_model::sessions::place;
use crate::view_model::time::zoned;

/// The page.
#[component]
pub fn You() -> impl IntoView {
    set_title("You");
    let desk = Desk::take();
    let again = RwSignal::new(0_u32);
    let failed = RwSignal::new(None::<ApiError>);
    let sessions = LocalResource::new(move || {
        // A sign-in or the end of one is a record.
        desk.position.track();
        again.track();
        api::sessions()
    });
    let note = move |error: ApiError| {
        desk.note(&error);
        failed.set(Some(error));
    };
    let end = Callback::new(move |id: String| {
        spawn_local(async move {
            match api::end_session(id).await {
                Ok(()) => desk.said.set("It is over.".to_owned()),
                Err(error) => note(error),
            }
            again.update(|count| *count = count.wrapping_add(1));
        });
    });
    let end_others = move |_| {
        spawn_local(async move {
            match api::end_other_sessions().await {
                Ok(1) => desk.said.set("One session was ended.".to_owned()),
                Ok(count) => desk.said.set(format!("{count} sessions were ended.")),
                Err(error) => note(error),
            }
            again.update(|count| *count = count.wrapping_add(1));
        });
    };
    let links = Signal::derive(move || match sessions.get() {
        Some(Ok(list)) => list.links,
        _ => Vec::new(),
    });
    let body = move || {
        sessions.get().map(|list| match list {
            Err(error) => {
                desk.note(&error);
                view! { <Failure error /> }.into_any()
            }
            Ok(SessionList { sessions, .. }) => {
                let others = sessions.iter().any(|line| !line.current);
                let rows = sessions.into_iter().map(|line| view! { <Row line end /> }).collect_view();
                view! {
                    <ul class="sessions">{rows}</ul>
                    {others.then(|| view! { <button class="no" on:click=end_others>"End all others"</button> })}
                }
                .into_any()
            }
        })
    };
    view! {
        <h1>"You"</h1>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        <Strength failed />
        <Passkeys />
        <Card title="Where you are signed in">
            <p class="soft">
                "A session that you do not know: end it, and tell whoever runs the gate. What a browser says of itself can be \
                 made up."
            </p>
            <Transition fallback=|| view! { <p class="soft">"Asking the gate …"</p> }>{body}</Transition>
        </Card>
        <CommandLine links end again failed />
    }
}

/// How strongly one is signed in, and authenticating anew where that is more.
#[component]
fn Strength(failed: RwSignal<Option<ApiError>>) -> impl IntoView {
    let desk = Desk::take();
    let leaving = RwSignal::new(false);
    let step_up = move |_| {
        leaving.set(true);
        spawn_local(async move {
            let gone = match api::begin_step_up("/you".to_owned()).await {
                Ok(location) => window().location().assign(&location).map_err(|_| ApiError::Unreachable),
                Err(error) => Err(error),
            };
            if let Err(error) = gone {
                leaving.set(false);
                desk.note(&error);
                failed.set(Some(error));
            }
        });
    };
    move || match desk.signed.get() {
        Signed::In(session) => view! {
            <p>
                "You are " <b><Text text=session.person.id /></b> ", signed in by "
                <b><Text text=session.assurance /></b> " until " {zoned(session.expires_at)} " at the latest."
            </p>
            {(!session.groups.is_empty()).then(|| {
                let groups = session.groups.iter().map(|group| group.id.clone()).collect::<Vec<_>>().join(", ");
                view! {
                    <p>
                        "Your provider says that you are in " <b><Text text=groups /></b>
                        <span class="soft">", besides what the policies say. It counts until this session ends."</span>
                    </p>
                }
            })}
            {session.step_up.map(|word| view! {
                <p>
                    <button disabled=move || leaving.get() on:click=step_up>
                        "Authenticate again, as " <b><Text text=word /></b>
                    </button>
                    <span class="soft">" Some votes demand it. It counts for one of them, and for some minutes."</span>
                </p>
            })}
        }
        .into_any(),
        _ => ().into_any(),
    }
}

/// One session.
#[component]
fn Row(line: SessionLine, end: Callback<String>) -> impl IntoView {
    let name = place(&line);
    let label = format!("End the session of {name} since {}", zoned(line.since));
    let id = line.id;
    view! {
        <li>
            <div>
                <b title=line.browser.unwrap_or_default()><Text text=name /></b>
                {line.current.then(|| view! { " " <span class="count">"this one"</span> })}
                <p class="soft">
                    "by " <Text text=line.by /> ", as " <Text text=line.assurance /> ", since " {zoned(line.since)}
                    ", last seen " {zoned(line.last_seen)} ", ends " {zoned(line.expires_at)}
                </p>
            </div>
            {(!line.current).then(|| view! {
                <button class="no" aria-label=label on:click=move |_| end.run(id.clone())>"End"</button>
            })}
        </li>
    }
}
