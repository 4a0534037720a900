//! `/api/v1/events`: live changes.

use futures::StreamExt;
use futures::stream::select;
use gloo_net::eventsource::futures::EventSource;
use proviso_api::operations::Change;

/// Calls `on_change` for each change, and `on_loss` whenever the stream is cut, until the gate closes it for good. The
/// browser reconnects by itself when the network comes and goes: the first change after that is that some were missed.
pub async fn changes(on_change: impl Fn(Change), on_loss: impl Fn()) {
    let Ok(mut source) = EventSource::new("/api/v1/events") else { return };
    let Ok(messages) = source.subscribe("message") else { return };
    // Of a stream that the browser connects anew a subscription says nothing: the browser's own event does.
    let Ok(losses) = source.subscribe("error") else { return };
    let mut heard = select(messages, losses);
    while let Some(Ok((kind, message))) = heard.next().await {
        if kind == "error" {
            on_loss();
        } else if let Some(change) = message.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
            on_change(change);
        }
    }
}
