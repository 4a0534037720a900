//! `POST`: a message of a client's. Who, then how, then what; and only then does it reach a conversation.

use std::sync::{Arc, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::actor::Event;
use super::bearer;
use super::book::Conversation;
use super::bounds::BODY;
use super::callers::Caller;
use super::headers::{self, SESSION, VERSION};
use super::out;
use super::refusal::{INVALID, Refused};
use super::server::Proxy;
use super::streams::{self, Listener};
use crate::mcp::era::{Era, STATELESS_VERSIONS};
use crate::mcp::message::{self, FROM_CLIENT, Id, Message, Refused as Unread, Request as Asked};
use crate::mcp::reply::{self, UNAVAILABLE};

/// Takes a message.
pub async fn post(State(proxy): State<Arc<Proxy>>, request: Request<Body>) -> Response {
    take(&proxy, request).await.unwrap_or_else(|refused| refused.into_response())
}

async fn take(proxy: &Arc<Proxy>, request: Request<Body>) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    proxy.hold_door(&parts.headers)?;
    let token = bearer::token(&parts.uri, &parts.headers, &proxy.metadata)?;
    // INVARIANT (R8): nothing of a message is read before it is known whose it is.
    let caller = proxy.callers.identify(&token).await?;
    headers::hold_content_type(&parts.headers)?;
    headers::hold_accept(&parts.headers, &["application/json", "text/event-stream"])?;
    let line = read(body).await?;
    let entrance = Entrance { proxy, headers: &parts.headers, caller, token };
    match message::read(&line, FROM_CLIENT) {
        Ok(Message::Request(request)) => {
            let era = headers::era_of(&parts.headers, &request)?;
            // Before a session begins that nobody would learn the name of.
            if proxy.book.is_full_of(&entrance.caller) {
                return Err(too_many());
            }
            match era {
                Era::Stateless => entrance.stateless(request, line).await,
                Era::Handshake => entrance.handshake(request, line).await,
            }
        }
        Ok(message) => entrance.told(message, line).await,
        Err(unread) => Err(refuse(&unread)),
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Refused> {
    let read = tokio::time::timeout(BODY, to_bytes(body, FROM_CLIENT.max_bytes)).await;
    match read {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => {
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large, or broke off"))
        }
        Err(_) => Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body took too long to arrive")),
    }
}

/// A body that is not one message. INVARIANT (R8): it goes nowhere.
fn refuse(unread: &Unread) -> Refused {
    let id = unread.id.as_ref().map_or(&Value::Null, Id::value);
    Refused::message(unread.rpc, id, unread.code, format!("The message was refused and went nowhere: {}.", unread.code))
}

/// Whoever stands here with a message.
struct Entrance<'a> {
    proxy: &'a Arc<Proxy>,
    headers: &'a HeaderMap,
    caller: Caller,
    token: String,
}

impl Entrance<'_> {
    async fn stateless(self, mut request: Asked, line: Vec<u8>) -> Result<Response, Refused> {
        headers::hold_stateless(self.headers, &request)?;
        let id = request.id.value().clone();
        let gate = || self.proxy.gate_for(&self.token, &self.caller.subject);
        let conversation = self.proxy.book.of(&self.caller, gate).map_err(|_| no_room(&id))?;
        {
            let parameters = conversation.shared.parameters.lock().unwrap_or_else(PoisonError::into_inner);
            let is_call = request.method == "tools/call";
            if is_call && parameters.hold(self.headers, &request.params).is_err() {
                let detail =
                    "an `Mcp-Param-` header is not what the body says, is missing, or is for no argument known here";
                return Err(headers::mismatch(&id, detail.to_owned()));
            }
        }
        // Several clients of one caller count each for itself.
        request.id = Id::number(conversation.number());
        self.ask(conversation, request, line, None).await
    }

    async fn handshake(self, request: Asked, line: Vec<u8>) -> Result<Response, Refused> {
        let id = request.id.value().clone();
        let session = headers::once(self.headers, SESSION, &id)?;
        if request.method == "initialize" {
            headers::hold_handshake(self.headers, &request, None)?;
            if session.is_some() {
                let detail = "a session begins without one";
                return Err(Refused::message(INVALID, &id, "session_begun", detail));
            }
            let gate = self.proxy.gate_for(&self.token, &self.caller.subject);
            let (name, conversation) = self.proxy.book.open(&self.caller, gate).map_err(|_| no_room(&id))?;
            return self.ask(conversation, request, line, Some(name)).await;
        }
        let conversation = self.session(session, &id)?;
        headers::hold_handshake(self.headers, &request, conversation.shared.agreed.get().map(String::as_str))?;
        self.ask(conversation, request, line, None).await
    }

    /// What wants no answer.
    async fn told(self, message: Message, line: Vec<u8>) -> Result<Response, Refused> {
        let null = Value::Null;
        let is_stateless =
            headers::once(self.headers, VERSION, &null)?.is_some_and(|v| STATELESS_VERSIONS.contains(&v));
        if is_stateless {
            return match message {
                // There is nothing that one could tell, and nothing goes on.
                Message::Notification(_) => Ok(StatusCode::ACCEPTED.into_response()),
                _ => Err(Refused::message(INVALID, &null, "nothing_asked", "nothing was asked that this could answer")),
            };
        }
        let session = headers::once(self.headers, SESSION, &null)?;
        let conversation = self.session(session, &null)?;
        let now = self.proxy.clock.boot();
        if conversation.happen(Event::Said(message, line), &self.token, now).await {
            Ok(StatusCode::ACCEPTED.into_response())
        } else {
            Err(no_session(&null))
        }
    }

    fn session(&self, name: Option<&str>, id: &Value) -> Result<Arc<Conversation>, Refused> {
        let Some(name) = name else {
            let detail = "the request names no session, and no version that has none";
            return Err(Refused::message(INVALID, id, "session_needed", detail));
        };
        self.proxy.book.session(name, &self.caller).ok_or_else(|| no_session(id))
    }

    async fn ask(
        self,
        conversation: Arc<Conversation>,
        request: Asked,
        line: Vec<u8>,
        begins: Option<String>,
    ) -> Result<Response, Refused> {
        let (out, listening) = out::stream(&conversation.shared.unread);
        let number = conversation.number();
        let listener = Listener::new(listening, &conversation, Some(number), self.proxy);
        let event = Event::Asked(request, line, out, number);
        if !conversation.happen(event, &self.token, self.proxy.clock.boot()).await {
            return Err(no_session(&Value::Null));
        }
        let mut response = streams::respond(listener).await;
        if let Some(name) = begins.filter(|_| response.status().is_success())
            && let Ok(name) = name.parse()
        {
            response.headers_mut().insert(SESSION, name);
        }
        Ok(response)
    }
}

/// There is no such session, or it is another's: nobody can tell which.
pub(super) fn no_session(id: &Value) -> Refused {
    Refused::message(INVALID, id, "no_session_here", "there is no such session").status(StatusCode::NOT_FOUND)
}

/// What a client would go on behind is no place on a stream of this session, or is kept no longer.
pub(super) fn no_stream() -> Refused {
    let detail = "`Last-Event-ID` names no event of this session that is kept";
    Refused::new(StatusCode::BAD_REQUEST, "no_stream_here", detail)
}

/// One caller has as much as it may.
pub(super) fn too_many() -> Refused {
    let detail = "too many requests and streams of this caller are open, or too much is not read";
    Refused::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calls", detail).header(header::RETRY_AFTER, "5")
}

fn no_room(id: &Value) -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_sessions", "this proxy has no room for another session")
        .header(header::RETRY_AFTER, "30")
        .under(UNAVAILABLE, id)
}

/// What an answer is where a conversation ended without one.
pub(super) fn unanswered(id: &Value) -> Vec<u8> {
    reply::line(&serde_json::json!({
        "jsonrpc": "2.0", "id": id,
        "error": {"code": UNAVAILABLE, "message": "The session is over.", "data": {"reason": "session_over"}}
    }))
}
