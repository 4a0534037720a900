//! `GET /api/v1/events`: live changes, as server-sent events. Each says that something is new, never what it is: a
//! client reads that where it always does. The first one stands for all that was before the stream, so that who reads
//! after it misses nothing.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use futures::stream::unfold;
use proviso_api::operations::Change;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::app::{App, Seen};
use crate::http::caller::Follower;
use crate::http::site::Site;

/// How often a quiet stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Listener {
    app: App,
    secret: String,
    changes: Receiver<Change>,
    stopping: watch::Receiver<bool>,
    position: u64,
    /// Whether there is something that this reader was not told of.
    missed: bool,
    /// Which exceptions this reader may see, as of a moment ago.
    seen: Seen<String>,
}

/// The stream. It ends with the session and when the gate stops.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    follower: Follower,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // In this order: what comes between the two is in both, and never in neither.
    let changes = site.app().subscribe();
    let position = site.app().position();
    let listener = Listener {
        app: site.app().clone(),
        secret: follower.secret,
        changes,
        stopping: site.stopping(),
        position,
        missed: true,
        seen: Seen::default(),
    };
    Sse::new(unfold(listener, next)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn next(mut listener: Listener) -> Option<(Result<Event, Infallible>, Listener)> {
    loop {
        let change = heard(&mut listener).await?;
        // A session that has ended hears nothing more.
        let person = listener.app.session(&listener.secret).ok()?;
        listener.position = listener.position.max(change.position);
        // Nor does anybody of what they may not see.
        if let Some(change) = listener.app.change_seen_by(&person, &mut listener.seen, change).await {
            let event = Event::default().id(change.position.to_string()).json_data(&change).ok()?;
            return Some((Ok(event), listener));
        }
    }
}

async fn heard(listener: &mut Listener) -> Option<Change> {
    let change = if std::mem::take(&mut listener.missed) {
        Ok(missed(listener.position))
    } else {
        tokio::select! {
            change = listener.changes.recv() => change,
            _ = listener.stopping.wait_for(|stop| *stop) => return None,
        }
    };
    match change {
        Ok(change) => Some(change),
        // Too many at once for this reader.
        Err(RecvError::Lagged(_)) => Some(missed(listener.position)),
        Err(RecvError::Closed) => None,
    }
}

/// One event for all that a reader was not told of.
fn missed(position: u64) -> Change {
    Change { position, kind: "missed".to_owned(), exception: None }
}
