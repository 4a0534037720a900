//! What a bundle that is proposed would answer to what was asked.

use std::collections::BTreeSet;

use audit_verify::source::StoredRecord;
use policy_core::abi::Load;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::leaf::Leaf;
use policy_core::outcome::{Evaluation, Outcome, Reason};
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use policy_evaluator::Bundle;
use policy_evaluator::seal::SealError;
use proviso_api::authzen::EvaluationRequest;
use serde::{Deserialize, Serialize};

use super::again::{Opened, WITHHELD, withheld};
use super::bench::Bench;
use super::classes::Class;
use super::kept::ModuleFiles;
use super::{judged, reseal};
use crate::app::denial;
use crate::app::event::{CLAIMED, DECISION, DecisionRecord, QUESTION, SEARCH};
use crate::gate::Runner;

/// A bundle that a gate would accept, on the module that this build would run.
pub struct Proposed {
    bundle: Bundle,
    load: Load,
    runner: Runner,
}

/// How an outcome changes, from what needs the closest look to what needs the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Refused then, permitted now.
    NewAllow,
    /// Could not be asked for then, can now.
    NewRequestable,
    /// Permitted then, refused now.
    NewDenial,
    /// Could be asked for then, not any more.
    NoLongerRequestable,
    /// Permitted then and now: by scope instead of an exception, or the other way round.
    OtherPermit,
}

impl ChangeKind {
    /// In words, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NewAllow => "new allow",
            Self::NewRequestable => "new requestable",
            Self::NewDenial => "new denial",
            Self::NoLongerRequestable => "no longer requestable",
            Self::OtherPermit => "other permit",
        }
    }
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The outcome.
    pub outcome: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// The policies that decide, or the grant.
    pub policies: Vec<String>,
}

/// A recorded question that comes out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// The log.
    pub log: String,
    /// The record.
    pub seq: u64,
    /// When it was judged.
    pub at: Timestamp,
    /// Who acted.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// What was asked for: the action in the words of the bundle that judged.
    pub action: String,
    /// On what.
    pub resources: Vec<EntityRef>,
    /// What is recorded.
    pub before: Side,
    /// What this bundle answers.
    pub after: Side,
}

impl Proposed {
    /// On this module, which the build carries. `files` may hold it compiled.
    ///
    /// # Errors
    /// A stable code, and what is wrong with the module.
    pub fn new(bundle: Bundle, module: &[u8], files: &ModuleFiles) -> Result<Self, (&'static str, String)> {
        let load = bundle.load();
        let runner = files.runner(module, Digest::of(module)).map_err(super::kept::Trouble::told)?;
        Ok(Self { bundle, load, runner })
    }

    /// The bundle's digest.
    pub fn digest(&self) -> Digest {
        self.load.bundle
    }

    /// Whether this bundle looks at what a task was permitted before.
    pub(super) fn mentions_done(&self) -> bool {
        self.bundle.rules.mentions_done()
    }

    /// What it answers to a record's question.
    pub(super) fn compare(
        &self,
        bench: &mut Bench<'_>,
        stored: &StoredRecord,
        done: BTreeSet<String>,
    ) -> (Class, Option<Change>) {
        match self.answer(bench, stored, done) {
            Ok((class, change)) => (class, change),
            Err(class) => (class, None),
        }
    }

    fn answer(
        &self,
        bench: &mut Bench<'_>,
        stored: &StoredRecord,
        done: BTreeSet<String>,
    ) -> Result<(Class, Option<Change>), Class> {
        let put = Put::to(&self.bundle, bench, stored, done)?;
        let after = match &put.question {
            Ok(question) => bench.ask_other(&self.runner, &self.load, question)?,
            Err(error) => denial(error.reason),
        };
        let before = put.decision.answer.clone();
        Ok(told(&put.leaf, put.decision, put.resources, &before, &after))
    }
}

/// A recorded question, put in the words of a bundle.
pub(super) struct Put {
    pub(super) leaf: Leaf,
    pub(super) decision: DecisionRecord,
    pub(super) resources: Vec<EntityRef>,
    /// The question; or why it does not fit the bundle, which denies it.
    pub(super) question: Result<SealedQuestion, SealError>,
}

