//! What is drawn: bars of requests, and a line of times.

use leptos::prelude::*;
use proviso_api::past::PicturesReply;

use crate::components::Card;
use crate::view_model::pictures::{HEIGHT, OUTCOMES, WIDTH, bars, day, line, seconds, tiers};
use crate::view_model::queue::{Tab, View};

/// Requests by day, tier and what became of them.
#[component]
pub(super) fn Requests(reply: RwSignal<Option<PicturesReply>>) -> impl IntoView {
    let tier = RwSignal::new(None::<String>);
    let chart = move || {
        reply.with(|reply| {
            reply.as_ref().map(|reply| {
                let (pieces, top) = bars(reply, tier.get().as_deref());
                let first = day(reply.from, 0);
                let last = day(reply.from, reply.days.saturating_sub(1));
                let shapes = pieces
                    .into_iter()
                    .map(|piece| {
                        let title = piece.title.clone();
                        view! {
                            <rect class=format!("bar-{}", piece.outcome) x=format!("{:.1}", piece.x) y=format!("{:.1}", piece.y)
                                width=format!("{:.1}", piece.width) height=format!("{:.1}", piece.height) data-told=title></rect>
                        }
                    })
                    .collect_view();
                let told = format!("Requests by day from {first} to {last}, at most {top} on one day");
                view! {
                    <svg class="picture" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=told>{shapes}</svg>
                    <p class="axis soft"><span>{first}</span><span>{format!("at most {top} a day")}</span><span>{last}</span></p>
                }
            })
        })
    };
    let choices = move || {
        let all = reply.with(|reply| reply.as_ref().map(tiers).unwrap_or_default());
        std::iter::once(None)
            .chain(all.into_iter().map(Some))
            .map(|each| {
                let name = each.clone().unwrap_or_else(|| "all tiers".to_owned());
                let (of, pressed) = (each.clone(), tier.get() == each);
                view! { <button class="quiet" aria-pressed=pressed.to_string() on:click=move |_| tier.set(of.clone())>{name}</button> }
            })
            .collect_view()
    };
    let legend = move || {
        let tier = tier.get();
        OUTCOMES
            .map(|outcome| {
                let state = match outcome {
                    "open" => "requested",
                    "undecided" => "lapsed",
                    other => other,
                };
                let view = View { tab: Tab::All, state: Some(state.to_owned()), tier: tier.clone(), ..View::default() };
                let count = reply.with(|reply| {
                    let of = reply.iter().flat_map(|reply| &reply.requests);
                    let of = of.filter(|count| {
                        count.outcome == outcome && tier.as_ref().is_none_or(|tier| *tier == count.tier)
                    });
                    of.map(|count| count.count).fold(0, u32::saturating_add)
                });
                view! { <a class=format!("chip key-{outcome}") href=view.address()>{format!("{count} {outcome}")}</a> }
            })
            .collect_view()
    };
    view! {
        <Card title="Requests by tier and outcome">
            <div class="presets" role="group" aria-label="Tier">{choices}</div>
            {chart}
            <p class="chips">{legend}</p>
        </Card>
    }
}

/// How long people took to decide.
#[component]
pub(super) fn TimesOfDays(reply: RwSignal<Option<PicturesReply>>) -> impl IntoView {
    let chart = move || {
        reply.with(|reply| {
            reply.as_ref().map(|reply| {
                if reply.times.is_empty() {
                    return view! { <p>"Nobody has decided anything in this span."</p> }.into_any();
                }
                let (half, top) = line(&reply.times, reply.days, |day| day.times.half);
                let (most, _) = line(&reply.times, reply.days, |day| day.times.most);
                let told = format!("How long deciding took by day, at most {}", seconds(top));
                let rows = reply
                    .times
                    .iter()
                    .map(|times| {
                        let when = day(reply.from, times.day);
                        view! {
                            <tr>
                                <th scope="row">{when}</th>
                                <td>{times.times.decided}</td><td>{seconds(times.times.half)}</td><td>{seconds(times.times.most)}</td>
                            </tr>
                        }
                    })
                    .collect_view();
                view! {
                    <svg class="picture" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=told>
                        <polyline class="line-most" points=most></polyline>
                        <polyline class="line-half" points=half></polyline>
                    </svg>
                    <p class="axis soft"><span>"half of them"</span><span>"nineteen of twenty, dashed"</span><span>{format!("top: {}", seconds(top))}</span></p>
                    <details>
                        <summary>"As a table"</summary>
                        <table>
                            <thead><tr><th scope="col">"day"</th><th scope="col">"decided"</th><th scope="col">"half by"</th><th scope="col">"most by"</th></tr></thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </details>
                    <p><a class="list-behind" href=View { tab: Tab::History, ..View::default() }.address()>"The list behind it"</a></p>
                }
                .into_any()
            })
        })
    };
    view! { <Card title="Time to decide">{chart}</Card> }
}
