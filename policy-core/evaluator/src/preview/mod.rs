//! What a yes would allow, found by trying it: the grant is put among the candidates and the very evaluator is asked.
//! Nothing here decides by itself.

mod edges;
mod vary;

use std::cell::RefCell;

use cedar_policy::{ActionConstraint, Entities, EntityUid};
use policy_core::abi::{AbiError, Preview, Previewed};
use policy_core::containment::{covers, open_dimensions};
use policy_core::grant::{Grant, Scope};
use policy_core::outcome::Evaluation;
use policy_core::question::{Candidate, SealedQuestion};
use policy_core::time::{Span, Timestamp};
use policy_core::value::Value;

use crate::Rules;
use crate::compile::compile;
use crate::evaluate::{Asked, evaluate, evaluate_with};
use crate::kept::{Facts, Recorded};

/// The most recorded denials that one preview tries: a thousand besides the call that is asked for, with room.
pub const MOST_OTHERS: usize = 1_024;

/// What this grant would allow.
///
/// # Errors
/// `bad_grant` when it is no permit of this bundle, `too_large` for more than [`MOST_OTHERS`] recorded denials.
pub fn preview(rules: &Rules, input: &Preview) -> Result<Previewed, AbiError> {
    over(rules, input, input.others.iter().map(|other| (other, None)))
}

/// The same over these recorded denials, which are kept from an earlier trial, and none of the input's.
pub(crate) fn preview_over(rules: &Rules, input: &Preview, others: &[Recorded]) -> Result<Previewed, AbiError> {
    over(rules, input, others.iter().map(|other| (&other.question, other.facts.as_deref())))
}

/// A recorded denial, and its entities where they are kept.
type Other<'a> = (&'a SealedQuestion, Option<&'a Facts>);

fn over<'a>(
    rules: &Rules,
    input: &Preview,
    others: impl ExactSizeIterator<Item = Other<'a>> + Clone,
) -> Result<Previewed, AbiError> {
    let refuse = |code: &str, message: String| AbiError { code: code.to_owned(), message };
    if others.len() > MOST_OTHERS {
        return Err(refuse("too_large", format!("a preview tries at most {MOST_OTHERS} recorded denials")));
    }
    compile(rules, &input.grant).map_err(|error| refuse("bad_grant", error.to_string()))?;
    let trial = Trial::new(rules, &input.grant, input.at);
    let question = trial.now(&input.question);
    let numbered = || (0_u32..).zip(others.clone());
    let flips: Vec<u32> = numbered().filter(|(_, other)| trial.flips(*other)).map(|(at, _)| at).collect();
    let subject = &input.question.call.subject;
    let by_others =
        numbered().filter(|(at, (other, _))| flips.binary_search(at).is_ok() && other.call.subject != *subject);
    Ok(Previewed {
        before: evaluate(rules, &question),
        after: trial.ask(&question, &trial.candidate),
        // The edge is this grant's: another one of the subject's does not move it.
        edges: trial.edges(&SealedQuestion { candidates: Vec::new(), ..question.clone() }),
        open: open_dimensions(&input.grant),
        by_others: u32::try_from(by_others.count()).unwrap_or(u32::MAX),
        tried: u32::try_from(others.len()).unwrap_or(u32::MAX),
        flips,
        guardrails: guardrails(rules, &question),
        ends: trial.candidate.grant.scope.not_after,
    })
}

/// The grant as a candidate with nothing consumed, and when it is tried.
struct Trial<'a> {
    rules: &'a Rules,
    candidate: Candidate,
    /// The same for all time: what that does not cover, the candidate covers at no instant.
    timeless: Candidate,
    now: Timestamp,
    /// How long it lasts from its start, where that and no instant ends it.
    lasts: Option<Span>,
    /// What has been asked, whole: most dimensions have one and the same call on the side that passes.
    asked: RefCell<Vec<(SealedQuestion, Evaluation)>>,
}

