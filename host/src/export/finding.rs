//! Findings as OCSF tells them: class 2004 Detection Finding, with the profile `incident` for who looks after one.

use serde_json::{Map, Value, json};

use super::ocsf::{base, put, user};
use super::told::Told;

/// What happened to a finding.
pub(super) fn finding(told: &Told) -> Map<String, Value> {
    let says = told.says();
    let facts = says.get("finding");
    let text = |name: &str| facts.and_then(|facts| facts.get(name)).and_then(Value::as_str);
    let state = says.get("state").and_then(Value::as_str);
    let opened = told.leaf.kind == "finding_opened";
    let activity = match (opened, state) {
        (true, _) => (1, "Create"),
        (false, Some("resolved")) => (3, "Close"),
        _ => (2, "Update"),
    };
    let mut event = base(told, 2004, (2, "Findings"), "Detection Finding", activity);
    let strength = text("strength").or_else(|| says.get("strength").and_then(Value::as_str));
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("finding_info", info(told, text("what")));
    set("severity_id", json!(severity(text("what"), strength)));
    // What is reported is somebody's word; what was observed, or stands in a system of record, was seen.
    if let Some(strength) = strength {
        let (id, word) = if strength == "reported" { (1, "Low") } else { (3, "High") };
        set("confidence_id", json!(id));
        set("confidence", json!(word));
    }
    let status = match (opened, state) {
        (true, _) | (_, Some("open")) => Some((1, "New")),
        (_, Some("acknowledged")) => Some((2, "In Progress")),
        (_, Some("resolved")) => Some((4, "Resolved")),
        _ => None,
    };
    if let Some((id, word)) = status {
        set("status_id", json!(id));
        set("status", json!(word));
    }
    if opened {
        set("is_alert", json!(true));
    }
    if let Some(said) = told.said() {
        set("comment", json!(said));
    }
    set("message", json!(told.leaf.kind));
    let owner = facts.and_then(|facts| facts.get("owner")).or_else(|| says.get("to"));
    if let Some(owner) = owner.filter(|owner| owner.is_object()) {
        set("assignee", user(owner));
        if let Some(metadata) = event.get_mut("metadata") {
            put(metadata, "profiles", Some(json!(["incident"])));
        }
    }
    // Of who did it the class holds nothing.
    if let (Some(by), Some(ours)) = (told.by(), event.get_mut("unmapped").and_then(|all| all.get_mut("proviso"))) {
        put(ours, "by", Some(user(by)));
    }
    event
}

/// What was found, and what it rests on.
fn info(told: &Told, kind: Option<&str>) -> Value {
    let says = told.says();
    let mut info = json!({"uid": told.finding().unwrap_or("unknown"), "modified_time": told.leaf.at.millis()});
    put(&mut info, "title", kind.map(|kind| kind.replace('_', " ")));
    put(&mut info, "types", kind.map(|kind| json!([kind])));
    if told.leaf.kind == "finding_opened" {
        put(&mut info, "created_time", Some(told.leaf.at.millis()));
    }
    let of = says.get("finding").unwrap_or(says);
    let time = of.get("happened_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
    let time = time.map(|at: policy_core::time::Timestamp| at.millis());
    put(&mut info, "first_seen_time", time);
    let positions = ["evidence", "decisions"].into_iter().filter_map(|name| of.get(name)?.as_array()).flatten();
    let related: Vec<Value> = positions
        .filter_map(Value::as_u64)
        .map(|seq| json!({"uid": format!("{}/{seq}", crate::store::Log::Decisions.name())}))
        .collect();
    if !related.is_empty() {
        put(&mut info, "related_events_count", Some(related.len()));
        put(&mut info, "related_events", Some(related));
    }
    info
}

/// How bad it is: what ran otherwise is worse than what never ran, and what was seen worse than what somebody says.
fn severity(kind: Option<&str>, strength: Option<&str>) -> u32 {
    match (kind, strength) {
        (Some("never_ran" | "grant_never_used"), _) | (None, None) => 1,
        (_, Some("reported") | None) => 2,
        (None, Some(_)) => 3,
        (Some(_), Some(_)) => 4,
    }
}
