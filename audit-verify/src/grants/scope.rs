//! Whether one scope lies inside another (R5), decided by structure and a second time: the gate's own code is what is
//! checked.

use serde_json::Value;

use super::time::{Instant, Length};
use super::wire::{Budget, Scope};

/// Whether `inner` allows nothing that `outer` does not.
pub(super) fn within(inner: &Scope, outer: &Scope) -> bool {
    resource_within(&inner.resource, &outer.resource)
        && arguments_within(&inner.arguments, &outer.arguments)
        && inner.not_after <= outer.not_after
        && starts_later(inner.not_before, outer.not_before)
        && shorter(inner.valid_for, outer.valid_for)
        && inner.max_uses <= outer.max_uses
        && outer.budgets.iter().all(|budget| inner.budgets.iter().any(|other| tighter(other, budget)))
}

/// Who is in a group, only policy says: a member of it may stand for the group.
fn resource_within(inner: &Value, outer: &Value) -> bool {
    inner == outer || (inner.get("is").is_some() && outer.get("in").is_some())
}

fn starts_later(inner: Option<Instant>, outer: Option<Instant>) -> bool {
    outer.is_none() || inner >= outer
}

fn shorter(inner: Option<Length>, outer: Option<Length>) -> bool {
    outer.is_none() || (inner.is_some() && inner <= outer)
}

fn tighter(inner: &Budget, outer: &Budget) -> bool {
    inner.at == outer.at && inner.max <= outer.max
}

/// The exact arguments are those of the call that was asked for, which lies inside whatever was asked for.
fn arguments_within(inner: &Value, outer: &Value) -> bool {
    let (Some(inner), Some(outer)) = (inner.as_array(), outer.as_array()) else {
        return inner == outer || inner.as_str() == Some("exact");
    };
    outer.iter().all(|condition| inner.iter().any(|other| condition_within(other, condition)))
}

fn condition_within(inner: &Value, outer: &Value) -> bool {
    if inner.get("at") != outer.get("at") {
        return false;
    }
    if inner == outer {
        return true;
    }
    match op(outer) {
        "one_of" => {
            let all = |one: &Value| outer.get("values").and_then(Value::as_array).is_some_and(|v| v.contains(one));
            match op(inner) {
                "equals" => inner.get("value").is_some_and(all),
                "one_of" => inner.get("values").and_then(Value::as_array).is_some_and(|values| values.iter().all(all)),
                _ => false,
            }
        }
        "between" => {
            let (low, high) = range(outer);
            let inside = |value: Option<i64>| value.is_some_and(|value| low <= value && value <= high);
            match op(inner) {
                "equals" => inside(inner.get("value").and_then(Value::as_i64)),
                "one_of" => {
                    let values = inner.get("values").and_then(Value::as_array);
                    values.is_some_and(|values| values.iter().all(|value| inside(value.as_i64())))
                }
                "between" => {
                    let (lower, higher) = range(inner);
                    low <= lower && higher <= high
                }
                _ => false,
            }
        }
        "inside" => {
            let folder = text(outer, "path");
            let inside = |path: &str| {
                let rest = path.strip_prefix(folder.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            match op(inner) {
                "equals" => inside(text(inner, "value")),
                "one_of" => {
                    let values = inner.get("values").and_then(Value::as_array);
                    values.is_some_and(|values| values.iter().all(|value| value.as_str().is_some_and(inside)))
                }
                "inside" => inside(text(inner, "path")),
                _ => false,
            }
        }
        "equals" => op(inner) == "one_of" && inner.get("values") == Some(&Value::from(vec![value(outer)])),
        _ => false,
    }
}

fn op(condition: &Value) -> &str {
    text(condition, "op")
}

fn text<'a>(condition: &'a Value, member: &str) -> &'a str {
    condition.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn value(condition: &Value) -> Value {
    condition.get("value").cloned().unwrap_or_default()
}

fn range(condition: &Value) -> (i64, i64) {
    let end = |member, otherwise| condition.get(member).and_then(Value::as_i64).unwrap_or(otherwise);
    (end("min", 0), end("max", i64::MIN))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_lies_inside_one_of_the_same_argument_that_admits_all_of_it() {
        let at = |op: &str, mut rest: Value| {
            rest["at"] = json!(["x"]);
            rest["op"] = json!(op);
            json!([rest])
        };
        let folder = |path: &str| at("inside", json!({"path": path}));
        let between = |min: i64, max: i64| at("between", json!({"min": min, "max": max}));
        let equals = |value: Value| at("equals", json!({"value": value}));
        let one_of = |values: Value| at("one_of", json!({"values": values}));
        for (inner, outer, inside) in [
            (json!("exact"), folder("/a"), true),
            (folder("/a"), json!("exact"), false),
            (json!("exact"), json!("exact"), true),
            (folder("/a/b"), folder("/a"), true),
            (folder("/a"), folder("/a"), true),
            (folder("/ab"), folder("/a"), false),
            (folder("/a"), folder("/a/b"), false),
            (folder("/a"), folder("/"), true),
            (equals(json!("/a/b")), folder("/a"), true),
            (one_of(json!(["/a/b", "/c"])), folder("/a"), false),
            (between(1, 5), between(0, 5), true),
            (between(1, 6), between(0, 5), false),
            (between(-1, 5), between(0, 5), false),
            (equals(json!(5)), between(0, 5), true),
            (equals(json!(6)), between(0, 5), false),
            (one_of(json!([1, 6])), between(0, 5), false),
            (equals(json!("a")), one_of(json!(["a", "b"])), true),
            (one_of(json!(["a", "c"])), one_of(json!(["a", "b"])), false),
            (one_of(json!(["a"])), equals(json!("a")), true),
            (one_of(json!(["a", "b"])), equals(json!("a")), false),
            (json!([{"at": ["y"], "op": "equals", "value": 1}]), equals(json!(1)), false),
            (json!([]), equals(json!(1)), false),
        ] {
            assert_eq!(arguments_within(&inner, &outer), inside, "{inner} inside {outer}");
        }
    }
}
