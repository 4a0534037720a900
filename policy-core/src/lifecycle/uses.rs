//! A grant's counters: what was consumed, what was given back, what its rate leaves.

use serde::{Deserialize, Serialize};

use crate::entity::EntityRef;
use crate::grant::{Grant, MOST_RATE};
use crate::shared::Shared;
use crate::time::{Span, Timestamp};

/// A grant with its counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantState {
    /// The grant.
    pub grant: Shared<Grant>,
    /// When it was made.
    pub granted_at: Timestamp,
    /// When it was judged again at or after its start, where that lay in the future when it was made (R4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// Uses consumed and not given back.
    pub uses: u32,
    /// What was consumed of each budget and not given back, in the order of the scope's budgets.
    pub spent: Vec<i64>,
    /// The newest uses in order, at most [`MOST_RATE`]. An older one is counted, but not given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Taken>,
}

/// One use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The call's id, as the enforcement point gave it.
    pub call: String,
    /// The evaluation that consumed it.
    pub evaluation: String,
    /// What it took from each budget.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<i64>,
    /// When.
    pub at: Timestamp,
    /// Who gave it back, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_back: Option<GivenBack>,
}

/// A use given back: it was consumed, and as far as a person can tell nothing ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    /// Who.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl GrantState {
    /// A grant as it is made, with nothing consumed.
    pub(super) fn new(grant: Shared<Grant>, granted_at: Timestamp) -> Self {
        let spent = vec![0; grant.scope.budgets.len()];
        Self { grant, granted_at, activated_at: None, uses: 0, spent, taken: Vec::new() }
    }

    /// When its window begins.
    pub fn begins(&self) -> Timestamp {
        self.grant.scope.not_before.map_or(self.granted_at, |begin| begin.max(self.granted_at))
    }

    /// How long its window is, from its start to its end.
    pub fn length(&self) -> Span {
        self.grant.scope.not_after.since(self.begins())
    }

    /// Whether it must be judged again before its first use: its start lay in the future when it was made (R4).
    pub fn awaits_activation(&self) -> bool {
        self.begins() > self.granted_at && self.activated_at.is_none()
    }

    /// Whether it was ever used, given back or not.
    pub(super) fn was_used(&self) -> bool {
        !self.taken.is_empty()
    }

    /// How many uses its rate leaves at this instant; nothing where it has no rate.
    ///
    /// A use that was given back counts: that nobody reported it does not make it slower.
    pub fn rate_left(&self, now: Timestamp) -> Option<u32> {
        let rate = self.grant.scope.rate?;
        let recent = self.taken.iter().filter(|taken| now < taken.at.plus(rate.per)).count();
        Some(rate.uses.min(MOST_RATE).saturating_sub(u32::try_from(recent).unwrap_or(u32::MAX)))
    }

    /// What is spent of each budget after these amounts; nothing where one would be passed, is negative or is missing.
    pub(super) fn spend(&self, amounts: &[i64]) -> Option<Vec<i64>> {
        let budgets = &self.grant.scope.budgets;
        if amounts.len() != budgets.len() || self.spent.len() != budgets.len() {
            return None;
        }
        budgets
            .iter()
            .zip(&self.spent)
            .zip(amounts)
            .map(|((budget, spent), amount)| {
                let sum = spent.checked_add(*amount)?;
                (*amount >= 0 && sum <= budget.max).then_some(sum)
            })
            .collect()
    }

    /// Counts one use.
    pub(super) fn take(&mut self, taken: Taken) {
        self.uses = self.uses.saturating_add(1);
        for (spent, amount) in self.spent.iter_mut().zip(&taken.amounts) {
            *spent = spent.saturating_add(*amount);
        }
        if self.taken.len() >= MOST_RATE as usize {
            self.taken.remove(0);
        }
        self.taken.push(taken);
    }

    /// Takes one use out of the counters. Whether there was one to give back.
    pub(super) fn give_back(&mut self, evaluation: &str, given_back: GivenBack) -> bool {
        let mut taken = self.taken.iter_mut();
        let Some(taken) = taken.find(|taken| taken.evaluation == evaluation && taken.given_back.is_none()) else {
            return false;
        };
        taken.given_back = Some(given_back);
        self.uses = self.uses.saturating_sub(1);
        for (spent, amount) in self.spent.iter_mut().zip(&taken.amounts) {
            *spent = spent.saturating_sub(*amount);
        }
        true
    }
}
