//! One evaluation: sealed, judged by the module, recorded, answered. In that order (R1).

use policy_core::abi::Op;
use policy_core::containment;
use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
use policy_core::lifecycle::{Command, decide};
use policy_core::outcome::{Evaluation, Outcome, Reason};
use policy_core::question::{Purpose, Requested, SealedQuestion};
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use policy_evaluator::stops;
use proviso_api::authzen::{EvaluationReply, EvaluationRequest};

use super::App;
use super::append::ATTEMPTS;
use super::asker::{Ask, Asker};
use super::candidates::Read;
use super::event::DecisionRecord;
use super::held::Wanted;
use super::inputs::{self, Asked};
use super::judge::NoAnswer;
use super::permit::Permit;
use super::refusal::Refusal;
use super::reply::RECORD_DOUBTED;
use crate::identity::Credential;
use crate::random;
use crate::signing::StateFault;
use crate::store::{AppendError, NewRecord, VersionKey};

/// How long a denial can be answered with a request.
pub(super) const REQUESTABLE_FOR: Span = Span::from_seconds(15 * 60);
/// What an evaluation asks for when it asks whether it may be requested: the smallest there is.
pub(crate) const SMALLEST: Span = Span::from_seconds(15 * 60);

/// How much is kept of an action's name that the bundle does not know.
const LONGEST_NAME: usize = 256;

/// An outcome as it will be recorded.
pub(super) struct Made {
    pub expected: Vec<(VersionKey, u64)>,
    pub records: Vec<NewRecord>,
    pub question: Option<SealedQuestion>,
    pub decision: DecisionRecord,
    pub now: Timestamp,
    /// What could not be read of the call, in one sentence.
    pub detail: Option<String>,
}

impl App {
    /// Evaluates a question or a use. `subject` is the agent's credential, where an enforcement point asks.
    ///
    /// # Errors
    /// When the body says something else than the credentials, or they do not reach that far. A denial is no error.
    pub async fn evaluate(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        body: EvaluationRequest,
    ) -> Result<EvaluationReply, Refusal> {
        let asker = Asker::of(caller, subject)?;
        let ask = Ask::of(&asker, &body)?;
        let _turn = self.turn(&asker).await?;
        self.record_held_stops().await;
        let fault = self.state_fault(&asker, &ask)?;
        for attempt in 0..=ATTEMPTS {
            let mut made = self.make(&asker, &ask, fault, &body, attempt == ATTEMPTS).await?;
            // INVARIANT (R1): the reply is built only after the record is durable; without it nothing is allowed.
            match Permit::record(self.store(), &mut made).await {
                Ok(permit) => {
                    let permit = self.await_copy(permit, &mut made).await;
                    let allow = permit.and_then(|permit| self.in_time(permit, &mut made));
                    return Ok(self.reply(&asker, &ask, made, allow.as_ref()));
                }
                Err(AppendError::Conflict(_)) => {}
                Err(AppendError::Unavailable) => return Ok(self.unrecorded(made)),
            }
        }
        // Only a revoked credential still conflicts with a denial that read nothing else.
        self.still_live(&self.state(), asker.credential(), self.now())?;
        Err(super::append::contended())
    }

