//! The outcome of a sealed question.
//!
//! The order is the promise: version, locks, guardrails, scope, grants, and only then whether it may be asked for.

use std::sync::Arc;

use cedar_policy::{Entities, Request};
use cedar_policy_core::ast::Context;
use policy_core::containment::{covers, order};
use policy_core::entity::EntityRef;
use policy_core::outcome::{Evaluation, Outcome, PolicyError, Reason};
use policy_core::question::{Candidate, EntityFact, LockTarget, SEALED_VERSION, SealedQuestion};
use policy_core::sabotaged;

use crate::Rules;
use crate::bundle::ChainRule;
use crate::cedar::{self, Verdict};
use crate::kept::Facts;
use crate::sliced::Sliced;

/// The most hops that a chain may have: whoever acts for somebody who acts for somebody ends somewhere.
pub const MOST_HOPS: usize = 8;

/// A question that is to be evaluated, and what of it is kept from an earlier one by its text: where that is so, the
/// question's own members need not hold it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) question: &'a SealedQuestion,
    /// Its entities, where they are kept.
    pub(crate) facts: Option<&'a Facts>,
    pub(crate) candidates: &'a [Candidate],
}

impl<'a> Asked<'a> {
    /// A question of which nothing is kept.
    pub(crate) fn whole(question: &'a SealedQuestion) -> Self {
        Self { question, facts: None, candidates: &question.candidates }
    }

    /// Its entities, whoever holds them.
    fn entities(&self) -> &'a [EntityFact] {
        self.facts.map_or(&self.question.entities, |facts| &facts.facts)
    }
}

/// A question as Cedar's: built once, asked of several policy sets.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) question: &'a SealedQuestion,
    candidates: &'a [Candidate],
    pub(crate) entities: Arc<Entities>,
    pub(crate) context: Context,
    /// One request for each resource.
    pub(crate) subject: Vec<Request>,
    /// For each hop whose type the action admits, one request for each resource.
    hops: Vec<Vec<Request>>,
}

impl<'a> Prepared<'a> {
    /// Holds a question against the schema.
    pub(crate) fn new(rules: &'a Rules, asked: Asked<'a>) -> Result<Self, Reason> {
        let Asked { question, facts, candidates } = asked;
        let action = cedar::action_type(rules, question)?;
        if question.chain.len() > MOST_HOPS {
            return Err(Reason::Chain);
        }
        let call = &question.call;
        if call.typed != (action.input().is_some() && call.input.is_some()) || call.resources.is_empty() {
            return Err(Reason::BadInput);
        }
        let entities = match facts {
            Some(facts) => facts.entities.clone()?,
            None => Arc::new(cedar::entities(rules, asked.entities()).map_err(|unfit| unfit.reason)?),
        };
        let context = cedar::context(rules, cedar::call_context(question))?;
        let fits = cedar::fits::context(rules, action, cedar::call_context(question));
        let admitted = question.chain.iter().map(|hop| &hop.entity);
        let admitted = admitted.filter(|hop| action.principals.contains(&*rules.config.full(&hop.kind)));
        let admitted: Vec<&EntityRef> = admitted.collect();
        // INVARIANT (R8): an entity that nobody knows and that must have attributes is refused, not imagined.
        for uid in admitted.iter().copied().chain([&call.subject]).chain(&call.resources) {
            let shape = rules.types.get(&*rules.config.full(&uid.kind)).ok_or(Reason::UnknownType)?;
            if !sabotaged!("r8_unknown_entity")
                && shape.needs_facts()
                && !asked.entities().iter().any(|fact| fact.uid == *uid)
            {
                return Err(Reason::UnknownEntity);
            }
        }
        let requests = |principal: &EntityRef| {
            let requests = call.resources.iter();
            requests
                .map(|resource| cedar::request(rules, principal, &call.action, resource, context.clone(), fits))
                .collect::<Result<Vec<_>, _>>()
        };
        let subject = requests(&call.subject)?;
        let hops = admitted.into_iter().map(requests).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { rules, question, candidates, entities, context, subject, hops })
    }

    /// The requests of the subject with one more context member. `fits`: what [`cedar::fits::context`] says of it.
    pub(crate) fn requests_with(&self, context: &Context, fits: bool) -> Result<Vec<Request>, Reason> {
        let call = &self.question.call;
        let requests = call.resources.iter();
        requests
            .map(|resource| cedar::request(self.rules, &call.subject, &call.action, resource, context.clone(), fits))
            .collect()
    }

    fn ask_all(&self, set: &Sliced, requests: &[Request]) -> (bool, Verdict) {
        Self::all(requests, |request| set.ask(request, &self.entities))
    }

    fn all(requests: &[Request], ask: impl Fn(&Request) -> Verdict) -> (bool, Verdict) {
        let (mut all, mut verdict) = (!requests.is_empty(), Verdict::default());
        for request in requests {
            let one = ask(request);
            all &= !one.satisfied.is_empty();
            verdict.join(one);
        }
        (all, verdict)
    }

    /// INVARIANT (R2): a forbid that is satisfied denies, and so does one that errs: Cedar alone would skip it.
    fn guardrails(&self) -> Option<Evaluation> {
        let mut verdict = Verdict::default();
        if sabotaged!("r2_guardrails_removed") {
            return None;
        }
        for requests in std::iter::once(&self.subject).chain(&self.hops) {
            verdict.join(self.ask_all(&self.rules.sets.guardrails, requests).1);
        }
        if !verdict.satisfied.is_empty() {
            return Some(denial(Reason::Guardrail, verdict.satisfied, verdict.errors));
        }
        let mut erred: Vec<String> = verdict.errors.iter().map(|error| error.policy.clone()).collect();
        erred.dedup();
        (!erred.is_empty() && !sabotaged!("r2_error_ignored"))
            .then(|| denial(Reason::GuardrailError, erred, verdict.errors))
    }

    /// The narrowest candidate that containment and the compiled permit agree on.
    fn exception(&self, errors: &mut Vec<PolicyError>) -> Option<String> {
        let question = self.question;
        let locked = |candidate: &&Candidate| {
            let is_of = |target: &LockTarget| matches!(target, LockTarget::Grant(id) if *id == candidate.grant.id);
            question.locks.iter().any(|lock| is_of(&lock.target))
        };
        let candidates = self.candidates.iter().filter(|candidate| !locked(candidate));
        let mut covering: Vec<&Candidate> =
            candidates.filter(|candidate| covers(candidate, question).is_ok()).collect();
        order(&mut covering);
        covering.into_iter().find_map(|Candidate { grant, .. }| {
            match self.rules.kept.permits.of(self.rules, grant) {
                Ok(permit) => {
                    // INVARIANT (R3): either one refusing is a refusal.
                    let (all, verdict) = Self::all(&self.subject, |request| permit.ask(request, &self.entities));
                    errors.extend(verdict.errors);
                    // One layer alone would hide what the other lets through.
                    let all = all || sabotaged!(any "r3_");
                    let all = all || sabotaged!("r6_grant_outlives");
                    all.then(|| grant.id.to_string())
                }
                Err(error) => {
                    errors.push(PolicyError { policy: grant.id.to_string(), message: error.to_string() });
                    None
                }
            }
        })
    }
}

