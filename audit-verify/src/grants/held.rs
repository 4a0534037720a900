//! A grant with what was taken of it.

use std::collections::BTreeMap;

use super::GrantFault;
use super::time::Instant;
use super::wire::Grant;

/// For how long the same call of the same enforcement point consumes nothing again.
const REPEAT_WITHIN: i64 = 10_000;

/// A grant that was made.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) grant: Grant,
    begins: Instant,
    /// The uses that were not given back, by their evaluations.
    taken: BTreeMap<String, Taken>,
}

/// One use.
#[derive(Debug)]
struct Taken {
    call: String,
    /// What it took of each budget.
    amounts: Vec<i64>,
    at: Instant,
}

impl Held {
    pub(super) const fn new(grant: Grant, begins: Instant) -> Self {
        Self { grant, begins, taken: BTreeMap::new() }
    }

    /// Whether it can be used at this instant (R6).
    pub(crate) fn is_live(&self, at: Instant) -> bool {
        at >= self.begins && at < self.grant.scope.not_after
    }

    /// Whether this call took a use less than ten seconds ago.
    pub(crate) fn was_used_by(&self, call: &str, at: Instant) -> bool {
        self.taken.values().any(|taken| taken.call == call && at < taken.at.plus_millis(REPEAT_WITHIN))
    }

    /// The same without a use that was given back. Absent: there was none by this evaluation.
    pub(super) fn without(mut self, evaluation: &str) -> Option<Self> {
        self.taken.remove(evaluation).map(|_| self)
    }

    /// Takes one use (R3, R6).
    pub(super) fn take(
        &mut self,
        evaluation: String,
        call: String,
        amounts: Vec<i64>,
        at: Instant,
    ) -> Result<(), GrantFault> {
        if !self.is_live(at) {
            return Err(GrantFault::OutsideWindow);
        }
        let scope = &self.grant.scope;
        let again = self.taken.insert(evaluation, Taken { call, amounts, at }).is_some();
        if again || self.taken.len() > usize::try_from(scope.max_uses).unwrap_or(usize::MAX) {
            return Err(GrantFault::TooManyUses);
        }
        let fits = scope.budgets.iter().enumerate().all(|(place, budget)| {
            let amounts = self.taken.values().map(|taken| taken.amounts.get(place).copied().filter(|one| *one >= 0));
            let sum = amounts.into_iter().try_fold(0i64, |sum, amount| sum.checked_add(amount?));
            sum.is_some_and(|sum| sum <= budget.max)
        });
        if fits { Ok(()) } else { Err(GrantFault::OverBudget) }
    }
}