    async fn make(
        &self,
        asker: &Asker,
        ask: &Ask,
        state_fault: Option<StateFault>,
        body: &EvaluationRequest,
        contended: bool,
    ) -> Result<Made, Refusal> {
        let reading = self.time().await;
        let evaluation = random::id(self.random(), "eval").map_err(|_| super::identities::no_randomness())?;
        let mut decision = DecisionRecord {
            evaluation,
            credential: asker.credential().to_owned(),
            subject_credential: asker.subject_credential(),
            tokens: asker.proofs().cloned().collect(),
            purpose: ask.purpose,
            call: ask.call.clone(),
            subject: asker.agent.subject.clone(),
            task: asker.agent.task.clone(),
            // What no bundle knows may be as long as a body.
            action: text::visible(&ask.action, LONGEST_NAME),
            tools: Vec::new(),
            actors: asker.chain().into_iter().map(|hop| hop.entity).collect(),
            server: ask.server.clone(),
            input_digest: None,
            binding: ask.binding,
            binding_members: Some(ask.members.clone()),
            answer: denial(Reason::Contended),
            limit: None,
            continues: ask.continues.clone(),
            state_fault,
            repeated: false,
            requestable_until: None,
            exception: None,
            done: Vec::new(),
            asked: None,
            enforcement_point: None,
        };
        let mut made = match self.policy().seal(asker, ask, reading.now, self.done(&asker.agent.task)) {
            Err(error) => {
                decision.answer = denial(error.reason);
                decision.enforcement_point = asker.point.as_ref().map(|point| point.name.clone());
                let expected = self.expect_credentials(asker, reading.now)?;
                let detail = Some(error.message);
                Made { expected, records: Vec::new(), question: None, decision, now: reading.now, detail }
            }
            Ok(mut question) => {
                self.refresh_grants(&question).await?;
                self.suspend_in_task(&asker.agent).await?;
                let read = self.read(asker, ask, &question, reading.safe)?;
                question.requested = self.smallest_request(&question, reading.now);
                question.candidates = read.candidates.clone();
                question.locks = read.locks.clone();
                decision.action = question.call.action.to_string();
                decision.asked = Asked::besides(ask, &question.call);
                decision.tools = stops::tools_of(&question.call).map(str::to_owned).collect();
                decision.input_digest = Some(question.call.input_digest);
                if !contended {
                    (decision.answer, decision.limit) = self.judge(&question).await;
                }
                let expected = read.expected.clone();
                let mut made = Made {
                    expected,
                    records: Vec::new(),
                    question: Some(question),
                    decision,
                    now: reading.now,
                    detail: None,
                };
                self.settle(ask, &read, reading.safe, &mut made)?;
                if made.decision.answer.reason == Reason::Locked && self.is_task_over(&asker.agent.task) {
                    made.detail = Some("its task has ended".to_owned());
                }
                made
            }
        };
        if contended {
            made.expected.clear();
        }
        let record = self.decision_record(body, &made)?;
        // The decision stands before what it does to the grant; both are one transaction.
        made.records.insert(0, record);
        Ok(made)
    }

    /// The module's answer; whatever goes wrong is a denial that says which limit it was (R8).
    pub(super) async fn judge(&self, question: &SealedQuestion) -> (Evaluation, Option<String>) {
        let answer = match self.question_texts().input(question) {
            Ok(input) => self.ask_module_in::<Evaluation>(Op::Evaluate, input).await,
            Err(_) => Err(NoAnswer::Unreadable),
        };
        match answer {
            // The module judges by the bundle alone; what this gate can check is not in it, so that is a limit (R10).
            Ok(answer) => match answer.terms.as_ref().and_then(|terms| self.cannot_check(terms)) {
                Some(what) => (denial(Reason::TermsUnavailable), Some(what.to_owned())),
                None => (answer, None),
            },
            Err(error) => match error.refusal().and_then(inputs::of_refusal) {
                Some(answer) => (answer, None),
                None if sabotaged!("r8_limit_allows") => {
                    let outcome = Outcome::PermittedByScope;
                    (Evaluation { outcome, ..denial(Reason::Scope) }, None)
                }
                None => (denial(Reason::Limit), Some(error.kind())),
            },
        }
    }

