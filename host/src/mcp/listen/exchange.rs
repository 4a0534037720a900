//! One message to the upstream, and what comes back for it: an answer, a stream that ends with one, or nothing, which is
//! told as that. And the stream that an upstream of the earlier era speaks on by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use reqwest::Response;
use tokio::sync::mpsc::Sender;

use super::actor::Event;
use super::bounds::{LONGEST, WRITE};
use super::event_stream::{Reader, Said};
use super::headers::SESSION;
use super::upstream::{Passport, Upstream};
use crate::clock::Clock;
use crate::mcp::message::{self, FROM_UPSTREAM, Id, Message};

/// How often a stream that broke off is taken up again, after the last event that it said.
const MOST_TRIES: usize = 8;
/// How long to wait before that, at least and at most.
const SHORTEST_PAUSE: u64 = 100;
const LONGEST_PAUSE: u64 = 30_000;

/// What an upstream lets a conversation hear.
#[derive(Debug)]
pub enum Heard {
    /// A message; on the stream of the request under this id, where there is one. With the status that it came under.
    Line(Option<Id>, Vec<u8>, u16),
    /// That it answers the request under this id with a stream.
    Opens(Id),
    /// That it has closed that stream for so many milliseconds, and answers when it is taken up again.
    Pauses(Id, u64),
    /// The name of its session.
    Session(HeaderValue),
    /// That its session is over.
    SessionOver,
    /// Nothing, for the request under this id.
    Lost(Id, &'static str),
    /// Something for the operator.
    Note(&'static str),
}

/// A message that leaves.
pub struct Leaving {
    /// Its bytes.
    pub line: Vec<u8>,
    /// Before which instant of the boot clock.
    pub until: u64,
    /// Its id, where it wants an answer.
    pub id: Option<Id>,
    /// Its headers.
    pub passport: Passport,
    /// Whether there are sessions, and a stream that breaks off may be taken up again (2025-11-25).
    pub resumes: bool,
}

/// Sends it, and tells what is heard.
pub async fn exchange(upstream: Arc<Upstream>, leaving: Leaving, clock: Arc<dyn Clock>, to: Sender<Event>) {
    let id = leaving.id.clone();
    let patience = if id.is_some() { LONGEST } else { WRITE };
    let lost = match tokio::time::timeout(patience, converse(&upstream, leaving, clock, &to)).await {
        Ok(Ok(())) => return,
        Ok(Err(code)) => code,
        Err(_) => "upstream_too_slow",
    };
    // A conversation that has ended hears nothing.
    let _ended = match id {
        Some(id) => to.send(Event::Heard(Heard::Lost(id, lost))).await,
        None => to.send(Event::Heard(Heard::Note(lost))).await,
    };
}

async fn converse(
    upstream: &Upstream,
    leaving: Leaving,
    clock: Arc<dyn Clock>,
    to: &Sender<Event>,
) -> Result<(), &'static str> {
    let Leaving { line, until, id, passport, resumes } = leaving;
    let sent = upstream.post(&passport, line, until, clock).send().await;
    let mut response = sent.map_err(|_| "upstream_unreachable")?;
    let status = response.status();
    if status.is_redirection() {
        return Err("upstream_redirects");
    }
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err("upstream_refuses");
    }
    if let Some(session) = response.headers().get(SESSION).filter(|_| resumes && passport.session.is_none()) {
        // A session's name is visible ASCII, and no longer than it need be.
        if session.len() <= 1_024 && session.to_str().is_ok() {
            tell(to, Heard::Session(session.clone())).await?;
        }
    }
    if status == StatusCode::NOT_FOUND && passport.session.is_some() {
        tell(to, Heard::SessionOver).await?;
        return Err("upstream_session_over");
    }
    let Some(id) = id else {
        return if status.is_success() { Ok(()) } else { Err("upstream_refused") };
    };
    if kind(&response) == "application/json" {
        let body = read(&mut response).await?;
        return match told(&body, &id, to, status.as_u16()).await? {
            true => Ok(()),
            false if status.is_success() => Err("upstream_no_answer"),
            false => Err("upstream_refused"),
        };
    }
    if !status.is_success() {
        return Err("upstream_refused");
    }
    if kind(&response) != "text/event-stream" {
        return Err("upstream_no_answer");
    }
    tell(to, Heard::Opens(id.clone())).await?;
    let mut events = Reader::new(FROM_UPSTREAM.max_bytes);
    let mut tries = 0;
    while tries < MOST_TRIES {
        let before = events.last_id.clone();
        let closed = loop {
            let bytes = match response.chunk().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break true,
                Err(_) => break false,
            };
            for said in events.push(&bytes) {
                match said {
                    Said::Message(line) if told(&line, &id, to, 200).await? => return Ok(()),
                    Said::Message(_) => {}
                    Said::TooLarge => return Err("too_large"),
                }
            }
        };
        let Some(after) = events.last_id.clone().filter(|_| resumes) else { return Err("upstream_stream_ended") };
        // What only breaks off is taken up for a client that hears nothing of it.
        if closed && let Some(retry) = events.retry {
            tell(to, Heard::Pauses(id.clone(), retry.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))).await?;
        }
        tries = if before.as_ref() == Some(&after) { tries + 1 } else { 0 };
        pause(events.retry).await;
        let taken_up = upstream.get(&passport, Some(&after)).send().await.map_err(|_| "upstream_unreachable")?;
        if !taken_up.status().is_success() || kind(&taken_up) != "text/event-stream" {
            return Err("upstream_stream_ended");
        }
        events.begin_again();
        response = taken_up;
    }
    Err("upstream_stream_ended")
}

