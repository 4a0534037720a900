//! One conversation: a session of the earlier era, or all that one caller asks in the later one. It owns the state machine
//! that judges; streams and requests reach it as events, and nothing else changes it.

mod streams;
mod to_client;
mod to_upstream;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::HeaderValue;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::bounds::{MOST_REQUESTS, WRITE};
use super::exchange::{self, Heard};
use super::kept::{GENERAL, Kept, Place};
use super::out::Out;
use super::parameters::Parameters;
use super::refusal::INVALID;
use super::stops::Begun;
use super::upstream::{Passport, Upstream};
use crate::clock::Clock;
use crate::mcp::era::Era;
use crate::mcp::gate::Gate;
use crate::mcp::message::{FROM_UPSTREAM, Id, Message, Request, read};
use crate::mcp::reply::{self, Refusal};
use crate::mcp::sentences::Failure;
use crate::mcp::session::{Action, Answer, Config, Input, Session, Ticket};

/// How long what was begun may take to be reported when a conversation ends.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// What happens to a conversation.
#[derive(Debug)]
pub enum Event {
    /// The client asks, under this id in here, and listens there.
    Asked(Request, Vec<u8>, Out, u64),
    /// The client says something that wants no answer.
    Said(Message, Vec<u8>),
    /// The client listens by this number to what nobody asked for, or to what comes behind this place.
    Follows(Out, Option<Place>, u64),
    /// Whoever listens for an answer by this number has waited for long, and has a stream.
    Waits(u64),
    /// Whoever listened for an answer by this number does so no more.
    Gone(u64),
    /// The upstream.
    Heard(Heard),
    /// The gate answered, or did not.
    Gate(Ticket, Result<Answer, Failure>),
    /// A timer ran out.
    Elapsed(Ticket),
    /// Something stopped the calls of these evaluations.
    Stopped(Arc<[String]>),
    /// It is over.
    End,
}

/// What a conversation and its entrance both know.
#[derive(Debug, Default)]
pub struct Shared {
    /// The version that both sides agreed upon (2025-11-25).
    pub agreed: OnceLock<String>,
    /// The arguments that tools want mirrored in headers.
    pub parameters: Mutex<Parameters>,
    /// How many clients listen.
    pub open: AtomicUsize,
    /// How many bytes their agent has not read, here and in its other conversations.
    pub unread: Arc<AtomicUsize>,
    /// Whether the upstream works on something, or waits for answers.
    pub begun: AtomicBool,
}

/// What a conversation is made of.
pub struct Parts {
    pub era: Era,
    pub config: Config,
    pub gate: Arc<Gate>,
    pub upstream: Arc<Upstream>,
    pub clock: Arc<dyn Clock>,
    pub begun: Arc<Begun>,
    pub shared: Arc<Shared>,
    /// For what happens later.
    pub events: Sender<Event>,
}

/// Somebody who waits for an answer.
struct Waiting {
    /// Where it listens. Nothing while its stream is cut off, and it may take it up again.
    out: Option<Out>,
    /// The number of that stream.
    stream: u64,
    /// Whether it has heard that there is a stream.
    is_open: bool,
    /// The id as the client knows it.
    id: Value,
    /// The status that the upstream's answer came under.
    status: u16,
    method: String,
    /// The number of whoever listens.
    listener: u64,
    /// Whether something was dropped because the client does not read.
    dropped: bool,
}

/// A conversation under way.
pub struct Actor {
    parts: Parts,
    session: Session,
    /// By the request's id in here.
    waiting: BTreeMap<String, Waiting>,
    follower: Option<Out>,
    /// Until where those heard who followed.
    followed: u64,
    /// What was said on streams, and is to be said when somebody follows (2025-11-25).
    kept: Kept,
    /// On which request's stream the upstream speaks, while that is handled.
    origin: Option<String>,
    /// Messages on their way, by the id of what they ask.
    leaving: BTreeMap<String, AbortHandle>,
    tasks: JoinSet<()>,
    /// The newest message that wants no answer, until the upstream has taken it.
    told: Option<watch::Receiver<bool>>,
    upstream_session: Option<HeaderValue>,
    follows: bool,
    has_begun: bool,
    ended: bool,
}

