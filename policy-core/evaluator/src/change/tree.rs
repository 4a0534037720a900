//! A policy as Cedar's JSON: what of it decides, whether it can err, and whom it names.

use cedar_policy::Policy;
use policy_core::entity::EntityRef;
use serde_json::{Map, Value};

/// Of what a condition may be made that is never in error, whatever it is asked about: no arithmetic, which overflows, no
/// function of an extension, and no attribute of an entity that a question may not know.
const SAFE: [&str; 16] = [
    "==",
    "!=",
    "in",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "contains",
    "containsAll",
    "containsAny",
    "isEmpty",
    "has",
    "if-then-else",
];

/// What decides: effect, scope and conditions, without annotations. Absent: it has no such form.
pub(super) fn decides(policy: &Policy) -> Option<Value> {
    let Value::Object(mut members) = policy.to_json().ok()? else { return None };
    members.remove("annotations");
    Some(Value::Object(members))
}

/// Whether no question can make its conditions err, told from their form. `false` where that is not seen.
pub(super) fn never_errs(policy: &Policy) -> bool {
    let Some(tree) = decides(policy) else { return false };
    match tree.get("conditions") {
        None => true,
        Some(Value::Array(conditions)) => conditions.iter().all(|condition| condition.get("body").is_some_and(is_safe)),
        Some(_) => false,
    }
}

fn is_safe(tree: &Value) -> bool {
    let Some((operator, of)) = tree.as_object().and_then(only) else { return false };
    match operator {
        "Value" | "Var" => true,
        "Set" => of.as_array().is_some_and(|items| items.iter().all(is_safe)),
        "Record" => of.as_object().is_some_and(|members| members.values().all(is_safe)),
        "like" | "is" => of.get("left").is_some_and(is_safe) && of.get("in").is_none_or(is_safe),
        "." => of.get("left").is_some_and(is_known),
        "has" => of.get("left").is_some_and(is_safe),
        _ => {
            let parts = ["left", "right", "arg", "if", "then", "else"];
            SAFE.contains(&operator)
                && of.as_object().is_some_and(|members| {
                    members.iter().all(|(name, part)| parts.contains(&name.as_str()) && is_safe(part))
                })
        }
    }
}

/// Whether what an attribute is read of is there in every question: who asks, what is asked about, or a record of the
/// context. Strict validation has held an optional attribute against `has`.
fn is_known(tree: &Value) -> bool {
    match tree.as_object().and_then(only) {
        Some(("Var", _)) => true,
        Some((".", of)) => of.get("left").is_some_and(is_of_context),
        _ => false,
    }
}

fn is_of_context(tree: &Value) -> bool {
    match tree.as_object().and_then(only) {
        Some(("Var", of)) => of.as_str() == Some("context"),
        Some((".", of)) => of.get("left").is_some_and(is_of_context),
        _ => false,
    }
}

fn only(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = members.iter();
    let (name, of) = members.next()?;
    members.next().is_none().then_some((name.as_str(), of))
}

/// Whether a policy names this entity anywhere. `long` is its type as Cedar writes it.
pub(super) fn names(policy: &Policy, long: &str, entity: &EntityRef) -> bool {
    policy.to_json().map_or(true, |tree| is_named(&tree, long, &entity.id))
}

fn is_named(tree: &Value, kind: &str, id: &str) -> bool {
    match tree {
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            (text("type") == Some(kind) && text("id") == Some(id))
                || members.values().any(|inner| is_named(inner, kind, id))
        }
        Value::Array(items) => items.iter().any(|inner| is_named(inner, kind, id)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_err_is_told_from_what_never_does() {
        let err = |condition: &str| {
            let text = format!("permit (principal, action, resource) when {{ {condition} }};");
            !never_errs(&Policy::parse(None, &text).unwrap())
        };
        for never in [
            "[1, 2].contains(context.input.line)",
            "{ \"of\": context.task } == { \"of\": \"t\" }",
            "context.input.path like \"reports/*\"",
            "principal is Agent && principal is Agent in Group::\"finance\"",
            "principal.autonomy < 3",
            "context has requested && context.requested.uses < 3",
            "context.input.of.deeper.still == 1",
            "if context.asked then true else !(principal == resource)",
            "principal.owner has name",
        ] {
            assert!(!err(never), "{never}");
        }
        for may in [
            "context.line + 1 == 2",
            "[context.line + 1].contains(1)",
            "{ \"of\": context.line * 2 } == { \"of\": 4 }",
            "(if context.line + 1 == 2 then \"a\" else \"b\") like \"a\"",
            "(if context.line + 1 == 2 then principal else resource) is Agent",
            "principal is Agent in (if context.line + 1 == 2 then Group::\"a\" else Group::\"b\")",
            // Whoever is named by an attribute, or by the policy, may be nobody that the question knows.
            "principal.owner.name == \"Ines\"",
            "principal.owner.desk.name == \"Accounts\"",
            "User::\"ines\".name == \"Ines\"",
            "[principal.owner.name].contains(\"Ines\")",
            "decimal(\"1.0\") == context.share",
            "context.now < datetime(\"2026-11-30\")",
        ] {
            assert!(err(may), "{may}");
        }
    }
}