/// Tells a message of the stream of this request. Whether it was its answer.
async fn told(line: &[u8], id: &Id, to: &Sender<Event>, status: u16) -> Result<bool, &'static str> {
    match message::read(line, FROM_UPSTREAM) {
        Ok(Message::Response(response)) if response.id == *id => {
            tell(to, Heard::Line(Some(id.clone()), line.to_vec(), status)).await?;
            Ok(true)
        }
        // An answer to something else has no business here.
        Ok(Message::Response(_)) => {
            tell(to, Heard::Note("upstream_answers_another")).await?;
            Ok(false)
        }
        Ok(_) => {
            tell(to, Heard::Line(Some(id.clone()), line.to_vec(), status)).await?;
            Ok(false)
        }
        Err(refused) if refused.asks => {
            tell(to, Heard::Line(Some(id.clone()), line.to_vec(), status)).await?;
            Ok(false)
        }
        Err(refused) => Err(refused.code),
    }
}

/// Follows what the upstream says by itself, as long as it has a stream for that (2025-11-25).
pub async fn follow(upstream: Arc<Upstream>, passport: Passport, to: Sender<Event>) {
    let mut after: Option<String> = None;
    let mut tries = 0;
    while tries < MOST_TRIES {
        let Ok(mut response) = upstream.get(&passport, after.as_deref()).send().await else { return };
        if !response.status().is_success() || kind(&response) != "text/event-stream" {
            return;
        }
        let mut events = Reader::new(FROM_UPSTREAM.max_bytes);
        while let Ok(Some(bytes)) = response.chunk().await {
            for said in events.push(&bytes) {
                let Said::Message(line) = said else { return };
                tries = 0;
                let answers = matches!(message::read(&line, FROM_UPSTREAM), Ok(Message::Response(_)));
                let heard =
                    if answers { Heard::Note("upstream_answers_another") } else { Heard::Line(None, line, 200) };
                if tell(&to, heard).await.is_err() {
                    return;
                }
            }
        }
        after = events.last_id.clone().or(after);
        tries += 1;
        pause(events.retry).await;
    }
}

/// Ends the upstream's session.
pub async fn end(upstream: &Upstream, passport: &Passport) {
    // An upstream need not know how to end one; then it ends by itself.
    let _told = tokio::time::timeout(WRITE, upstream.delete(passport).send()).await;
}

async fn tell(to: &Sender<Event>, heard: Heard) -> Result<(), &'static str> {
    to.send(Event::Heard(heard)).await.map_err(|_| "session_over")
}

async fn pause(retry: Option<u64>) {
    let millis = retry.unwrap_or(1_000).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

fn kind(response: &Response) -> String {
    let text = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

async fn read(response: &mut Response) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|_| "upstream_stream_ended")? {
        body.extend_from_slice(&bytes);
        if body.len() > FROM_UPSTREAM.max_bytes {
            return Err("too_large");
        }
    }
    Ok(body)
}
