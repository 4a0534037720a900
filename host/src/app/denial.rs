//! The denial that a request answers: found, bound to what was refused, fresh, and answered once.

use policy_core::digest::Digest;
use policy_core::json;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use proviso_api::access_request::AccessRequest;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::App;
use super::asker::{Asker, binding_of, hold_actor};
use super::event::{DECISION, DecisionRecord, FoldOrigin, QUESTION};
use super::refusal::{Refusal, RefusalKind};
use super::request::JUSTIFICATION;
use super::state::{Denial, Entry, State};
use crate::signing::{BindingClaims, TokenError};
use crate::store::{Log, Record};

/// What tells that a message is one that came before: its key, its denial, its body.
pub(super) struct Again<'a> {
    pub asker: &'a Asker,
    pub key: Option<&'a str>,
    /// The digest of the body.
    pub sent: Digest,
    pub body: &'a AccessRequest,
}

impl Again<'_> {
    /// The request that this message made, or one before it with the same key. `evaluation` is the denial that it
    /// answers, once that is verified.
    ///
    /// # Errors
    /// `duplicate_request`: the key was used for something else. `invalid_denial_binding`: the denial was answered.
    pub fn find(&self, state: &State, evaluation: Option<&str>) -> Result<Option<String>, Refusal> {
        let mut entries = state.exceptions.iter();
        if let Some((id, body)) = entries.find_map(|(id, entry)| Some((id, self.sent_before(entry)?))) {
            if body == self.sent {
                return Ok(Some(id.clone()));
            }
            return Err(Refusal::conflict("duplicate_request", "this `Idempotency-Key` was used for another request")
                .help("use a new key for a new request"));
        }
        let Some(evaluation) = evaluation else { return Ok(None) };
        // INVARIANT (ARAP, binding token integrity): one denial makes one request; its token is spent by it. The log
        // remembers, so that no restart forgets.
        let words = self.body.context.get(JUSTIFICATION).and_then(Value::as_str).unwrap_or_default();
        let answered = state.exceptions.iter().find_map(|(id, entry)| {
            let request = &entry.exception.request;
            let same = if request.evaluation == evaluation {
                entry.origin.body == self.sent
            } else {
                entry.exception.repeats.iter().find(|repeat| repeat.evaluation == evaluation)?.justification == words
            };
            Some((id, same && self.is_ours(entry)))
        });
        match answered {
            None => Ok(None),
            Some((id, true)) => Ok(Some(id.clone())),
            Some((_, false)) => Err(Refusal::bad("invalid_denial_binding", "this denial was answered already")
                .help("evaluate again: each denial can be answered once")),
        }
    }

    /// What the same requester sent with this key, where it made this request or folded into it.
    fn sent_before(&self, entry: &Entry) -> Option<Digest> {
        let key = self.key?;
        let origin = &entry.origin;
        let made = (origin.idempotency_key.as_deref() == Some(key) && self.is_ours(entry)).then_some(origin.body);
        let ours = |fold: &&FoldOrigin| fold.idempotency_key == key && fold.credential == self.asker.credential();
        let folded = || entry.folds.iter().find(ours).filter(|_| self.is_of_ours(entry)).map(|fold| fold.body);
        made.or_else(folded)
    }

    /// Whether the same requester asked: this credential, for this subject in this task.
    fn is_ours(&self, entry: &Entry) -> bool {
        entry.origin.credential == self.asker.credential() && self.is_of_ours(entry)
    }

    fn is_of_ours(&self, entry: &Entry) -> bool {
        let question = &entry.exception.request.question;
        let asker = entry.exception.request.asker.as_ref().unwrap_or(&question.call.subject);
        *asker == self.asker.agent.subject && question.task == self.asker.agent.task
    }

    /// What is kept of the key where this message folds into another.
    pub fn fold_origin(&self) -> Option<FoldOrigin> {
        let credential = self.asker.credential().to_owned();
        Some(FoldOrigin { credential, idempotency_key: self.key?.to_owned(), body: self.sent })
    }
}

