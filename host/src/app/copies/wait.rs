//! Waiting for a copy, where policy demands it: `[record] wait_for_copy` in `bundle.toml` names tiers of which an allow by
//! an exception leaves only when one copy holds its record.

use std::time::Duration;

use policy_core::outcome::{Outcome, Reason};
use policy_core::question::Purpose;
use policy_core::sabotaged;
use tokio::time::timeout;

use crate::app::App;
use crate::app::append::Proposal;
use crate::app::evaluate::{Made, denial};
use crate::app::event::{DecisionRecord, GateEvent, LedgerEvent};
use crate::app::inputs;
use crate::app::permit::Permit;

/// How long an allow waits: less than it is good for.
const PATIENCE: Duration = Duration::from_secs(3);

impl App {
    /// Whether an allow of this tier has to wait for a copy, and there is none.
    ///
    /// INVARIANT (R8): a demand that this gate cannot check is none that it meets.
    pub(in crate::app) fn lacks_copy(&self, tier: &str) -> bool {
        self.policy().waits_for_copy(tier) && !self.board().has_copies() && !sabotaged!("r8_no_copy_ignored")
    }

    /// The same for the exception of a grant: then the decision is a denial.
    pub(in crate::app) fn lacks_copy_for(&self, exception: &str, decision: &mut DecisionRecord) -> bool {
        let state = self.state();
        let lacks = state.exceptions.get(exception).is_some_and(|entry| self.lacks_copy(&entry.exception.terms.tier));
        if lacks {
            decision.answer = denial(Reason::TermsUnavailable);
            decision.limit = Some(inputs::NO_COPY.to_owned());
        }
        lacks
    }

    /// A permit that waited for a copy where it has to. None: no copy holds its record in time; the record stands, what it
    /// used stays used, and a record says that the allow was withheld.
    ///
    /// INVARIANT (R1): where policy demands a copy, no allow leaves before a copy holds its record.
    pub(in crate::app) async fn await_copy(&self, permit: Option<Permit>, made: &mut Made) -> Option<Permit> {
        let permit = permit?;
        let decision = &made.decision;
        let is_use = decision.answer.outcome == Outcome::PermittedByException && decision.purpose == Purpose::Use;
        let exception = decision.exception.clone().filter(|_| is_use);
        let waits = exception.as_ref().is_some_and(|id| {
            let state = self.state();
            let entry = state.exceptions.get(id);
            entry.is_none_or(|entry| self.policy().waits_for_copy(&entry.exception.terms.tier))
        });
        let waits = waits && !sabotaged!("r1_copy_not_awaited");
        if !waits || timeout(PATIENCE, self.board().covered(permit.records())).await.is_ok() {
            return Some(permit);
        }
        let (evaluation, at) = (made.decision.evaluation.clone(), self.now());
        let event = GateEvent::AllowWithheld { evaluation, exception, reason: Reason::CopyLate.code().to_owned(), at };
        let event = LedgerEvent::Gate(event);
        let told =
            self.admit(|_| Ok(Proposal { expected: Vec::new(), records: vec![self.ledger(at, &event)?], answer: () }));
        if let Err(refusal) = told.await {
            tracing::error!(code = refusal.code, "that an allow was withheld could not be recorded");
        }
        made.decision.answer = denial(Reason::CopyLate);
        made.detail = Some("what it used stays used until an approver gives it back".to_owned());
        None
    }
}
