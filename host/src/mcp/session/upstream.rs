//! What comes from the upstream.

use policy_core::digest::Digest;
use proviso_api::operations::ExecutionPhase;
use serde_json::{Value, json};

use super::call::{Call, Stage};
use super::client::unnamed;
use super::exchange::ANSWER;
use super::{Action, Answer, Ask, Asked, Session, Started, Waiting};
use crate::mcp::era::{self, Era};
use crate::mcp::message::{self, Id, Message, Request, Response};
use crate::mcp::question::{self, Question};
use crate::mcp::reply::Refusal;
use crate::mcp::sentences::{self, Failure};
use crate::mcp::{meta, reply};

/// The most tasks that are remembered; beyond it `tasks/*` is a question like any other.
const MOST_TASKS: usize = 1024;

/// What an upstream may ask in the middle of a call, as a part of it. `tasks/*` are the client's own tasks, by which it
/// answers later (2025-11-25).
const IN_CALL: [&str; 6] =
    ["elicitation/create", "sampling/createMessage", "roots/list", "tasks/get", "tasks/result", "tasks/cancel"];

impl Session {
    pub(super) fn take_from_upstream(&mut self, line: &[u8], now: u64) {
        match message::read(line, message::FROM_UPSTREAM) {
            Ok(Message::Response(response)) => self.upstream_response(response, line, now),
            Ok(Message::Request(request)) => self.upstream_request(request, line),
            Ok(Message::Notification(notification)) => self.upstream_notification(notification, line),
            Err(refused) if refused.asks => {
                self.note(format!("a message of the server was refused: {}", refused.code));
                if let Some(id) = &refused.id {
                    let sentence = format!("The message was refused and went nowhere: {}.", refused.code);
                    let refusal = Refusal { rpc: refused.rpc, code: refused.code, sentence: &sentence, help: None };
                    self.out.push(Action::ToUpstream(reply::refusal(Some(id), &refusal)));
                }
            }
            Err(refused) => self.lost_upstream_line(refused.code, refused.id.as_ref(), line),
        }
    }

    /// A line that nobody can use. If it was an answer, its call is of unknown outcome; which one, if that cannot be
    /// told, is each that waits.
    pub(super) fn lost_upstream_line(&mut self, code: &str, id: Option<&Id>, line: &[u8]) {
        self.note(format!("a line of the server was refused: {code}"));
        if !message::looks_like_one(line) {
            return;
        }
        let lost: Vec<String> = match id {
            Some(id) => return self.lost(id),
            None => self.calls.iter().filter(|(_, c)| c.stage == Stage::Sent).map(|(k, _)| k.clone()).collect(),
        };
        let passed: Vec<String> = self.passed.keys().cloned().collect();
        for key in lost.into_iter().chain(passed) {
            self.lost_under(&key);
        }
    }

    /// Nobody will answer the request under this id.
    pub(super) fn lost(&mut self, id: &Id) {
        let key = id.key();
        if self.listing.as_ref().is_some_and(|(listing, _)| *listing == key) {
            return self.listing_elapsed(&key);
        }
        let key = self.continued.remove(&key).unwrap_or(key);
        self.lost_under(&key);
    }

    fn lost_under(&mut self, key: &str) {
        if self.calls.get(key).is_some_and(|call| call.stage == Stage::Sent) {
            self.lose(key);
        } else if let (Some(passed), Ok(id)) = (self.passed.remove(key), serde_json::from_str::<Value>(key)) {
            let sentence = sentences::outcome_unknown(&passed.method);
            self.say(reply::line(&json!({
                "jsonrpc": "2.0", "id": id, "error": {"code": reply::UNAVAILABLE, "message": sentence}
            })));
        }
    }

