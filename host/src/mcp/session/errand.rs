//! Our own tools: what a model asks of the gate over the same connection. They run nothing and use nothing up.

use policy_core::grant::{ArgumentScope, Scope};
use policy_core::text::visible;
use proviso_api::access_request::{DenialRef, RequestedAccess, TaskReply};
use proviso_api::authzen::{EvaluationReply, ReplyContext};
use serde_json::{Map, Value, json};

use super::gated::context_of;
use super::{Action, Answer, Ask, ErrandState, Session, Submission, Waiting};
use crate::mcp::era::Era;
use crate::mcp::message::Request;
use crate::mcp::own_tools::{self, Asked, Errand, Planned};
use crate::mcp::question::{self, Question};
use crate::mcp::sentences::{self, Failure};
use crate::mcp::{catalog, reply};

/// How long between two looks at a request, in milliseconds: the gate may answer at once when many wait.
const PAUSE: u64 = 1_000;
/// How long one look lasts at most, in seconds: less than what stands between here and the gate cuts off.
const LONGEST_LOOK: u64 = 25;

/// The longest reason of a person that is repeated.
const LONGEST_REASON: usize = 500;

impl Session {
    /// The client calls one of our tools.
    pub(super) fn errand(&mut self, request: Request, era: Era, tool: &str, now: u64) {
        let errand = match own_tools::read(tool, request.params.get("arguments")) {
            Some(Ok(errand)) => errand,
            Some(Err(sentence)) => {
                let data = json!({"reason": "bad_arguments"});
                return self.say(reply::own_tool(&request.id, era, &sentence, &data, true));
            }
            None => {
                let sentence = "There is no such tool.";
                return self.say(reply::error(&request.id, reply::BAD_PARAMS, sentence, None));
            }
        };
        let key = request.id.key();
        let until = match &errand {
            Errand::Wait { seconds, .. } => now.saturating_add(seconds.saturating_mul(1000)),
            Errand::Check(_) | Errand::Request(..) => now,
        };
        let waits = matches!(errand, Errand::Wait { .. });
        self.errands.insert(key.clone(), ErrandState { id: request.id, era, errand, question: None, until });
        if waits {
            self.look(&key, now);
        } else if self.catalog.is_fresh() {
            self.evaluate_errand(&key);
        } else {
            self.want_list(&request.params);
        }
    }

    /// The list of tools is known now.
    pub(super) fn release_errands(&mut self) {
        for key in self.errands_without_question() {
            self.evaluate_errand(&key);
        }
    }

    pub(super) fn fail_waiting_errands(&mut self) {
        for key in self.errands_without_question() {
            self.fail_errand(&key, &Failure::NoToolList);
        }
    }

    fn errands_without_question(&self) -> Vec<String> {
        let open = |state: &ErrandState| state.question.is_none() && !matches!(state.errand, Errand::Wait { .. });
        self.errands.iter().filter(|(_, state)| open(state)).map(|(key, _)| key.clone()).collect()
    }

    fn evaluate_errand(&mut self, key: &str) {
        let Some(state) = self.errands.get(key) else { return };
        let (Errand::Check(planned) | Errand::Request(planned, _)) = &state.errand else { return };
        let digest = self.catalog.digest(&planned.tool);
        if catalog::is_reserved(&planned.tool) || digest.is_none() {
            let sentence = format!("The server has no tool {}.", sentences::quoted(&planned.tool));
            return self.finish_errand(key, &sentence, &json!({"reason": "no_such_tool"}), true);
        }
        let planned = params_of(planned);
        let Ok(subject) = question::subject_of("tools/call", &planned, &self.config.server) else { return };
        let question = Question {
            action: "tools/call".to_owned(),
            kind: subject.kind,
            id: subject.id,
            input: subject.input,
            server: self.config.server.clone(),
            tool: digest,
            call: self.call_id(),
            ask: true,
            continues: None,
        };
        if let Some(state) = self.errands.get_mut(key) {
            state.question = Some(question.clone());
            self.ask(Waiting::ErrandEvaluation(key.to_owned()), Ask::Evaluate(question));
        }
    }

    pub(super) fn errand_evaluated(&mut self, key: &str, answer: Result<Answer, Failure>) {
        // A cancelled errand is gone.
        let Some(state) = self.errands.get(key) else { return };
        let (reply, context) = match answer {
            Ok(Answer::Evaluation(reply, context)) => (reply, context),
            Ok(_) => return self.fail_errand(key, &Failure::AllowIncomplete),
            Err(failure) => return self.fail_errand(key, &failure),
        };
        let mut data = Map::from_iter([("permitted".to_owned(), Value::from(reply.decision))]);
        data.insert("needs_approval".to_owned(), reply.context.access_request.is_some().into());
        data.insert("context".to_owned(), context);
        match (&state.errand, &state.question) {
            (Errand::Request(planned, asked), Some(question)) if !reply.decision => {
                let Some(submission) = submission(question, asked, &reply) else {
                    let sentence = sentences::checked(&planned.tool, false, &reply.context);
                    return self.finish_errand(key, &sentence, &Value::Object(data), true);
                };
                self.ask(Waiting::ErrandSubmission(key.to_owned()), Ask::Submit(Box::new(submission)));
            }
            (Errand::Check(planned) | Errand::Request(planned, _), _) => {
                let sentence = sentences::checked(&planned.tool, reply.decision, &reply.context);
                self.finish_errand(key, &sentence, &Value::Object(data), false);
            }
            (Errand::Wait { .. }, _) => {}
        }
    }

