//! Whether a refused call may be asked for, and on which terms: `approval/request/`, asked over the very same question.

use policy_core::abi::TermsAnswer;
use policy_core::lifecycle;
use policy_core::outcome::{PolicyError, Reason, Terms};
use policy_core::question::{Requested, SealedQuestion};
use policy_core::sabotaged;
use policy_core::value::Value;

use crate::Rules;
use crate::bundle::Config;
use crate::cedar::{self, Verdict};
use crate::evaluate::{self, Prepared};

/// The member of an action's context that says what is requested.
const REQUESTED: &str = "requested";

/// The terms for what the question requests, whatever scope says.
///
/// # Errors
/// The reason why the question does not fit the bundle.
pub fn terms(rules: &Rules, question: &SealedQuestion) -> Result<TermsAnswer, Reason> {
    Ok(ask(&Prepared::new(rules, evaluate::Asked::whole(question))?).answer)
}

/// The terms, and which permits say that nobody can request this.
pub(crate) struct Asked {
    pub(crate) answer: TermsAnswer,
    pub(crate) closed: Vec<String>,
}

pub(crate) fn ask(prepared: &Prepared<'_>) -> Asked {
    let failed = |reason: Reason| {
        let message = format!("the request does not fit the schema: {reason:?}").to_lowercase();
        let errors = vec![PolicyError { policy: String::new(), message }];
        Asked { answer: TermsAnswer { terms: None, errors }, closed: Vec::new() }
    };
    let (rules, question) = (prepared.rules, prepared.question);
    let action = rules.actions.get(question.call.action.as_str());
    let asked = || {
        let Some(action) = action.filter(|action| action.context.contains_key(REQUESTED)) else {
            return Ok(prepared.subject.clone());
        };
        let requested = requested(&question.requested);
        let members = cedar::call_context(question).chain([(REQUESTED, &requested)]);
        let fits = cedar::fits::context(rules, action, members);
        prepared.requests_with(&cedar::context_with(rules, &prepared.context, REQUESTED, &requested)?, fits)
    };
    let requests = match asked() {
        Ok(requests) => requests,
        Err(reason) => return failed(reason),
    };
    let (mut all, mut verdict) = (true, Verdict::default());
    for request in requests {
        let one = rules.sets.request.ask(&request, &prepared.entities);
        all &= !one.satisfied.is_empty();
        verdict.join(one);
    }
    // INVARIANT (R8): a permit that errs may be the one with the stricter terms, so there are none.
    let all = all && verdict.errors.is_empty();
    let (closed, open): (Vec<String>, Vec<String>) =
        verdict.satisfied.into_iter().partition(|id| rules.policies.closed.contains(id));
    let matched = open.iter().filter_map(|id| rules.policies.terms.get(id));
    // INVARIANT: what one permit closes, no other opens.
    let terms = if all && closed.is_empty() { strictest(&rules.config, matched) } else { None };
    let terms = terms.map(|terms| raised(&rules.config, question, terms));
    // INVARIANT: an agent asks for itself alone, unless every permit that matches lets another one ask.
    let terms = terms.filter(|terms| question.requested.asker.is_none() || terms.for_another);
    Asked { answer: TermsAnswer { terms, errors: verdict.errors }, closed }
}

fn requested(requested: &Requested) -> Value {
    let count = |count: u32| Value::Long(i64::from(count));
    let mut members = vec![
        ("duration", Value::Duration(requested.duration.to_string())),
        ("uses", count(requested.uses)),
        ("held_grants", count(requested.held_grants)),
        ("held_uses", count(requested.held_uses)),
        ("held_sum", Value::Long(requested.held_sum)),
        ("emergency", Value::Bool(requested.emergency)),
        ("sum", Value::Long(requested.sum)),
    ];
    members.extend(requested.asker.iter().map(|asker| ("asker", Value::String(asker.clone()))));
    Value::Record(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The terms a tier higher, where the call holds what cannot be shown as what it is. What nobody can read decides nothing
/// else, and the strongest tier that can be requested stays.
fn raised(config: &Config, question: &SealedQuestion, terms: Terms) -> Terms {
    let open = config.tiers.len().saturating_sub(config.not_requestable.len());
    let next = config.tiers.iter().take(open).skip_while(|tier| **tier != terms.tier).nth(1);
    match next {
        // INVARIANT (R11): text from outside never makes terms weaker, and where it hides something it makes them stronger.
        Some(next) if question.has_undecodable() && !sabotaged!("r11_undecodable_not_raised") => {
            Terms { raised_from: Some(terms.tier), tier: next.clone(), ..terms }
        }
        _ => terms,
    }
}

/// What several matching permits demand together: of each dimension the strictest.
pub(crate) fn strictest<'a>(config: &Config, mut matched: impl Iterator<Item = &'a Terms>) -> Option<Terms> {
    let first = matched.next()?.clone();
    Some(matched.fold(first, |all, one| lifecycle::strictest(&all, one, &config.tiers, &config.step_ups)))
}
