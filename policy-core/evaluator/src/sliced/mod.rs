//! A policy set in which only those policies are evaluated whose scope may hold of the question.
//!
//! A policy's scope is a conjunction that stands before its conditions, and Cedar evaluates it first: where it does not
//! hold, the policy is neither satisfied nor does it err. So leaving such a policy out changes no outcome, no reason and
//! no set of errors. The index may return too many policies and never too few; of those that it returns the scope is
//! asked, and then Cedar about the conditions.
//!
//! INVARIANT (R2): what is left out is what Cedar would have found not to apply; a test holds both together.

mod bare;
mod index;
mod scope;

use std::cell::LazyCell;
use std::collections::HashMap;

use cedar_policy::{Entities, Policy, PolicySet, Request};
use cedar_policy_core::ast::{Expr, Literal, ValueKind};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use policy_core::outcome::PolicyError;

use crate::bundle::policies::Policies;
use crate::cedar::{Verdict, says};
use index::Index;
use scope::{Parties, Scope};

/// A policy as it is evaluated: what is the same for every question is made once.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    id: String,
    scope: Scope,
    /// Its conditions; nothing where it has none.
    condition: Option<Expr>,
}

impl Judged {
    pub(crate) fn of(policy: &Policy) -> Self {
        let in_core: &cedar_policy_core::ast::Policy = policy.as_ref();
        // Behind what is true, as they stand behind the scope: what is no boolean errs there in Cedar's words.
        let condition = in_core.non_scope_constraints().map(|own| bare::bare(&Expr::and(Expr::val(true), own.clone())));
        Self { id: policy.id().to_string(), scope: Scope::of(policy), condition }
    }

    /// The same policy with nothing done to it: scope and conditions are Cedar's.
    #[cfg(test)]
    fn whole(policy: &Policy) -> Self {
        let in_core: &cedar_policy_core::ast::Policy = policy.as_ref();
        Self { id: policy.id().to_string(), scope: Scope::OPEN, condition: Some(in_core.condition()) }
    }

    /// Asks this one policy.
    pub(crate) fn ask(&self, request: &Request, entities: &Entities) -> Verdict {
        match Parties::of(request, entities) {
            Some(parties) => ask([self], request, entities, &parties),
            None => left_open([self]),
        }
    }

    fn ask_into(&self, evaluator: &Evaluator<'_>, condition: &Expr, verdict: &mut Verdict) {
        // A bundle holds no templates, so there are no slots to fill.
        match evaluator.interpret(condition, &HashMap::new()).map(|value| value.value) {
            Ok(ValueKind::Lit(Literal::Bool(true))) => verdict.satisfied.push(self.id.clone()),
            Ok(ValueKind::Lit(Literal::Bool(false))) => {}
            // A conjunction is true, false or an error. Anything else is the latter (R8).
            Ok(_) => verdict.errors.push(self.err("it is neither true nor false".to_owned())),
            Err(error) => verdict.errors.push(self.err(says(&error))),
        }
    }

    fn err(&self, message: String) -> PolicyError {
        PolicyError { policy: self.id.clone(), message }
    }
}

/// What these policies say of one request.
fn ask<'p>(
    policies: impl IntoIterator<Item = &'p Judged>,
    request: &Request,
    entities: &Entities,
    parties: &Parties<'_>,
) -> Verdict {
    let mut verdict = Verdict::default();
    // Often no scope holds, or nothing stands behind it.
    let evaluator =
        LazyCell::new(|| Evaluator::new(request.as_ref().clone(), entities.as_ref(), Extensions::all_available()));
    for policy in policies.into_iter().filter(|policy| policy.scope.holds(parties)) {
        match &policy.condition {
            None => verdict.satisfied.push(policy.id.clone()),
            Some(condition) => policy.ask_into(&evaluator, condition, &mut verdict),
        }
    }
    verdict
}

/// What they say of a request that does not name who or what it is about: nothing that could be held, so an error (R8).
fn left_open<'p>(policies: impl IntoIterator<Item = &'p Judged>) -> Verdict {
    let err = |policy: &Judged| policy.err("the request leaves open whom it is about".to_owned());
    Verdict { satisfied: Vec::new(), errors: policies.into_iter().map(err).collect() }
}

/// A set of permits only, or of forbids only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sliced {
    /// Sorted by id.
    policies: Vec<Judged>,
    index: Index,
}

impl Sliced {
    pub(crate) fn of(set: &PolicySet) -> Self {
        let policies: Vec<Judged> = sorted(set).into_iter().map(Judged::of).collect();
        Self { index: Index::of(policies.iter().map(|policy| &policy.scope)), policies }
    }

    /// The same where Cedar is asked about every policy, whole.
    #[cfg(test)]
    fn whole(set: &PolicySet) -> Self {
        Self { index: Index::default(), policies: sorted(set).into_iter().map(Judged::whole).collect() }
    }

    /// What the set says of one request: sorted, as whoever asks every policy would have it.
    pub(crate) fn ask(&self, request: &Request, entities: &Entities) -> Verdict {
        if self.policies.is_empty() {
            return Verdict::default();
        }
        let Some(parties) = Parties::of(request, entities) else { return left_open(&self.policies) };
        match self.index.slice(&parties) {
            Some(slice) => {
                let policies = slice.into_iter().filter_map(|position| self.policies.get(position));
                ask(policies, request, entities, &parties)
            }
            None => ask(&self.policies, request, entities, &parties),
        }
    }
}

fn sorted(set: &PolicySet) -> Vec<&Policy> {
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_cached_key(|policy| policy.id().to_string());
    policies
}

/// The five folders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sets {
    pub(crate) scope: Sliced,
    pub(crate) guardrails: Sliced,
    pub(crate) request: Sliced,
    pub(crate) approve: Sliced,
    pub(crate) console: Sliced,
}

impl Sets {
    pub(crate) fn of(policies: &Policies) -> Self {
        Self::made(policies, Sliced::of)
    }

    /// The same where Cedar is asked about every policy, whole.
    #[cfg(test)]
    pub(crate) fn whole(policies: &Policies) -> Self {
        Self::made(policies, Sliced::whole)
    }

    fn made(policies: &Policies, of: fn(&PolicySet) -> Sliced) -> Self {
        Self {
            scope: of(&policies.scope),
            guardrails: of(&policies.guardrails),
            request: of(&policies.request),
            approve: of(&policies.approve),
            console: of(&policies.console),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
