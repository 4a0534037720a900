//! A policy set in which only those policies are evaluated whose scope may hold of the question.
//!
//! A policy's scope is a conjunction that stands before its conditions, and Cedar evaluates it first: where it does not
//! hold, the policy is neither satisfied nor does it err. So leaving such a policy out changes no outcome, no reason and
//! no set of errors. The index may return too many policies and never too few; each that it returns is evaluated whole,
//! scope and all, by Cedar.
//!
//! INVARIANT (R2): what the index leaves out is what Cedar would have found not to apply; a test holds both together.

mod bare;
mod index;

use std::collections::HashMap;

use cedar_policy::{Entities, Policy, PolicySet, Request};
use cedar_policy_core::ast::{Expr, Literal, ValueKind};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use policy_core::outcome::PolicyError;

use crate::bundle::policies::Policies;
use crate::cedar::{Verdict, says};
use index::Index;

/// A policy as it is evaluated: what is the same for every question is made once.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    id: String,
    /// Scope and conditions.
    condition: Expr,
}

impl Judged {
    pub(crate) fn of(policy: &Policy) -> Self {
        let policy_in_core: &cedar_policy_core::ast::Policy = policy.as_ref();
        Self { id: policy.id().to_string(), condition: bare::bare(&policy_in_core.condition()) }
    }

    /// Asks this one policy.
    pub(crate) fn ask(&self, request: &Request, entities: &Entities) -> Verdict {
        let mut verdict = Verdict::default();
        self.ask_into(&evaluator(request, entities), &mut verdict);
        verdict
    }

    fn ask_into(&self, evaluator: &Evaluator<'_>, verdict: &mut Verdict) {
        let err = |message| PolicyError { policy: self.id.clone(), message };
        // A bundle holds no templates, so there are no slots to fill.
        match evaluator.interpret(&self.condition, &HashMap::new()).map(|value| value.value) {
            Ok(ValueKind::Lit(Literal::Bool(true))) => verdict.satisfied.push(self.id.clone()),
            Ok(ValueKind::Lit(Literal::Bool(false))) => {}
            // A conjunction is true, false or an error. Anything else is the latter (R8).
            Ok(_) => verdict.errors.push(err("it is neither true nor false".to_owned())),
            Err(error) => verdict.errors.push(err(says(&error))),
        }
    }
}

fn evaluator<'e>(request: &Request, entities: &'e Entities) -> Evaluator<'e> {
    Evaluator::new(request.as_ref().clone(), entities.as_ref(), Extensions::all_available())
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
        let mut policies: Vec<&Policy> = set.policies().collect();
        policies.sort_by_cached_key(|policy| policy.id().to_string());
        Self { index: Index::of(&policies), policies: policies.into_iter().map(Judged::of).collect() }
    }

    /// What the set says of one request: sorted, as whoever asks every policy would have it.
    pub(crate) fn ask(&self, request: &Request, entities: &Entities) -> Verdict {
        let mut verdict = Verdict::default();
        if self.policies.is_empty() {
            return verdict;
        }
        let evaluator = evaluator(request, entities);
        match self.index.slice(request, entities) {
            Some(slice) => {
                let policies = slice.into_iter().filter_map(|position| self.policies.get(position));
                policies.for_each(|policy| policy.ask_into(&evaluator, &mut verdict));
            }
            None => self.policies.iter().for_each(|policy| policy.ask_into(&evaluator, &mut verdict)),
        }
        verdict
    }
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
        Self {
            scope: Sliced::of(&policies.scope),
            guardrails: Sliced::of(&policies.guardrails),
            request: Sliced::of(&policies.request),
            approve: Sliced::of(&policies.approve),
            console: Sliced::of(&policies.console),
        }
    }

    /// The same without an index: every policy is evaluated.
    #[cfg(test)]
    pub(crate) fn whole(&self) -> Self {
        let whole = |sliced: &Sliced| Sliced { policies: sliced.policies.clone(), index: Index::default() };
        Self {
            scope: whole(&self.scope),
            guardrails: whole(&self.guardrails),
            request: whole(&self.request),
            approve: whole(&self.approve),
            console: whole(&self.console),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
