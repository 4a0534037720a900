//! What one person leaves behind, and handing it over from there: their own things by themselves, findings by anybody,
//! the rest by the operator, whose commands stand there to be copied.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;
use policy_core::entity::EntityRef;
use proviso_api::findings::FindingLine;
use proviso_api::ownership::{Departure as Left, HandOwnerRequest, Owned};
use proviso_api::routing::DeputyLine;

use super::rows::{Agents, Credentials, Deputies, Exceptions, Findings, Locks};
use crate::api;
use crate::app::{Desk, Signed};
use crate::components::{Card, Failure, Notice, Text, Tone};
use crate::pages::stay::Stay;
use crate::pages::{focus, set_title};
use crate::view_model::ownership::{commands, is_nothing};
use crate::view_model::problem::ApiError;
use crate::view_model::time::zoned;

/// What is handed over at one press.
#[derive(Clone)]
pub(super) enum Give {
    /// Agents or exceptions, one after the other.
    Owned(Vec<Owned>),
    /// A finding, by id.
    Finding(String),
    /// Ends a deputyship, by id.
    Deputy(String),
}

/// What the rows share: who is looked at, whether it is oneself, and handing over.
#[derive(Clone, Copy)]
pub(super) struct Hand {
    /// Whether the person who looks is the one who leaves.
    pub mine: bool,
    pub give: Callback<Give>,
}

/// All that the page shows, of one moment.
#[derive(Clone, PartialEq)]
struct Shown {
    left: Left,
    findings: Vec<FindingLine>,
    deputies: Vec<DeputyLine>,
}

/// The page of one person.
#[component]
pub fn Departure() -> impl IntoView {
    set_title("Departure");
    let desk = Desk::take();
    let params = use_params_map();
    let user = Memo::new(move |_| params.with(|params| params.get("user").unwrap_or_default()));
    let (stay, shown) = (Stay::here(), RwSignal::new(None::<Shown>));
    let failed = RwSignal::new(None::<ApiError>);
    Effect::new(move |_| {
        desk.position.track();
        let user = user.get();
        stay.spawn(async move {
            match fetch(&user).await {
                Ok(fresh) => {
                    failed.set(None);
                    // Answers can overtake one another: an older one never replaces a newer.
                    let newest = shown.with_untracked(|held| {
                        held.as_ref()
                            .is_none_or(|held| held.left.person != fresh.left.person || held.left.now <= fresh.left.now)
                    });
                    if newest {
                        shown.set(Some(fresh));
                    }
                }
                Err(error) => {
                    desk.note(&error);
                    failed.set(Some(error));
                }
            }
        });
    });
    // The fields stay while what is below them is drawn anew.
    let person = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|shown| shown.left.person.clone())));
    let body = move || person.get().map(|person| view! { <Body person shown /> });
    view! {
        <p class="crumb"><a href="/ownership">"Ownership"</a></p>
        {move || failed.get().map(|error| view! { <Failure error /> })}
        {move || (person.get().is_none() && failed.get().is_none()).then(|| view! { <p class="soft">"Asking the gate …"</p> })}
        {body}
    }
}

async fn fetch(user: &str) -> Result<Shown, ApiError> {
    let left = api::departure(user).await?;
    let findings =
        if left.findings.is_empty() { Vec::new() } else { api::findings("?state=unresolved").await?.findings };
    let deputies = if left.deputies.is_empty() { Vec::new() } else { api::deputies().await?.deputies };
    let findings = findings.into_iter().filter(|line| left.findings.contains(&line.id)).collect();
    let deputies = deputies.into_iter().filter(|line| left.deputies.contains(&line.id)).collect();
    Ok(Shown { left, findings, deputies })
}

