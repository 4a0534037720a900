//! What of recorded decisions is remembered by many at once, so that each of very many takes little memory.

use std::collections::BTreeSet;

use policy_core::shared::Shared;
use policy_core::time::Timestamp;
use smol_str::SmolStr;

use crate::app::event::DecisionRecord;
use crate::app::sweep::Sweep;
use crate::reconcile::CallKind;
use crate::store::Record;

/// Before there are so many kinds, none is looked at for whether anybody holds it.
const FEW: usize = 1_024;

/// The kinds of calls that are remembered, each once.
#[derive(Debug, Clone, Default)]
pub(in crate::app) struct Kinds {
    all: BTreeSet<Shared<CallKind>>,
    swept: Sweep,
}

impl Kinds {
    /// The one that there is of this kind.
    pub fn known(&mut self, kind: Shared<CallKind>) -> Shared<CallKind> {
        if let Some(known) = self.all.get(&kind) {
            return known.clone();
        }
        if self.swept.is_due(self.all.len(), FEW) {
            self.all.retain(|kind| !kind.is_alone());
            self.swept.done(self.all.len());
        }
        self.all.insert(kind.clone());
        kind
    }
}

/// A recorded decision, by what is remembered of each.
#[derive(Debug)]
pub(in crate::app) struct Remembered {
    /// Its position in the log of decisions.
    pub seq: u64,
    /// How many ledger records stood.
    pub after: u64,
    /// When.
    pub at: Timestamp,
    /// The evaluation: everybody who remembers it holds this one text.
    pub evaluation: SmolStr,
    /// Who asked for what.
    pub kind: Shared<CallKind>,
}

impl Remembered {
    /// This decision, made by this enforcement point if by any.
    pub fn of(record: &Record, decision: &DecisionRecord, point: Option<String>, kinds: &mut Kinds) -> Self {
        let kind = CallKind {
            subject: decision.subject.clone(),
            task: decision.task.clone(),
            credential: decision.credential.clone(),
            point,
            server: decision.server.clone(),
            action: decision.action.clone(),
            tools: decision.tools.clone(),
        };
        Self {
            seq: record.leaf.seq,
            after: record.leaf.after.unwrap_or(0),
            at: record.leaf.at,
            evaluation: SmolStr::from(decision.evaluation.as_str()),
            kind: kinds.known(kind.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use policy_core::entity::EntityRef;

    use super::*;

    fn kind(task: usize) -> Shared<CallKind> {
        let kind = CallKind {
            subject: EntityRef::new("Agent", "a"),
            task: task.to_string(),
            credential: "pva_1".to_owned(),
            point: None,
            server: None,
            action: "read".to_owned(),
            tools: Vec::new(),
        };
        kind.into()
    }

    #[test]
    fn equal_kinds_are_one_and_what_nobody_remembers_is_forgotten() {
        let mut kinds = Kinds::default();
        let first = kinds.known(kind(0));
        assert!(first.is(&kinds.known(kind(0))) && !first.is(&kinds.known(kind(1))));
        for task in 0..FEW * 10 {
            kinds.known(kind(task));
        }
        assert!(kinds.all.len() <= FEW + 1, "{}", kinds.all.len());
        assert!(first.is(&kinds.known(kind(0))), "it is remembered");
        let held: Vec<_> = (0..FEW * 3).map(|task| kinds.known(kind(task))).collect();
        assert!(held.iter().enumerate().all(|(task, one)| one.is(&kinds.known(kind(task)))));
    }
}
