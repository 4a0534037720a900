//! What a client hears: one answer as JSON, or a stream of events that ends with it; and the stream of a session on which
//! nobody asked anything.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::actor::Event;
use super::bearer;
use super::book::Conversation;
use super::bounds::{KNOWN, SILENCE};
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
    conversation: Arc<Conversation>,
    /// Until when it is known who listens.
    known: u64,
    /// The request that it listens for, and its number as a listener.
    going: Option<(Id, u64)>,
}

/// Whether it is known who listens.
enum Known {
    Yes,
    No,
    /// The gate is away.
    Unsure,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.conversation.shared.open.fetch_sub(1, Ordering::AcqRel);
        let Some((id, number)) = self.going.take() else { return };
        let events = self.conversation.events();
        // Where the runtime has gone first, so has the conversation.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _over = events.send(Event::Gone(id, number)).await;
            });
        }
    }
}

impl Listener {
    /// Somebody who listens for the answer under an id, or to whatever is said.
    pub fn new(listening: Listening, to: &Arc<Conversation>, going: Option<(Id, u64)>, proxy: &Arc<Proxy>) -> Self {
        to.shared.open.fetch_add(1, Ordering::AcqRel);
        let mut listener = Self { listening, proxy: Arc::clone(proxy), conversation: Arc::clone(to), known: 0, going };
        listener.known = listener.soon();
        listener
    }

    /// The bytes that come next on a stream of events. Nothing when it is over.
    async fn next_bytes(&mut self) -> Option<Bytes> {
        match tokio::time::timeout(KNOWN.min(SILENCE), self.listening.next()).await {
            // It was allowed.
            Ok(Some(Saying::Answer(answer, _))) => Some(Bytes::from_owner(answer.map(event))),
            Ok(None) => None,
            // INVARIANT (R7): whoever is not known any more hears nothing more, however much is said.
            Ok(Some(Saying::Message(message))) => match self.is_known().await {
                Known::Yes => Some(event(&message).into()),
                Known::No | Known::Unsure => None,
            },
            // While the gate is away nothing is said, and nothing is given up.
            Err(_) => match self.is_known().await {
                Known::Yes | Known::Unsure => Some(Bytes::from_static(SIGN_OF_LIFE)),
                Known::No => None,
            },
        }
    }

    fn soon(&self) -> u64 {
        self.proxy.clock.boot().saturating_add(u64::try_from(KNOWN.as_millis()).unwrap_or(0))
    }

    /// By the newest token that its caller has brought.
    async fn is_known(&mut self) -> Known {
        if self.proxy.clock.boot() < self.known {
            return Known::Yes;
        }
        match self.proxy.callers.identify(&self.conversation.token()).await {
            Ok(_) => {
                self.known = self.soon();
                Known::Yes
            }
            Err(refused) if refused.is_of_caller() => Known::No,
            Err(_) => Known::Unsure,
        }
    }
}

/// The answer to a request: JSON where it comes first and soon, else a stream.
pub async fn respond(mut listener: Listener) -> Response {
    let first = match tokio::time::timeout(SILENCE, listener.listening.next()).await {
        Ok(Some(Saying::Answer(answer, status))) => return answered(Bytes::from_owner(answer), status),
        // INVARIANT (R7): the first message may come when it is no longer known who listens.
        Ok(Some(Saying::Message(message))) => match listener.is_known().await {
            Known::Yes => event(&message).into(),
            Known::No | Known::Unsure => return answered(unanswered(&Value::Null).into(), 200),
        },
        Ok(None) => return answered(unanswered(&Value::Null).into(), 200),
        Err(_) => Bytes::from_static(SIGN_OF_LIFE),
    };
    stream(listener, Some(first))
}

fn answered(answer: Bytes, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, kind, answer).into_response()
}

fn stream(listener: Listener, first: Option<Bytes>) -> Response {
    let pieces = futures::stream::unfold((listener, first), async |(mut listener, first)| {
        let bytes = match first {
            Some(first) => first,
            None => listener.next_bytes().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(bytes), (listener, None)))
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
    if proxy.book.is_full_of(&caller) {
        return Err(too_many());
    }
    headers::hold_accept(&parts.headers, &["text/event-stream"])?;
    let (out, listening) = out::stream(&conversation.shared.unread);
    let listener = Listener::new(listening, &conversation, None, proxy);
    if conversation.happen(Event::Follows(out), &token, proxy.clock.boot()).await {
        Ok(stream(listener, Some(Bytes::from_static(SIGN_OF_LIFE))))
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
