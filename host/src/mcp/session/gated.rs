//! A gated call: judged, announced, sent.

use policy_core::{json, sabotaged};
use proviso_api::authzen::EvaluationReply;
use proviso_api::operations::{ExecutionPhase, ExecutionReport};
use serde_json::{Value, json};

use super::call::{Call, Stage};
use super::client::EXCHANGE_MEMBERS;
use super::exchange::ANSWER;
use super::{Action, Answer, Ask, Session, Waiting};
use crate::mcp::message::Request;
use crate::mcp::question::Question;
use crate::mcp::reply;
use crate::mcp::sentences::{self, Failure};

/// How an allow says what it is good for.
pub(super) struct Allow {
    pub(super) evaluation: String,
    pub(super) by_exception: bool,
    /// Milliseconds, from the asking on.
    pub(super) valid_for: u64,
}

impl Session {
    /// Takes a call in: where its tool's definition is not known, the list is read first.
    pub(super) fn begin(&mut self, call: Call, now: u64) {
        let key = call.request.id.key();
        let wants_list = call.is_tool() && !self.catalog.is_fresh();
        let params = call.request.params.clone();
        self.calls.insert(key.clone(), call);
        if wants_list {
            self.want_list(&params);
        } else {
            self.judge(&key, now);
        }
    }

    /// Asks the gate about a call.
    pub(super) fn judge(&mut self, key: &str, now: u64) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.stage = Stage::Judging(now);
        if call.is_tool() {
            call.question.tool = self.catalog.digest(&call.question.id);
        }
        let question = Question { ask: call.is_stray, ..call.question.clone() };
        let ask = match self.approvals.of(&question).filter(|_| !question.ask) {
            Some(approval) => Ask::Reevaluate(question, approval),
            None => Ask::Evaluate(question),
        };
        self.ask(Waiting::Judgement(key.to_owned()), ask);
    }

    pub(super) fn judged(&mut self, key: &str, answer: Result<Answer, Failure>, now: u64) {
        // A call that was cancelled meanwhile is gone: this round of it never reached the upstream.
        let Some(call) = self.calls.get(key) else { return };
        let Stage::Judging(since) = call.stage else { return };
        let (reply, context) = match answer {
            Ok(Answer::Evaluation(reply, context)) => (reply, context),
            Ok(_) => return self.fail(key, &Failure::AllowIncomplete),
            Err(failure) => return self.fail(key, &failure),
        };
        if !reply.decision {
            // What is brought opens nothing, so what counts for nothing keeps nothing closed: the record decides alone.
            if self.approvals.forget_void(&call.question, &reply.context.reason) {
                return self.judge(key, now);
            }
            let sentence = if call.begun {
                sentences::unfinished(call.name(), &reply.context.reason)
            } else {
                sentences::refused(call.name(), &reply.context)
            };
            let code = reply::refusal_code(call.era);
            if let Some(call) = self.give_up(key) {
                self.say_refused(&call, &sentence, &context, code);
            }
            return;
        }
        if call.is_stray {
            return self.judged_stray(key, is_by_exception(&reply), now);
        }
        let allow = match honour(&reply, &call.question) {
            Ok(allow) => allow,
            Err(failure) => return self.fail(key, &failure),
        };
        let until = since.saturating_add(allow.valid_for);
        if now >= until {
            return self.fail(key, &Failure::AllowLapsed);
        }
        // INVARIANT (R3): a grant that permits the call says nothing of answers that travel with it.
        let answers = EXCHANGE_MEMBERS.iter().any(|name| call.request.params.contains_key(*name));
        if allow.by_exception && answers && call.question.action != ANSWER {
            return self.fail(key, &Failure::AllowIncomplete);
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        call.by_exception |= allow.by_exception;
        call.announcing = Some(allow.evaluation.clone());
        call.stage = Stage::Announcing(until);
        let report = sending(allow.evaluation, &call.question);
        self.ask(Waiting::Receipt(key.to_owned()), Ask::Report(report));
    }

    /// It is known what answers that nothing was asked for would travel under: only then is the call judged as one.
    fn judged_stray(&mut self, key: &str, by_exception: bool, now: u64) {
        if by_exception && !sabotaged!("r3_stray_answers_use_a_grant") {
            if let Some(call) = self.calls.remove(key) {
                self.no_exchange(&call.request.id);
            }
            return;
        }
        if let Some(call) = self.calls.get_mut(key) {
            call.is_stray = false;
        }
        self.judge(key, now);
    }

    /// `sending` is recorded: now the bytes leave, or never.
    pub(super) fn announced(&mut self, key: &str, answer: Result<Answer, Failure>, now: u64) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Stage::Announcing(until) = call.stage else { return };
        if let Err(failure) = answer {
            return self.fail(key, &failure);
        }
        // From here on the record expects an outcome.
        call.evaluations.extend(call.announcing.take());
        let same_tool = !call.is_tool() || call.question.tool == self.catalog.digest(&call.question.id);
        let line = if now < until && same_tool { canonical_line(&call.request) } else { None };
        match line {
            Some(line) => {
                call.send();
                self.out.push(Action::ToUpstreamBefore(line, until));
            }
            None => self.fail(key, &Failure::AllowLapsed),
        }
    }

    /// A call that does not run, or not on, by the proxy's own judgement.
    pub(super) fn fail(&mut self, key: &str, failure: &Failure) {
        let Some(call) = self.give_up(key) else { return };
        let (what, sentence) = if call.begun {
            ("finished", sentences::unfinished(call.name(), failure.code()))
        } else {
            ("run", sentences::failed(call.name(), failure))
        };
        self.note(format!("a call was not {what}: {}", failure.code()));
        let context = context_of(failure);
        self.say_refused(&call, &sentence, &context, reply::UNAVAILABLE);
    }

    /// Takes a call out that goes no further. What was begun in it stays of unknown outcome.
    fn give_up(&mut self, key: &str) -> Option<Call> {
        let call = self.calls.remove(key)?;
        self.report_outcome_unknown(&call);
        Some(call)
    }

    /// Tells the client that a call gave nothing: a tool's as a result that the model sees, others as an error.
    pub(super) fn say_refused(&mut self, call: &Call, sentence: &str, context: &Value, code: i64) {
        let id = &call.request.id;
        // A call that asked for a task expects one, and a result would be read as such.
        let line = if call.is_tool() && !call.request.params.contains_key("task") {
            reply::refused_tool(id, call.era, sentence, context)
        } else {
            reply::error(id, code, sentence, Some(json!({crate::mcp::meta::CONTEXT: context})))
        };
        self.say(line);
    }

    pub(super) fn report_outcome_unknown(&mut self, call: &Call) {
        self.report_all(&call.evaluations, &call.question.call, ExecutionPhase::OutcomeUnknown, None);
    }
}

