//! Our own tools: what a model asks of the gate over the same connection. They run nothing and use nothing up.

use proviso_api::acts::AnswerRequest;
use serde_json::{Map, Value, json};

use super::gated::context_of;
use super::wanted::{params_of, submission};
use super::{Answer, Ask, ErrandState, Session, Waiting};
use crate::mcp::era::Era;
use crate::mcp::message::Request;
use crate::mcp::own_tools::{self, Errand};
use crate::mcp::question::{self, Question};
use crate::mcp::sentences::{self, Failure};
use crate::mcp::{catalog, reply};

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
                return self.say(reply::bad_params(&request.id, "no_such_tool", sentence));
            }
        };
        let key = request.id.key();
        let until = match &errand {
            Errand::Wait { seconds, .. } => now.saturating_add(seconds.saturating_mul(1000)),
            Errand::Check(_) | Errand::Request(..) | Errand::Answer { .. } => now,
        };
        let state = ErrandState { id: request.id, era, errand: errand.clone(), question: None, until };
        self.errands.insert(key.clone(), state);
        match errand {
            Errand::Wait { .. } => self.look(&key, now),
            Errand::Answer { request, question, words } => {
                let answer = AnswerRequest { vote: question, words };
                self.ask(Waiting::ErrandAnswer(key), Ask::Answer { request, answer });
            }
            Errand::Check(_) | Errand::Request(..) if self.catalog.is_fresh() => self.evaluate_errand(&key),
            Errand::Check(_) | Errand::Request(..) => self.want_list(&request.params),
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
        let is_of_a_call = |errand: &Errand| matches!(errand, Errand::Check(_) | Errand::Request(..));
        let open = |state: &ErrandState| state.question.is_none() && is_of_a_call(&state.errand);
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
        data.insert("context".to_owned(), for_a_model(context));
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
            (Errand::Wait { .. } | Errand::Answer { .. }, _) => {}
        }
    }

    pub(super) fn errand_submitted(&mut self, key: &str, answer: Result<Answer, Failure>) {
        let told = match answer {
            Ok(Answer::Task(told)) => told,
            Ok(_) => return self.fail_errand(key, &Failure::AllowIncomplete),
            Err(failure) => return self.fail_errand(key, &failure),
        };
        if let Some(question) = self.errands.get(key).and_then(|state| state.question.as_ref()) {
            self.approvals.requested(&told.reply.task.id, question);
        }
        self.tell_standing(key, &told);
    }

    /// The gate has taken a model's answer, or not.
    pub(super) fn errand_answered(&mut self, key: &str, answer: Result<Answer, Failure>) {
        let Some(state) = self.errands.get(key) else { return };
        let Errand::Answer { request, question, .. } = &state.errand else { return };
        let (request, question) = (request.clone(), *question);
        match answer {
            Ok(Answer::Answered) => {
                self.remember_answer(&request, question);
                let data = json!({"request": request, "question": question, "answered": true});
                self.finish_errand(key, &sentences::answered(&request), &data, false);
            }
            Ok(_) => self.fail_errand(key, &Failure::AllowIncomplete),
            Err(failure) => self.fail_errand(key, &failure),
        }
    }

    pub(super) fn fail_errand(&mut self, key: &str, failure: &Failure) {
        self.finish_errand(key, &sentences::errand_failed(failure), &context_of(failure), true);
    }

    pub(super) fn finish_errand(&mut self, key: &str, sentence: &str, data: &Value, is_error: bool) {
        if let Some(state) = self.errands.remove(key) {
            self.say(reply::own_tool(&state.id, state.era, sentence, data, is_error));
        }
    }
}

/// The gate's context without what names an approval: this proxy brings that back itself, and a model has no use for it.
fn for_a_model(mut context: Value) -> Value {
    if let Some(members) = context.as_object_mut() {
        members.remove("approval");
        if let Some(Value::Object(grant)) = members.get_mut("proviso.dev/grant") {
            grant.remove("id");
        }
    }
    context
}