/// Evaluates a question. Total: what does not fit is a denial with its reason.
pub fn evaluate(rules: &Rules, question: &SealedQuestion) -> Evaluation {
    evaluate_with(rules, Asked::whole(question))
}

/// The same, with what of the question is kept from an earlier one.
pub(crate) fn evaluate_with(rules: &Rules, asked: Asked<'_>) -> Evaluation {
    let question = asked.question;
    if question.v != SEALED_VERSION || question.bundle != rules.digest {
        return denial(Reason::UnknownVersion, Vec::new(), Vec::new());
    }
    if question.locks.iter().any(|lock| rules.stops(&lock.target, question)) && !sabotaged!("r7_lock_ignored") {
        return denial(Reason::Locked, Vec::new(), Vec::new());
    }
    let prepared = match Prepared::new(rules, asked) {
        Ok(prepared) => prepared,
        Err(reason) => return denial(reason, Vec::new(), Vec::new()),
    };
    // INVARIANT (R2): nothing below is asked before the guardrails.
    if let Some(denial) = prepared.guardrails() {
        // Too late: what a grant covers has passed by then.
        let passed = sabotaged!("r2_grant_first").then(|| prepared.exception(&mut Vec::new())).flatten();
        if passed.is_none() {
            return denial;
        }
    }
    let (permitted, scope) = prepared.ask_all(&rules.sets.scope, &prepared.subject);
    let mut errors = scope.errors;
    if rules.config.chain == Some(ChainRule::Scope) {
        for hop in &prepared.hops {
            let (permitted, verdict) = prepared.ask_all(&rules.sets.scope, hop);
            if !permitted {
                return denial(Reason::Chain, Vec::new(), sorted(errors, verdict.errors));
            }
        }
    }
    if permitted {
        let policies = scope.satisfied;
        return Evaluation {
            outcome: Outcome::PermittedByScope,
            reason: Reason::Scope,
            policies,
            errors,
            grant: None,
            terms: None,
        };
    }
    if let Some(grant) = prepared.exception(&mut errors) {
        return Evaluation {
            outcome: Outcome::PermittedByException,
            reason: Reason::Exception,
            policies: vec![grant.clone()],
            errors: sorted(errors, Vec::new()),
            grant: Some(grant),
            terms: None,
        };
    }
    let crate::terms::Asked { answer, closed } = crate::terms::ask(&prepared);
    let errors = sorted(errors, answer.errors.clone());
    match answer.terms {
        // INVARIANT (R8): what only a bound credential may ask for is offered to no other.
        Some(terms) if terms.binding && !question.bound && !sabotaged!("r8_unbound_offered") => {
            denial(Reason::BindingRequired, terms.policies, errors)
        }
        Some(terms) => Evaluation {
            outcome: Outcome::RequestableDenial,
            reason: Reason::ApprovalRequired,
            policies: terms.policies.clone(),
            errors,
            grant: None,
            terms: Some(terms),
        },
        // INVARIANT (R8): terms that could not be told apart are no terms.
        None if !answer.errors.is_empty() => denial(Reason::TermsUnavailable, Vec::new(), errors),
        None => denial(Reason::NotPermitted, closed, errors),
    }
}

fn denial(reason: Reason, policies: Vec<String>, errors: Vec<PolicyError>) -> Evaluation {
    Evaluation { outcome: Outcome::Denial, reason, policies, errors, grant: None, terms: None }
}

fn sorted(mut errors: Vec<PolicyError>, more: Vec<PolicyError>) -> Vec<PolicyError> {
    errors.extend(more);
    errors.sort();
    errors.dedup();
    errors
}