impl Actor {
    /// A conversation in which nothing was said yet.
    pub fn new(parts: Parts) -> Self {
        Self {
            session: Session::new(parts.config.clone()),
            kept: Kept::counted(&parts.shared.unread),
            parts,
            waiting: BTreeMap::new(),
            follower: None,
            followed: 0,
            origin: None,
            leaving: BTreeMap::new(),
            tasks: JoinSet::new(),
            told: None,
            upstream_session: None,
            follows: false,
            has_begun: false,
            ended: false,
        }
    }

    /// Lives until it is told to end, or ends by itself. `alive` is held for as long.
    pub async fn live(mut self, mut events: Receiver<Event>, alive: Sender<()>) {
        while !self.ended {
            let Some(event) = events.recv().await else { break };
            self.take(event);
            while self.tasks.try_join_next().is_some() {}
            self.leaving.retain(|_, task| !task.is_finished());
            self.count_begun(self.session.has_begun());
        }
        self.handle(Input::ClientClosed);
        self.end_streams();
        self.count_begun(false);
        // The last reports are evidence; the rest is not.
        let _late = tokio::time::timeout(LAST_PATIENCE, async {
            while !self.session.is_reported() {
                match events.recv().await {
                    Some(Event::Gate(ticket, answer)) => self.session.settle(Input::Gate(ticket, answer)),
                    Some(_) => {}
                    None => break,
                }
            }
        })
        .await;
        if let Some(session) = self.upstream_session.take() {
            let passport = Passport { session: Some(session), version: self.version(), ..Passport::default() };
            exchange::end(&self.parts.upstream, &passport).await;
        }
        drop(alive);
    }

    fn count_begun(&mut self, has_begun: bool) {
        if has_begun != self.has_begun {
            self.has_begun = has_begun;
            self.parts.shared.begun.store(has_begun, Ordering::Release);
            self.parts.begun.count(has_begun);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Asked(request, line, out, listener) => self.asked(&request, line, out, listener),
            Event::Said(message, line) => self.said(&message, line),
            Event::Follows(out, Some(place), listener) if place.stream != GENERAL => self.take_up(place, out, listener),
            Event::Follows(out, after, _) => self.follow(out, after),
            Event::Waits(listener) => {
                if let Some(key) = self.listening_as(listener) {
                    self.open(&key);
                }
            }
            Event::Gone(listener) => self.gone(listener),
            Event::Heard(heard) => self.hear(heard),
            Event::Gate(ticket, answer) => self.handle(Input::Gate(ticket, answer)),
            Event::Elapsed(ticket) => self.handle(Input::Elapsed(ticket)),
            Event::Stopped(evaluations) => self.handle(Input::Stopped(Some(evaluations.to_vec()))),
            Event::End => self.ended = true,
        }
    }