    pub(super) fn errand_submitted(&mut self, key: &str, answer: Result<Answer, Failure>) {
        match answer {
            Ok(Answer::Task(reply)) => self.tell_standing(key, &reply),
            Ok(_) => self.fail_errand(key, &Failure::AllowIncomplete),
            Err(failure) => self.fail_errand(key, &failure),
        }
    }

    /// Looks how a request stands.
    pub(super) fn look(&mut self, key: &str, now: u64) {
        let Some(state) = self.errands.get(key) else { return };
        if let Errand::Wait { request, .. } = &state.errand {
            let request = request.clone();
            // The gate answers once it is decided: nobody looks every second.
            let wait = state.until.saturating_sub(now).div_ceil(1_000).min(LONGEST_LOOK);
            self.ask(Waiting::ErrandStatus(key.to_owned()), Ask::Status { request, wait });
        }
    }

    pub(super) fn errand_looked(&mut self, key: &str, answer: Result<Answer, Failure>, now: u64) {
        let Some(state) = self.errands.get(key) else { return };
        match answer {
            Ok(Answer::Task(reply)) if reply.task.status == "pending" && now < state.until => {
                let pause = PAUSE.min(state.until - now);
                let ticket = self.ticket(Waiting::ErrandPause(key.to_owned()));
                self.out.push(Action::After(ticket, pause));
            }
            Ok(Answer::Task(reply)) => self.tell_standing(key, &reply),
            Ok(_) => self.fail_errand(key, &Failure::AllowIncomplete),
            Err(failure) => self.fail_errand(key, &failure),
        }
    }

    fn tell_standing(&mut self, key: &str, reply: &TaskReply) {
        let sentence = sentences::standing(reply);
        self.finish_errand(key, &sentence, &standing_data(reply), false);
    }

    fn fail_errand(&mut self, key: &str, failure: &Failure) {
        self.finish_errand(key, &sentences::errand_failed(failure), &context_of(failure), true);
    }

    fn finish_errand(&mut self, key: &str, sentence: &str, data: &Value, is_error: bool) {
        if let Some(state) = self.errands.remove(key) {
            self.say(reply::own_tool(&state.id, state.era, sentence, data, is_error));
        }
    }
}

fn params_of(planned: &Planned) -> Map<String, Value> {
    let mut params = Map::from_iter([("name".to_owned(), Value::from(planned.tool.clone()))]);
    if let Some(arguments) = &planned.arguments {
        params.insert("arguments".to_owned(), arguments.clone());
    }
    params
}

/// The request for what was refused; nothing where it may not be requested.
fn submission(question: &Question, asked: &Asked, reply: &EvaluationReply) -> Option<Submission> {
    let context = &reply.context;
    let offer = context.access_request.as_ref()?;
    Some(Submission {
        question: question.clone(),
        denial: DenialRef {
            evaluation_id: Some(context.evaluation_id.clone()),
            binding_token: offer.binding_token.clone(),
            expires_at: offer.expires_at,
        },
        justification: asked.justification.clone(),
        requested: requested(asked, context, &offer.display.scope),
    })
}

/// What is asked for: the smallest that lets the call through, as far as the model does not say otherwise.
fn requested(asked: &Asked, context: &ReplyContext, smallest: &Scope) -> Option<RequestedAccess> {
    let until = asked.duration.map(|duration| context.evaluated_at.plus(duration));
    if until.is_none() && asked.uses.is_none() && asked.conditions.is_empty() {
        return None;
    }
    let mut scope = smallest.clone();
    if let Some(until) = until {
        scope.not_after = until;
    }
    if let Some(uses) = asked.uses {
        scope.max_uses = uses;
    }
    if !asked.conditions.is_empty() {
        scope.arguments = ArgumentScope::Conditions(asked.conditions.clone());
    }
    Some(RequestedAccess { requested_until: until, emergency: false, scope: Some(scope), ..RequestedAccess::default() })
}

/// How a request stands, as data.
fn standing_data(reply: &TaskReply) -> Value {
    let task = &reply.task;
    let mut data = json!({"request": task.id, "status": task.status});
    let Some(members) = data.as_object_mut() else { return data };
    if let Some(at) = task.expires_at {
        members.insert("decide_by".to_owned(), json!(at));
    }
    if let Some(progress) = &task.progress {
        members.insert("approvals".to_owned(), json!({"have": progress.current_step, "need": progress.total_steps}));
    }
    if let Some(display) = &task.display {
        if let Some(reason) = &display.reason {
            // R11: a person's words are data, bounded, with what cannot be seen made visible.
            members.insert("reason".to_owned(), visible(reason, LONGEST_REASON).into());
        }
        if let Some(granted) = &display.granted {
            members.insert("granted".to_owned(), json!(granted));
        }
    }
    if let Some(result) = &reply.result {
        members.insert("approved_until".to_owned(), json!(result.approval.approved_until));
    }
    members.insert("review".to_owned(), task.links.review.clone().into());
    data
}
