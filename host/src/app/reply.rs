//! What an outcome says to who asked: AuthZEN's reply, ARAP's offer and next step, in the gate's own words (R11).

use policy_core::containment;
use policy_core::grant::Scope;
use policy_core::lifecycle::{Phase, effective_state};
use policy_core::outcome::{Evaluation, Outcome, Reason};
use policy_core::question::Purpose;
use policy_core::sabotaged;
use policy_core::time::Span;
use proviso_api::access_request::{AccessRequestOffer, OfferDisplay};
use proviso_api::authzen::{ApprovalRef, EvaluationReply, ReplyContext};

use super::App;
use super::asker::{Ask, Asker};
use super::evaluate::{Made, denial, outcome_word};
use super::permit::Permit;
use crate::grant_states;
use crate::remedies::remedy;

/// For how many seconds an allow is good at most, for its one call, from when it was judged.
pub const VALID_FOR: u32 = 5;

/// A permit with what is left of its time.
pub(super) struct Allow {
    _permit: Permit,
    /// Whole seconds, at least one.
    seconds: u32,
}

/// What is told where an exception is not honoured because of the record; the code is that of a clock in doubt, which a
/// replay knows as the gate's own word.
pub(super) const RECORD_DOUBTED: &str = "the record is not what was believed at the start, so exceptions are suspended";

impl App {
    /// An allow, where there is time left for one after the record was written. Else the outcome becomes a denial: the
    /// record stands, and what was consumed stays consumed.
    ///
    /// INVARIANT (R6): however long the record took, an allow lasts from when it was judged and never beyond its grant.
    pub(super) fn in_time(&self, permit: Permit, made: &mut Made) -> Option<Allow> {
        let reading = self.0.time.read(self.0.folded.newest());
        // INVARIANT (R7): what was stopped while its record was written, or while it waited for a copy, does not leave.
        let overtaken = self.is_overtaken(&made.decision.evaluation, reading.now) && !sabotaged!("r7_stop_overtaken");
        // One layer alone would hide that another does not honour a lock.
        let overtaken = overtaken && !sabotaged!("r7_lock_ignored");
        let state = self.state();
        let now = reading.now.millis();
        let lapse = made.now.plus(Span::from_seconds(VALID_FOR.into())).millis();
        // A clock that was set back meanwhile says nothing of how much has passed.
        let mut left = if now < made.now.millis() { 0 } else { lapse.saturating_sub(now) };
        let mut reason = Reason::Limit;
        let mut detail = "the allow lapsed while it was recorded; what it used stays used";
        if made.decision.answer.outcome == Outcome::PermittedByException {
            let entry = made.decision.answer.grant.as_deref().and_then(|grant| state.by_grant(grant));
            let end = match entry.map(|entry| &entry.exception.phase) {
                Some(Phase::Granted(held) | Phase::Exhausted { grant: held, .. }) => {
                    held.grant.scope.not_after.millis()
                }
                _ => i64::MIN,
            };
            // INVARIANT (R9): an epoch that began while it was recorded overtakes it.
            let doubted = entry.is_some_and(|entry| entry.exception.is_unconfirmed());
            let end = if doubted { i64::MIN } else { end };
            if end <= now {
                reason = Reason::NotPermitted;
            }
            left = left.min(end.saturating_sub(now));
            if (!reading.safe || state.clock_doubted) && !sabotaged!("r6_clock_believed") {
                (reason, left) = (Reason::ClockUnsafe, 0);
            }
            // INVARIANT (R9): nor does one leave that was judged on a record which is not what was believed.
            if self.0.folded.is_doubted() {
                (reason, left, detail) = (Reason::ClockUnsafe, 0, RECORD_DOUBTED);
            }
        }
        if overtaken {
            (reason, left) = (Reason::Locked, 0);
        }
        match u32::try_from(left / 1000) {
            Ok(seconds @ 1..) => Some(Allow { _permit: permit, seconds }),
            Ok(0) | Err(_) => {
                made.decision.answer = denial(reason);
                made.detail = Some(detail.to_owned());
                None
            }
        }
    }

    /// The reply, after the record is durable. INVARIANT (R1): it allows only with a permit.
    pub(super) fn reply(&self, asker: &Asker, ask: &Ask, made: Made, allow: Option<&Allow>) -> EvaluationReply {
        let answer = &made.decision.answer;
        self.count(outcome_word(answer.outcome));
        let permits = allow.is_some();
        let offer = self.offer(asker, &made);
        let (message, help) = told(answer, made.detail.as_deref(), asker, offer.is_some());
        let mut context = ReplyContext {
            evaluation_id: made.decision.evaluation.clone(),
            evaluated_at: made.now,
            reason: answer.reason.code().to_owned(),
            message,
            help: help.map(str::to_owned),
            access_request: offer,
            approval: answer.grant.as_deref().and_then(|grant| self.approval(grant)),
            next_action: None,
            retry_after: None,
            valid_for: allow.filter(|_| ask.purpose == Purpose::Use).map(|allow| allow.seconds),
            repeated: made.decision.repeated,
            input_digest: made.decision.input_digest,
            grant: None,
        };
        if let Some(hint) = made.question.as_ref().filter(|_| !permits).and_then(|asked| self.hint(asked, made.now)) {
            context.message =
                format!("{}; the exception that covered it {}", context.message, grant_states::told(&hint.state));
            context.grant = Some(hint);
        }
        if let Some(approval) = ask.approval.as_ref().filter(|_| !permits) {
            self.next_step(asker, approval, &made, &mut context);
            context.help = remedy(&context.reason).map(str::to_owned);
        }
        EvaluationReply { decision: permits, context }
    }

