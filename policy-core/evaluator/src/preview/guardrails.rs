//! Which guardrails an action meets.

use cedar_policy::{ActionConstraint, EntityUid};
use std::collections::BTreeSet;

use crate::Rules;
use crate::cedar;

/// The guardrails whose head admits the action, by `@id`, sorted.
pub(super) fn applying(rules: &Rules, action: &str) -> Vec<String> {
    let Ok(action) = cedar::action(rules, action) else { return Vec::new() };
    let groups: BTreeSet<EntityUid> = match cedar::entities(rules, &[]) {
        Ok(entities) => entities.ancestors(&action).into_iter().flatten().cloned().collect(),
        Err(_) => BTreeSet::new(),
    };
    let within = |uid: &EntityUid| *uid == action || groups.contains(uid);
    let meets = |constraint: &ActionConstraint| match constraint {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => *uid == action,
        ActionConstraint::In(uids) => uids.iter().any(within),
    };
    let policies = rules.policies.guardrails.policies();
    let applying = policies.filter(|policy| meets(&policy.action_constraint())).map(|policy| policy.id().to_string());
    let mut applying: Vec<String> = applying.collect();
    applying.sort();
    applying
}
