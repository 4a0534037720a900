//! Following the gate's changes while somebody is signed in.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use proviso_api::operations::Change;

use crate::api;
use crate::app::{Desk, Signed};

/// How long a closed stream of changes is left closed.
const RECONNECT: Duration = Duration::from_secs(5);

/// Listens, and listens again when the stream was closed. While nobody listens the page says so.
pub fn follow(desk: Desk) {
    spawn_local(desk.watch());
    let signed_in = move || desk.signed.with_untracked(|signed| matches!(signed, Signed::In(_)));
    let on_loss = move || {
        if signed_in() && desk.away_since.get_untracked().is_none() {
            desk.away_since.set(Some(desk.now.get_untracked()));
        }
    };
    let on_change = move |change: Change| {
        desk.away_since.set(None);
        if change.kind.starts_with("finding_") || change.kind == "missed" {
            spawn_local(desk.count_findings());
        }
        // What names no exception may change what is to be seen of each.
        if change.exception.is_none() {
            desk.whole.update(|whole| *whole = whole.wrapping_add(1));
        }
        desk.position.update(|position| *position = (*position).max(change.position));
    };
    spawn_local(async move {
        api::changes(on_change, on_loss).await;
        on_loss();
        let again = move || {
            if signed_in() {
                follow(desk);
            }
        };
        set_timeout(again, RECONNECT);
    });
}
