//! An answer in the few words that case files write: what is empty is left out, of errors only the policies are named.

use serde_json::{Map, Value, json};

/// The answer of this operation.
pub fn of(op: i32, answer: &str) -> Value {
    let answer: Value = serde_json::from_str(answer).expect("an answer is JSON");
    if let Some(error) = answer.get("error") {
        return refusal(error);
    }
    let ok = &answer["ok"];
    match op {
        1 => json!({"policies": ok["policies"]}),
        2 | 3 => evaluation(ok),
        4 => ok.as_array().expect("a list").iter().map(person).collect(),
        5 => json!({"cedar": ok["cedar"]}),
        7 => ok.as_array().expect("a list").iter().map(may).collect(),
        _ => preview(ok),
    }
}

fn refusal(error: &Value) -> Value {
    let (code, message) = (error["code"].as_str().expect("a code"), error["message"].as_str().expect("a message"));
    match code {
        "bad_bundle" | "bad_grant" => json!({"error": code, "message": message}),
        _ => json!({"error": code}),
    }
}

/// An object without what is empty.
fn lean(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let kept = members.into_iter().filter(|(_, value)| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    });
    Value::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn errors(of: &Value) -> Value {
    of["errors"].as_array().into_iter().flatten().map(|error| error["policy"].clone()).collect()
}

fn evaluation(ok: &Value) -> Value {
    lean([
        ("outcome", ok["outcome"].clone()),
        ("reason", ok["reason"].clone()),
        ("policies", ok["policies"].clone()),
        ("errors", errors(ok)),
        ("grant", ok["grant"].clone()),
        ("terms", ok["terms"].as_object().map_or(Value::Null, terms)),
    ])
}

fn terms(terms: &Map<String, Value>) -> Value {
    let kept = terms.iter().filter(|(_, value)| **value != json!([]));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn person(ok: &Value) -> Value {
    lean([
        (
            "person",
            format!(
                "{}::{}",
                ok["person"]["type"].as_str().expect("a type"),
                ok["person"]["id"].as_str().expect("an id")
            )
            .into(),
        ),
        ("eligible", ok["eligible"].clone()),
        ("groups", ok["groups"].clone()),
        ("policies", ok["policies"].clone()),
        ("errors", errors(ok)),
    ])
}

/// A yes that one person uses says no number.
fn may(ok: &Value) -> Value {
    lean([
        ("permitted", ok["permitted"].clone()),
        ("persons", if ok["persons"] == 1 { Value::Null } else { ok["persons"].clone() }),
        ("policies", ok["policies"].clone()),
        ("errors", errors(ok)),
    ])
}

/// An edge is one line: `DIMENSION | the last that passes: its outcome | the first that fails: its outcome`.
fn preview(ok: &Value) -> Value {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let side = |edge: &Value, name: &str| match text(&edge[name]) {
        none if none.is_empty() => "-".to_owned(),
        words => format!("{words}: {}", text(&edge[format!("{name}_outcome")])),
    };
    let edges = ok["edges"].as_array().expect("a list").iter();
    let edges: Value = edges
        .map(|edge| format!("{} | {} | {}", text(&edge["dimension"]), side(edge, "passes"), side(edge, "fails")))
        .collect();
    lean([
        ("before", ok["before"]["reason"].clone()),
        ("after", ok["after"]["reason"].clone()),
        ("edges", edges),
        ("open", ok["open"].clone()),
        ("flips", ok["flips"].clone()),
        ("tried", ok["tried"].clone()),
        ("by_others", ok["by_others"].clone()),
        ("guardrails", ok["guardrails"].clone()),
        ("ends", ok["ends"].clone()),
    ])
}
