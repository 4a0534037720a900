//! What an upstream asks in the middle of a call, and what is answered: part of that call, one call id, one use.
//!
//! Answers are arguments. Where the call went by an exception, nobody approved them: each is a question of its own, and
//! without a permit the exchange ends.

use proviso_api::operations::ExecutionPhase;
use serde_json::{Map, Value, json};

use super::call::{Call, Exchange};
use super::client::EXCHANGE_MEMBERS;
use super::gated::{honour, sending};
use super::{Action, Answer, Answering, Ask, Session, Waiting};
use crate::mcp::era::Era;
use crate::mcp::message::{Id, Request, Response};
use crate::mcp::question::Question;
use crate::mcp::reply;
use crate::mcp::sentences::Failure;

/// The action of an answer to an upstream's question.
pub(super) const ANSWER: &str = "elicitation/answer";

/// The most exchanges that wait at once; the oldest is given up.
const MOST_EXCHANGES: usize = 64;
/// How long an exchange waits for the client's answers, in milliseconds.
const LONGEST_EXCHANGE: u64 = 10 * 60 * 1000;

/// How often the proxy answers one call with its roots.
const MOST_ROUNDS: u32 = 8;

impl Session {
    /// The client repeats a call with its answers.
    pub(super) fn continue_exchange(&mut self, mut request: Request, era: Era, mut question: Question, now: u64) {
        if let (true, Some(Value::Object(input))) = (request.method != "tools/call", &mut question.input) {
            input.retain(|name, _| !EXCHANGE_MEMBERS.contains(&name.as_str()));
            if input.is_empty() {
                question.input = None;
            }
        }
        let state = request.params.get("requestState");
        let open = question.input_digest().ok().and_then(|arguments| {
            self.exchanges.iter().position(|exchange| {
                exchange.method == request.method
                    && (exchange.question.kind, &exchange.question.id) == (question.kind, &question.id)
                    && exchange.arguments == arguments
                    && exchange.state.as_ref() == state
            })
        });
        let Some(exchange) = open.and_then(|index| self.exchanges.remove(index)) else {
            // A server's state may be that of another call, which nobody has judged in this one's place.
            return if state.is_none() {
                self.stray(request, era, question, now)
            } else {
                self.no_exchange(&request.id)
            };
        };
        let answers = request.params.get("inputResponses").cloned();
        if !exchange.roots.is_empty() {
            let mut all = answers.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, roots) in exchange.roots.iter().zip(std::iter::repeat_with(|| self.roots())) {
                all.insert(key.clone(), roots.unwrap_or_default());
            }
            request.params.insert("inputResponses".to_owned(), Value::Object(all));
        }
        let question = if exchange.by_exception {
            let (input, continues) = (answers, exchange.evaluations.first().cloned());
            Question { action: ANSWER.to_owned(), input, continues, call: exchange.call, ..question }
        } else {
            Question { call: exchange.call, ..question }
        };
        let call = Call {
            begun: true,
            by_exception: exchange.by_exception,
            evaluations: exchange.evaluations,
            ..Call::new(request, era, question, exchange.arguments)
        };
        self.begin(call, now);
    }

    /// A call with answers that nothing was asked for here: a call of its own, where scope permits it whatever is answered.
    ///
    /// INVARIANT (R3): where only a grant does, nobody has approved the answers, and asking uses nothing of it.
    fn stray(&mut self, request: Request, era: Era, question: Question, now: u64) {
        let Ok(arguments) = question.input_digest() else {
            self.say(reply::bad_params(&request.id, "bad_input", "The arguments have no canonical form."));
            return;
        };
        let question = Question { call: self.call_id(), ..question };
        self.begin(Call { is_stray: true, ..Call::new(request, era, question, arguments) }, now);
    }

    pub(super) fn no_exchange(&mut self, id: &Id) {
        let sentence = "No exchange of this call is open, so there is nothing to answer; if it was begun, look at what it \
                        changed before you make the call again.";
        self.say(reply::bad_params(id, "no_exchange", sentence));
    }

    /// The upstream wants to know something before it answers a call (2026-07-28). Its wish for roots is answered here;
    /// the rest goes to the client.
    pub(super) fn input_required(&mut self, key: String, mut call: Call, result: &mut Value, now: u64) -> bool {
        let state = result.get("requestState").cloned();
        let mut roots = Vec::new();
        let mut others = 0usize;
        let own = self.roots();
        if let Some(Value::Object(requests)) = result.get_mut("inputRequests") {
            requests.retain(|name, request| {
                let is_roots = own.is_some() && request.get("method").and_then(Value::as_str) == Some("roots/list");
                if is_roots {
                    roots.push(name.clone());
                } else {
                    others += 1;
                }
                !is_roots
            });
        }
        if !roots.is_empty() && others == 0 && call.rounds < MOST_ROUNDS {
            let own = own.unwrap_or_default();
            let answers: Map<String, Value> = roots.iter().map(|name| (name.clone(), own.clone())).collect();
            let id = self.own_id();
            let mut request = Request { id: Id::text(id), ..call.request.clone() };
            EXCHANGE_MEMBERS.iter().for_each(|name| drop(request.params.remove(*name)));
            request.params.insert("inputResponses".to_owned(), Value::Object(answers));
            if let Some(state) = state {
                request.params.insert("requestState".to_owned(), state);
            }
            call.rounds += 1;
            self.continued.insert(request.id.key(), key.clone());
            self.out.push(Action::ToUpstream(reply::line(&request.to_value())));
            self.calls.insert(key, call);
            return true;
        }
        self.exchanges.push_back(Exchange {
            method: call.request.method,
            question: call.question.clone(),
            arguments: call.arguments,
            state,
            call: call.question.call,
            by_exception: call.by_exception,
            evaluations: call.evaluations,
            roots,
            since: now,
        });
        if self.exchanges.len() > MOST_EXCHANGES
            && let Some(oldest) = self.exchanges.pop_front()
        {
            self.report_all(&oldest.evaluations, &oldest.call, ExecutionPhase::OutcomeUnknown, None);
        }
        false
    }

    /// Gives up exchanges that nobody has answered in time.
    pub(super) fn end_old_exchanges(&mut self, now: u64) {
        let is_old = |exchange: &mut Exchange| now >= exchange.since.saturating_add(LONGEST_EXCHANGE);
        while let Some(old) = self.exchanges.pop_front_if(is_old) {
            self.report_all(&old.evaluations, &old.call, ExecutionPhase::OutcomeUnknown, None);
        }
    }

    /// The client answers what the upstream asked in the middle of a call that went by an exception.
    pub(super) fn answer_under_exception(&mut self, key: &str, under: Question, response: &Response, now: u64) {
        let input = match &response.outcome {
            Ok(value) | Err(value) => value.clone(),
        };
        let question = Question { input: Some(input), ..under };
        if let Some(asked) = self.asked.get_mut(key) {
            let message = response.to_value();
            asked.answer = Some(Answering { message, question: question.clone(), instant: now, evaluation: None });
            self.ask(Waiting::AnswerJudgement(key.to_owned()), Ask::Evaluate(question));
        }
    }

    pub(super) fn answer_judged(&mut self, key: &str, answer: Result<Answer, Failure>, now: u64) {
        let Some(answering) = self.asked.get_mut(key).and_then(|asked| asked.answer.as_mut()) else { return };
        let allow = match answer {
            Ok(Answer::Evaluation(reply, _)) if reply.decision => honour(&reply, &answering.question).ok(),
            _ => None,
        };
        let Some(allow) = allow.filter(|allow| now < answering.instant.saturating_add(allow.valid_for)) else {
            return self.end_exchange(key);
        };
        answering.instant = answering.instant.saturating_add(allow.valid_for);
        answering.evaluation = Some(allow.evaluation.clone());
        let report = sending(allow.evaluation, &answering.question);
        self.ask(Waiting::AnswerReceipt(key.to_owned()), Ask::Report(report));
    }

    pub(super) fn answer_announced(&mut self, key: &str, receipt: Result<Answer, Failure>, now: u64) {
        let Some(answering) = self.asked.get(key).and_then(|asked| asked.answer.clone()) else { return };
        let line = policy_core::json::to_canonical_bytes(&answering.message).ok();
        match line.filter(|_| receipt.is_ok() && now < answering.instant) {
            Some(line) => {
                let call = self.asked.remove(key).and_then(|asked| asked.call);
                // The answer's own evaluation shares the outcome of the call.
                if let Some(call) = call.and_then(|call| self.calls.get_mut(&call)) {
                    call.evaluations.extend(answering.evaluation);
                }
                self.out.push(Action::ToUpstreamBefore(line, answering.instant));
            }
            None => self.end_exchange(key),
        }
    }

    /// No permit for the answer: the upstream is told that none comes.
    fn end_exchange(&mut self, key: &str) {
        if let Some(asked) = self.asked.remove(key) {
            self.note(format!("an answer to `{}` was not permitted: the exchange ends", asked.method));
            let sentence = "No answer is permitted.";
            self.out.push(Action::ToUpstream(reply::error(&asked.id, -32001, sentence, None)));
        }
    }

    /// Answers to a task that a call by an exception started.
    pub(super) fn task_answers(&mut self, request: Request, era: Era, answer: Question, now: u64) {
        let input: Map<String, Value> =
            request.params.iter().filter(|(name, _)| *name != "_meta").map(|(n, v)| (n.clone(), v.clone())).collect();
        let question = Question { input: Some(Value::Object(input)), ..answer };
        let Ok(arguments) = question.input_digest() else {
            self.say(reply::bad_params(&request.id, "bad_input", "The answers have no canonical form."));
            return;
        };
        let call = Call { by_exception: true, ..Call::new(request, era, question, arguments) };
        self.begin(call, now);
    }

    /// The configured roots, as `roots/list` answers. Nothing where the client has to.
    pub(super) fn roots(&self) -> Option<Value> {
        let roots: Vec<Value> = self.config.roots.as_ref()?.iter().map(|uri| json!({"uri": uri})).collect();
        Some(json!({"roots": roots}))
    }
}
