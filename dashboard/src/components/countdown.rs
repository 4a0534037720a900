//! A time limit: the instant, and how long until then by the gate's clock.

use leptos::prelude::*;
use policy_core::time::Timestamp;

use crate::app::Desk;
use crate::view_model::time::{clock, until, zone, zoned};

/// `16:51 UTC in 17 min`. The exact instant stands in the tooltip.
#[component]
pub fn Countdown(
    /// The instant.
    then: Timestamp,
) -> impl IntoView {
    let desk = Desk::take();
    view! {
        <time datetime=then.to_string() title=format!("{} ({then})", zoned(then))>
            <b>{clock(then)}</b>
            {format!(" {} ", zone(then))}
            {move || until(desk.now.get(), then)}
        </time>
    }
}
