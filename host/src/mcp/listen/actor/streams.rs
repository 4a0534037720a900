//! Streams to clients: how they open, are cut off and taken up again, and end.

use serde_json::{Value, json};

use super::super::entry::unanswered;
use super::super::kept::{GENERAL, Place};
use super::super::out::Out;
use super::{Actor, Waiting};
use crate::mcp::era::Era;
use crate::mcp::session::Input;

/// The version whose clients know an event that only says where a stream stands. Those before take it for a message.
const PRIMED: &str = "2025-11-25";

impl Actor {
    /// There is a stream, since the upstream answers with one or lets wait: whoever waits knows that something is under way,
    /// and where to go on if it is cut off.
    pub(super) fn open(&mut self, key: &str) {
        let primed = self.is_primed();
        let Some(waiting) = self.waiting.get_mut(key) else { return };
        // Before it is agreed upon how to speak there is nothing to go on with.
        if waiting.method == "initialize" || waiting.is_open {
            return;
        }
        waiting.is_open = true;
        let place = primed.then(|| self.kept.place(waiting.stream));
        if let Some(out) = &waiting.out {
            out.opens(place, None);
        }
    }

    /// The upstream has closed its stream and answers later; so does the proxy, where the client knows how to come back.
    pub(super) fn pause(&mut self, key: &str, retry: u64) {
        let primed = self.is_primed();
        let Some(waiting) = self.waiting.get_mut(key).filter(|waiting| primed && waiting.is_open) else { return };
        let place = self.kept.place(waiting.stream);
        if let Some(out) = waiting.out.take() {
            out.opens(Some(place), Some(retry));
        }
    }

    fn is_primed(&self) -> bool {
        self.parts.era == Era::Handshake && self.parts.shared.agreed.get().is_some_and(|version| version == PRIMED)
    }

    /// Somebody listens to what nobody asked for, from this place on or from where the last one heard.
    pub(super) fn follow(&mut self, out: Out, after: Option<Place>) {
        let from = after.unwrap_or(Place { stream: GENERAL, number: self.followed });
        let stands = self.kept.place(GENERAL);
        let Some(events) = self.kept.after(from) else { return };
        out.opens(self.is_primed().then_some(from), None);
        for event in events {
            out.message(event.message, Some(event.place));
        }
        self.followed = stands.number;
        // One stream at a time: what follows later takes the place.
        self.follower = Some(out);
    }

    /// Somebody goes on with the stream of a request, behind this place. On what is not kept nothing is said.
    pub(super) fn take_up(&mut self, place: Place, out: Out, listener: u64) {
        let Some(events) = self.kept.after(place) else { return };
        out.opens(Some(place), None);
        for event in events {
            if event.is_answer {
                return out.answer(event.message, Some(event.place), 200);
            }
            out.message(event.message, Some(event.place));
        }
        if let Some(waiting) = self.waiting.values_mut().find(|waiting| waiting.stream == place.stream) {
            waiting.listener = listener;
            waiting.out = Some(out);
        }
    }

    /// What is asked for by whoever listens by this number.
    pub(super) fn listening_as(&self, listener: u64) -> Option<String> {
        self.waiting.iter().find(|(_, waiting)| waiting.listener == listener).map(|(key, _)| key.clone())
    }

    /// Nobody listens for an answer. In the later era that calls the request off; in the earlier one it goes on, and whoever
    /// heard where its stream stands may take it up again.
    pub(super) fn gone(&mut self, listener: u64) {
        let Some(key) = self.listening_as(listener) else { return };
        let handshake = self.parts.era == Era::Handshake;
        if let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| handshake && waiting.is_open) {
            waiting.out = None;
            return;
        }
        let Some(waiting) = self.waiting.remove(&key) else { return };
        if self.parts.era == Era::Stateless {
            let id: Value = serde_json::from_str(&key).unwrap_or_default();
            let params = json!({"requestId": id, "reason": "the client has gone"});
            let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
            self.handle(Input::Client(crate::mcp::reply::line(&cancel)));
        } else if waiting.method == "initialize" {
            self.ended = true;
        }
    }

    /// Nobody waits for ever.
    pub(super) fn end_streams(&mut self) {
        for (_, Waiting { out, id, .. }) in std::mem::take(&mut self.waiting) {
            if let Some(out) = out {
                out.answer(unanswered(&id).into(), None, 200);
            }
        }
        self.follower = None;
    }
}
