//! From a case's question to a sealed one, by the very `seal` that the gate uses.

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::json::{Limits, read};
use policy_core::question::{Purpose, SealedQuestion};
use policy_evaluator::seal::{Ask, Claimed};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::{self, Head};

/// A question as case files write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    subject: String,
    task: String,
    #[serde(default)]
    chain: Vec<String>,
    /// Empty: none.
    #[serde(default)]
    enforcement_point: String,
    /// Whether the agent's credential is bound to a key.
    #[serde(default)]
    bound: bool,
    #[serde(default)]
    server: String,
    /// The text of the tool's definition.
    #[serde(default)]
    tool: String,
    action: String,
    resource: String,
    /// JSON text; empty: no arguments.
    #[serde(default)]
    input: String,
    now: String,
    #[serde(default)]
    done: Vec<String>,
    #[serde(default)]
    claims: BTreeMap<String, Map<String, Value>>,
}

/// `TYPE::id`.
pub fn entity(text: &str) -> EntityRef {
    let (kind, id) = text.split_once("::").unwrap_or_else(|| panic!("`{text}` is no TYPE::id"));
    EntityRef::new(kind, id)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Lays members over members.
pub fn over(base: &BTreeMap<String, Value>, own: &BTreeMap<String, Value>) -> Value {
    base.iter().chain(own).map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// Seals the question, or says the reason and the message why not.
pub fn seal(head: &Head, own: &BTreeMap<String, Value>) -> Result<SealedQuestion, Value> {
    let spec: Spec = serde_json::from_value(over(&head.ask, own)).unwrap_or_else(|error| panic!("{own:?}: {error}"));
    let claims = |name: &str| spec.claims.get(name).cloned().unwrap_or_default();
    let hop = |hop: &String| Hop { entity: entity(hop), issuer: "gate".into() };
    let ask = Ask {
        purpose: Purpose::Use,
        subject: entity(&spec.subject),
        task: spec.task.as_str().into(),
        chain: spec.chain.iter().map(hop).collect(),
        enforcement_point: some(&spec.enforcement_point).map(Into::into),
        bound: spec.bound,
        vouched: false,
        server: some(&spec.server).map(Into::into),
        tool: some(&spec.tool).map(|tool| Digest::of(tool.as_bytes())),
        action: spec.action.as_str().into(),
        resource: entity(&spec.resource),
        input: some(&spec.input)
            .map(|text| read(text.as_bytes(), Limits::DEFAULT).unwrap_or_else(|error| panic!("{text}: {error}"))),
        claims: Claimed {
            subject: claims("subject"),
            resource: claims("resource"),
            action: claims("action"),
            context: claims("context"),
        },
        now: spec.now.parse().expect("an instant"),
        done: spec.done.iter().cloned().collect(),
    };
    let sealed = case::bundle(&head.bundle).bundle.seal(&ask);
    sealed.map_err(|error| serde_json::to_value(error.reason).expect("a reason is a word"))
}
