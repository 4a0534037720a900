//! Conditions: of what an argument holds, and which one follows from which.

use smol_str::SmolStr;

use crate::entity::EntityRef;
use crate::grant::{ArgumentScope, Condition, Scalar, Scope, Test};
use crate::question::{Call, SealedQuestion};
use crate::value::Value;

use super::path::is_inside;

/// The argument at this path, where the call has it. An empty path names nothing.
pub(super) fn argument<'a>(call: &'a Call, at: &[String]) -> Option<&'a Value> {
    let (first, rest) = at.split_first()?;
    let member = |value: &'a Value, name: &String| match value {
        Value::Record(members) => members.get(name),
        _ => None,
    };
    let top = member(call.input.as_ref()?, first)?;
    rest.iter().try_fold(top, member)
}

/// A value as a scalar, where it is one.
pub(super) fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Long(value) => Some(Scalar::Long(*value)),
        Value::String(value) => Some(Scalar::String(value.clone())),
        Value::Entity(value) => Some(Scalar::Entity(value.clone())),
        Value::Set(_)
        | Value::Record(_)
        | Value::Datetime(_)
        | Value::Duration(_)
        | Value::Decimal(_)
        | Value::Ipaddr(_) => None,
    }
}

/// Whether a condition holds of the call's argument. INVARIANT (R3): an absent argument is outside every condition.
pub(super) fn holds(condition: &Condition, call: &Call) -> bool {
    argument(call, &condition.at).and_then(scalar).is_some_and(|value| {
        let is_path = call.paths.contains(&condition.at);
        test_holds(&condition.test, &value, is_path)
    })
}

fn test_holds(test: &Test, value: &Scalar, is_path: bool) -> bool {
    match (test, value) {
        (Test::Equals { value: wanted }, value) => wanted == value,
        (Test::OneOf { values }, value) => values.contains(value),
        (Test::Between { min, max }, Scalar::Long(value)) => (min..=max).contains(&value),
        (Test::Inside { path }, Scalar::String(value)) => is_path && is_inside(value, path),
        (Test::Between { .. } | Test::Inside { .. }, _) => false,
    }
}

/// Whether everything that `inner` admits, `outer` admits: both at one path of the arguments.
fn implies(inner: &Test, outer: &Test, is_path: bool) -> bool {
    match (inner, outer) {
        (Test::Equals { value }, outer) => test_holds(outer, value, is_path),
        (Test::OneOf { values }, outer) => {
            !values.is_empty() && values.iter().all(|value| test_holds(outer, value, is_path))
        }
        (Test::Between { min, max }, Test::Between { min: least, max: most }) => min >= least && max <= most,
        (Test::Between { min, max }, outer) => min == max && test_holds(outer, &Scalar::Long(*min), is_path),
        (Test::Inside { path }, Test::Inside { path: folder }) => is_path && is_inside(path, folder),
        (Test::Inside { .. }, _) => false,
    }
}

/// Whether the arguments that `inner` admits all lie in `outer`, for grants of this one call.
pub(super) fn arguments_within(inner: &ArgumentScope, outer: &ArgumentScope, call: &Call) -> bool {
    match (inner, outer) {
        (ArgumentScope::Exact, ArgumentScope::Exact) => true,
        // Exactly these arguments lie inside conditions that they meet.
        (ArgumentScope::Exact, ArgumentScope::Conditions(outer)) => {
            call.typed && outer.iter().all(|condition| holds(condition, call))
        }
        // A set forgets order and repeats, so no list of conditions pins the arguments to one digest.
        (ArgumentScope::Conditions(_), ArgumentScope::Exact) => false,
        (ArgumentScope::Conditions(inner), ArgumentScope::Conditions(outer)) => outer.iter().all(|wanted| {
            let is_path = call.paths.contains(&wanted.at);
            inner.iter().any(|held| held.at == wanted.at && implies(&held.test, &wanted.test, is_path))
        }),
    }
}

/// Whether a scope's arguments are this call's and no others, however they are written: exactly those, or conditions
/// that leave each argument one value.
pub fn pins_arguments(scope: &Scope, call: &Call) -> bool {
    match (&scope.arguments, &call.input) {
        (ArgumentScope::Exact, _) => true,
        (ArgumentScope::Conditions(conditions), Some(input)) => is_pinned(input, &mut Vec::new(), conditions, call),
        (ArgumentScope::Conditions(_), None) => false,
    }
}

fn is_pinned(value: &Value, at: &mut Vec<String>, conditions: &[Condition], call: &Call) -> bool {
    match value {
        Value::Record(members) => members.iter().all(|(name, member)| {
            at.push(name.to_string());
            let pinned = is_pinned(member, at, conditions, call);
            at.pop();
            pinned
        }),
        _ => conditions.iter().any(|held| held.at == *at && has_one_value(&held.test) && holds(held, call)),
    }
}

fn has_one_value(test: &Test) -> bool {
    match test {
        Test::Equals { .. } => true,
        Test::OneOf { values } => values.len() == 1,
        Test::Between { min, max } => min == max,
        Test::Inside { .. } => false,
    }
}

/// Whether no value of one argument meets both. What cannot be shown to lie apart does not.
pub(super) fn are_apart(first: &Test, second: &Test) -> bool {
    let none_of = |values: &[Scalar], other: &Test| !values.iter().any(|value| test_holds(other, value, true));
    match (first, second) {
        (Test::Equals { value }, other) | (other, Test::Equals { value }) => {
            none_of(std::slice::from_ref(value), other)
        }
        (Test::OneOf { values }, other) | (other, Test::OneOf { values }) => none_of(values, other),
        (Test::Between { min, max }, Test::Between { min: least, max: most }) => max < least || most < min,
        (Test::Inside { path }, Test::Inside { path: other }) => !is_inside(path, other) && !is_inside(other, path),
        (Test::Between { .. }, Test::Inside { .. }) | (Test::Inside { .. }, Test::Between { .. }) => false,
    }
}

/// Whether a group holds an entity, directly or through another, by the facts that the question was sealed with.
pub(super) fn is_member(entity: &EntityRef, group: &EntityRef, question: &SealedQuestion) -> bool {
    let mut seen: Vec<&EntityRef> = Vec::new();
    let mut next = vec![entity];
    while let Some(entity) = next.pop() {
        let facts = question.entities.iter().filter(|fact| fact.uid == *entity);
        for parent in facts.flat_map(|fact| &fact.parents) {
            if parent == group {
                return true;
            }
            if !seen.contains(&parent) {
                seen.push(parent);
                next.push(parent);
            }
        }
    }
    false
}

/// The names of the call's top-level arguments, sorted.
pub fn input_names(call: &Call) -> Vec<SmolStr> {
    match &call.input {
        Some(Value::Record(members)) => members.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// The conditions of a scope; none where it is exact.
pub(super) fn conditions(scope: &Scope) -> &[Condition] {
    match &scope.arguments {
        ArgumentScope::Exact => &[],
        ArgumentScope::Conditions(conditions) => conditions,
    }
}
