//! `GET /api/v1/stops`: an enforcement point hears which of its calls were stopped after they began.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use proviso_api::stops::StopList;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use crate::http::caller::Caller;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// The longest wait, in seconds.
const LONGEST_WAIT: u64 = 30;

/// How long to wait where nothing is stopped.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Waiting {
    #[serde(default)]
    wait: u64,
}

/// The calls to be called off: at once where there are any, else when there are, else after the wait.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Query(waiting): Query<Waiting>,
) -> Result<Json<StopList>, Refused> {
    let mut stopping = site.stopping();
    // Before the first look: what is stopped between the two is not missed.
    let mut changes = site.app().subscribe();
    let mut list = site.app().stopped_calls(&caller.credential)?;
    let patience = tokio::time::sleep(Duration::from_secs(waiting.wait.min(LONGEST_WAIT)));
    tokio::pin!(patience);
    while list.calls.is_empty() {
        tokio::select! {
            () = &mut patience => break,
            _ = stopping.wait_for(|stop| *stop) => break,
            change = changes.recv() => match change {
                Ok(_) | Err(RecvError::Lagged(_)) => list = site.app().stopped_calls(&caller.credential)?,
                Err(RecvError::Closed) => break,
            },
        }
    }
    Ok(Json(list))
}
