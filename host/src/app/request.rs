//! Asking for an exception: ARAP's request.

use policy_core::containment;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
use policy_core::lifecycle::RequestFacts;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use proviso_api::access_request::{AccessRequest, TaskReply};
use serde_json::Value;

use super::App;
use super::acts::By;
use super::append::canonical;
use super::asker::Asker;
use super::denial::Again;
use super::denial::Denied;
use super::event::RequestOrigin;
use super::filing::Filing;
use super::refusal::{Refusal, RefusalKind};
use crate::identity::Credential;
use crate::random;

/// The agent's words stand here, with the denied question's context.
pub(super) const JUSTIFICATION: &str = "business_justification";
/// The longest idempotency key.
const LONGEST_KEY: usize = 256;

impl App {
    /// Asks for an exception from a denial.
    ///
    /// # Errors
    /// ARAP's: `not_requestable`, `expired_denial`, `invalid_denial_binding`, `duplicate_request`; and ours:
    /// `no_requester`, `no_enforcement_point`, `too_many_requests`, or what the lifecycle rejects.
    pub async fn request(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        idempotency_key: Option<&str>,
        body: AccessRequest,
    ) -> Result<TaskReply, Refusal> {
        let asker = Asker::of(caller, subject)?;
        let requester = asker.agent.on_behalf.clone().ok_or_else(no_requester)?;
        if idempotency_key.is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
            return Err(Refusal::bad("bad_request", format!("`Idempotency-Key` has 1 to {LONGEST_KEY} bytes")));
        }
        let sent = Digest::of(&canonical(&body)?);
        let again = Again { asker: &asker, key: idempotency_key, sent, body: &body };
        if let Some(id) = again.find(&self.state(), None)? {
            return self.task(&id);
        }
        let _turn = self.turn(&asker).await?;
        let now = self.now();
        let (denial, question) = self.denied(&asker, &body, now)?;
        let facts = self.facts(&asker, requester, &body, &denial, question, now).await?;
        let origin = RequestOrigin {
            credential: asker.credential().to_owned(),
            subject_credential: asker.subject_credential(),
            build: asker.agent.build.clone(),
            idempotency_key: idempotency_key.map(str::to_owned),
            body: sent,
            refused: denial.record.answer.clone(),
            refused_seq: denial.seq(),
            reopens: None,
        };
        let access = body.requested_access.as_ref();
        let renews = access.and_then(|access| access.renews.clone());
        let own_scope = access.is_some_and(|access| access.scope.is_some());
        let bound = asker.agent.is_bound();
        let by = asker.credentials().map(By::Agent).collect();
        match self.file(Filing { again: Some(again), facts, origin, by, renews, own_scope, bound }).await {
            Ok(id) => self.task(&id),
            Err(refusal) => {
                if refusal.kind == RefusalKind::TooMany {
                    self.over_limit(&asker.agent.subject, &asker.agent.task, refusal.code).await;
                }
                Err(refusal)
            }
        }
    }

    async fn facts(
        &self,
        asker: &Asker,
        requester: EntityRef,
        body: &AccessRequest,
        denial: &Denied,
        question: SealedQuestion,
        now: Timestamp,
    ) -> Result<RequestFacts, Refusal> {
        let justification = match body.context.get(JUSTIFICATION) {
            Some(Value::String(words)) if !words.trim().is_empty() => words.clone(),
            _ => return Err(justification_needed()),
        };
        let access = body.requested_access.clone().unwrap_or_default();
        let Some(terms) = &denial.record.answer.terms else {
            return Err(Refusal::bad("not_requestable", "what was refused cannot be requested"));
        };
        let scope = match access.scope {
            Some(scope) => scope,
            None => {
                let smallest = containment::smallest(&question, terms, now, None);
                let smallest = smallest.ok_or_else(|| Refusal::bad("bad_scope", "the call names no resource"))?;
                // How long the votes take is no part of it: see `Filing`.
                Scope {
                    valid_for: Some(terms.max_duration),
                    not_after: access.requested_until.unwrap_or(now),
                    ..smallest
                }
            }
        };
        if let ResourceScope::In(group) = &scope.resource {
            let members = self.policy().members_of(group);
            if !question.call.resources.iter().all(|resource| members.contains(resource)) {
                return Err(Refusal::bad("bad_group", "the call's resource is no member of that group"));
            }
        }
        // INVARIANT (R11): what people are shown is the refused call, so what is asked for lets at least that call through.
        let exact = Scope { arguments: ArgumentScope::Exact, ..scope.clone() };
        if containment::within(&exact, &scope, &question).is_err() {
            return Err(Refusal::bad("bad_scope", "the scope does not cover the call that was refused")
                .help("ask for a scope that the refused call lies in, or leave the scope out"));
        }
        let id = random::id(self.random(), "exc").map_err(|_| super::identities::no_randomness())?;
        let subject = &question.call.subject;
        let other = Some(asker.agent.subject.clone()).filter(|agent| agent != subject);
        let owners = self.owners_behind(&question, other.as_ref(), now);
        Ok(RequestFacts {
            id,
            question,
            evaluation: denial.record.evaluation.clone(),
            requester,
            asker: other,
            owners,
            decide_by: now,
            scope,
            justification,
            emergency: access.emergency,
            renews: None,
            requested_at: now,
        })
    }
}

/// Nobody stands behind who asks.
pub(super) fn no_requester() -> Refusal {
    Refusal::forbidden("no_requester", "this agent's credential names no human behind it, so it cannot ask")
        .help("the operator mints the token with `--for USER`")
}

/// A request says why.
pub(super) fn justification_needed() -> Refusal {
    Refusal::bad("justification_needed", "a request says why")
        .help("put one or two sentences into `context.business_justification`")
}