impl App {
    /// The denial that a request answers, with its sealed question, verified against the log.
    pub(super) fn denied(
        &self,
        asker: &Asker,
        body: &AccessRequest,
        now: Timestamp,
    ) -> Result<(Denied, SealedQuestion), Refusal> {
        if let Some(actor) = body.client.as_ref().and_then(|client| client.actor.as_ref()) {
            hold_actor(asker, actor)?;
        }
        let claims = match &body.denial.binding_token {
            Some(token) => Some(self.claims_of(token, now)?),
            None => None,
        };
        let said = body.denial.evaluation_id.as_deref();
        let proven = claims.as_ref().map(|claims| claims.evaluation.as_str());
        let evaluation = match (proven, said) {
            (Some(proven), Some(said)) if proven != said => return Err(altered()),
            (Some(evaluation), _) | (None, Some(evaluation)) => evaluation,
            (None, None) => {
                return Err(Refusal::bad("invalid_denial_binding", "the request names no denial")
                    .help("send `denial.binding_token` or `denial.evaluation_id` as the denial gave them"));
            }
        };
        let denial = self.reached_denial(asker, evaluation)?;
        let record = &denial.record;
        let Some(until) = record.requestable_until else {
            return Err(Refusal::bad("not_requestable", "what was refused cannot be requested"));
        };
        if body.denial.expires_at != until {
            return Err(altered());
        }
        // INVARIANT (ARAP): the token stands for this denial, as recorded, and for nothing else.
        let stands = |claims: &BindingClaims| {
            claims.binding == record.binding
                && claims.denial_expires_at == until
                && record.binding_members.as_ref() == Some(&claims.members)
        };
        if !claims.as_ref().is_none_or(stands) {
            return Err(altered());
        }
        let members = record.binding_members.as_deref();
        if binding_of(&body.subject, &body.resource, &body.action, &body.context, members)? != record.binding {
            return Err(altered());
        }
        if now >= until {
            return Err(too_old());
        }
        let question = denial.question()?;
        // INVARIANT (R3): who was refused with a credential of their own is not answered for on a point's word.
        if question.vouched != asker.agent.is_vouched() {
            return Err(altered());
        }
        if let Some(point) = &asker.point
            && question.enforcement_point.as_deref() != Some(point.name.as_str())
        {
            return Err(altered());
        }
        Ok((denial, question))
    }

    /// A denial in this asker's task, its own or another agent's. Whether one may ask for another is policy, in `file`;
    /// one of another task, or of an agent that this point may not ask for, looks like none at all.
    fn reached_denial(&self, asker: &Asker, evaluation: &str) -> Result<Denied, Refusal> {
        let denial = self.state().denial(evaluation).cloned().ok_or_else(altered)?;
        let reaches = asker.point.as_ref().is_none_or(|point| point.subjects.matches(&denial.kind.subject));
        if denial.kind.task != asker.agent.task || !reaches {
            return Err(altered());
        }
        self.recorded_denial(&denial)
    }

    /// A denial that this asker was given. Another agent's, or another task's, looks like none at all.
    pub(super) fn own_denial(&self, asker: &Asker, evaluation: &str) -> Result<Denied, Refusal> {
        let denial = self.state().denial(evaluation).cloned().ok_or_else(altered)?;
        if denial.kind.subject != asker.agent.subject || denial.kind.task != asker.agent.task {
            return Err(altered());
        }
        self.recorded_denial(&denial)
    }

    /// What was recorded of a denial.
    pub(super) fn recorded_denial(&self, denial: &Denial) -> Result<Denied, Refusal> {
        let stored = self.store().record(Log::Decisions, denial.seq).map_err(|error| self.unreadable(&error))?;
        let stored = stored.ok_or_else(altered)?;
        let record = payload(&stored, DECISION)?;
        Ok(Denied { stored, record })
    }

    fn claims_of(&self, token: &str, now: Timestamp) -> Result<BindingClaims, Refusal> {
        self.binding_keys().verify(&self.token_parties(), token, now).map_err(|error| match error {
            TokenError::Expired => too_old(),
            TokenError::Invalid => Refusal::bad("invalid_denial_binding", error.to_string())
                .help("send `denial.binding_token` byte for byte as the denial gave it, to the gate that gave it"),
        })
    }
}

/// A denial as the log has it.
pub(super) struct Denied {
    stored: Record,
    /// What was decided.
    pub record: DecisionRecord,
}

impl Denied {
    /// Its position in the log of decisions.
    pub const fn seq(&self) -> u64 {
        self.stored.leaf.seq
    }

    /// The sealed question that was denied.
    pub fn question(&self) -> Result<SealedQuestion, Refusal> {
        payload(&self.stored, QUESTION)
    }
}

fn payload<T: DeserializeOwned>(record: &Record, name: &str) -> Result<T, Refusal> {
    let bytes = record.payload(name).ok_or_else(altered)?;
    json::read_as(bytes, super::people::STORED).map_err(|_| altered())
}

fn altered() -> Refusal {
    Refusal::bad("invalid_denial_binding", "this is not the denial that the gate gave")
        .help("send subject, resource, action, context and `denial` unchanged, or evaluate again")
}

pub(super) fn too_old() -> Refusal {
    Refusal::new(RefusalKind::Gone, "expired_denial", "the denial is too old to be answered")
        .help("evaluate again; a new denial can be answered for 15 minutes")
}
