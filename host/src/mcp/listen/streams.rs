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
use super::bounds::{KNOWN, RETRY, SILENCE};
use super::callers::Caller;
use super::entry::{no_session, no_stream, too_many, unanswered};
use super::event_stream::{SIGN_OF_LIFE, event, primer};
use super::headers::{self, AFTER, SESSION, VERSION};
use super::kept::{GENERAL, Place};
use super::out::{self, Counted, Listening, Saying};
use super::refusal::Refused;
use super::server::Proxy;
use crate::mcp::era::STATELESS_VERSIONS;

/// A client that listens. When it goes, the conversation hears so.
pub struct Listener {
    listening: Listening,
    proxy: Arc<Proxy>,
    conversation: Arc<Conversation>,
    /// Until when it is known who listens.
    known: u64,
    /// Its number, where it listens for an answer.
    going: Option<u64>,
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
        let Some(number) = self.going.take() else { return };
        let events = self.conversation.events();
        // Where the runtime has gone first, so has the conversation.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _over = events.send(Event::Gone(number)).await;
            });
        }
    }
}

impl Listener {
    /// Somebody who listens for an answer by this number, or to whatever is said.
    pub fn new(listening: Listening, to: &Arc<Conversation>, going: Option<u64>, proxy: &Arc<Proxy>) -> Self {
        to.shared.open.fetch_add(1, Ordering::AcqRel);
        let mut listener = Self { listening, proxy: Arc::clone(proxy), conversation: Arc::clone(to), known: 0, going };
        listener.known = listener.soon();
        listener
    }

    /// The bytes that come next on a stream of events. Nothing when it is over.
    async fn next_bytes(&mut self) -> Option<Bytes> {
        match tokio::time::timeout(KNOWN.min(SILENCE), self.listening.next()).await {
            // It was allowed.
            Ok(Some(Saying::Answer(answer, place, _))) => {
                Some(Bytes::from_owner(answer.map(|text| event(text, place))))
            }
            Ok(Some(Saying::Opens(place, retry))) => Some(opening(place, retry)),
            Ok(None) => None,
            // INVARIANT (R7): whoever is not known any more hears nothing more, however much is said.
            Ok(Some(Saying::Message(message, place))) => match self.is_known().await {
                Known::Yes => Some(said(message, place)),
                Known::No | Known::Unsure => None,
            },
            // While the gate is away nothing is said, and nothing is given up.
            Err(_) => match self.is_known().await {
                Known::Yes | Known::Unsure => Some(Bytes::from_static(SIGN_OF_LIFE)),
                Known::No => None,
            },
        }
    }

    /// The upstream is silent: whoever waits for it wants to know where to go on if the stream is cut off.
    async fn waits(&self) {
        if let Some(number) = self.going {
            let _over = self.conversation.events().send(Event::Waits(number)).await;
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

/// The first bytes of a stream that opens.
fn opening(place: Option<Place>, retry: Option<u64>) -> Bytes {
    match place {
        Some(place) => primer(place, retry.unwrap_or(RETRY)).into(),
        None => Bytes::from_static(SIGN_OF_LIFE),
    }
}

fn said(message: Counted, place: Option<Place>) -> Bytes {
    Bytes::from_owner(message.map(|text| event(text, place)))
}

/// The answer to a request: a stream where the upstream has one or lets wait for it, else JSON.
pub async fn respond(mut listener: Listener) -> Response {
    let first = match tokio::time::timeout(SILENCE, listener.listening.next()).await {
        Ok(Some(Saying::Answer(answer, _, status))) => return answered(Bytes::from_owner(answer), status),
        Ok(Some(Saying::Opens(place, retry))) => opening(place, retry),
        // INVARIANT (R7): the first message may come when it is no longer known who listens.
        Ok(Some(Saying::Message(message, place))) => match listener.is_known().await {
            Known::Yes => said(message, place),
            Known::No | Known::Unsure => return answered(unanswered(&Value::Null).into(), 200),
        },
        Ok(None) => return answered(unanswered(&Value::Null).into(), 200),
        Err(_) => {
            listener.waits().await;
            Bytes::from_static(SIGN_OF_LIFE)
        }
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

/// `GET`: what a session says by itself, or a stream that was cut off (2025-11-25).
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
    let after = match headers::once(&parts.headers, AFTER, &Value::Null)? {
        Some(text) => Some(Place::read(text).ok_or_else(no_stream)?),
        None => None,
    };
    let (out, listening) = out::stream(&conversation.shared.unread);
    let number = conversation.number();
    let going = after.filter(|place| place.stream != GENERAL).map(|_| number);
    let mut listener = Listener::new(listening, &conversation, going, proxy);
    if !conversation.happen(Event::Follows(out, after, number), &token, proxy.clock.boot()).await {
        return Err(no_session(&Value::Null));
    }
    match listener.listening.next().await {
        Some(Saying::Opens(place, retry)) => Ok(stream(listener, Some(opening(place, retry)))),
        // Nothing is said on what nobody keeps.
        _ if after.is_some() => Err(no_stream()),
        _ => Err(no_session(&Value::Null)),
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