impl<'a> Trial<'a> {
    fn new(rules: &'a Rules, grant: &Grant, at: Timestamp) -> Self {
        // A grant that begins later is tried when it begins: before that it allows nothing.
        let now = grant.scope.not_before.map_or(at, |begin| begin.max(at));
        // Its end is where it would be if it were granted when it is tried.
        let scope = grant.scope.granted_at(now, None);
        let lasts = grant.scope.valid_for.filter(|length| scope.not_after == now.plus(*length));
        let candidate = Candidate {
            grant: Grant { scope, ..grant.clone() }.into(),
            uses_left: grant.scope.max_uses,
            budgets_left: grant.scope.budgets.iter().map(|budget| budget.max).collect(),
            rate_left: grant.scope.rate.map(|rate| rate.uses),
        };
        let scope = Scope { not_before: None, not_after: Timestamp::from_millis(i64::MAX), ..grant.scope.clone() };
        let timeless = Candidate { grant: Grant { scope, ..grant.clone() }.into(), ..candidate.clone() };
        Self { rules, candidate, timeless, now, lasts, asked: RefCell::default() }
    }

    /// The question as it would be asked when the grant is tried, without the grant.
    fn now(&self, question: &SealedQuestion) -> SealedQuestion {
        let mut question = vary::at_time(question, self.now);
        question.candidates.retain(|candidate| candidate.grant.id != self.candidate.grant.id);
        question
    }

    /// What the evaluator says when this is one candidate more.
    fn ask(&self, question: &SealedQuestion, candidate: &Candidate) -> Evaluation {
        let mut question = question.clone();
        question.candidates.push(candidate.clone());
        let mut asked = self.asked.borrow_mut();
        if let Some((_, answer)) = asked.iter().find(|(same, _)| *same == question) {
            return answer.clone();
        }
        let answer = evaluate(self.rules, &question);
        asked.push((question, answer.clone()));
        answer
    }

    /// Whether a recorded denial passes by this grant, and would not pass without it.
    fn flips(&self, (other, facts): Other<'_>) -> bool {
        // The evaluator asks no grant that does not cover the question, so it need not be asked of most denials; nor need
        // they be copied to be told apart.
        if covers(&self.timeless, other).is_err() {
            return false;
        }
        let other = self.now(other);
        if covers(&self.candidate, &other).is_err() {
            return false;
        }
        let mut with = other.clone();
        with.candidates.push(self.candidate.clone());
        // Each is asked anew: of a thousand different ones none is the same as one before.
        let after = evaluate_with(self.rules, Asked { facts, ..Asked::whole(&with) });
        // Scope is asked before any grant: what passes by this one passes without it by another one, or by nothing.
        after.grant.as_deref() == Some(self.candidate.grant.id.as_str())
            && (other.candidates.is_empty()
                || !evaluate_with(self.rules, Asked { facts, ..Asked::whole(&other) }).outcome.permits())
    }
}

/// The guardrails that speak of the action, by `@id`, sorted. INVARIANT (R2): no grant crosses any of them.
fn guardrails(rules: &Rules, question: &SealedQuestion) -> Vec<String> {
    let action = crate::cedar::action(rules, &question.call.action);
    let groups = Entities::from_entities(rules.action_entities.iter().cloned(), Some(&rules.schema));
    let (Ok(action), Ok(groups)) = (action, groups) else { return Vec::new() };
    let is_in = |group: &EntityUid| action == *group || groups.is_ancestor_of(group, &action);
    let applies = rules.policies.guardrails.policies().filter(|policy| match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(listed) => listed.iter().any(is_in),
        ActionConstraint::Eq(one) => one == action,
    });
    let mut ids: Vec<String> = applies.map(|policy| policy.id().to_string()).collect();
    ids.sort();
    ids
}

/// A value in words of its dimension: texts are quoted, and odd characters in them made visible (R11).
fn words(value: &Value) -> String {
    const LONGEST: usize = 200;
    match value {
        Value::Long(long) => long.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::String(text) => format!("\"{}\"", policy_core::text::visible(text, LONGEST)),
        Value::Entity(entity) => policy_core::text::visible(&entity.to_string(), LONGEST),
        _ => "as it is".to_owned(),
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
