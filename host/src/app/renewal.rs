//! Asking for the same again: judged afresh by today's policy, with fresh votes, never wider (R5).

use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Scope;
use policy_core::lifecycle::{Exception, Rejection, RequestFacts};
use policy_core::outcome::{Evaluation, Outcome, Reason};
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::time::Timestamp;
use proviso_api::access_request::TaskReply;
use proviso_api::acts::RenewRequest;
use proviso_api::authzen::{Action, Entity, EvaluationRequest};

use super::App;
use super::acts::By;
use super::append::canonical;
use super::asker::{Asker, binding_of};
use super::console::About;
use super::evaluate::Made;
use super::event::{DecisionRecord, RequestOrigin};
use super::filing::Filing;
use super::people::{rejected, unknown_exception};
use super::refusal::{Refusal, RefusalKind};
use crate::identity::{Credential, PersonSession};
use crate::random;
use crate::store::{AppendError, VersionKey};

/// Who asks, and for whom.
struct Renewer<'a> {
    requester: EntityRef,
    /// The agent that asks, where it is another than the subject.
    asker: Option<EntityRef>,
    by: Vec<By<'a>>,
    credential: &'a str,
    subject_credential: Option<&'a str>,
    /// What the agent is built of: as it says now, or with a person as it was approved for.
    build: Option<String>,
    /// Whether the asking agent's credential is bound. Where a person renews: as it was when it was approved.
    bound: Option<bool>,
    /// Whose limits it counts against: the asking agent's, or with a person those of the agent it is for.
    counts: (EntityRef, String),
}

impl App {
    /// Renews an exception as the person who asked for it, or who owns the agent.
    ///
    /// # Errors
    /// `not_yours` for anybody else; `not_needed` where scope permits it now; `not_requestable`; `renewal_pending`; what
    /// the lifecycle rejects: `renewal_cap`, `widens`, `no_grant`, `review_overdue`, …
    pub async fn renew(&self, person: &PersonSession, id: &str, body: RenewRequest) -> Result<TaskReply, Refusal> {
        let exception = self.held_exception(id)?;
        self.hold_act(person, Act::Answer, &About::exception(&exception)).await?;
        let request = &exception.request;
        let owners = {
            let state = self.state();
            let mut owners = self.owners_in(&state, &request.question.call.subject, self.now());
            owners.extend(self.owners_of_exception(&state, id));
            owners
        };
        if request.requester != person.person && !owners.contains(&person.person) {
            return Err(rejected(Rejection::NotYours));
        }
        let renewer = Renewer {
            requester: person.person.clone(),
            asker: None,
            by: vec![By::Person(person)],
            credential: &person.id,
            subject_credential: None,
            build: self.state().exceptions.get(id).and_then(|entry| entry.origin.build.clone()),
            bound: None,
            counts: (request.question.call.subject.clone(), request.question.task.to_string()),
        };
        self.renew_as(renewer, &exception, body).await
    }

    /// Renews an exception as the agent that it is for, or that asked for it.
    ///
    /// # Errors
    /// As [`Self::renew`]; `unknown_task` for another agent's; `no_requester`.
    pub async fn renew_as_agent(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        id: &str,
        body: RenewRequest,
    ) -> Result<TaskReply, Refusal> {
        let agent = self.own_request(caller, subject, id)?;
        let asker = Asker::of(caller, subject)?;
        let exception = self.held_exception(id)?;
        // INVARIANT (R3): what was asked for with an agent's own credential is not renewed on a point's word.
        if exception.request.question.vouched != asker.agent.is_vouched() {
            return Err(rejected(Rejection::NotYours));
        }
        let requester = asker.agent.on_behalf.clone().ok_or_else(super::request::no_requester)?;
        let subject_credential = asker.subject_credential();
        let renewer = Renewer {
            requester,
            asker: Some(agent).filter(|agent| *agent != exception.request.question.call.subject),
            by: asker.credentials().map(By::Agent).collect(),
            credential: asker.credential(),
            subject_credential: subject_credential.as_deref(),
            build: asker.agent.build.clone(),
            bound: Some(asker.agent.is_bound()),
            counts: (asker.agent.subject.clone(), asker.agent.task.clone()),
        };
        self.renew_as(renewer, &exception, body).await
    }

    fn held_exception(&self, id: &str) -> Result<Exception, Refusal> {
        let exception = self.state().exceptions.get(id).map(|entry| entry.exception.clone());
        let exception = exception.ok_or_else(unknown_exception)?;
        if exception.phase.grant().is_none() {
            return Err(rejected(Rejection::NoGrant));
        }
        Ok(exception)
    }

    async fn renew_as(
        &self,
        renewer: Renewer<'_>,
        exception: &Exception,
        body: RenewRequest,
    ) -> Result<TaskReply, Refusal> {
        if body.justification.trim().is_empty() {
            return Err(super::request::justification_needed());
        }
        let (subject, task) = renewer.counts.clone();
        let _turn = self.turn_of(&subject, &task).await?;
        match self.file_again(renewer, exception, body).await {
            Err(refusal) if refusal.kind == RefusalKind::TooMany => {
                self.over_limit(&subject, &task, refusal.code).await;
                Err(refusal)
            }
            other => other,
        }
    }

