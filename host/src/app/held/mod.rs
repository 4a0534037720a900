//! What is held already, and what a request would add: forty small requests count as one large one.

mod book;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use policy_core::containment;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Budget, Scope, Test};
use policy_core::json;
use policy_core::lifecycle::{Exception, Phase};
use policy_core::question::{Requested, SealedQuestion};
use policy_core::time::{Span, Timestamp};
use smol_str::SmolStr;

use super::App;
use super::ownership::owners_of;
use super::policy::Policy;
use super::state::{Entry, State};
pub(super) use book::Book;
use book::{ByType, Held};

/// How long what was used in another task counts.
const REMEMBERED: Span = Span::from_seconds(86_400);

/// How many grants and requests are held, their uses, their sum.
type Sums = (u32, u32, i64);

impl App {
    /// What is live and pending of the same action by the same owner's agents, so that many small requests count as one
    /// large one: how many, their uses, their sum. The sum counts what was used as well, in the same task for as long as
    /// that lasts and for a day in another, so that what is asked for in turn counts as what is asked for at once.
    pub(super) fn held_already(&self, question: &SealedQuestion, but: Option<&str>, now: Timestamp) -> Sums {
        held_already(&self.state(), &self.policy(), question, but, now)
    }

    /// What a request of this scope asks for, with what is held besides. `but` is the exception itself, where it is one
    /// already; `from` is when its window begins at the earliest.
    pub(super) fn requested(&self, wanted: &Wanted<'_>, from: Timestamp, now: Timestamp) -> Requested {
        let Wanted { question, scope, but, .. } = wanted;
        let begin = scope.not_before.map_or(from, |begin| begin.max(from));
        let (held_grants, held_uses, held_sum) = self.held_already(question, *but, now);
        let sum_at = self.policy().sum_path(&question.call.action);
        Requested {
            duration: scope.valid_for.unwrap_or_else(|| scope.not_after.since(begin)),
            uses: scope.max_uses,
            held_grants,
            held_uses,
            held_sum,
            emergency: wanted.emergency,
            sum: sum_at.as_deref().map_or(0, |at| most(scope, question, at, scope.max_uses)),
            asker: wanted.asker.map(ToString::to_string),
        }
    }
}

/// The same in this state. INVARIANT: it costs what these owners' agents hold and use, whatever others do.
fn held_already(state: &State, policy: &Policy, question: &SealedQuestion, but: Option<&str>, now: Timestamp) -> Sums {
    let Some(of_action) = state.held.of(&question.call.action) else { return (0, 0, 0) };
    let sum_at = policy.sum_path(&question.call.action);
    let held = of_owners(state, policy, of_action, &question.call.subject).into_iter();
    let ids: BTreeSet<&str> = held
        .flat_map(|held| held.counting(&question.task, now, sum_at.is_some()))
        .filter(|id| Some(*id) != but)
        .collect();
    let entries = ids.into_iter().filter_map(|id| state.exceptions.get(id));
    entries.fold((0, 0, 0), |sums, entry| add(sums, entry, question, sum_at.as_deref(), now))
}

/// What may count of the subject itself, and of all that one of its owners owns. One may come twice.
fn of_owners<'a>(state: &'a State, policy: &Policy, of_action: &'a ByType, subject: &EntityRef) -> Vec<&'a Held> {
    let own = of_action.get(&subject.kind).and_then(|of_type| of_type.get(&subject.id));
    let mut all: Vec<&Held> = own.into_iter().collect();
    for owner in owners_of(state, policy, subject) {
        for (kind, of_type) in of_action {
            all.extend(among(of_type, state.ownership.belongings(&owner, kind)).into_iter().map(|(_, held)| held));
            let declared = among(of_type, policy.belongings(&owner, kind)).into_iter();
            let declared = declared
                .filter(|(id, _)| state.ownership.of_agent(&EntityRef::new(kind.clone(), (*id).clone())).is_empty());
            all.extend(declared.map(|(_, held)| held));
        }
    }
    all
}

