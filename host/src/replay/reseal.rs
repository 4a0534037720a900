//! From a record back to what was asked, so that another bundle can put its own words to it.
//!
//! What the record cannot tell stays as it was: the grants with their counters, the locks, and what a request would have
//! asked for.

use std::collections::BTreeSet;

use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::question::{EntityFact, SealedQuestion};
use policy_core::record::Record;
use policy_core::time::Timestamp;
use policy_core::value::Value;
use policy_evaluator::Bundle;
use policy_evaluator::seal::{Ask, Claimed, SealError};
use proviso_api::authzen::EvaluationRequest;
use serde_json::{Map, Value as Json, json};

use crate::app::event::DecisionRecord;

/// Where an untyped call's arguments stand among what was claimed.
const UNTYPED_INPUT: &str = "context.input";
/// The context member that believed `action.properties` arrived as.
const ACTION_PROPERTIES: &str = "action_properties";

/// Seals a recorded question again, by another bundle. `before` is the bundle that it was judged by.
///
/// # Errors
/// A reason code and what does not fit this bundle.
pub(super) fn sealed(
    bundle: &Bundle,
    before: Option<&Bundle>,
    question: &SealedQuestion,
    decision: &DecisionRecord,
    done: BTreeSet<String>,
) -> Result<SealedQuestion, SealError> {
    let mut fresh = bundle.seal(&asked(before, question, decision, done))?;
    // The digest is of the arguments as they were sent; what is left of them may have another order.
    let digest = question.call.input_digest;
    if fresh.context.contains_key("input_digest") {
        fresh.context.insert("input_digest".to_owned(), Value::String(digest.to_string()));
    }
    fresh.call.input_digest = digest;
    fresh.candidates = question.candidates.clone();
    fresh.locks = question.locks.clone();
    fresh.requested = question.requested.clone();
    Ok(fresh)
}

fn asked(before: Option<&Bundle>, question: &SealedQuestion, decision: &DecisionRecord, done: BTreeSet<String>) -> Ask {
    let call = &question.call;
    let resource = || call.resources.first().cloned().unwrap_or_else(|| EntityRef::new("", ""));
    let (action, resource) = match &decision.asked {
        Some(asked) => (asked.action.as_str().into(), asked.resource.clone()),
        None => (call.action.clone(), resource()),
    };
    let input = match &call.input {
        Some(input) if call.typed => Some(plain(input)),
        _ => question.claimed.get(UNTYPED_INPUT).cloned(),
    };
    let seen = question.context.get("done").map(texts);
    Ask {
        purpose: question.purpose,
        subject: call.subject.clone(),
        task: question.task.clone(),
        chain: question.chain.clone(),
        enforcement_point: question.enforcement_point.clone(),
        bound: question.bound,
        vouched: question.vouched,
        server: call.server.clone(),
        tool: call.tool,
        action,
        resource,
        input,
        claims: claims(before, question),
        now: question.now,
        done: seen.unwrap_or(done),
    }
}

/// What the caller said, believed then or not.
fn claims(before: Option<&Bundle>, question: &SealedQuestion) -> Claimed {
    let mut claims = Claimed::default();
    for (place, said) in &question.claimed {
        let Some((of, name)) = place.split_once('.') else { continue };
        match (of, said) {
            ("context", Json::Object(properties)) if name == ACTION_PROPERTIES => claims.action = properties.clone(),
            ("context", _) if place == UNTYPED_INPUT && !question.call.typed => {}
            ("context", _) => drop(claims.context.insert(name.to_owned(), said.clone())),
            ("subject", _) => drop(claims.subject.insert(name.to_owned(), said.clone())),
            ("resource", _) => drop(claims.resource.insert(name.to_owned(), said.clone())),
            _ => {}
        }
    }
    for (name, value) in question.context.iter().filter(|(name, value)| !is_the_gates(question, name, value)) {
        match plain(value) {
            Json::Object(properties) if name == ACTION_PROPERTIES => claims.action = properties,
            said => drop(claims.context.insert(name.to_string(), said)),
        }
    }
    let believed = |fact: &&EntityFact| question.enforcement_point.as_ref() == Some(&fact.source);
    for fact in question.entities.iter().filter(believed) {
        let known = known(before, &fact.uid);
        let said = fact.attrs.iter().filter(|(name, _)| !known.contains_key(name));
        let said = said.map(|(name, value)| (name.to_string(), plain(value)));
        if fact.uid == question.call.subject {
            claims.subject.extend(said);
        } else if question.call.resources.contains(&fact.uid) {
            claims.resource.extend(said);
        }
    }
    claims
}

