//! What a row expects, held against what the bundle answers.

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_core::grant::Rate;
use policy_core::presence::Presence;
use policy_core::time::Span;
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};

use super::answer::{Answered, named};
use super::read::Row;
use crate::Bundle;
use crate::bundle::BundleError;

/// One member of a row that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which: `outcome`, `reason`, `policies`, `terms.…` or `approvers`.
    pub member: String,
    /// What the row says.
    pub expected: Value,
    /// What the bundle answers; `null` where it says nothing.
    pub got: Value,
}

/// What differs, in the order of the row.
pub fn differences(bundle: &Bundle, row: &Row, answer: &Answered) -> Vec<Difference> {
    let expect = &row.expect;
    let mut all = Vec::new();
    let mut hold = |member: String, expected: Value, got: Value| {
        if !same(&expected, &got) {
            all.push(Difference { member, expected, got });
        }
    };
    hold("outcome".to_owned(), json!(expect.outcome), json!(answer.outcome));
    if let Some(reason) = expect.reason {
        hold("reason".to_owned(), json!(reason), json!(answer.reason));
    }
    if let Some(policies) = &expect.policies {
        hold("policies".to_owned(), json!(policies), json!(answer.policies));
    }
    let terms = json!(answer.terms);
    for (name, value) in expect.terms.iter().flatten() {
        let got = terms.get(name).cloned().unwrap_or_else(|| unsaid(name));
        hold(format!("terms.{name}"), json!(value), got);
    }
    if let Some(expected) = &expect.approvers {
        let expected: BTreeSet<String> = expected.iter().map(|text| person(bundle, text).to_string()).collect();
        let got: BTreeSet<String> = answer.approvers.iter().map(ToString::to_string).collect();
        hold("approvers".to_owned(), json!(expected), json!(got));
    }
    all
}

/// Names in a row that the bundle does not know: a slip of its author's, which must not look like a policy's answer.
pub fn misnamed(bundle: &Bundle, row: &Row) -> Vec<BundleError> {
    let refuse = |message: String, help: &str| BundleError::new(&row.file, row.line, "unknown_name", message, help);
    let people = row.expect.approvers.iter().flatten().map(|text| person(bundle, text));
    let config = &bundle.rules.config;
    let hops = row.ask.chain.iter().map(|text| named(bundle, text));
    let hops = hops.filter(|hop| hop.kind == config.short(&config.types.person));
    let unknown = people.chain(hops).filter(|person| !bundle.facts.contains_key(person));
    let unknown = unknown.map(|person| {
        let message = format!("`{}` names `{person}`, whom entities.json does not know", row.name);
        refuse(message, "name a person of the bundle, or add the person")
    });
    let policies = row.expect.policies.iter().flatten();
    let policies = policies.filter(|policy| bundle.rules.file_of(policy).is_none()).map(|policy| {
        let message = format!("`{}` names the policy `{policy}`, which the bundle does not have", row.name);
        refuse(message, "name a policy by its `@id`")
    });
    unknown.chain(policies).collect()
}

/// A person as a table names one: by id alone, or as `TYPE::id`.
fn person(bundle: &Bundle, text: &str) -> EntityRef {
    if text.contains("::") {
        return named(bundle, text);
    }
    let config = &bundle.rules.config;
    EntityRef::new(config.short(&config.types.person), text)
}

/// What terms mean that do not say so.
fn unsaid(name: &str) -> Value {
    if name == "presence" { json!(Presence::default()) } else { Value::Null }
}

/// Equal as a reader means it: lists are sets, `60m` is `1h`, and `"none"` is nothing.
fn same(expected: &Value, got: &Value) -> bool {
    let span = |value: &Value| value.as_str().and_then(|text| text.parse::<Span>().ok());
    match (expected, got) {
        (Value::Array(a), Value::Array(b)) => {
            let sorted = |items: &[Value]| items.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
            sorted(a) == sorted(b)
        }
        (Value::String(none), Value::Null) => none == "none",
        (Value::String(text), Value::Object(_)) => {
            let rate = Rate::deserialize(got).ok();
            rate.is_some() && rate == text.parse().ok()
        }
        _ => expected == got || span(expected).is_some_and(|expected| Some(expected) == span(got)),
    }
}
