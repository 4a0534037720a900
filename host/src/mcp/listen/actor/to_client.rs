//! What is said to the client: an answer on the stream that waits for it, the rest where it belongs.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::super::kept::GENERAL;
use super::{Actor, Waiting};
use crate::mcp::era::Era;
use crate::mcp::message::{FROM_UPSTREAM, Message, Response, read};
use crate::mcp::reply;

/// The member of a notification that says on whose stream it comes (2026-07-28): the id of what was asked.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

impl Actor {
    pub(super) fn pass_to_client(&mut self, line: Vec<u8>) {
        match read(&line, FROM_UPSTREAM) {
            Ok(Message::Response(response)) => self.answer(response, line),
            Ok(Message::Notification(_)) => {
                let line = self.of_subscription(line);
                self.tell(line);
            }
            Ok(Message::Request(_)) => self.tell(line),
            // The state machine says nothing that is no message, but for a refusal of what had no id.
            Err(_) => self.note("something was to be said under no id"),
        }
    }

    fn answer(&mut self, response: Response, line: Vec<u8>) {
        let Some(waiting) = self.waiting.remove(&response.id.key()) else {
            return self.note("an answer came too late: its client has gone");
        };
        let Waiting { out, stream, is_open, id, status, method, .. } = waiting;
        let code = response.outcome.as_ref().err().and_then(|error| error.get("code")).and_then(Value::as_i64);
        if method == "initialize" {
            match response.outcome.as_ref().ok().and_then(|result| result.get("protocolVersion")?.as_str()) {
                // It is agreed upon once.
                Some(version) => drop(self.parts.shared.agreed.set(version.to_owned())),
                None => self.ended = true,
            }
        }
        match self.parts.era {
            Era::Handshake => {
                let line = Bytes::from(line);
                let place = is_open.then(|| self.kept.answer(stream, &line));
                if let Some(out) = out {
                    out.answer(line, place, 200);
                }
            }
            Era::Stateless => {
                let (name, value) = match response.outcome {
                    Ok(result) => ("result", result),
                    Err(error) => ("error", error),
                };
                let line = reply::line(&json!({"jsonrpc": "2.0", "id": id, name: value}));
                if let Some(out) = out {
                    out.answer(line.into(), None, stateless_status(code, status));
                }
            }
        }
    }

    /// A message on the way: on the stream of the request that it came for, else for whoever follows.
    fn tell(&mut self, line: Vec<u8>) {
        let line = Bytes::from(line);
        let keeps = self.parts.era == Era::Handshake;
        if let Some(waiting) = self.origin.as_ref().and_then(|key| self.waiting.get_mut(key)) {
            // Whoever hears it knows from then on where the stream stands.
            waiting.is_open |= keeps && waiting.method != "initialize";
            let place = (keeps && waiting.is_open).then(|| self.kept.say(waiting.stream, &line));
            let is_said = waiting.out.as_ref().is_none_or(|out| out.message(line, place));
            if !is_said && !std::mem::replace(&mut waiting.dropped, true) {
                self.note("messages are dropped: their client does not read");
            }
            return;
        }
        if !keeps {
            return self.note("a message of the server was dropped: nobody asked for it");
        }
        let place = self.kept.say(GENERAL, &line);
        if let Some(out) = self.follower.as_ref().filter(|out| out.is_open()) {
            out.message(line, Some(place));
            self.followed = place.number;
        }
    }

    /// The client knows what it subscribed to by its own id.
    fn of_subscription(&self, line: Vec<u8>) -> Vec<u8> {
        let waiting = self.origin.as_ref().and_then(|key| self.waiting.get(key));
        let (Era::Stateless, Some(waiting)) = (self.parts.era, waiting) else { return line };
        let Ok(mut message) = serde_json::from_slice::<Value>(&line) else { return line };
        match message.pointer_mut("/params/_meta").and_then(|meta| meta.get_mut(SUBSCRIPTION)) {
            Some(member) => {
                // It is that id as it was sent, or as a text.
                *member = if member.is_string() && !waiting.id.is_string() {
                    Value::String(waiting.id.to_string())
                } else {
                    waiting.id.clone()
                };
                reply::line(&message)
            }
            None => line,
        }
    }
}

/// The status of an answer in the later era: the upstream's own where it said one, else what the code stands for.
const fn stateless_status(code: Option<i64>, status: u16) -> u16 {
    match code {
        Some(-32601) => 404,
        Some(-32022..=-32020) => 400,
        Some(_) if status == 400 || status == 404 => status,
        _ => 200,
    }
}
