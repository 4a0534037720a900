//! Records as events of the Open Cybersecurity Schema Framework, version 1.8.0 (schema.ocsf.io).
//!
//! | record | class | activity |
//! |---|---|---|
//! | an evaluation, a search, a report that something ran | 6003 API Activity, profile `security_control` | 99 Other, a search 2 Read |
//! | what happened to a finding | 2004 Detection Finding, profile `incident` where somebody looks after it | 1 Create, 2 Update, 3 Close |
//! | a person signed in or out | 3002 Authentication | 1 Logon, 2 Logoff |
//! | everything else of the ledger | 3004 Entity Management | see [`activity`] |
//!
//! 1.8.0 has no object for an agent: it stands as the application that acts, `actor.app_uid`, and whole in
//! `unmapped.ai_agent`. What the schema has no place for is under `unmapped.proviso`.

use serde_json::{Map, Value, json};

use super::finding::finding;
use super::told::{Told, entity};

/// The version of the schema.
const VERSION: &str = "1.8.0";
/// `activity_id` and other codes for what the schema has no code for.
const OTHER: u32 = 99;

/// The event of a record.
pub(super) fn event(told: &Told) -> Value {
    let kind = told.leaf.kind.as_str();
    let members = match kind {
        "signed_in" | "signed_out" => authentication(told),
        _ if told.finding().is_some() => finding(told),
        _ if told.leaf.log == crate::store::Log::Ledger.name() => management(told),
        _ => api(told),
    };
    Value::Object(members)
}

/// What every event has.
pub(super) fn base(
    told: &Told,
    class: u32,
    category: (u32, &str),
    name: &str,
    activity: (u32, &str),
) -> Map<String, Value> {
    let leaf = &told.leaf;
    let mut metadata = json!({
        "version": VERSION,
        "product": {"name": "Proviso", "vendor_name": "Proviso", "version": env!("CARGO_PKG_VERSION")},
        "uid": format!("{}/{}", leaf.log, leaf.seq),
        "log_name": leaf.log,
        "sequence": leaf.seq,
        "event_code": leaf.kind,
        "original_time": leaf.at.to_string(),
    });
    put(&mut metadata, "correlation_uid", told.exception());
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("class_uid", json!(class));
    set("class_name", json!(name));
    set("category_uid", json!(category.0));
    set("category_name", json!(category.1));
    set("activity_id", json!(activity.0));
    set("activity_name", json!(activity.1));
    set("type_uid", json!(class * 100 + activity.0));
    set("type_name", json!(format!("{name}: {}", activity.1)));
    set("time", json!(leaf.at.millis()));
    set("metadata", metadata);
    set("unmapped", unmapped(told));
    event
}

/// What the schema has no place for.
fn unmapped(told: &Told) -> Value {
    let leaf = &told.leaf;
    let mut ours = json!({"kind": leaf.kind, "stream": leaf.stream});
    put(&mut ours, "outcome", leaf.outcome.as_deref());
    put(&mut ours, "task", told.task());
    put(&mut ours, "exception", told.exception());
    put(&mut ours, "evaluation", told.text("evaluation"));
    put(&mut ours, "limit", told.text("limit"));
    put(&mut ours, "bundle", leaf.bundle.map(|digest| digest.to_string()));
    put(&mut ours, "module", leaf.module.map(|digest| digest.to_string()));
    // The schema has one actor.
    let people: Vec<Value> = told.people().iter().map(user).collect();
    put(&mut ours, "people", Some(people).filter(|people| !people.is_empty()));
    let mut unmapped = json!({"proviso": ours});
    if let Some(subject) = told.subject() {
        put(&mut unmapped, "ai_agent", Some(json!({"uid": subject["id"], "type": subject["type"]})));
    }
    unmapped
}

pub(super) fn put(object: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value.into());
    }
}