    /// A request of the client's. In the later era several clients of one caller count each for itself, so the request
    /// goes on under an id that is counted here.
    fn asked(&mut self, request: &Request, line: Vec<u8>, out: Out, listener: u64) {
        let key = request.id.key();
        let refuse = |code: &'static str, sentence: &str, id: &Id| {
            reply::refusal(Some(id), &Refusal { rpc: INVALID, code, sentence, help: None })
        };
        let id = match serde_json::from_slice::<Value>(&line) {
            Ok(mut message) => message.get_mut("id").map(Value::take).unwrap_or_default(),
            Err(_) => Value::Null,
        };
        // Of the earlier era, what goes on though its client has gone.
        let is_full = self.waiting.len() >= MOST_REQUESTS || self.leaving.len() >= 2 * MOST_REQUESTS;
        if is_full || self.waiting.contains_key(&key) || self.session.in_flight(&key) {
            let (code, sentence, status) = if is_full {
                ("too_many_calls", "Too many requests of this client are under way.", 429)
            } else {
                ("id_in_use", "A request under this id is under way.", 400)
            };
            return out.answer(refuse(code, sentence, &request.id).into(), None, status);
        }
        let waiting = Waiting {
            out: Some(out),
            stream: listener,
            is_open: false,
            id,
            status: 200,
            method: request.method.clone(),
            listener,
            dropped: false,
        };
        self.waiting.insert(key, waiting);
        let line = match self.parts.era {
            Era::Handshake => line,
            Era::Stateless => reply::line(&request.to_value()),
        };
        self.handle(Input::Client(line));
    }

    fn said(&mut self, message: &Message, line: Vec<u8>) {
        if self.parts.era == Era::Stateless {
            // Closing its stream is how a client of the later era calls something off; there is nothing else to be said.
            return;
        }
        self.handle(Input::Client(line));
        if let Message::Notification(notification) = message {
            if notification.method == "notifications/initialized" && !self.follows {
                self.follows = true;
                let passport =
                    Passport { version: self.version(), session: self.upstream_session.clone(), ..Passport::default() };
                let (upstream, events) = (Arc::clone(&self.parts.upstream), self.parts.events.clone());
                self.tasks.spawn(exchange::follow(upstream, passport, events));
            }
            if notification.method == "notifications/cancelled"
                && let Some(id) = notification.params.get("requestId")
            {
                // Nothing more will be said there.
                if let Some(waiting) = self.waiting.remove(&id.to_string()) {
                    self.kept.end(waiting.stream);
                }
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Line(origin, line, status) => {
                let message = read(&line, FROM_UPSTREAM).ok();
                if self.parts.era == Era::Stateless && matches!(message, Some(Message::Request(_))) {
                    return self
                        .note("a request of the server was refused: in this version it asks within its answers");
                }
                let key = origin.map(|id| id.key());
                if let Some(Message::Response(response)) = &message {
                    if let Some(waiting) = key.as_ref().and_then(|key| self.waiting.get_mut(key)) {
                        waiting.status = status;
                    }
                    // What else has such a member teaches nothing.
                    let lists = key.as_ref().is_some_and(|key| self.is_list(key));
                    if lists
                        && let Some(Value::Array(tools)) = response.outcome.as_ref().ok().and_then(|r| r.get("tools"))
                    {
                        self.parts.shared.parameters.lock().unwrap_or_else(PoisonError::into_inner).learn(tools);
                    }
                }
                self.origin = key;
                self.handle(Input::Upstream(line));
                self.origin = None;
            }
            Heard::Opens(id) => self.open(&id.key()),
            Heard::Pauses(id, retry) => self.pause(&id.key(), retry),
            Heard::Session(session) => self.upstream_session = self.upstream_session.take().or(Some(session)),
            Heard::SessionOver => {
                self.upstream_session = None;
                self.note("the server has ended its session");
                self.handle(Input::UpstreamClosed);
            }
            Heard::Lost(id, code) => self.handle(Input::Lost(id, code)),
            Heard::Note(code) => self.note(code),
        }
    }

    /// Whether what was asked under this key is the list of tools, by the client or by the proxy.
    fn is_list(&self, key: &str) -> bool {
        match self.waiting.get(key) {
            Some(waiting) => waiting.method == "tools/list",
            None => key.starts_with("\"proviso_"),
        }
    }

    /// Lets the state machine take something, and does what it says.
    fn handle(&mut self, input: Input) {
        let now = self.parts.clock.boot();
        for action in self.session.handle(input, now) {
            match action {
                Action::ToClient(line) => self.pass_to_client(line),
                Action::ToUpstream(line) => {
                    let until = now.saturating_add(u64::try_from(WRITE.as_millis()).unwrap_or(0));
                    self.pass_to_upstream(line, until);
                }
                Action::ToUpstreamBefore(line, until) => self.pass_to_upstream(line, until),
                Action::Gate(ticket, ask) => {
                    let (gate, events) = (Arc::clone(&self.parts.gate), self.parts.events.clone());
                    self.tasks.spawn(async move {
                        let answer = gate.ask(ask).await;
                        // A conversation that has ended wants no answer.
                        let _ended = events.send(Event::Gate(ticket, answer)).await;
                    });
                }
                Action::After(ticket, millis) => {
                    let events = self.parts.events.clone();
                    self.tasks.spawn(async move {
                        tokio::time::sleep(Duration::from_millis(millis)).await;
                        let _ended = events.send(Event::Elapsed(ticket)).await;
                    });
                }
                Action::Note(text) => self.note(&text),
                Action::End(_) => self.ended = true,
            }
        }
    }

    fn version(&self) -> Option<String> {
        self.parts.shared.agreed.get().cloned()
    }

    fn note(&self, text: &str) {
        tracing::info!(server = self.parts.config.server, "{text}");
    }
}
