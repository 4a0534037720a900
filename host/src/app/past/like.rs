//! What is the like of an exception, and for how long grants of it were needed.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::Exception;
use policy_core::time::Span;

/// From so many grants on it is known how long they are needed.
const ENOUGH: usize = 3;

/// The same action on the same resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Like {
    action: String,
    resources: Vec<EntityRef>,
}

impl Like {
    /// The like of this.
    pub fn of(exception: &Exception) -> Self {
        let call = &exception.request.question.call;
        Self { action: call.action.to_string(), resources: call.resources.clone() }
    }

    /// Whether another is the like.
    pub fn fits(&self, other: &Exception) -> bool {
        let call = &other.request.question.call;
        call.action == self.action && call.resources == self.resources
    }
}

/// How long after it was made a grant of these was still used: nine of ten not longer, in whole minutes. Nothing where too
/// few were used to say.
pub(in crate::app) fn needed<'a>(of: impl Iterator<Item = &'a Exception>) -> Option<Span> {
    let used = of.filter_map(|exception| {
        let held = exception.phase.grant()?;
        let last = held.taken.iter().rev().find(|taken| taken.given_back.is_none())?;
        Some(last.at.since(held.granted_at).seconds())
    });
    let mut used: Vec<u64> = used.collect();
    if used.len() < ENOUGH {
        return None;
    }
    used.sort_unstable();
    let place = used.len().saturating_mul(9).div_ceil(10).saturating_sub(1);
    let seconds = used.get(place).copied()?;
    Some(Span::from_seconds(seconds.div_ceil(60).max(1).saturating_mul(60)))
}
