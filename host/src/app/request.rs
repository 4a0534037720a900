//! Asking for an exception: ARAP's request.

use policy_core::containment;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
use policy_core::lifecycle::{Command, RequestFacts, decide};
use policy_core::outcome::Terms;
use policy_core::question::SealedQuestion;
use policy_core::time::{Span, Timestamp};
use proviso_api::access_request::{AccessRequest, TaskReply};
use serde_json::Value;

use super::App;
use super::append::{Proposal, canonical};
use super::asker::Asker;
use super::denial::Again;
use super::event::{ORIGIN, RequestOrigin};
use super::held::requested;
use super::limits::{hold_silence, room_for, same_request};
use super::people::rejected;
use super::refusal::{Refusal, RefusalKind};
use super::state::Denial;
use crate::identity::Credential;
use crate::random;
use crate::store::VersionKey;

/// How long people have to decide, at most.
const DECIDE_WITHIN: Span = Span::from_seconds(8 * 3_600);
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
        let requester = asker.agent.on_behalf.clone().ok_or_else(|| {
            Refusal::forbidden("no_requester", "this agent's credential names no human behind it, so it cannot ask")
                .help("the operator mints the token with `--for USER`")
        })?;
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
            subject_credential: asker.point.as_ref().map(|_| asker.agent.token.clone()),
            idempotency_key: idempotency_key.map(str::to_owned),
            body: sent,
            refused: denial.record.answer.clone(),
            refused_seq: denial.seq,
        };
        let emergency = facts.emergency;
        let held = self.held_already(&facts.question, None, now);
        let terms = self.terms_of(&facts.question, requested(&facts.scope, emergency, held, now), now).await?;
        let facts =
            within_terms(facts, terms.as_ref(), body.requested_access.as_ref().is_some_and(|a| a.scope.is_some()), now);
        let context = policy_core::lifecycle::Context { terms, ..self.bare_context(now)? };
        let admitted = self
            .admit(|state| {
                for credential in asker.credentials() {
                    self.still_live(state, credential, now)?;
                }
                let key = VersionKey::Requests(asker.agent.subject.to_string());
                let mut expected = [VersionKey::Bundle, VersionKey::Locks, key].map(|key| state.version(key)).to_vec();
                self.hold_task(state, &asker.agent.task)?;
                expected.extend(asker.credentials().map(|id| state.version(VersionKey::Identity(id.to_owned()))));
                // Somebody with the same key, or with the same denial, may have been quicker.
                if let Some(id) = again.find(state, Some(&facts.evaluation))? {
                    return Ok(Proposal { expected, records: Vec::new(), answer: id });
                }
                if let Some(open) = same_request(state, &facts, now) {
                    let (evaluation, justification) = (facts.evaluation.clone(), facts.justification.clone());
                    let command = Command::Fold { evaluation, justification };
                    let folded = state.exceptions.get(&open).map(|entry| &entry.exception);
                    let events = decide(folded, command, &context).map_err(rejected)?;
                    expected.push(state.version(VersionKey::Exception(open.clone())));
                    return Ok(Proposal {
                        expected,
                        records: self.exception_records(now, &open, events)?,
                        answer: open,
                    });
                }
                hold_silence(state, &facts, now)?;
                room_for(state, &asker.agent.subject, &asker.agent.task, now)?;
                let command = Command::Request(Box::new(facts.clone()));
                let events = decide(None, command, &context).map_err(rejected)?;
                let mut records = self.exception_records(now, &facts.id, events)?;
                if let Some(first) = records.first_mut() {
                    first.payloads.push((ORIGIN, canonical(&origin)?));
                }
                Ok(Proposal { expected, records, answer: facts.id.clone() })
            })
            .await;
        match admitted {
            Ok((id, _)) => self.task(&id),
            Err(refusal) => {
                if refusal.kind == RefusalKind::TooMany {
                    self.over_limit(&asker, refusal.code).await;
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
        denial: &Denial,
        question: SealedQuestion,
        now: Timestamp,
    ) -> Result<RequestFacts, Refusal> {
        let justification = match body.context.get(JUSTIFICATION) {
            Some(Value::String(words)) if !words.trim().is_empty() => words.clone(),
            _ => {
                return Err(Refusal::bad("justification_needed", "a request says why")
                    .help("put one or two sentences into `context.business_justification`"));
            }
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
                let longest = now.plus(terms.max_duration);
                Scope { not_after: access.requested_until.unwrap_or(longest), ..smallest }
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
        let owners = self.owners_before(&asker.agent.subject, now);
        Ok(RequestFacts {
            id,
            question,
            evaluation: denial.record.evaluation.clone(),
            requester,
            asker: None,
            owners,
            decide_by: now.plus(DECIDE_WITHIN).min(scope.not_after),
            scope,
            justification,
            emergency: access.emergency,
            renews: None,
            requested_at: now,
        })
    }
}

/// Without a scope of the agent's own, what is asked for follows the terms as they are now.
fn within_terms(mut facts: RequestFacts, terms: Option<&Terms>, own: bool, now: Timestamp) -> RequestFacts {
    if let Some(terms) = terms.filter(|_| !own) {
        facts.scope.not_after = facts.scope.not_after.min(now.plus(terms.max_duration));
        facts.decide_by = facts.decide_by.min(facts.scope.not_after);
    }
    facts
}
