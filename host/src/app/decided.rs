//! A decision as it is written down.

use policy_core::question::Purpose;
use policy_core::sabotaged;
use proviso_api::authzen::EvaluationRequest;

use super::App;
use super::append::{canonical, no_canonical_form};
use super::evaluate::{Made, outcome_word};
use super::event::{CLAIMED, DECISION, QUESTION};
use super::refusal::Refusal;
use crate::store::{Log, NewRecord, VersionKey};

impl App {
    /// The record of an outcome, with the question that it answers.
    pub(super) fn decision_record(&self, body: &EvaluationRequest, made: &Made) -> Result<NewRecord, Refusal> {
        let decision = &made.decision;
        let mut payloads = vec![(DECISION, canonical(decision)?)];
        match &made.question {
            Some(question) => {
                let mut stored = question.clone();
                self.policy().redact(&mut stored, self.keys());
                if sabotaged!("r10_other_question") {
                    stored.candidates.clear();
                }
                let stored = self.question_texts().question(&stored).map_err(|error| no_canonical_form(&error))?;
                payloads.push((QUESTION, stored));
            }
            None => {
                let mut claimed = body.clone();
                // What could not be read may hold a secret anywhere.
                if self.policy().has_secrets() {
                    claimed.context.remove("input");
                }
                payloads.push((CLAIMED, canonical(&claimed)?));
            }
        }
        let permitted = decision.answer.outcome.permits() && decision.purpose == Purpose::Use;
        // A task's past only grows: what is there already changes nothing for whoever read it.
        let past = self.done(&decision.task);
        let grows = decision.done.iter().any(|mark| !past.contains(mark));
        let touches = if permitted && grows && self.policy().mentions_done() {
            vec![VersionKey::Task(decision.task.clone())]
        } else {
            Vec::new()
        };
        Ok(NewRecord {
            log: Log::Decisions,
            at: made.now,
            kind: "evaluation".to_owned(),
            stream: format!("subject/{}", self.keys().pseudonym(&decision.subject.to_string())),
            outcome: Some(outcome_word(decision.answer.outcome).to_owned()),
            policies: decision.answer.policies.clone(),
            module: Some(self.engine().module()),
            bundle: Some(self.policy().digest()),
            payloads,
            touches,
            urgent: false,
            outbox: Vec::new(),
        })
    }
}
