//! Whether a scope makes sense at all, and the smallest one that lets a call through.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::grant::{ArgumentScope, Budget, Condition, ResourceScope, Scalar, Scope, Test};
use crate::json::LARGEST_INTEGER;
use crate::outcome::Terms;
use crate::question::{Call, SealedQuestion};
use crate::text::is_identifier;
use crate::time::{Span, Timestamp};
use crate::value::Value;

use super::arguments::{argument, scalar};
use super::path::is_normal_path;

/// The most conditions, and the most values of one.
const MOST_CONDITIONS: usize = 64;
/// The most budgets.
const MOST_BUDGETS: usize = 8;
/// The longest text in a condition, in bytes.
const LONGEST_TEXT: usize = 4096;
/// How long the smallest grant lasts at most.
const SHORT: Span = Span::from_seconds(15 * 60);

/// Why a scope makes no sense for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum BadScope {
    /// The window is empty or over.
    #[error("the window is empty or over")]
    Window,
    /// A rate without uses or time, or too fast to be counted.
    #[error("a rate is 1 to 256 uses in a second or more")]
    Rate,
    /// No use is left in it.
    #[error("at least one use is needed")]
    Uses,
    /// Not a resource of the call, or a group with an impossible id.
    #[error("the resource is none of the call's, or cannot be a group")]
    Resource,
    /// Conditions on an action whose arguments have no declared types.
    #[error("an action without declared arguments can be granted for exactly its arguments only")]
    Untyped,
    /// No conditions or too many, or too many values or text in one.
    #[error("there are too many conditions or values, or none")]
    TooMany,
    /// A condition on what is no argument of the call, or of another type.
    #[error("a condition names what is no argument of the call, or has another type")]
    Argument,
    /// Two conditions or budgets on one argument, or a value twice.
    #[error("an argument has two conditions, or a value is there twice")]
    Duplicate,
    /// A range without numbers, a number that JSON cannot keep.
    #[error("a range is empty, or a number is too large")]
    Range,
    /// A folder that is not absolute and in normal form.
    #[error("a path is not absolute and in normal form")]
    Path,
}

/// Whether a scope makes sense for a call at this time: something could lie inside it, and it is in its one form.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_scope(scope: &Scope, call: &Call, now: Timestamp) -> Result<(), BadScope> {
    let empty = scope.not_before.is_some_and(|begin| begin >= scope.not_after)
        || scope.valid_for.is_some_and(|valid_for| valid_for.seconds() == 0);
    if scope.not_after <= now || empty {
        return Err(BadScope::Window);
    }
    if scope.rate.is_some_and(|rate| !rate.is_countable()) {
        return Err(BadScope::Rate);
    }
    if scope.max_uses == 0 {
        return Err(BadScope::Uses);
    }
    let resource = match &scope.resource {
        ResourceScope::Is(resource) => call.resources.contains(resource),
        ResourceScope::In(group) => {
            is_identifier(&group.kind) && !group.id.is_empty() && group.id.len() <= LONGEST_TEXT
        }
    };
    if !resource {
        return Err(BadScope::Resource);
    }
    if let ArgumentScope::Conditions(conditions) = &scope.arguments {
        if !call.typed {
            return Err(BadScope::Untyped);
        }
        if conditions.is_empty() || conditions.len() > MOST_CONDITIONS {
            return Err(BadScope::TooMany);
        }
        conditions.iter().try_for_each(|condition| check_condition(condition, call))?;
        no_repeats(conditions.iter().map(|condition| &condition.at))?;
    }
    if scope.budgets.len() > MOST_BUDGETS {
        return Err(BadScope::TooMany);
    }
    scope.budgets.iter().try_for_each(|budget| check_budget(budget, call))?;
    no_repeats(scope.budgets.iter().map(|budget| &budget.at))
}

