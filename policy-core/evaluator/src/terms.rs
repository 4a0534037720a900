//! Whether a refused call may be asked for, and on which terms: `approval/request/`, asked over the very same question.

use std::collections::BTreeMap;

use policy_core::abi::TermsAnswer;
use policy_core::outcome::{PolicyError, Reason, Terms};
use policy_core::question::{Requested, SealedQuestion};
use policy_core::value::Value;

use crate::Rules;
use crate::bundle::Config;
use crate::cedar::{self, Verdict};
use crate::evaluate::Prepared;

/// The terms for what the question requests, whatever scope says.
///
/// # Errors
/// The reason why the question does not fit the bundle.
pub fn terms(rules: &Rules, question: &SealedQuestion) -> Result<TermsAnswer, Reason> {
    Ok(ask(&Prepared::new(rules, question)?))
}

pub(crate) fn ask(prepared: &Prepared<'_>) -> TermsAnswer {
    let failed = |reason: Reason| {
        let message = format!("the request does not fit the schema: {reason:?}").to_lowercase();
        TermsAnswer { terms: None, errors: vec![PolicyError { policy: String::new(), message }] }
    };
    let (rules, question) = (prepared.rules, prepared.question);
    let declares =
        rules.actions.get(&question.call.action).is_some_and(|action| action.context.contains_key("requested"));
    let requested = requested(&question.requested);
    let extra = declares.then_some(("requested", &requested));
    let context = match cedar::context(rules, cedar::call_context(question, extra)) {
        Ok(context) => context,
        Err(reason) => return failed(reason),
    };
    let requests = match prepared.requests_with(&context) {
        Ok(requests) => requests,
        Err(reason) => return failed(reason),
    };
    let (mut all, mut verdict) = (true, Verdict::default());
    for request in requests {
        let one = cedar::ask(&rules.policies.request, &request, &prepared.entities);
        all &= !one.satisfied.is_empty();
        verdict.join(one);
    }
    // INVARIANT (R8): a permit that errs may be the one with the stricter terms, so there are none.
    let all = all && verdict.errors.is_empty();
    let matched = verdict.satisfied.iter().filter_map(|id| rules.policies.terms.get(id));
    let terms = if all { strictest(&rules.config, matched) } else { None };
    TermsAnswer { terms, errors: verdict.errors }
}

fn requested(requested: &Requested) -> Value {
    let count = |count: u32| Value::Long(i64::from(count));
    let members = [
        ("duration", Value::Duration(requested.duration.to_string())),
        ("uses", count(requested.uses)),
        ("held_grants", count(requested.held_grants)),
        ("held_uses", count(requested.held_uses)),
        ("held_sum", Value::Long(requested.held_sum)),
        ("emergency", Value::Bool(requested.emergency)),
    ];
    Value::Record(BTreeMap::from(members.map(|(name, value)| (name.to_owned(), value))))
}

/// What several matching permits demand together: of each dimension the strictest.
fn strictest<'a>(config: &Config, matched: impl Iterator<Item = &'a Terms>) -> Option<Terms> {
    let rank = |scale: &[String], name: &str| scale.iter().position(|known| known == name);
    let mut matched = matched.cloned();
    let first = matched.next()?;
    Some(matched.fold(first, |mut all, one| {
        if rank(&config.tiers, &one.tier) > rank(&config.tiers, &all.tier) {
            all.tier = one.tier;
        }
        let weight = |step_up: &Option<String>| step_up.as_ref().and_then(|name| rank(&config.step_ups, name));
        if weight(&one.step_up) > weight(&all.step_up) {
            all.step_up = one.step_up;
        }
        all.approvals = all.approvals.max(one.approvals);
        all.groups.extend(one.groups);
        all.groups.sort();
        all.groups.dedup();
        all.max_duration = all.max_duration.min(one.max_duration);
        all.max_uses = all.max_uses.min(one.max_uses);
        all.review_within = match (all.review_within, one.review_within) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        all.policies.extend(one.policies);
        all.policies.sort();
        all
    }))
}
