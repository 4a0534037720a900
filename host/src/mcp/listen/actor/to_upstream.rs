//! What leaves for the upstream: each message a request of its own, with headers that are computed from it.

use std::sync::{Arc, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::super::exchange::{Leaving, exchange};
use super::super::headers::name_of;
use super::super::upstream::Passport;
use super::Actor;
use crate::mcp::era::{Era, VERSION_MEMBER};
use crate::mcp::message::{FROM_UPSTREAM, Message, Request, read};

impl Actor {
    pub(super) fn pass_to_upstream(&mut self, line: Vec<u8>, until: u64) {
        // Read by the wider bound: what is repeated with answers may be longer than what came.
        let message = read(&line, FROM_UPSTREAM);
        let (id, passport) = match &message {
            Ok(Message::Request(request)) => (Some(request.id.clone()), self.passport(request)),
            Ok(Message::Notification(notification)) => {
                if self.parts.era == Era::Stateless {
                    return self.stateless_notification(notification);
                }
                (None, self.passport(notification))
            }
            Ok(Message::Response(_)) => (None, self.of_session()),
            Err(_) => return self.note("something was to leave that is no message"),
        };
        let key = id.as_ref().map(|id| id.key());
        let leaving = Leaving { line, until, id, passport, resumes: self.parts.era == Era::Handshake };
        let (upstream, clock) = (Arc::clone(&self.parts.upstream), Arc::clone(&self.parts.clock));
        let events = self.parts.events.clone();
        // What is told leaves before whatever comes after it: a request may stand on it.
        let before = self.told.clone();
        let (done, told) = watch::channel(false);
        if key.is_none() {
            self.told = Some(told);
        }
        let task = self.tasks.spawn(async move {
            if let Some(mut before) = before {
                // One that was given up holds up nothing.
                let _gone = before.wait_for(|done| *done).await;
            }
            exchange(upstream, leaving, clock, events).await;
            drop(done);
        });
        if let Some(key) = key {
            self.leaving.insert(key, task);
        }
    }

    /// The later era has no word for calling something off but to stop listening.
    fn stateless_notification(&mut self, notification: &Request) {
        if notification.method == "notifications/cancelled"
            && let Some(id) = notification.params.get("requestId")
            && let Some(task) = self.leaving.remove(&id.to_string())
        {
            task.abort();
        }
    }

    fn passport(&self, request: &Request) -> Passport {
        if self.parts.era == Era::Handshake {
            return self.of_session();
        }
        let meta = request.params.get("_meta").and_then(|meta| meta.get(VERSION_MEMBER));
        let parameters = if request.method == "tools/call" {
            self.parts.shared.parameters.lock().unwrap_or_else(PoisonError::into_inner).of_call(&request.params)
        } else {
            Vec::new()
        };
        Passport {
            version: meta.and_then(Value::as_str).map(str::to_owned),
            session: None,
            method: Some(request.method.clone()),
            name: name_of(request).map(str::to_owned),
            parameters,
        }
    }

    fn of_session(&self) -> Passport {
        Passport { version: self.version(), session: self.upstream_session.clone(), ..Passport::default() }
    }
}