    /// What the answer does: to the grant, to the task, to the next request.
    fn settle(&self, ask: &Ask, read: &Read, safe: bool, made: &mut Made) -> Result<(), Refusal> {
        let Some(question) = &made.question else { return Ok(()) };
        let decision = &mut made.decision;
        if decision.answer.outcome == Outcome::PermittedByException {
            // INVARIANT (R3): what the module confirmed is a candidate of ours that covers the call, or nothing is.
            let id = decision.answer.grant.clone().unwrap_or_default();
            let mut candidates = read.candidates.iter().zip(&read.used);
            let confirmed = candidates.find(|(candidate, _)| candidate.grant.id == id);
            let Some((candidate, version)) =
                confirmed.filter(|(candidate, _)| containment::covers(candidate, question).is_ok())
            else {
                decision.answer = denial(Reason::Limit);
                decision.limit = Some(inputs::NOT_A_CANDIDATE.to_owned());
                return Ok(());
            };
            let exception = candidate.grant.exception.clone();
            if self.lacks_copy_for(&exception, decision) {
                return Ok(());
            }
            if !sabotaged!("r3_uses_late") {
                made.expected.push(version.clone());
            }
            decision.exception = Some(exception.to_string());
            if ask.purpose == Purpose::Use {
                decision.repeated = read.repeats.as_deref() == Some(id.as_str());
                if !decision.repeated {
                    let amounts = containment::amounts(&candidate.grant.scope, &question.call).unwrap_or_default();
                    let command = Command::Use {
                        call: ask.call.clone().unwrap_or_default(),
                        evaluation: decision.evaluation.clone(),
                        amounts,
                    };
                    match self.consume(&exception, command, made.now)? {
                        Some(records) => made.records = records,
                        None => {
                            decision.answer = denial(Reason::NotPermitted);
                            decision.limit = Some(inputs::USE_REFUSED.to_owned());
                        }
                    }
                }
            }
        }
        let decision = &mut made.decision;
        // INVARIANT (R7): with what permitted a call ends what continues it, whoever permits the rest.
        if read.begun_ended && decision.answer.outcome.permits() {
            made.records.clear();
            decision.answer = denial(Reason::NotPermitted);
            decision.limit = Some(inputs::BEGUN_ENDED.to_owned());
            made.detail = Some("what permitted the call that this continues has ended".to_owned());
            return Ok(());
        }
        // INVARIANT (R3): an approval whose state proves something else is refused, whoever permits the call: what came
        // with it is forged, or of another.
        if decision.state_fault.is_some() && decision.answer.outcome.permits() && !sabotaged!("r3_state_believed") {
            made.records.clear();
            decision.answer = denial(Reason::NotPermitted);
            decision.limit = Some(inputs::APPROVAL_UNVERIFIABLE.to_owned());
            return Ok(());
        }
        // Where a grant might have covered the call, had the clock been believed: the reason is the clock.
        if !safe && matches!(decision.answer.reason, Reason::NotPermitted | Reason::ApprovalRequired) {
            let live = self.index().find(&question.call.subject, &question.task);
            if !live.is_empty() {
                decision.answer = denial(Reason::ClockUnsafe);
                if self.folded().is_doubted() {
                    made.detail = Some(RECORD_DOUBTED.to_owned());
                }
            }
        }
        if decision.answer.outcome.permits() && ask.purpose == Purpose::Use {
            decision.done = self.policy().done_marks(&question.call.action);
        }
        if decision.answer.outcome == Outcome::RequestableDenial {
            decision.requestable_until = Some(made.now.plus(REQUESTABLE_FOR));
        }
        Ok(())
    }

    /// The records of one use. Absent when the lifecycle does not let it be used: then it is no permit.
    fn consume(&self, id: &str, command: Command, now: Timestamp) -> Result<Option<Vec<NewRecord>>, Refusal> {
        let context = self.bare_context(now)?;
        let events = {
            let state = self.state();
            let Some(entry) = state.exceptions.get(id) else { return Ok(None) };
            decide(Some(&entry.exception), command, &context)
        };
        match events {
            Ok(events) if !events.is_empty() => self.exception_records(now, id, events).map(Some),
            _ => Ok(None),
        }
    }

    fn expect_credentials(&self, asker: &Asker, now: Timestamp) -> Result<Vec<(VersionKey, u64)>, Refusal> {
        let state = self.state();
        self.hold_credentials(&state, asker, now)?;
        Ok(asker.credentials().map(|id| state.version(VersionKey::Identity(id.to_owned()))).collect())
    }

    /// What an evaluation asks for when it asks whether it may be requested: one use, for a short time.
    pub(super) fn smallest_request(&self, question: &SealedQuestion, now: Timestamp) -> Requested {
        let Some(resource) = question.call.resources.first() else { return question.requested.clone() };
        let scope = Scope {
            resource: ResourceScope::Is(resource.clone()),
            arguments: ArgumentScope::Exact,
            not_before: None,
            not_after: now.plus(SMALLEST),
            valid_for: None,
            rate: None,
            max_uses: 1,
            budgets: Vec::new(),
        };
        let wanted = Wanted { question, scope: &scope, but: None, emergency: false, asker: None };
        self.requested(&wanted, now, now)
    }

    pub(super) fn done(&self, task: &str) -> Vec<String> {
        self.state().done.get(task).map(|done| done.iter().cloned().collect()).unwrap_or_default()
    }
}

/// A denial for this reason that no policy decided.
pub(crate) const fn denial(reason: Reason) -> Evaluation {
    Evaluation { outcome: Outcome::Denial, reason, policies: Vec::new(), errors: Vec::new(), grant: None, terms: None }
}

/// The outcome's word, as in JSON.
pub(crate) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::PermittedByScope => "permitted_by_scope",
        Outcome::PermittedByException => "permitted_by_exception",
        Outcome::RequestableDenial => "requestable_denial",
        Outcome::Denial => "denial",
    }
}