    /// The denial for a record that could not be written (R1).
    pub(super) fn unrecorded(&self, made: Made) -> EvaluationReply {
        self.count("unrecorded");
        let reason = Reason::RecordUnavailable;
        let context = ReplyContext {
            evaluation_id: made.decision.evaluation,
            evaluated_at: made.now,
            reason: reason.code().to_owned(),
            message: reason.sentence().to_owned(),
            help: reason.help().map(str::to_owned),
            access_request: None,
            approval: None,
            next_action: Some("retry".to_owned()),
            retry_after: Some(5),
            valid_for: None,
            repeated: false,
            input_digest: None,
            grant: None,
        };
        EvaluationReply { decision: false, context }
    }

    /// What may be asked for. Only where this caller could: for a human, through an enforcement point.
    fn offer(&self, asker: &Asker, made: &Made) -> Option<AccessRequestOffer> {
        let (question, until) = (made.question.as_ref()?, made.decision.requestable_until?);
        let terms = made.decision.answer.terms.as_ref()?;
        if asker.agent.on_behalf.is_none() || asker.point.is_none() {
            return None;
        }
        let smallest = containment::smallest(question, terms, made.now, None)?;
        // Validity counts from its start: what people need to decide does not eat it.
        let valid_for = smallest.not_after.since(made.now);
        let not_after = made.now.plus(terms.decide_within()).plus(valid_for);
        let scope = Scope { valid_for: Some(valid_for), not_after, ..smallest };
        let display = OfferDisplay {
            title: self.policy().says(question),
            scope,
            approvals: terms.approvals,
            max_duration: terms.max_duration,
            max_uses: terms.max_uses,
        };
        let endpoint = format!("{}/access/v1/requests", self.settings().public_url);
        Some(AccessRequestOffer {
            endpoint,
            expires_at: until,
            binding_token: self.binding_token(made, until),
            request_schema_url: Some(self.schema_url(&made.decision.evaluation)),
            display,
        })
    }

    /// Why a re-evaluation with this approval is denied, and what to do: ARAP's codes.
    fn next_step(&self, asker: &Asker, approval: &ApprovalRef, made: &Made, context: &mut ReplyContext) {
        let (answer, now) = (&made.decision.answer, made.now);
        if let Some(fault) = made.decision.state_fault {
            context.message = format!("the approval that came with this counts for nothing: its `state` {fault}");
            (context.reason, context.next_action) = ("approval_unverifiable".to_owned(), Some("none".to_owned()));
            return;
        }
        let ours = |grant: &policy_core::grant::Grant| {
            grant.subject == asker.agent.subject
                && grant.task == asker.agent.task
                && asker.point.as_ref().is_none_or(|point| point.name == grant.enforcement_point)
        };
        let state = self.state();
        let entry = state.by_grant(&approval.id);
        let held = entry.and_then(|entry| Some((&entry.exception, entry.exception.phase.grant()?)));
        let (reason, next) = match held.filter(|(_, held)| ours(&held.grant)) {
            None => ("approval_unverifiable", "none"),
            Some((_, held)) if held.grant.scope.not_after != approval.approved_until => {
                ("approval_unverifiable", "none")
            }
            Some(_) if !matches!(answer.reason, Reason::NotPermitted | Reason::ApprovalRequired) => {
                ("policy_denied", "none")
            }
            Some((exception, held)) => match &exception.phase {
                // ARAP's word for what ended early, too. Whoever ended it has not asked for a new request.
                Phase::Revoked { .. } => ("approval_expired", "none"),
                Phase::Suspended { .. } => ("policy_denied", "none"),
                Phase::Exhausted { .. } | Phase::Lapsed { .. } => ("approval_expired", "request"),
                _ if now >= held.grant.scope.not_after => ("approval_expired", "request"),
                // People look at it again; ARAP has no word for that but this.
                _ if exception.is_unconfirmed() => {
                    context.retry_after = Some(60);
                    ("grant_pending", "retry")
                }
                _ if effective_state(exception, now).word == "not_active" => {
                    let begin = held.begins();
                    let wait = begin.since(now).seconds().saturating_add(1);
                    context.retry_after = Some(u32::try_from(wait).unwrap_or(u32::MAX));
                    ("grant_pending", "retry")
                }
                _ => ("out_of_scope", "request"),
            },
        };
        // ARAP: `request` comes with a fresh offer; where there is none, there is nothing to do.
        let next = if next == "request" && context.access_request.is_none() { "none" } else { next };
        context.reason = reason.to_owned();
        context.next_action = Some(next.to_owned());
    }
}

/// What is wrong in one sentence, and what to do about it.
fn told(answer: &Evaluation, detail: Option<&str>, asker: &Asker, offered: bool) -> (String, Option<&'static str>) {
    let (sentence, help) = (answer.reason.sentence(), answer.reason.help());
    match (answer.outcome, detail) {
        (_, Some(RECORD_DOUBTED)) => (RECORD_DOUBTED.to_owned(), remedy("record_doubted")),
        (_, Some(detail)) => (format!("{sentence}: {detail}"), help),
        (Outcome::RequestableDenial, None) if offered => (format!("{sentence}; nothing ran"), help),
        (Outcome::RequestableDenial, None) if asker.agent.on_behalf.is_none() => {
            (format!("{sentence}, but this agent's credential names no human to ask for"), remedy("no_requester"))
        }
        (Outcome::RequestableDenial, None) => {
            (format!("{sentence}, asked through an enforcement point"), remedy("not_an_enforcement_point"))
        }
        _ => (sentence.to_owned(), help),
    }
}
