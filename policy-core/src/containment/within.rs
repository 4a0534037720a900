//! Whether one scope lies inside another (R5).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::grant::{Budget, ResourceScope, Scope};
use crate::question::SealedQuestion;

use super::arguments::{arguments_within, is_member};

/// The first dimension in which a scope goes beyond the one that it should narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Widening {
    /// Another resource, or a group that does not lie inside.
    #[error("the resource goes beyond what was asked for")]
    Resource,
    /// Arguments that the outer scope does not admit.
    #[error("the arguments go beyond what was asked for")]
    Arguments,
    /// It begins earlier.
    #[error("it begins before what was asked for")]
    NotBefore,
    /// It ends later.
    #[error("it ends after what was asked for")]
    NotAfter,
    /// It lasts longer from its start.
    #[error("it lasts longer than what was asked for")]
    ValidFor,
    /// It may be used faster.
    #[error("it may be used faster than what was asked for")]
    Rate,
    /// It has more uses.
    #[error("it has more uses than were asked for")]
    Uses,
    /// A budget is larger or gone.
    #[error("a budget is larger than what was asked for, or gone")]
    Budgets,
}

/// Whether `inner` lies inside `outer`, both of them scopes for this refused call.
///
/// # Errors
/// The first dimension in which it does not.
pub fn within(inner: &Scope, outer: &Scope, question: &SealedQuestion) -> Result<(), Widening> {
    // INVARIANT (R5): every dimension is compared, by structure; what cannot be shown to lie inside does not.
    let resource = match (&inner.resource, &outer.resource) {
        (ResourceScope::Is(inner), ResourceScope::Is(outer)) => inner == outer,
        (ResourceScope::Is(inner), ResourceScope::In(group)) => is_member(inner, group, question),
        (ResourceScope::In(inner), ResourceScope::In(outer)) => inner == outer || is_member(inner, outer, question),
        (ResourceScope::In(_), ResourceScope::Is(_)) => false,
    };
    let begins = match (inner.not_before, outer.not_before) {
        (_, None) => true,
        (Some(inner), Some(outer)) => inner >= outer,
        (None, Some(_)) => false,
    };
    // Validity that counts from the start is bounded by what it counts; open is wider than any length.
    let lasts = match (inner.valid_for, outer.valid_for) {
        (_, None) => true,
        (Some(inner), Some(outer)) => inner <= outer,
        (None, Some(_)) => false,
    };
    let compared = [
        (resource, Widening::Resource),
        (arguments_within(&inner.arguments, &outer.arguments, &question.call), Widening::Arguments),
        (begins, Widening::NotBefore),
        (inner.not_after <= outer.not_after, Widening::NotAfter),
        (lasts, Widening::ValidFor),
        (inner.max_uses <= outer.max_uses, Widening::Uses),
        (rate_within(inner, outer), Widening::Rate),
        (budgets_within(inner, outer), Widening::Budgets),
    ];
    match compared.into_iter().find(|(inside, _)| !inside) {
        Some((_, widening)) => Err(widening),
        None => Ok(()),
    }
}

/// Whether whoever keeps to the inner rate keeps to the outer one. None is wider than any.
pub(super) fn rate_within(inner: &Scope, outer: &Scope) -> bool {
    match (inner.rate, outer.rate) {
        (_, None) => true,
        (Some(inner), Some(outer)) => inner.is_inside(outer),
        (None, Some(_)) => false,
    }
}

/// Whether each budget of the outer scope stands in the inner one, as small or smaller.
pub(super) fn budgets_within(inner: &Scope, outer: &Scope) -> bool {
    let kept = |wanted: &Budget| inner.budgets.iter().any(|held| held.at == wanted.at && held.max <= wanted.max);
    outer.budgets.iter().all(kept)
}
