//! Whether a call plainly fits the schema. Cedar makes an expression of every value to say the same, twice for each
//! request, which costs as much as some guardrails do.
//!
//! INVARIANT (R8): what fits here fits by Cedar's own check, which properties hold against it; whatever does not plainly
//! fit is held against the schema by Cedar, and Cedar says what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::value::Value;

use crate::bundle::types::{Member, Type};
use crate::bundle::{ActionType, Rules};

/// Whether this action is plainly one that entities of these types may take and be the object of.
pub(super) fn call(rules: &Rules, principal: &EntityRef, action: &str, resource: &EntityRef) -> bool {
    let Some(action) = rules.actions.get(action) else { return false };
    let is_among = |kinds: &BTreeSet<String>, of: &EntityRef| {
        let kind = rules.config.full(&of.kind);
        kinds.contains(&*kind) && is_plain(rules, &kind)
    };
    is_among(&action.principals, principal) && is_among(&action.resources, resource)
}

/// Whether these members, each named once, are plainly a context of this action.
pub(crate) fn context<'a>(
    rules: &Rules,
    action: &ActionType,
    members: impl Iterator<Item = (&'a str, &'a Value)>,
) -> bool {
    record(rules, &action.context, members)
}

fn record<'a>(
    rules: &Rules,
    declared: &BTreeMap<String, Member>,
    mut members: impl Iterator<Item = (&'a str, &'a Value)>,
) -> bool {
    let mut required = declared.values().filter(|member| member.required).count();
    let fits = members.all(|(name, value)| {
        declared.get(name).is_some_and(|member| {
            required = required.saturating_sub(usize::from(member.required));
            self::value(rules, &member.of, value)
        })
    });
    fits && required == 0
}

fn value(rules: &Rules, of: &Type, value: &Value) -> bool {
    match (of, value) {
        (Type::Bool, Value::Bool(_))
        | (Type::Long, Value::Long(_))
        | (Type::String, Value::String(_))
        | (Type::Datetime, Value::Datetime(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Decimal, Value::Decimal(_))
        | (Type::Ipaddr, Value::Ipaddr(_)) => true,
        (Type::Entity(kind), Value::Entity(of)) => rules.config.full(&of.kind) == *kind && is_plain(rules, kind),
        (Type::Set(element), Value::Set(items)) => items.iter().all(|item| self::value(rules, element, item)),
        (Type::Record(declared), Value::Record(members)) => {
            record(rules, declared, members.iter().map(|(name, value)| (name.as_str(), value)))
        }
        _ => false,
    }
}

/// Whether an entity of this type may have any id: neither an action nor one whose ids are listed.
fn is_plain(rules: &Rules, kind: &str) -> bool {
    rules.types.get(kind).is_some_and(|shape| !shape.listed)
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