fn check_condition(condition: &Condition, call: &Call) -> Result<(), BadScope> {
    let actual = argument(call, &condition.at).and_then(scalar).ok_or(BadScope::Argument)?;
    let fits = |value: &Scalar| {
        if std::mem::discriminant(value) != std::mem::discriminant(&actual) {
            return Err(BadScope::Argument);
        }
        match value {
            Scalar::Long(number) if !in_json(*number) => Err(BadScope::Range),
            Scalar::String(text) if text.len() > LONGEST_TEXT => Err(BadScope::TooMany),
            Scalar::Entity(entity) if entity.id.len() > LONGEST_TEXT => Err(BadScope::TooMany),
            Scalar::Bool(_) | Scalar::Long(_) | Scalar::String(_) | Scalar::Entity(_) => Ok(()),
        }
    };
    match &condition.test {
        Test::Equals { value } => fits(value),
        Test::OneOf { values } => {
            if values.is_empty() || values.len() > MOST_CONDITIONS {
                return Err(BadScope::TooMany);
            }
            values.iter().try_for_each(fits)?;
            no_repeats(values.iter())
        }
        Test::Between { min, max } => match actual {
            Scalar::Long(_) if min <= max && in_json(*min) && in_json(*max) => Ok(()),
            Scalar::Long(_) => Err(BadScope::Range),
            Scalar::Bool(_) | Scalar::String(_) | Scalar::Entity(_) => Err(BadScope::Argument),
        },
        Test::Inside { path } => match actual {
            Scalar::String(_) if !call.paths.contains(&condition.at) => Err(BadScope::Argument),
            Scalar::String(_) if is_normal_path(path) => Ok(()),
            Scalar::String(_) => Err(BadScope::Path),
            Scalar::Bool(_) | Scalar::Long(_) | Scalar::Entity(_) => Err(BadScope::Argument),
        },
    }
}

fn check_budget(budget: &Budget, call: &Call) -> Result<(), BadScope> {
    if !call.typed {
        return Err(BadScope::Untyped);
    }
    match argument(call, &budget.at) {
        Some(Value::Long(_)) if (0..=LARGEST_INTEGER).contains(&budget.max) => Ok(()),
        Some(Value::Long(_)) => Err(BadScope::Range),
        _ => Err(BadScope::Argument),
    }
}

fn in_json(number: i64) -> bool {
    (-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&number)
}

fn no_repeats<T: Ord>(items: impl Iterator<Item = T>) -> Result<(), BadScope> {
    let mut items: Vec<T> = items.collect();
    let count = items.len();
    items.sort();
    items.dedup();
    if items.len() == count { Ok(()) } else { Err(BadScope::Duplicate) }
}

/// The smallest scope that lets this call through, inside what was requested where that is given: this resource,
/// exactly these arguments, one use, and the terms' longest duration or 15 minutes, whichever is less.
/// Nothing for a question without a resource.
pub fn smallest(question: &SealedQuestion, terms: &Terms, now: Timestamp, requested: Option<&Scope>) -> Option<Scope> {
    let resource = ResourceScope::Is(question.call.resources.first()?.clone());
    let not_before = requested.and_then(|scope| scope.not_before);
    let begin = not_before.map_or(now, |begin| begin.max(now));
    let length = terms.max_duration.min(SHORT);
    let valid_for = requested.and_then(|scope| scope.valid_for);
    // Where validity counts from the start, the end of the window is only how late that may be.
    let not_after = match (requested, valid_for) {
        (Some(scope), Some(_)) => scope.not_after,
        (Some(scope), None) => scope.not_after.min(begin.plus(length)),
        (None, _) => begin.plus(length),
    };
    Some(Scope {
        resource: match requested.map(|scope| &scope.resource) {
            Some(ResourceScope::Is(asked)) => ResourceScope::Is(asked.clone()),
            _ => resource,
        },
        arguments: ArgumentScope::Exact,
        not_before,
        not_after,
        max_uses: 1,
        valid_for: valid_for.map(|valid_for| valid_for.min(length)),
        rate: requested.and_then(|scope| scope.rate),
        budgets: requested.map(|scope| scope.budgets.clone()).unwrap_or_default(),
    })
}