/// What was decided at the gate, or reported of it.
fn api(told: &Told) -> Map<String, Value> {
    let says = told.says();
    let search = told.leaf.kind == "search";
    let action = told.text("action").map_or_else(|| told.leaf.kind.clone(), str::to_owned);
    let activity = if search { (2, "Read") } else { (OTHER, action.as_str()) };
    let mut event = base(told, 6003, (6, "Application Activity"), "API Activity", activity);
    let mut actor = Map::new();
    let agent = told.subject();
    let uid = agent.and_then(|agent| agent["id"].as_str()).or_else(|| told.text("credential"));
    actor.insert("app_uid".to_owned(), json!(uid.unwrap_or("unknown")));
    if let Some(agent) = agent {
        actor.insert("app_name".to_owned(), json!(entity(agent)));
    }
    // The innermost hop of the chain is who it is done for.
    if let Some(person) = says.get("actors").and_then(Value::as_array).and_then(|actors| actors.last()) {
        actor.insert("user".to_owned(), user(person));
    }
    let mut api = json!({"operation": action});
    put(&mut api, "service", told.text("server").map(|server| json!({"name": server})));
    put(&mut api, "request", told.text("evaluation").or(told.text("search")).map(|uid| json!({"uid": uid})));
    let source = told.text("credential").or_else(|| says.pointer("/credentials/0").and_then(Value::as_str));
    let mut endpoint = json!({"uid": source.unwrap_or("unknown")});
    let point = told.question().and_then(|question| question.get("enforcement_point")).and_then(Value::as_str);
    put(&mut endpoint, "name", point.or(told.text("enforcement_point")));
    let resources: Vec<Value> =
        told.resources().into_iter().map(|of| json!({"uid": of["id"], "name": of["id"], "type": of["type"]})).collect();
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("actor", Value::Object(actor));
    set("api", api);
    set("src_endpoint", endpoint);
    if !resources.is_empty() {
        set("resources", Value::Array(resources));
    }
    match told.leaf.outcome.as_deref() {
        Some(outcome) => decided(told, outcome, &mut set),
        None => reported(told, &mut set),
    }
    if let Some(metadata) = event.get_mut("metadata").filter(|_| told.leaf.outcome.is_some()) {
        put(metadata, "profiles", Some(json!(["security_control"])));
    }
    event
}

/// The profile of a control that let something pass, or did not.
fn decided(told: &Told, outcome: &str, set: &mut dyn FnMut(&str, Value)) {
    let (allowed, disposition, name) = match outcome {
        "permitted_by_scope" => (true, 1, "Allowed"),
        "permitted_by_exception" => (true, 8, "Approved"),
        // It may be asked for.
        "requestable_denial" => (false, 26, "Unauthorized"),
        _ => (false, 2, "Blocked"),
    };
    let reason = told.says().pointer("/answer/reason").and_then(Value::as_str).unwrap_or("unknown");
    let policies = told.leaf.policies.iter();
    let applied = policies.map(|uid| json!({"decision": outcome, "policy": {"uid": uid, "is_applied": true}}));
    let mut authorizations: Vec<Value> = applied.collect();
    if authorizations.is_empty() {
        authorizations.push(json!({"decision": outcome}));
    }
    set("authorizations", Value::Array(authorizations));
    set("action_id", json!(if allowed { 1 } else { 2 }));
    set("action", json!(if allowed { "Allowed" } else { "Denied" }));
    set("disposition_id", json!(disposition));
    set("disposition", json!(name));
    set("is_alert", json!(false));
    set("status_id", json!(if allowed { 1 } else { 2 }));
    set("status_code", json!(reason));
    set("severity_id", json!(if allowed { 1 } else { 2 }));
    set("message", json!(format!("{outcome} ({reason})")));
}

/// A search, or evidence that something ran.
fn reported(told: &Told, set: &mut dyn FnMut(&str, Value)) {
    let phase = told.text("phase").unwrap_or_default();
    let (status, severity) = match phase {
        "failed" | "outcome_unknown" => (2, 2),
        "" | "executed" => (1, 1),
        _ => (OTHER, 1),
    };
    set("status_id", json!(status));
    set("status_code", json!(if phase.is_empty() { told.leaf.kind.as_str() } else { phase }));
    set("severity_id", json!(severity));
    set("message", json!(format!("{} {phase}", told.leaf.kind).trim_end()));
}

/// A person came, or went.
fn authentication(told: &Told) -> Map<String, Value> {
    let came = told.leaf.kind == "signed_in";
    let activity = if came { (1, "Logon") } else { (2, "Logoff") };
    let mut event = base(told, 3002, (3, "Identity & Access Management"), "Authentication", activity);
    let session = told.says().get("session").cloned().unwrap_or_default();
    let text = |name: &str| session.get(name).and_then(Value::as_str);
    let uid = session.as_str().or(text("id")).unwrap_or("unknown");
    // Of a session that ends the record names the session alone.
    let who = session.get("person").map_or_else(|| json!({"uid": uid, "type_id": OTHER, "type": "session"}), user);
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("user", who);
    set("session", json!({"uid": uid}));
    set("service", json!({"name": "Proviso"}));
    set("auth_protocol_id", json!(OTHER));
    set("auth_protocol", json!(text("assurance").unwrap_or("link")));
    set("status_id", json!(1));
    set("severity_id", json!(1));
    set("message", json!(told.leaf.kind));
    event
}

