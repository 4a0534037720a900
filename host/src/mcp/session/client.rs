//! What comes from the agent's client.

use serde_json::{Value, json};

use super::{Call, Passed, Session, Started};
use crate::mcp::era::{self, Era, UnknownVersion};
use crate::mcp::message::{self, Id, Message, Request, Response};
use crate::mcp::question::{self, Question, Unmapped};
use crate::mcp::reply::Refusal;
use crate::mcp::session::call::Stage;
use crate::mcp::{catalog, meta, reply, sentences};

/// The members of `params` that a tool's call may have, in each era. Whatever else there was would travel unjudged.
const CALL_MEMBERS: [&str; 4] = ["name", "arguments", "_meta", "task"];
const STATELESS_MEMBERS: [&str; 3] = ["name", "arguments", "_meta"];

/// What continues an exchange of the later era.
pub(super) const EXCHANGE_MEMBERS: [&str; 2] = ["inputResponses", "requestState"];

impl Session {
    pub(super) fn take_from_client(&mut self, line: &[u8], now: u64) {
        match message::read(line, message::FROM_CLIENT) {
            Ok(Message::Request(request)) => self.client_request(request, line, now),
            Ok(Message::Notification(notification)) => self.client_notification(notification, line),
            Ok(Message::Response(response)) => self.client_response(response, line, now),
            Err(refused) => self.refuse_client_line(refused.code, refused.rpc, refused.id.as_ref()),
        }
    }

    /// A line that goes nowhere: the client is told, but never in the place of a call under way.
    pub(super) fn refuse_client_line(&mut self, code: &str, rpc: i64, id: Option<&Id>) {
        self.note(format!("a message of the client was refused: {code}"));
        let sentence = format!("The message was refused and went nowhere: {code}.");
        match id {
            Some(id) if self.in_flight(&id.key()) => {}
            id => self.say(reply::refusal(id, &Refusal { rpc, code, sentence: &sentence, help: None })),
        }
    }

    fn client_request(&mut self, mut request: Request, line: &[u8], now: u64) {
        let key = request.id.key();
        if self.in_flight(&key) {
            self.note("a request of the client was refused: its id is in use".to_owned());
            return;
        }
        let stripped = strip_params(&mut request);
        let era = match era::of(&request) {
            Ok(era) => era,
            Err(UnknownVersion(version)) => {
                let data = json!({"supported": era::STATELESS_VERSIONS, "requested": version});
                let sentence = "This version of the protocol is not spoken here.";
                self.say(reply::error(&request.id, -32022, sentence, Some(data)));
                return;
            }
        };
        if era::passes(era, &request.method) {
            self.pass(key, &request, line, stripped, None);
            return;
        }
        if let Some(started) = self.known_task(&request) {
            // Starting the task was the use. Answers to what it asks are arguments, though.
            if started.by_exception && request.method == "tasks/update" {
                self.task_answers(request, era, started.answer, now);
            } else {
                self.pass(key, &request, line, stripped, Some(started));
            }
            return;
        }
        if request.method == "tools/call"
            && let Some(Value::String(tool)) = request.params.get("name")
            && catalog::is_reserved(tool)
        {
            let tool = tool.clone();
            self.errand(request, era, &tool, now);
            return;
        }
        self.gated(request, era, now);
    }

    /// Every other request is a question to the gate.
    fn gated(&mut self, request: Request, era: Era, now: u64) {
        let subject = match question::subject_of(&request.method, &request.params, &self.config.server) {
            Ok(subject) => subject,
            Err(unmapped) => {
                self.say(unnamed(&request.id, unmapped));
                return;
            }
        };
        let continues = era == Era::Stateless && EXCHANGE_MEMBERS.iter().any(|name| request.params.contains_key(*name));
        if request.method == "tools/call" {
            let known: &[&str] = if era == Era::Handshake { &CALL_MEMBERS } else { &STATELESS_MEMBERS };
            let is_known = |name: &str| known.contains(&name) || (continues && EXCHANGE_MEMBERS.contains(&name));
            if !request.params.keys().all(|name| is_known(name)) {
                let sentence = "A member of `params` is not known here, and would travel unjudged.";
                self.say(reply::bad_params(&request.id, "unknown_member", sentence));
                return;
            }
        }
        let question = Question {
            action: request.method.clone(),
            kind: subject.kind,
            id: subject.id,
            input: subject.input,
            server: self.config.server.clone(),
            tool: None,
            call: String::new(),
            ask: false,
            continues: None,
        };
        if continues {
            self.continue_exchange(request, era, question, now);
            return;
        }
        let Ok(arguments) = question.input_digest() else {
            self.say(reply::bad_params(&request.id, "bad_input", "The arguments have no canonical form."));
            return;
        };
        let question = Question { call: self.call_id(), ..question };
        self.begin(Call::new(request, era, question, arguments), now);
    }

