//! `/api/v1/events`: live changes.

use futures::StreamExt;
use gloo_net::eventsource::futures::EventSource;
use proviso_api::operations::Change;

/// Calls `on_change` for each change, until the gate closes the stream for good. The browser reconnects by itself when
/// the network comes and goes.
pub async fn changes(on_change: impl Fn(Change)) {
    let Ok(mut source) = EventSource::new("/api/v1/events") else { return };
    let Ok(mut messages) = source.subscribe("message") else { return };
    while let Some(Ok((_, message))) = messages.next().await {
        let change = message.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
        if let Some(change) = change {
            on_change(change);
        }
    }
}