/// What is held by one of these, by way of the fewer.
fn among<'a>(of_type: &'a BTreeMap<SmolStr, Held>, ids: Option<&BTreeSet<SmolStr>>) -> Vec<(&'a SmolStr, &'a Held)> {
    match ids {
        Some(ids) if ids.len() < of_type.len() => ids.iter().filter_map(|id| of_type.get_key_value(id)).collect(),
        Some(ids) => of_type.iter().filter(|(id, _)| ids.contains(*id)).collect(),
        None => Vec::new(),
    }
}

/// The sums with one exception more.
fn add(
    (grants, uses, sum): Sums,
    entry: &Entry,
    question: &SealedQuestion,
    sum_at: Option<&[String]>,
    now: Timestamp,
) -> Sums {
    let exception = &entry.exception;
    let held = exception.phase.grant();
    let version = exception.current().map_or(&exception.request.scope, |version| &version.scope);
    let scope = held.map_or(version, |held| &held.grant.scope);
    let is_live = matches!(exception.phase, Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. })
        && !exception.is_over(now);
    let used = held.map_or(0, |held| held.uses);
    let left = if is_live { scope.max_uses.saturating_sub(used) } else { 0 };
    let (grants, uses) = (u32::saturating_add(grants, is_live.into()), u32::saturating_add(uses, left));
    // INVARIANT: what was used stays in the sum when its grant ends, or forty in turn would pass for one.
    let last = held.and_then(|held| held.taken.last());
    let counts =
        exception.request.question.task == question.task || last.is_some_and(|taken| now < taken.at.plus(REMEMBERED));
    let summed = left.saturating_add(if counts { used } else { 0 });
    let more = sum_at.map_or(0, |at| most(scope, &exception.request.question, at, summed));
    // What no JSON number can hold is more than any policy allows.
    (grants, uses, i64::saturating_add(sum, more).min(json::LARGEST_INTEGER))
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub question: &'a SealedQuestion,
    pub scope: &'a Scope,
    /// The exception itself, where it is one already.
    pub but: Option<&'a str>,
    /// Whether a person has declared an emergency.
    pub emergency: bool,
    /// The agent that asks, where it is another than the subject.
    pub asker: Option<&'a EntityRef>,
}

impl<'a> Wanted<'a> {
    /// What an exception asks for now.
    pub fn of(exception: &'a Exception) -> Self {
        Self {
            question: &exception.request.question,
            scope: exception.current().map_or(&exception.request.scope, |version| &version.scope),
            but: Some(&exception.request.id),
            emergency: exception.emergency.is_some(),
            asker: exception.request.asker.as_ref(),
        }
    }
}

/// The most that so many uses of this scope can take of the argument that is summed.
fn most(scope: &Scope, question: &SealedQuestion, at: &[String], uses: u32) -> i64 {
    let all = largest(scope, question, at).saturating_mul(i64::from(uses));
    let budget = scope.budgets.iter().filter(|budget| budget.at == at).map(|budget| budget.max).min();
    budget.map_or(all, |budget| all.min(budget)).min(json::LARGEST_INTEGER)
}

/// The most that one use of this scope can take of the argument that is summed.
fn largest(scope: &Scope, question: &SealedQuestion, at: &[String]) -> i64 {
    let probe = Scope { budgets: vec![Budget { at: at.to_vec(), max: i64::MAX }], ..scope.clone() };
    let own =
        containment::amounts(&probe, &question.call).ok().and_then(|amounts| amounts.first().copied()).unwrap_or(0);
    let ArgumentScope::Conditions(conditions) = &scope.arguments else { return own };
    let condition = conditions.iter().find(|condition| condition.at == at);
    match condition.map(|condition| &condition.test) {
        Some(Test::Between { max, .. }) => *max,
        Some(Test::OneOf { values }) => values.iter().filter_map(long).max().unwrap_or(own),
        Some(Test::Equals { value }) => long(value).unwrap_or(own),
        // An argument that no condition names is open: it may take anything.
        Some(Test::Inside { .. }) | None => i64::MAX,
    }
}

const fn long(value: &policy_core::grant::Scalar) -> Option<i64> {
    match value {
        policy_core::grant::Scalar::Long(long) => Some(*long),
        _ => None,
    }
}
