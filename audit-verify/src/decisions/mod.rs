//! What was decided, held against the ledger: each call that an exception permitted took one use of its grant, and each
//! use was taken by one decision.
//!
//! A decision says how many ledger records stood when it was admitted, and the use that it takes is the very next one. So
//! both logs are read side by side, in memory that does not grow with them.

#[cfg(test)]
mod tests;
mod wire;

use std::collections::VecDeque;

use thiserror::Error;

use crate::fault::{Fault, FaultKind};
use crate::grants::{EVENT, Instant, Ledger, Used};
use crate::leaf::Leaf;
use crate::run::LEDGER;
use crate::source::{Source, StoredRecord};
use wire::Decision;

/// The payload that holds a decision.
const DECISION: &str = "decision";
/// The kind of record that holds one.
const EVALUATION: &str = "evaluation";
/// The outcome of a call that a grant permitted.
const BY_EXCEPTION: &str = "permitted_by_exception";
/// The kind of a ledger record that takes a use.
const GRANT_USED: &str = "grant_used";

/// Where decisions and uses are not the same.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UseFault {
    /// A decision that cannot be read.
    #[error("its decision cannot be read: {0}")]
    Decision(String),
    /// A permit by an exception that took nothing.
    #[error("the evaluation `{0}` permits a call by an exception, and the ledger holds no use that it took")]
    Missing(String),
    /// A use that nothing was permitted by.
    #[error("a use is taken for the evaluation `{0}`, which permitted no call by that grant")]
    Undecided(String),
    /// A permit by a grant that was not there, or for something else than the grant.
    #[error(
        "the evaluation `{evaluation}` permits a call by an exception whose grant does not: its `{what}` is another"
    )]
    NotGranted {
        /// The evaluation.
        evaluation: String,
        /// What differs.
        what: &'static str,
    },
    /// A call that is said to repeat one that took a use, and there was none in the ten seconds before.
    #[error("the evaluation `{0}` is said to repeat a call that took a use, and there was none just before")]
    NoRepeat(String),
}

impl UseFault {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decision(_) => "event_unreadable",
            Self::Missing(_) | Self::NoRepeat(_) => "use_missing",
            Self::Undecided(_) => "use_undecided",
            Self::NotGranted { .. } => "use_not_granted",
        }
    }
}

/// The check of a log of decisions, with the ledger read beside it.
pub(crate) struct Decisions<'a> {
    source: &'a dyn Source,
    ledger: Ledger,
    /// Ledger records that were read and are not folded yet.
    page: VecDeque<StoredRecord>,
    /// How many ledger records are folded.
    position: u64,
    /// Where a decision stood whose payload is gone: it may have taken the use there.
    erased: Option<u64>,
    held: u64,
    fault: Option<Fault>,
}

/// A ledger record that was folded.
struct Folded {
    seq: u64,
    kind: String,
    used: Option<Used>,
    /// Whether its event is gone.
    erased: bool,
}

impl<'a> Decisions<'a> {
    /// Begins at the first record of both. The ledger's bytes must have been checked.
    pub(crate) fn new(source: &'a dyn Source) -> Self {
        let (ledger, page) = (Ledger::default(), VecDeque::new());
        Self { source, ledger, page, position: 0, erased: None, held: 0, fault: None }
    }

    /// Takes the next record of the log of decisions. The first fault is kept: whether these bytes are the ones that were
    /// signed is known later, and matters more.
    pub(crate) fn take(&mut self, leaf: &Leaf, record: &StoredRecord) {
        if self.fault.is_none() && leaf.kind == EVALUATION {
            self.fault = self.hold(leaf, record).err();
        }
    }