    /// Sends a request as it came, and remembers it for its answer.
    fn pass(&mut self, key: String, request: &Request, line: &[u8], stripped: bool, task: Option<Started>) {
        self.passed.insert(key, Passed { method: request.method.clone(), task });
        let line = if stripped { reply::line(&request.to_value()) } else { line.to_vec() };
        self.out.push(super::Action::ToUpstream(line));
    }

    fn known_task(&self, request: &Request) -> Option<Started> {
        if !matches!(request.method.as_str(), "tasks/get" | "tasks/result" | "tasks/cancel" | "tasks/update") {
            return None;
        }
        let task = request.params.get("taskId")?.as_str()?;
        self.tasks.get(task).cloned()
    }

    fn client_notification(&mut self, mut notification: Request, line: &[u8]) {
        let stripped = strip_params(&mut notification);
        if notification.method == "notifications/cancelled"
            && let Some(id) = notification.params.get("requestId")
        {
            let key = id.to_string();
            let unsent = self.calls.get(&key).is_some_and(|call| call.stage != Stage::Sent);
            self.cancel_call(&key);
            self.passed.remove(&key);
            if self.errands.remove(&key).is_some() || unsent {
                // The upstream never saw that request.
                return;
            }
        }
        let line = if stripped {
            let mut message = notification.to_value();
            if let Value::Object(members) = &mut message {
                members.remove("id");
            }
            reply::line(&message)
        } else {
            line.to_vec()
        };
        self.out.push(super::Action::ToUpstream(line));
    }

    /// Forgets a call. If the upstream has it, its outcome stays unknown.
    fn cancel_call(&mut self, key: &str) {
        if let Some(call) = self.calls.remove(key) {
            self.report_outcome_unknown(&call);
        }
    }

    fn client_response(&mut self, mut response: Response, line: &[u8], now: u64) {
        let key = response.id.key();
        let Some(asked) = self.asked.get(&key).filter(|asked| asked.delivered) else {
            self.note("an answer of the client was refused: nothing was asked under its id".to_owned());
            return;
        };
        if asked.answer.is_some() {
            self.note("an answer of the client was refused: it has answered already".to_owned());
            return;
        }
        let stripped = match &mut response.outcome {
            Ok(value) | Err(value) => meta::strip(value),
        };
        if let Some(under) = asked.under.clone() {
            self.answer_under_exception(&key, under, &response, now);
            return;
        }
        self.asked.remove(&key);
        let line = if stripped { reply::line(&response.to_value()) } else { line.to_vec() };
        self.out.push(super::Action::ToUpstream(line));
    }

    /// A call that nobody hears the end of: of unknown outcome, if it was begun.
    pub(super) fn lose(&mut self, key: &str) {
        let Some(call) = self.calls.remove(key) else { return };
        if call.begun {
            self.report_outcome_unknown(&call);
        }
        let sentence = match (call.stage, call.begun) {
            (Stage::Sent, _) => sentences::outcome_unknown(call.name()),
            (_, true) => sentences::unfinished(call.name(), "session_over"),
            (_, false) => sentences::over(call.name()),
        };
        let context = json!({"reason": if call.begun { "outcome_unknown" } else { "session_over" }});
        self.say_refused(&call, &sentence, &context, reply::UNAVAILABLE);
    }
}

/// The refusal of a request that cannot be told as a question.
pub(super) fn unnamed(id: &Id, Unmapped(help): Unmapped) -> Vec<u8> {
    let sentence = "The request does not say what it is about in a form that can be judged.";
    reply::refusal(Some(id), &Refusal { rpc: reply::BAD_PARAMS, code: "bad_params", sentence, help: Some(help) })
}

/// Removes our members from a message's own `_meta`. Arguments are data and stay as they are.
fn strip_params(request: &mut Request) -> bool {
    let Some(given) = request.params.get_mut("_meta") else { return false };
    let mut holder = json!({"_meta": given.take()});
    let stripped = meta::strip(&mut holder);
    *given = holder.get_mut("_meta").map(Value::take).unwrap_or_default();
    stripped
}