#[component]
fn Body(person: EntityRef, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let desk = Desk::take();
    let me = desk.signed.with_untracked(|signed| match signed {
        Signed::In(session) => Some(session.person.clone()),
        _ => None,
    });
    let mine = me.as_ref() == Some(&person);
    let (to, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let kind = StoredValue::new(person.kind.clone());
    let give = Callback::new(move |what: Give| {
        let (heir, why) = (to.get_untracked().trim().to_owned(), reason.get_untracked().trim().to_owned());
        if busy.get_untracked() {
            return;
        }
        let needs_heir = !matches!(what, Give::Deputy(_));
        if needs_heir && heir.is_empty() {
            desk.said.set("Say first who is to have it.".to_owned());
            focus("heir");
            return;
        }
        if needs_heir && why.is_empty() {
            desk.said.set("Say why: the record keeps it.".to_owned());
            focus("why");
            return;
        }
        busy.set(true);
        let heir = EntityRef::new(kind.get_value(), heir);
        spawn_local(async move {
            let done = carry_out(what, heir, why).await;
            busy.set(false);
            match done {
                // The change comes back as news, and draws the lists again.
                Ok(told) => {
                    failed.set(None);
                    desk.said.set(told);
                }
                Err(error) => {
                    desk.note(&error);
                    desk.said.set(error.what());
                    failed.set(Some(error));
                }
            }
        });
    });
    let hand = Hand { mine, give };
    let heading = move || {
        shown.get().map(|Shown { left, .. }| {
            let groups =
                left.groups.into_iter().map(|line| view! { <span class="chip"><Text text=line.group /></span> });
            let departed =
                left.departed_at.map(|at| view! { <span class="chip warn">{format!("left at {}", zoned(at))}</span> });
            view! { <p class="chips">{departed}{groups.collect_view()}</p> }
        })
    };
    let nothing = move || shown.with(|shown| shown.as_ref().is_some_and(|shown| is_nothing(&shown.left)));
    let anything = Memo::new(move |_| !nothing());
    // Others hand over findings alone: without any there is nothing to fill in.
    let has_findings = move || shown.with(|shown| shown.as_ref().is_some_and(|shown| !shown.findings.is_empty()));
    let hands = Memo::new(move |_| anything.get() && (mine || has_findings()));
    let lists = move || {
        shown.get().map(|Shown { left, findings, deputies }| {
            view! {
                <Agents lines=left.agents hand />
                <Exceptions lines=left.exceptions hand />
                <Findings lines=findings hand />
                <Deputies lines=deputies hand />
                <Locks lines=left.locks />
                <Credentials lines=left.credentials />
            }
        })
    };
    let operator = move || {
        let told = shown.with(|shown| shown.as_ref().map(|shown| commands(&shown.left)).unwrap_or_default());
        (!told.is_empty()).then(|| {
            view! {
                <Card title="What the operator does">
                    <p class="soft">"What somebody owns they hand over themselves; in their place the operator does. Put in "<code>"WHO"</code>", "<code>"WHY"</code>" and "<code>"DIR"</code>"."</p>
                    <pre tabindex="0" class="long" aria-label="The operator's commands">{told.join("\n")}</pre>
                </Card>
            }
        })
    };
    view! {
        <h1>
            {if mine { "What you would leave behind".into_any() } else { view! { "What " <Text text=person.id.clone() /> " would leave behind" }.into_any() }}
        </h1>
        {heading}
        {move || (!anything.get()).then(|| view! { <Notice tone=Tone::Good title="Nothing: nobody has to take anything over." /> })}
        {move || hands.get().then(|| view! {
            <Card title="Hand it over">
                {(!mine).then(|| view! { <p class="soft">"Findings anybody can take or give."</p> })}
                <div class="pair">
                    <div>
                        <label for="heir">"Who is to have it: a person's id"</label>
                        <input id="heir" type="text" maxlength="256" autocomplete="off" prop:value=to on:input=move |event| to.set(event_target_value(&event)) />
                    </div>
                    <div>
                        <label for="why">"Why"</label>
                        <input id="why" type="text" maxlength="2000" autocomplete="off" prop:value=reason on:input=move |event| reason.set(event_target_value(&event)) />
                    </div>
                </div>
                <p class="soft">"Nobody who owned an agent votes on anything of it for 30 days, the new owner neither."</p>
                {move || failed.get().map(|error| view! { <Failure error /> })}
            </Card>
        })}
        {lists}
        {operator}
    }
}

/// Hands over, one after the other: what was done before one that is refused stays done.
async fn carry_out(what: Give, to: EntityRef, reason: String) -> Result<String, ApiError> {
    match what {
        Give::Owned(all) => {
            let count = all.len();
            for of in all {
                let request = HandOwnerRequest { of, from: None, to: to.clone(), reason: reason.clone() };
                api::hand_over(&request).await?;
            }
            Ok(if count == 1 { "Handed over.".to_owned() } else { format!("{count} handed over.") })
        }
        Give::Finding(id) => api::assign_finding(&id, to, reason).await.map(|_| "Handed over.".to_owned()),
        Give::Deputy(id) => api::end_deputy(&id).await.map(|()| "The deputyship is over.".to_owned()),
    }
}