    /// Ends both logs: how many permits by an exception were held against their uses.
    pub(crate) fn end(mut self) -> Result<u64, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        while let Some(folded) = self.next()? {
            self.hold_undecided(&folded)?;
        }
        Ok(self.held)
    }

    fn hold(&mut self, leaf: &Leaf, record: &StoredRecord) -> Result<(), Fault> {
        let fault = |kind: UseFault| Fault { log: leaf.log.clone(), seq: leaf.seq, kind: kind.into() };
        let by_exception = leaf.outcome.as_deref() == Some(BY_EXCEPTION);
        let Some(bytes) = record.payload(DECISION) else {
            if by_exception {
                self.catch_up(leaf.after.unwrap_or(0))?;
                self.erased = leaf.after;
            }
            return Ok(());
        };
        let decision: Decision =
            serde_json::from_slice(bytes).map_err(|error| fault(UseFault::Decision(error.to_string())))?;
        if leaf.outcome.as_deref() != Some(&decision.answer.outcome) {
            return Err(fault(decision.differs("outcome")));
        }
        if !by_exception {
            return Ok(());
        }
        let at = Instant::read(&leaf.at).ok_or_else(|| fault(decision.differs("time")))?;
        let after = leaf.after.ok_or_else(|| fault(UseFault::Missing(decision.evaluation.clone())))?;
        self.catch_up(after)?;
        self.held += 1;
        if !decision.takes() {
            return self.hold_facts(&decision, at, false).map_err(fault);
        }
        let missing = || fault(UseFault::Missing(decision.evaluation.clone()));
        let folded = self.next()?.ok_or_else(missing)?;
        match folded.used {
            Some(used) if used.evaluation == decision.evaluation => {
                if decision.exception.as_ref() != Some(&used.exception) || used.at != at {
                    let what = if used.at == at { "exception" } else { "time" };
                    return Err(fault(decision.differs(what)));
                }
                self.hold_facts(&decision, at, true).map_err(fault)
            }
            None if folded.erased && folded.kind == GRANT_USED => Ok(()),
            _ => Err(missing()),
        }
    }

    /// Holds what was permitted against the grant as it stands (R3).
    fn hold_facts(&self, decision: &Decision, at: Instant, took: bool) -> Result<(), UseFault> {
        let exception = decision.exception.as_deref().unwrap_or_default();
        if self.ledger.is_erased(exception) {
            return Ok(());
        }
        let held = self.ledger.grant(exception);
        let held = held.filter(|held| held.is_live(at)).ok_or_else(|| decision.differs("window"))?;
        if let Some(what) = decision.outside(&held.grant) {
            return Err(decision.differs(what));
        }
        let repeats = || decision.call.as_deref().is_some_and(|call| held.was_used_by(call, at));
        if !took && decision.repeated && !repeats() {
            return Err(UseFault::NoRepeat(decision.evaluation.clone()));
        }
        Ok(())
    }

    /// Folds the ledger up to a position. Whatever is used on the way was decided by nobody.
    fn catch_up(&mut self, position: u64) -> Result<(), Fault> {
        while self.position < position {
            let Some(folded) = self.next()? else { return Ok(()) };
            self.hold_undecided(&folded)?;
        }
        Ok(())
    }

    fn hold_undecided(&self, folded: &Folded) -> Result<(), Fault> {
        match &folded.used {
            Some(used) if self.erased != Some(folded.seq) => {
                let kind = UseFault::Undecided(used.evaluation.clone()).into();
                Err(Fault { log: LEDGER.to_owned(), seq: folded.seq, kind })
            }
            _ => Ok(()),
        }
    }

    /// The next ledger record, folded. Absent: the ledger ends here.
    fn next(&mut self) -> Result<Option<Folded>, Fault> {
        if self.page.is_empty() {
            self.page = self.source.page(LEDGER, self.position)?.into();
        }
        let Some(record) = self.page.pop_front() else { return Ok(None) };
        let fault = |kind: FaultKind| Fault { log: LEDGER.to_owned(), seq: record.seq, kind };
        let leaf = Leaf::read(&record.bytes).ok_or_else(|| fault(FaultKind::NoLeaf))?;
        let said = self.ledger.take(&leaf, &record).map_err(|error| fault(error.into()))?;
        self.position = record.seq.saturating_add(1);
        let erased = record.payload(EVENT).is_none();
        Ok(Some(Folded { seq: record.seq, kind: leaf.kind, used: said.used, erased }))
    }
}