/// Whether anything but scope permits it.
fn is_by_exception(reply: &EvaluationReply) -> bool {
    reply.context.approval.is_some() || reply.context.reason != "scope"
}

/// Whether an allow is for these very arguments and says for how long.
pub(super) fn honour(reply: &EvaluationReply, question: &Question) -> Result<Allow, Failure> {
    let (Some(valid_for), Some(digest)) = (reply.context.valid_for, reply.context.input_digest) else {
        return Err(Failure::AllowIncomplete);
    };
    if question.input_digest().ok() != Some(digest) {
        return Err(Failure::DigestDiffers);
    }
    Ok(Allow {
        evaluation: reply.context.evaluation_id.clone(),
        by_exception: is_by_exception(reply),
        valid_for: u64::from(valid_for).saturating_mul(1000),
    })
}

/// The report that goes out before the bytes do.
pub(super) fn sending(evaluation_id: String, question: &Question) -> ExecutionReport {
    ExecutionReport::of_call(
        evaluation_id,
        question.call.clone(),
        ExecutionPhase::Sending,
        question.input_digest().ok(),
    )
}

/// The request as it goes upstream. Canonical JSON is canonical in its parts, so the arguments in it are the bytes whose
/// digest the gate judged.
pub(super) fn canonical_line(request: &Request) -> Option<Vec<u8>> {
    json::to_canonical_bytes(&request.to_value()).ok()
}

/// What stands in `proviso.dev/context` where the gate said nothing that could.
pub(super) fn context_of(failure: &Failure) -> Value {
    match failure {
        Failure::Refused(problem) => json!({"reason": problem.code, "problem": problem}),
        Failure::TooOften(problem, seconds) => {
            json!({"reason": problem.code, "problem": problem, "retry_after": seconds})
        }
        other => json!({"reason": other.code()}),
    }
}
