//! What follows from the log of decisions.

use policy_core::question::{Purpose, SealedQuestion};
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};

use super::{Denial, Remembered, State, read};
use crate::app::event::{DECISION, DecisionRecord, EXECUTION, ExecutionRecord, OBSERVED, QUESTION, SEARCH};
use crate::app::findings::EVIDENCE;
use crate::identity::TokenFacts;
use crate::store::{FoldError, Record};

/// How long a recorded denial is kept in memory: what a decision sheet can try.
pub const DENIALS_KEPT: Span = Span::from_seconds(8 * 86_400);
/// And how many at most.
const MOST_DENIALS: usize = 50_000;

impl State {
    pub(super) fn apply_decision(&mut self, record: &Record) -> Result<(), FoldError> {
        let (seq, at) = (record.leaf.seq, record.leaf.at);
        if [DECISION, EXECUTION, SEARCH, EVIDENCE].iter().any(|name| record.has_erased(name)) {
            self.accounts.erased(at);
            return Ok(());
        }
        if record.payload(EXECUTION).is_some() {
            let execution: ExecutionRecord = read(record, EXECUTION)?;
            self.belongs(execution.exception.as_deref(), seq);
            let source = self.source_of(&execution.credential, at);
            self.accounts.reported((seq, at), &execution, source);
            // INVARIANT (R7, R3): an agent's own word ends no call that a stop would call off, and settles no use.
            if execution.evidence != OBSERVED {
                return Ok(());
            }
            self.flights.reported(&execution.evaluation, execution.phase);
            // INVARIANT (R3): whatever is told of a repeat is told of the use that it repeats.
            let permitted = self.uses.permitted(&execution.evaluation).filter(|_| !sabotaged!("r3_repeat_apart"));
            let consumed_by = permitted.map_or(execution.evaluation, |permitted| permitted.consumed_by.to_string());
            if let Some(entry) = execution.exception.as_ref().and_then(|id| self.exceptions.get_mut(id)) {
                entry.reports.insert(consumed_by, execution.phase);
            }
            return Ok(());
        }
        if record.payload(SEARCH).is_some() {
            return Ok(());
        }
        if record.leaf.kind == EVIDENCE {
            self.accounts.evidence((seq, at), read(record, EVIDENCE)?);
            return Ok(());
        }
        let decision: DecisionRecord = read(record, DECISION)?;
        self.belongs(decision.exception.as_deref(), seq);
        if decision.answer.outcome.permits() {
            self.apply_permitted(record, decision);
        } else {
            self.apply_denied(record, &decision);
        }
        self.flights.forget(at);
        self.forget(at);
        Ok(())
    }

    fn remembered(&mut self, record: &Record, decision: &DecisionRecord) -> Remembered {
        let point = self.point(&decision.credential, record.leaf.at);
        Remembered::of(record, decision, point, &mut self.kinds)
    }

    fn apply_denied(&mut self, record: &Record, decision: &DecisionRecord) {
        let of = self.remembered(record, decision);
        self.accounts.decided(&of, decision, of.evaluation.clone());
        let Remembered { seq, after, at, evaluation, kind } = of;
        let question = record.payload(QUESTION).map(<[u8]>::len);
        let (bundle, input_digest) = (record.leaf.bundle, decision.input_digest);
        self.denial_ids.insert(evaluation.clone(), seq);
        self.denials.insert(seq, Denial { seq, after, at, bundle, question, evaluation, kind, input_digest });
    }

    fn apply_permitted(&mut self, record: &Record, decision: DecisionRecord) {
        let of = self.remembered(record, &decision);
        // One that cannot be read is repeated by nothing.
        self.uses.add(&of, &decision, || read::<SealedQuestion>(record, QUESTION).ok());
        let permitted = self.uses.permitted(&decision.evaluation);
        let allow = permitted.map_or(&of.evaluation, |permitted| &permitted.consumed_by).clone();
        self.accounts.decided(&of, &decision, allow);
        if decision.purpose == Purpose::Use {
            self.flights.begin(of.at, &decision);
            self.done.entry(decision.task).or_default().extend(decision.done);
        }
    }

    /// Who reports under a credential, as evidence names it: `point:NAME` or `agent:TYPE::ID`.
    pub fn source_of(&self, credential: &str, at: Timestamp) -> String {
        match self.registry.find(credential, at).map(|(token, _)| &token.facts) {
            Some(TokenFacts::EnforcementPoint { name, .. }) => format!("point:{name}"),
            Some(TokenFacts::Agent { subject, .. }) => format!("agent:{subject}"),
            Some(TokenFacts::Approver { .. }) | None => format!("credential:{credential}"),
        }
    }

    /// The enforcement point that holds a credential, where one does.
    fn point(&self, credential: &str, at: Timestamp) -> Option<String> {
        match self.registry.find(credential, at).map(|(token, _)| &token.facts) {
            Some(TokenFacts::EnforcementPoint { name, .. }) => Some(name.clone()),
            _ => None,
        }
    }

    fn belongs(&mut self, exception: Option<&str>, seq: u64) {
        if let Some(entry) = exception.and_then(|id| self.exceptions.get_mut(id)) {
            entry.decisions.push(seq);
        }
    }

    /// At a start: what a snapshot leaves out of what it holds of decisions, and what is there once.
    pub(super) fn resume_decisions(&mut self) {
        self.accounts.resume(&mut self.kinds);
        self.uses.resume(&mut self.kinds);
        for denial in self.denials.values_mut() {
            denial.kind = self.kinds.known(denial.kind.clone());
            self.denial_ids.insert(denial.evaluation.clone(), denial.seq);
        }
    }

    /// Forgets what nothing can ask for any more; the log keeps it.
    fn forget(&mut self, now: Timestamp) {
        while let Some(first) = self.denials.first_entry() {
            if self.denial_ids.len() <= MOST_DENIALS && now < first.get().at.plus(DENIALS_KEPT) {
                break;
            }
            let denial = first.remove();
            self.denial_ids.remove(&denial.evaluation);
        }
        self.uses.forget(now);
    }
}