    fn upstream_response(&mut self, response: Response, line: &[u8], now: u64) {
        let key = response.id.key();
        if self.listing.as_ref().is_some_and(|(id, _)| *id == key) {
            return self.listed(&response, now);
        }
        let call_key = self.continued.remove(&key).unwrap_or_else(|| key.clone());
        let repeated = call_key != key;
        if self.calls.get(&call_key).is_some_and(|call| call.stage == Stage::Sent && (call.rounds == 0 || repeated)) {
            if let Some(call) = self.calls.remove(&call_key) {
                self.answered(call_key, call, response, (line, repeated), now);
            }
            return;
        }
        match self.passed.remove(&key) {
            Some(passed) => self.passed_answered(&passed.method, response, line),
            None => self.note("an answer of the server was refused: nothing was asked under its id".to_owned()),
        }
    }

    fn passed_answered(&mut self, method: &str, mut response: Response, line: &[u8]) {
        if let ("initialize", Ok(result)) = (method, &response.outcome)
            && !era::speaks(result)
        {
            let sentence = "The server settled on a version of the protocol that is not spoken here.";
            self.say(reply::error(&response.id, -32600, sentence, None));
            return;
        }
        let stripped = strip_outcome(&mut response);
        self.say(if stripped { reply::line(&response.to_value()) } else { line.to_vec() });
    }

    /// The upstream answers a gated call.
    fn answered(
        &mut self,
        key: String,
        mut call: Call,
        mut response: Response,
        (line, repeated): (&[u8], bool),
        now: u64,
    ) {
        let digest = Digest::of(line);
        let mut changed = strip_outcome(&mut response) || repeated;
        if let Ok(result) = &mut response.outcome {
            let kind = result.get("resultType").and_then(Value::as_str);
            if call.era == Era::Stateless && kind == Some("input_required") {
                let id = call.request.id.clone();
                let before = result.clone();
                if !self.input_required(key, call, result, now) {
                    changed |= before != *result;
                    let response = Response { id, ..response };
                    self.say(if changed { reply::line(&response.to_value()) } else { line.to_vec() });
                }
                return;
            }
            if let Some(task) = started_task(result) {
                self.remember_task(task, &call);
            }
            if call.request.method == "tools/list" {
                let first = !call.request.params.contains_key("cursor");
                if let Err(bad) = self.client_listing(result, first, now) {
                    let sentence = format!("The session is over: {bad}.");
                    let data = json!({"reason": bad.code()});
                    self.say(reply::error(&call.request.id, reply::UNAVAILABLE, &sentence, Some(data)));
                    self.report_all(&call.evaluations, &call.question.call, ExecutionPhase::Executed, Some(digest));
                    return self.refuse_list(&bad);
                }
                changed |= first;
            }
        }
        let failed = match &response.outcome {
            Ok(result) => result.get("isError").and_then(Value::as_bool) == Some(true),
            Err(_) => true,
        };
        let phase = if failed { ExecutionPhase::Failed } else { ExecutionPhase::Executed };
        let evaluations = std::mem::take(&mut call.evaluations);
        let response = Response { id: call.request.id.clone(), ..response };
        self.say(if changed { reply::line(&response.to_value()) } else { line.to_vec() });
        self.report_all(&evaluations, &call.question.call, phase, Some(digest));
    }

    fn remember_task(&mut self, task: String, call: &Call) {
        if self.tasks.len() < MOST_TASKS {
            let answer = Question {
                action: ANSWER.to_owned(),
                kind: "task",
                id: task.clone(),
                input: None,
                tool: None,
                ask: false,
                continues: call.evaluations.first().filter(|_| call.by_exception).cloned(),
                ..call.question.clone()
            };
            self.tasks.insert(task, Started { by_exception: call.by_exception, answer });
        }
    }

    fn upstream_notification(&mut self, mut notification: Request, line: &[u8]) {
        if notification.method == "notifications/tools/list_changed" {
            self.catalog.stale();
        }
        if notification.method == "notifications/cancelled"
            && let Some(id) = notification.params.get("requestId")
        {
            self.asked.remove(&id.to_string());
        }
        let mut params = Value::Object(std::mem::take(&mut notification.params));
        let stripped = meta::strip(&mut params);
        let line = if stripped {
            reply::line(&json!({"jsonrpc": "2.0", "method": notification.method, "params": params}))
        } else {
            line.to_vec()
        };
        self.say(line);
    }

