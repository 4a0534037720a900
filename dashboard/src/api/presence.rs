//! Whether somebody is at the page. What a page asks by itself says so, and keeps no session alive.

use std::cell::Cell;

use leptos::prelude::{window, window_event_listener_untyped};

/// The header by which a request says that nobody has touched the page for a while.
pub(super) const HEADER: &str = "Proviso-Unattended";

/// How long somebody who has touched the page is taken to be there, in milliseconds.
const THERE_FOR: f64 = 60_000.0;

thread_local! {
    static TOUCHED: Cell<f64> = const { Cell::new(0.0) };
}

fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Watches for whoever is there. A page that was opened just now was opened by somebody.
pub fn watch() {
    TOUCHED.set(now());
    for event in ["pointerdown", "keydown", "wheel", "touchstart"] {
        // It listens for as long as the page is there.
        drop(window_event_listener_untyped(event, |_| TOUCHED.set(now())));
    }
}

/// Whether nobody has touched the page for a while.
pub(super) fn is_unattended() -> bool {
    now() - TOUCHED.get() > THERE_FOR
}