/// What the bundle itself says of an entity.
fn known(bundle: Option<&Bundle>, uid: &EntityRef) -> Record {
    let Some(bundle) = bundle else { return Record::new() };
    let mut around = bundle.nothing();
    bundle.add_people(&mut around, std::slice::from_ref(uid));
    around.entities.into_iter().find(|fact| fact.uid == *uid).map(|fact| fact.attrs).unwrap_or_default()
}

/// Whether the gate itself set a member of the context: it has that name, and the type that the gate gives it.
fn is_the_gates(question: &SealedQuestion, name: &str, value: &Value) -> bool {
    match (name, value) {
        ("now", Value::Datetime(_)) | ("task" | "chain" | "input_digest", Value::String(_)) => true,
        ("actors" | "done", Value::Set(_)) => true,
        ("server", Value::String(_)) => question.call.server.is_some(),
        _ => false,
    }
}

/// A question that could not be sealed then, from the body that it came in.
pub(super) fn claimed(
    bundle: &Bundle,
    body: EvaluationRequest,
    decision: &DecisionRecord,
    now: Timestamp,
    done: BTreeSet<String>,
) -> Result<SealedQuestion, SealError> {
    let mut context = body.context;
    let input = context.remove("input").filter(|input| !input.is_null());
    let tool = context.get("proviso.dev/tool").and_then(Json::as_str).and_then(|tool| tool.parse::<Digest>().ok());
    context.retain(|name, _| {
        !name.starts_with("proviso.dev/") && !["approval", "business_justification"].contains(&name.as_str())
    });
    let hop = |entity: &EntityRef| Hop { entity: entity.clone(), issuer: "".into() };
    let mut question = bundle.seal(&Ask {
        purpose: decision.purpose,
        subject: decision.subject.clone(),
        task: decision.task.as_str().into(),
        chain: decision.actors.iter().map(hop).collect(),
        enforcement_point: decision.enforcement_point.as_deref().map(Into::into),
        bound: decision.is_of_bound(),
        vouched: decision.is_of_vouched(),
        server: decision.server.as_deref().map(Into::into),
        tool,
        action: body.action.name.into(),
        resource: EntityRef::new(body.resource.kind, body.resource.id),
        input,
        claims: Claimed {
            subject: body.subject.properties,
            resource: body.resource.properties,
            action: body.action.properties,
            context,
        },
        now,
        done,
    })?;
    question.requested.duration = crate::app::SMALLEST;
    Ok(question)
}

/// A value as a caller would write it.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(bool) => json!(bool),
        Value::Long(long) => json!(long),
        Value::String(text)
        | Value::Datetime(text)
        | Value::Duration(text)
        | Value::Decimal(text)
        | Value::Ipaddr(text) => json!(text),
        Value::Entity(uid) => json!({"type": uid.kind, "id": uid.id}),
        Value::Set(items) => items.iter().map(plain).collect(),
        Value::Record(members) => {
            let members = members.iter().map(|(name, value)| (name.to_string(), plain(value)));
            Json::Object(members.collect::<Map<_, _>>())
        }
    }
}

fn texts(set: &Value) -> BTreeSet<String> {
    let Value::Set(items) = set else { return BTreeSet::new() };
    let text = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}