/// What happened to an exception, a lock, a credential, a bundle.
fn management(told: &Told) -> Map<String, Value> {
    let kind = told.leaf.kind.as_str();
    let mut event = base(told, 3004, (3, "Identity & Access Management"), "Entity Management", activity(kind));
    let severity = match kind {
        "emergency_declared" | "clock_doubted" => 4,
        "grant_revoked" | "grant_suspended" | "locked" | "task_ended" | "limited" => 3,
        _ => 1,
    };
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("entity", managed(told));
    if let Some(by) = told.by() {
        set("actor", json!({"user": user(by)}));
    } else if let Some(agent) = told.subject() {
        set("actor", json!({"app_uid": agent["id"], "app_name": entity(agent)}));
    }
    if let Some(said) = told.said() {
        set("comment", json!(said));
    }
    set("status_id", json!(1));
    set("severity_id", json!(severity));
    set("message", json!(kind));
    event
}

/// What is done to the entity. What is told of no other way is an update.
fn activity(kind: &str) -> (u32, &'static str) {
    match kind {
        "exception_requested"
        | "token_minted"
        | "credential_verified"
        | "passkey_added"
        | "locked"
        | "gate_started"
        | "deputy_appointed"
        | "review_opened" => (1, "Create"),
        "token_revoked" | "credential_ended" | "passkey_ended" | "unlocked" | "deputy_ended" => (4, "Delete"),
        "exception_granted" | "bundle_activated" | "grant_activated" => (10, "Activate"),
        "exception_denied"
        | "exception_cancelled"
        | "exception_lapsed"
        | "grant_exhausted"
        | "grant_revoked"
        | "task_ended"
        | "gate_stopped" => (11, "Deactivate"),
        "grant_suspended" | "passkey_suspended" | "clock_doubted" => (12, "Suspend"),
        "clock_trusted" => (13, "Resume"),
        _ => (3, "Update"),
    }
}

fn managed(told: &Told) -> Value {
    let says = told.says();
    let id = |at: &str| says.pointer(at).and_then(Value::as_str).map(str::to_owned);
    if told.leaf.kind == "bundle_activated" {
        let digest = id("/activation/bundle").unwrap_or_default();
        return json!({
            "uid": digest, "name": "policy bundle", "type_id": 5, "type": "Policy", "version": digest,
            "policy": {"uid": digest, "name": "policy bundle"},
        });
    }
    let (kind, uid) = match told.exception() {
        Some(exception) => ("access_grant", Some(exception.to_owned())),
        None => match told.leaf.kind.as_str() {
            "token_minted" | "token_revoked" => ("credential", id("/token/id").or_else(|| id("/id"))),
            "passkey_added" | "passkey_used" | "passkey_suspended" | "passkey_ended" => {
                ("credential", id("/passkey/id").or_else(|| id("/id")))
            }
            "credential_verified" => ("credential", id("/credential/id")),
            "credential_ended" => {
                let one = id("/ended/token/token").or_else(|| id("/ended/credential/id"));
                ("credential", one.or_else(|| id("/ended/subject/subject")))
            }
            "locked" | "lock_renewed" | "lift_voted" | "unlocked" => ("lock", id("/lock/id").or_else(|| id("/id"))),
            "task_ended" => ("task", id("/task")),
            _ => ("gate", None),
        },
    };
    let uid = uid.unwrap_or_else(|| told.leaf.stream.clone());
    let mut entity = json!({"uid": uid, "name": uid, "type_id": OTHER, "type": kind});
    // The grant itself, as it was made.
    put(&mut entity, "data", told.scope().cloned());
    entity
}

/// A person, or an operating-system user by name.
pub(super) fn user(of: &Value) -> Value {
    match of.as_str() {
        Some(name) => json!({"uid": format!("operator::{name}"), "name": name, "type_id": OTHER, "type": "operator"}),
        None => json!({"uid": entity(of), "name": of["id"], "type_id": OTHER, "type": of["type"]}),
    }
}
