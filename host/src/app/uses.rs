//! What was permitted of late: which call a repeat is of, and which use a report is of.

use std::collections::{BTreeMap, VecDeque};

use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::outcome::Outcome;
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::shared::Shared;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::event::DecisionRecord;
use super::reply::VALID_FOR;
use super::state::{Kinds, Remembered};
use super::sweep::Sweep;
use crate::reconcile::CallKind;

/// How long the same call id is the same call.
pub const REPEAT_WITHIN: Span = Span::from_seconds(10);
/// How long something can come of a use: for so long it is repeated, and the last repeat's allow is good for its seconds.
pub const USE_ALIVE: Span = Span::from_seconds(REPEAT_WITHIN.seconds() + VALID_FOR as u64);
/// Before there are so many uses that may be repeated, none is looked at for its age.
const FEW: usize = 1_024;
/// How long an evaluation may be reported on.
const REPORTS_WITHIN: Span = Span::from_seconds(2 * 86_400);

/// Which call a use was for. INVARIANT (R3): another subject, task or chain, another action or resource under the same
/// call id and with the same arguments is another call, and consumes a use of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UseKey {
    /// The credential that asked.
    pub credential: String,
    /// Who acts, in which task, for whom: one enforcement point asks for many.
    pub by: (EntityRef, SmolStr, Vec<Hop>),
    /// The call's id.
    pub call: String,
    /// The action.
    pub action: SmolStr,
    /// The resources, in the order that the bundle derives them in.
    pub resources: Vec<EntityRef>,
    /// The arguments.
    pub input_digest: Digest,
}

impl UseKey {
    /// The key of this call.
    pub fn new(credential: &str, id: &str, question: &SealedQuestion) -> Self {
        let call = &question.call;
        Self {
            credential: credential.to_owned(),
            by: (call.subject.clone(), question.task.clone(), question.chain.clone()),
            call: id.to_owned(),
            action: call.action.clone(),
            resources: call.resources.clone(),
            input_digest: call.input_digest,
        }
    }
}

/// A use that the same call id may repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PastUse {
    /// The grant that permitted it.
    pub grant: String,
    /// The evaluation that consumed it.
    pub evaluation: SmolStr,
    /// When.
    pub at: Timestamp,
    /// How many ledger records stood.
    after: u64,
}

/// An evaluation that permitted a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Permitted {
    /// Its position in the log of decisions.
    seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who asked for what.
    pub kind: Shared<CallKind>,
    /// Whether it was a use: only that can run.
    pub purpose: Purpose,
    /// The exception, where one permitted it.
    pub exception: Option<String>,
    /// The evaluation that consumed the use: this one, or the one whose call it repeats.
    pub consumed_by: SmolStr,
}

/// What was permitted of late.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Uses {
    #[serde(with = "crate::pairs")]
    past: BTreeMap<UseKey, PastUse>,
    swept: Sweep,
    permitted: BTreeMap<SmolStr, Permitted>,
    // Oldest first: found anew in what was permitted.
    #[serde(skip)]
    order: VecDeque<SmolStr>,
    /// What was permitted before so many ledger records stood is repeated by nothing.
    void: u64,
}

impl Uses {
    /// At a start: what a snapshot leaves out, and what is there once.
    pub(super) fn resume(&mut self, kinds: &mut Kinds) {
        let mut order = BTreeMap::new();
        for (evaluation, permitted) in &mut self.permitted {
            permitted.kind = kinds.known(permitted.kind.clone());
            if permitted.consumed_by == *evaluation {
                permitted.consumed_by = evaluation.clone();
            }
            order.insert(permitted.seq, evaluation.clone());
        }
        self.order = order.into_values().collect();
    }

    /// The use that this call repeats, if any.
    pub fn repeats(&self, call: &UseKey, now: Timestamp) -> Option<&PastUse> {
        let past = self.past.get(call).filter(|past| past.after >= self.void)?;
        (now.millis() < past.at.plus(REPEAT_WITHIN).millis()).then_some(past)
    }

    /// What is known of an evaluation that permitted.
    pub fn permitted(&self, evaluation: &str) -> Option<&Permitted> {
        self.permitted.get(evaluation)
    }

    /// An evaluation permitted a call, with so many ledger records before it. Its question is read only where its call may
    /// be repeated.
    pub(super) fn add(
        &mut self,
        of: &Remembered,
        decision: &DecisionRecord,
        question: impl FnOnce() -> Option<SealedQuestion>,
    ) {
        let permitted = Permitted {
            seq: of.seq,
            at: of.at,
            kind: of.kind.clone(),
            purpose: decision.purpose,
            exception: decision.exception.clone(),
            consumed_by: self.consumed_by(of, decision, question),
        };
        self.order.push_back(of.evaluation.clone());
        self.permitted.insert(of.evaluation.clone(), permitted);
    }

    /// The evaluation that consumed what this one was permitted by: itself, and then its call may be repeated, or the one
    /// that it repeats.
    fn consumed_by(
        &mut self,
        of: &Remembered,
        decision: &DecisionRecord,
        question: impl FnOnce() -> Option<SealedQuestion>,
    ) -> SmolStr {
        let evaluation = of.evaluation.clone();
        if decision.purpose == Purpose::Use
            && decision.answer.outcome == Outcome::PermittedByException
            && let (Some(id), Some(grant)) = (&decision.call, &decision.answer.grant)
            && let Some(question) = question()
        {
            let key = UseKey::new(&decision.credential, id, &question);
            if decision.repeated {
                return self.past.get(&key).map_or(evaluation, |past| past.evaluation.clone());
            }
            let (grant, evaluation) = (grant.clone(), evaluation.clone());
            self.past.insert(key, PastUse { grant, evaluation, at: of.at, after: of.after });
        }
        evaluation
    }

    /// No call that was permitted before so many ledger records stood is repeated, in whatever order the logs are read.
    pub fn forget_repeats(&mut self, position: u64) {
        self.void = self.void.max(position);
    }

    /// Forgets what nothing can ask for any more; the log keeps it.
    pub fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            if self.permitted.get(oldest).is_some_and(|permitted| now < permitted.at.plus(REPORTS_WITHIN)) {
                break;
            }
            self.permitted.remove(oldest);
            self.order.pop_front();
        }
        if self.swept.is_due(self.past.len(), FEW) {
            // A repeat that was judged in time may be recorded a moment later.
            self.past.retain(|_, past| now < past.at.plus(USE_ALIVE));
            self.swept.done(self.past.len());
        }
    }
}