impl Put {
    /// Puts it so, or says what class of records it is that is asked about no bundle.
    pub(super) fn to(
        bundle: &Bundle,
        bench: &Bench<'_>,
        stored: &StoredRecord,
        done: BTreeSet<String>,
    ) -> Result<Self, Class> {
        let record = Opened::open(stored)?;
        if record.commits(SEARCH) || !record.commits(DECISION) {
            return Err(record.other());
        }
        let decision = record.decision()?;
        let (question, resources) = if record.commits(QUESTION) {
            let question = record.question(&decision)?;
            if let Some(class) = made_by_gate(&decision) {
                return Err(class);
            }
            if withheld(bench, &question) {
                return Err(Class::NotEvaluated(WITHHELD.to_owned()));
            }
            let before = bench.kept.accepted(&question.bundle);
            let sealed = reseal::sealed(bundle, before.as_deref(), &question, &decision, done);
            (sealed, question.call.resources)
        } else {
            let body: EvaluationRequest = record.read(CLAIMED)?;
            let before = record.leaf.bundle.and_then(|bundle| bench.kept.accepted(&bundle));
            let secret = |bundle: &Bundle| bundle.rules.actions.keys().any(|action| !bundle.secrets(action).is_empty());
            // Where a bundle has secrets, what could not be read is kept without its arguments.
            if before.is_none_or(|before| secret(&before)) {
                return Err(Class::NotEvaluated(WITHHELD.to_owned()));
            }
            let resource = EntityRef::new(&body.resource.kind, &body.resource.id);
            (reseal::claimed(bundle, body, &decision, record.leaf.at, done), vec![resource])
        };
        Ok(Self { leaf: record.leaf, decision, resources, question })
    }
}

/// Records whose outcome says nothing of a bundle: whatever another one answers, the gate would have made this of it.
fn made_by_gate(decision: &DecisionRecord) -> Option<Class> {
    match (judged::unasked(decision), &decision.limit) {
        (Some(class), _) => Some(class),
        (None, Some(kind)) => Some(Class::Limit(kind.clone())),
        (None, None) if decision.answer.reason == Reason::ClockUnsafe => Some(Class::Gate("clock_unsafe")),
        (None, None) => None,
    }
}

pub(super) fn told(
    leaf: &Leaf,
    decision: DecisionRecord,
    resources: Vec<EntityRef>,
    before: &Evaluation,
    after: &Evaluation,
) -> (Class, Option<Change>) {
    let Some(kind) = kind(before.outcome, after.outcome) else {
        let same = before == after;
        let class = Class::Unchanged { otherwise: !same };
        return (class, None);
    };
    let side = |answer: &Evaluation| Side {
        outcome: answer.outcome,
        reason: answer.reason,
        policies: answer.policies.clone(),
    };
    let change = Change {
        kind,
        log: leaf.log.clone(),
        seq: leaf.seq,
        at: leaf.at,
        before: side(before),
        after: side(after),
        subject: decision.subject,
        task: decision.task,
        action: decision.action,
        resources,
    };
    (Class::Changed, Some(change))
}

fn kind(before: Outcome, after: Outcome) -> Option<ChangeKind> {
    match (before, after) {
        (before, after) if before == after => None,
        (before, after) if before.permits() && after.permits() => Some(ChangeKind::OtherPermit),
        (_, after) if after.permits() => Some(ChangeKind::NewAllow),
        (before, _) if before.permits() => Some(ChangeKind::NewDenial),
        (_, Outcome::RequestableDenial) => Some(ChangeKind::NewRequestable),
        (_, _) => Some(ChangeKind::NoLongerRequestable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_an_outcome_has_its_kind() {
        use Outcome::{Denial, PermittedByException, PermittedByScope, RequestableDenial};
        let all = [PermittedByScope, PermittedByException, RequestableDenial, Denial];
        let found: Vec<Option<ChangeKind>> =
            all.iter().flat_map(|before| all.iter().map(|after| kind(*before, *after))).collect();
        let (allow, requestable, denial) = (ChangeKind::NewAllow, ChangeKind::NewRequestable, ChangeKind::NewDenial);
        let (gone, other) = (ChangeKind::NoLongerRequestable, ChangeKind::OtherPermit);
        let expected = [
            [None, Some(other), Some(denial), Some(denial)],
            [Some(other), None, Some(denial), Some(denial)],
            [Some(allow), Some(allow), None, Some(gone)],
            [Some(allow), Some(allow), Some(requestable), None],
        ];
        assert_eq!(found, expected.concat());
        assert!(allow < requestable && allow < denial && allow < gone && allow < other);
    }
}