    async fn file_again(
        &self,
        renewer: Renewer<'_>,
        exception: &Exception,
        body: RenewRequest,
    ) -> Result<TaskReply, Refusal> {
        let held = exception.phase.grant().ok_or_else(|| rejected(Rejection::NoGrant))?;
        let now = self.now();
        let (question, evaluation, answer, refused_seq) = self.judge_again(&renewer, exception, now).await?;
        let own_scope = body.scope.is_some();
        let before = &held.grant.scope;
        let scope = body.scope.clone().unwrap_or_else(|| Scope {
            not_before: None,
            not_after: now,
            valid_for: Some(held.length()),
            ..before.clone()
        });
        let owners = self.owners_behind(&question, renewer.asker.as_ref(), now);
        let facts = RequestFacts {
            id: random::id(self.random(), "exc").map_err(|_| super::identities::no_randomness())?,
            question,
            evaluation,
            requester: renewer.requester,
            asker: renewer.asker,
            owners,
            scope,
            justification: body.justification.clone(),
            emergency: false,
            renews: None,
            requested_at: now,
            decide_by: now,
        };
        let origin = RequestOrigin {
            credential: renewer.credential.to_owned(),
            subject_credential: renewer.subject_credential.map(str::to_owned),
            build: renewer.build,
            idempotency_key: None,
            body: Digest::of(&canonical(&body)?),
            refused: answer,
            refused_seq,
            reopens: None,
        };
        let renews = Some(exception.request.id.clone());
        let bound = renewer.bound.unwrap_or(true);
        let id = self.file(Filing { again: None, facts, origin, by: renewer.by, renews, own_scope, bound }).await?;
        self.task(&id)
    }

    /// The approved call as policy sees it now, in a record of its own: a question that consumes nothing.
    async fn judge_again(
        &self,
        renewer: &Renewer<'_>,
        exception: &Exception,
        now: Timestamp,
    ) -> Result<(SealedQuestion, String, Evaluation, u64), Refusal> {
        let before = &exception.request.question;
        let mut question = self.policy().refresh(before, &[], now, before.requested.clone());
        question.purpose = Purpose::Question;
        question.bound = renewer.bound.unwrap_or(before.bound);
        question.requested = self.smallest_request(&question, now);
        let expected = {
            let state = self.state();
            question.locks = self.locks_on(&state, &question, now);
            [VersionKey::Bundle, VersionKey::Locks].map(|key| state.version(key)).to_vec()
        };
        let (answer, limit) = self.judge(&question).await;
        let denial = self.state().denial(&exception.request.evaluation).cloned();
        // One that is not remembered, or was erased, says nothing of other words.
        let asked = denial.and_then(|denial| self.recorded_denial(&denial).ok()?.record.asked);
        let call = &question.call;
        let body = again(&question);
        let decision = DecisionRecord {
            evaluation: random::id(self.random(), "eval").map_err(|_| super::identities::no_randomness())?,
            credential: renewer.credential.to_owned(),
            subject_credential: renewer.subject_credential.map(str::to_owned),
            tokens: Vec::new(),
            purpose: Purpose::Question,
            call: None,
            continues: None,
            state_fault: None,
            subject: call.subject.clone(),
            task: question.task.to_string(),
            action: call.action.to_string(),
            tools: Vec::new(),
            actors: question.chain.iter().map(|hop| hop.entity.clone()).collect(),
            server: call.server.as_ref().map(ToString::to_string),
            input_digest: Some(call.input_digest),
            binding: binding_of(&body.subject, &body.resource, &body.action, &body.context, None)?,
            // Only what the call is on, by whom and how: its arguments are in the scope.
            binding_members: Some(Vec::new()),
            answer: answer.clone(),
            limit,
            repeated: false,
            // What answers it is this renewal, and no request besides.
            requestable_until: None,
            exception: None,
            done: Vec::new(),
            asked,
            enforcement_point: None,
        };
        let evaluation = decision.evaluation.clone();
        let made = Made { expected, records: Vec::new(), question: Some(question), decision, now, detail: None };
        let record = self.decision_record(&body, &made)?;
        self.store().append(made.expected, vec![record]).await.map_err(|error| match error {
            AppendError::Conflict(_) => super::append::contended(),
            AppendError::Unavailable => Refusal::record_unavailable(),
        })?;
        let question = made.question.unwrap_or_else(|| before.clone());
        match answer.outcome {
            Outcome::RequestableDenial => {
                let seq = self.state().denial(&evaluation).map_or(0, |denial| denial.seq);
                Ok((question, evaluation, answer, seq))
            }
            Outcome::PermittedByScope | Outcome::PermittedByException => {
                Err(Refusal::conflict("not_needed", "delegated scope permits this now, so there is nothing to renew")
                    .help("make the call: it needs no approval any more"))
            }
            Outcome::Denial if answer.reason == Reason::BindingRequired => Err(super::filing::binding_required()),
            Outcome::Denial => Err(rejected(Rejection::NotRequestable)),
        }
    }
}

/// The call as a question, for what is bound to it.
fn again(question: &SealedQuestion) -> EvaluationRequest {
    let entity = |of: &EntityRef| Entity {
        kind: of.kind.to_string(),
        id: of.id.to_string(),
        properties: serde_json::Map::new(),
    };
    let call = &question.call;
    let resource = call.resources.first().map_or_else(|| entity(&call.subject), entity);
    let action = Action { name: call.action.to_string(), properties: serde_json::Map::new() };
    EvaluationRequest { subject: entity(&call.subject), action, resource, context: serde_json::Map::new() }
}