    fn upstream_request(&mut self, mut request: Request, line: &[u8]) {
        let key = request.id.key();
        if self.asked.contains_key(&key) {
            self.note("a request of the server was refused: its id is in use".to_owned());
            return;
        }
        if let ("roots/list", Some(roots)) = (request.method.as_str(), self.roots()) {
            self.out.push(Action::ToUpstream(reply::result(&request.id, roots)));
            return;
        }
        let mut params = Value::Object(std::mem::take(&mut request.params));
        let stripped = meta::strip(&mut params);
        if let Value::Object(params) = params {
            request.params = params;
        }
        let line = if stripped { reply::line(&request.to_value()) } else { line.to_vec() };
        let mut asked = Asked {
            id: request.id.clone(),
            method: request.method.clone(),
            line,
            delivered: false,
            under: None,
            answer: None,
            call: None,
        };
        let in_call = IN_CALL.contains(&request.method.as_str());
        if request.method == "ping" || (in_call && self.is_part_of_a_call(&mut asked)) {
            self.asked.insert(key.clone(), asked);
            return self.deliver(&key);
        }
        // Asked outside of any call, or something that nobody has heard of: a question like any other.
        let subject = match question::subject_of(&request.method, &request.params, &self.config.server) {
            Ok(subject) => subject,
            Err(unmapped) => {
                self.out.push(Action::ToUpstream(unnamed(&request.id, unmapped)));
                return;
            }
        };
        let question = Question {
            action: request.method,
            kind: subject.kind,
            id: subject.id,
            input: subject.input,
            server: self.config.server.clone(),
            tool: None,
            call: self.call_id(),
            ask: false,
            continues: None,
        };
        self.asked.insert(key.clone(), asked);
        self.ask(Waiting::UpstreamJudgement(key), Ask::Evaluate(question));
    }

    /// Whether something is under way that the upstream may be asking for. Where it could be for a call that went by an
    /// exception, it is taken to be for that one.
    fn is_part_of_a_call(&self, asked: &mut Asked) -> bool {
        let sent = || self.calls.iter().filter(|(_, call)| call.stage == Stage::Sent);
        let started = || self.passed.values().filter_map(|passed| passed.task.as_ref());
        if let Some((key, call)) = sent().find(|(_, call)| call.by_exception) {
            asked.call = Some(key.clone());
            asked.under = Some(Question {
                action: ANSWER.to_owned(),
                input: None,
                continues: call.evaluations.first().cloned(),
                ..call.question.clone()
            });
        } else if let Some(task) = started().find(|task| task.by_exception) {
            asked.under = Some(task.answer.clone());
        }
        asked.under.is_some() || sent().next().is_some() || started().next().is_some()
    }

    fn deliver(&mut self, key: &str) {
        if let Some(asked) = self.asked.get_mut(key) {
            asked.delivered = true;
            let line = std::mem::take(&mut asked.line);
            self.say(line);
        }
    }

    pub(super) fn upstream_judged(&mut self, key: &str, answer: Result<Answer, Failure>) {
        let permitted = matches!(&answer, Ok(Answer::Evaluation(reply, _)) if reply.decision);
        if permitted {
            self.deliver(key);
        } else if let Some(asked) = self.asked.remove(key) {
            self.note(format!(
                "the server asked for `{}` and was refused",
                policy_core::text::visible(&asked.method, 128)
            ));
            let sentence = "This is not permitted here.";
            self.out.push(Action::ToUpstream(reply::error(&asked.id, -32001, sentence, None)));
        }
    }
}

fn strip_outcome(response: &mut Response) -> bool {
    match &mut response.outcome {
        Ok(value) | Err(value) => meta::strip(value),
    }
}

/// The task that a result says was started: in the later era the result itself, in the earlier one its `task`.
fn started_task(result: &Value) -> Option<String> {
    let holder = match result.get("resultType").and_then(Value::as_str) {
        Some("task") => result,
        Some(_) => return None,
        None => result.get("task")?,
    };
    holder.get("taskId").and_then(Value::as_str).map(str::to_owned)
}
