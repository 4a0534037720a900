//! What a client hears: one answer as JSON, or a stream of events that ends with it; and the stream of a session on which
//! nobody asked anything.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use super::actor::Event;
use super::bearer;
use super::book::Conversation;
use super::bounds::{KNOWN, MOST_OF_ONE, SILENCE};
use super::callers::Caller;
use super::entry::{no_session, too_many, unanswered};
use super::event_stream::{SIGN_OF_LIFE, event};
use super::headers::{self, SESSION, VERSION};
use super::out::{self, Listening, Saying};
use super::refusal::Refused;
use super::server::Proxy;
use crate::mcp::era::STATELESS_VERSIONS;
use crate::mcp::message::Id;

/// A client that listens. When it goes, the conversation hears so.
pub struct Listener {
    listening: Listening,
    proxy: Arc<Proxy>,
    token: String,
    /// Since when it was last known who listens.
    known: u64,
    _going: Going,
}

/// Tells that nobody listens for an answer any more.
struct Going {
    events: Sender<Event>,
    id: Option<Id>,
}

impl Drop for Going {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let events = self.events.clone();
        // Where the runtime has gone first, so has the conversation.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _over = events.send(Event::Gone(id)).await;
            });
        }
    }
}

impl Listener {
    /// Somebody who listens for the answer under this id, or to whatever is said.
    pub fn new(listening: Listening, to: &Conversation, id: Option<Id>, proxy: &Arc<Proxy>, token: String) -> Self {
        let going = Going { events: to.events(), id };
        Self { listening, proxy: Arc::clone(proxy), token, known: proxy.clock.boot(), _going: going }
    }

    /// The bytes that come next on a stream of events. Nothing when it is over.
    async fn next_bytes(&mut self) -> Option<Vec<u8>> {
        loop {
            match tokio::time::timeout(KNOWN.min(SILENCE), self.listening.next()).await {
                Ok(Some(Saying::Message(message) | Saying::Answer(message, _))) => return Some(event(&message)),
                Ok(None) => return None,
                // INVARIANT (R7): whoever is not known any more hears nothing more.
                Err(_) if !self.is_still_known().await => return None,
                Err(_) => return Some(SIGN_OF_LIFE.to_vec()),
            }
        }
    }

    async fn is_still_known(&mut self) -> bool {
        let now = self.proxy.clock.boot();
        if now < self.known.saturating_add(u64::try_from(KNOWN.as_millis()).unwrap_or(0)) {
            return true;
        }
        self.known = now;
        self.proxy.callers.identify(&self.token).await.is_ok()
    }
}

/// The answer to a request: JSON where it comes first and soon, else a stream.
pub async fn respond(mut listener: Listener) -> Response {
    let first = match tokio::time::timeout(SILENCE, listener.listening.next()).await {
        Ok(Some(Saying::Answer(answer, status))) => return answered(answer, status),
        Ok(Some(Saying::Message(message))) => event(&message),
        Ok(None) => return answered(unanswered(), 200),
        Err(_) => SIGN_OF_LIFE.to_vec(),
    };
    stream(listener, Some(first))
}

fn answered(answer: Vec<u8>, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, kind, answer).into_response()
}

fn stream(listener: Listener, first: Option<Vec<u8>>) -> Response {
    let pieces = futures::stream::unfold((listener, first), async |(mut listener, first)| {
        let bytes = match first {
            Some(first) => first,
            None => listener.next_bytes().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(bytes)), (listener, None)))
    });
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (kind, Body::from_stream(pieces)).into_response()
}

/// `GET`: what a session says by itself (2025-11-25).
pub async fn get(State(proxy): State<Arc<Proxy>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    follow(&proxy, &parts).await.unwrap_or_else(|refused| refused.into_response())
}

async fn follow(proxy: &Arc<Proxy>, parts: &Parts) -> Result<Response, Refused> {
    let (conversation, caller, token) = of_session(proxy, parts).await?;
    if proxy.book.open_of(&caller) >= MOST_OF_ONE {
        return Err(too_many());
    }
    headers::hold_accept(&parts.headers, &["text/event-stream"])?;
    let (out, listening) = out::stream();
    let listener = Listener::new(listening, &conversation, None, proxy, token.clone());
    if conversation.happen(Event::Follows(out), &token, proxy.clock.boot()).await {
        Ok(stream(listener, Some(SIGN_OF_LIFE.to_vec())))
    } else {
        Err(no_session(&Value::Null))
    }
}

/// `DELETE`: the end of a session (2025-11-25).
pub async fn delete(State(proxy): State<Arc<Proxy>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    end(&proxy, &parts).await.unwrap_or_else(|refused| refused.into_response())
}

async fn end(proxy: &Arc<Proxy>, parts: &Parts) -> Result<Response, Refused> {
    let (conversation, _, token) = of_session(proxy, parts).await?;
    if let Some(name) = parts.headers.get(SESSION).and_then(|name| name.to_str().ok()) {
        proxy.book.remove(name);
    }
    conversation.happen(Event::End, &token, proxy.clock.boot()).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The caller's own session that a request names.
async fn of_session(proxy: &Arc<Proxy>, parts: &Parts) -> Result<(Arc<Conversation>, Caller, String), Refused> {
    proxy.hold_door(&parts.headers)?;
    let token = bearer::token(&parts.uri, &parts.headers, &proxy.metadata)?;
    let caller = proxy.callers.identify(&token).await?;
    let name = parts.headers.get(SESSION).and_then(|name| name.to_str().ok());
    let (false, Some(name)) = (is_stateless(&parts.headers), name) else { return Err(only_post()) };
    let conversation = proxy.book.session(name, &caller).ok_or_else(|| no_session(&Value::Null))?;
    Ok((conversation, caller, token))
}

fn is_stateless(headers: &HeaderMap) -> bool {
    headers.get(VERSION).and_then(|version| version.to_str().ok()).is_some_and(|v| STATELESS_VERSIONS.contains(&v))
}

/// Whatever else is tried at the endpoint.
pub async fn none() -> Response {
    only_post().into_response()
}

fn only_post() -> Refused {
    let detail = "without a session there is only `POST` here";
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "only_post", detail).header(header::ALLOW, "POST")
}
