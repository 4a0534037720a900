//! One line of the queue.

use std::collections::BTreeSet;

use leptos::prelude::*;
use policy_core::console::Act;
use proviso_api::exceptions::ExceptionLine;

use super::Page;
use super::active::RevokeOne;
use crate::app::Desk;
use crate::components::{Countdown, Text};
use crate::view_model::facts::{entity, uses};
use crate::view_model::queue::Tab;
use crate::view_model::time::ago;

/// A line. In the tab of live grants it takes the grant away, too.
#[component]
pub(super) fn Line(line: ExceptionLine, gone: bool, tab: Tab, chosen: RwSignal<BTreeSet<String>>) -> impl IntoView {
    let (page, desk) = (Page::take(), Desk::take());
    let resources = line.resources.iter().map(entity).collect::<Vec<_>>().join(", ");
    let votes = format!("{} of {}", line.votes, line.approvals);
    let asked = line.requested_at;
    let clock = match (line.state.as_str(), line.not_after) {
        ("requested", _) => {
            view! { <span class="label">"decide by"</span> " " <Countdown then=line.decide_by /> }.into_any()
        }
        ("unconfirmed", _) => {
            view! { <span class="label">"before the restore"</span> " asked " {move || ago(desk.now.get(), asked)} }
                .into_any()
        }
        ("granted", Some(end)) => view! { <span class="label">"ends"</span> " " <Countdown then=end /> }.into_any(),
        _ => view! { <span class="label">"asked"</span> " " {move || ago(desk.now.get(), asked)} }.into_any(),
    };
    let used =
        line.last_use.map(|used| view! { <span class="soft">" last " {move || ago(desk.now.get(), used)}</span> });
    let counts = match line.state.as_str() {
        "requested" => view! { <span class="label">"votes"</span> " " {votes} }.into_any(),
        "unconfirmed" => view! { <span class="label">"confirmed"</span> " " {votes} }.into_any(),
        _ if line.max_uses > 0 => {
            view! { <span class="label">"used"</span> " " {format!("{} of {}", line.uses, uses(line.max_uses))} {used} }
                .into_any()
        }
        _ => ().into_any(),
    };
    let times = line.repeated.saturating_add(1);
    let live = tab == Tab::Active && line.may_revoke && !gone;
    let may_choose = live || (tab == Tab::NeedsMe && line.needs_me && !gone);
    let (id, of) = (line.id.clone(), line.id.clone());
    let is_chosen = move || chosen.with(|chosen| chosen.contains(&id));
    let choose = move |event| {
        let (on, of) = (event_target_checked(&event), of.clone());
        chosen.update(|chosen| {
            if on {
                chosen.insert(of)
            } else {
                chosen.remove(&of)
            };
        });
    };
    // The line of a grant that was taken away is often drawn anew before the gate's reply is here.
    let grant = StoredValue::new(line.grant.clone().filter(|_| tab == Tab::Active));
    let told = move |grant: &String| page.revoked.with(|revoked| revoked.contains_key(grant));
    let acts = Memo::new(move |_| live || grant.with_value(|grant| grant.as_ref().is_some_and(told)));
    // A tooltip marks nothing: odd characters are written out.
    let whole = policy_core::text::visible(&line.says, 400);
    let label = format!("Choose {whole}");
    view! {
        {may_choose.then(|| view! {
            <label class="choose">
                <input type="checkbox" data-choose="" aria-label=label prop:checked=is_chosen on:change=choose />
            </label>
        })}
        <a href=format!("/exceptions/{}", line.id) data-line="">
            <span class="says" title=whole><Text text=line.says /></span>
            <span class="soft by">
                <span class="mono"><Text text=line.subject.id /></span> " in task "
                <span class="mono"><Text text=line.task /></span> " on "
                <span class="mono"><Text text=resources /></span>
            </span>
            <span class="chips">
                {gone.then(|| view! { <span class="chip">"no longer here"</span> })}
                {line.emergency.then(|| view! { <span class="chip state-denied">"emergency"</span> })}
                <span class=format!("chip state-{}", line.state)>{line.state.clone()}</span>
                <span class="chip">{line.tier}</span>
                {line.waiting.then(|| view! { <span class="chip warn">"the agent waits"</span> })}
                {(times > 1).then(|| view! { <span class="chip">{format!("asked {times} times")}</span> })}
                {(line.state == "requested" && line.undo_until.is_some()).then(|| view! { <span class="chip">"your approval waits"</span> })}
                {line.routed_on.then(|| view! { <span class="chip">"past your day, asked of others"</span> })}
                {line.hidden.contains(&Act::ViewArguments).then(|| view! { <span class="chip">"not shown whole"</span> })}
            </span>
            <span class="clock">{clock}</span>
            <span class="clock">{counts}</span>
        </a>
        {move || acts.get().then(|| grant.get_value().map(|grant| view! { <RevokeOne grant /> }))}
    }
}
