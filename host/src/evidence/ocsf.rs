//! Lines of a system's own log in the form of OCSF's API Activity (class 6003), of OCSF 1.8: what ran, by whom and when.
//!
//! Strict where it counts: a line that is no such event, or leaves out who, what or when, is refused by its number, and
//! with it the whole file.

use policy_core::entity::EntityRef;
use policy_core::json::{self, Limits};
use policy_core::time::Timestamp;
use proviso_api::operations::ExecutionPhase;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::{digest_of, digest_of_text};
use crate::reconcile::Said;

/// The class that is read.
const API_ACTIVITY: u64 = 6003;
/// The members that are objects: the JSON library would take an array for one.
const OBJECTS: [&str; 5] = ["metadata", "actor", "api", "src_endpoint", "unmapped"];
/// The longest line.
const LONGEST: usize = 256 * 1024;

/// A line that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct BadLine {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

#[derive(Debug, Deserialize)]
struct Event {
    class_uid: u64,
    #[serde(default)]
    type_uid: Option<u64>,
    #[serde(default)]
    activity_id: Option<u64>,
    time: i64,
    #[serde(default)]
    start_time: Option<i64>,
    #[serde(default)]
    end_time: Option<i64>,
    #[serde(default)]
    status_id: Option<u64>,
    metadata: Metadata,
    actor: Actor,
    api: Api,
    #[serde(default)]
    src_endpoint: Option<Endpoint>,
    #[serde(default)]
    unmapped: Option<Unmapped>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    uid: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    #[serde(default)]
    app_uid: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    uid: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Api {
    operation: String,
    #[serde(default)]
    service: Option<Service>,
    #[serde(default)]
    request: Option<Request>,
}

#[derive(Debug, Deserialize)]
struct Service {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    uid: Option<String>,
    /// The arguments: an object, or its text.
    #[serde(default)]
    data: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    ip: Option<String>,
}

/// What OCSF has no place for.
#[derive(Debug, Default, Deserialize)]
struct Unmapped {
    #[serde(default)]
    proviso: Proviso,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proviso {
    #[serde(default)]
    task: Option<String>,
    #[serde(default)]
    evaluation_id: Option<String>,
    #[serde(default)]
    grant: Option<String>,
    #[serde(default)]
    input_digest: Option<policy_core::digest::Digest>,
}

/// Reads a whole file: each line that is not empty, with the source's own name of it.
///
/// # Errors
/// The first line that is none.
pub fn read(text: &str) -> Result<Vec<(String, Said)>, BadLine> {
    let mut pieces = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let piece = piece(line).map_err(|what| BadLine { line: number.saturating_add(1), what })?;
        pieces.push(piece);
    }
    Ok(pieces)
}

fn piece(line: &str) -> Result<(String, Said), String> {
    let limits = Limits { max_bytes: LONGEST, ..Limits::DEFAULT };
    let event: Event = json::read_object_as(line.as_bytes(), limits, &OBJECTS).map_err(|error| error.to_string())?;
    if event.class_uid != API_ACTIVITY {
        return Err(format!("`class_uid` is {}, and API Activity is {API_ACTIVITY}", event.class_uid));
    }
    let kinds = event.type_uid.zip(event.activity_id);
    if kinds.is_some_and(|(kind, activity)| kind != API_ACTIVITY.saturating_mul(100).saturating_add(activity)) {
        return Err("`type_uid` is not `class_uid` times 100 and `activity_id`".to_owned());
    }
    let id = event.metadata.uid.ok_or("`metadata.uid` is missing: without it the same line would count twice")?;
    let user = event.actor.user.and_then(|user| user.uid);
    let who = event.actor.app_uid.or(user).ok_or("neither `actor.app_uid` nor `actor.user.uid` says who acted")?;
    let began = event.start_time.unwrap_or(event.time);
    let instant = |millis: i64| {
        let at = Timestamp::from_millis(millis);
        if at.millis() == millis { Ok(at) } else { Err(format!("{millis} is no time in milliseconds")) }
    };
    let request = event.api.request;
    let data = request.as_ref().and_then(|request| request.data.as_ref());
    let proviso = event.unmapped.unwrap_or_default().proviso;
    let digest = data.and_then(|data| match data {
        Value::String(text) => digest_of_text(text),
        other => digest_of(other),
    });
    if digest.is_some() && proviso.input_digest.is_some() && digest != proviso.input_digest {
        return Err("`unmapped.proviso.input_digest` is not the digest of `api.request.data`".to_owned());
    }
    let said = Said {
        subject: Some(subject(&who)),
        task: proviso.task,
        action: Some(event.api.operation),
        server: event.api.service.and_then(|service| service.name),
        input_digest: proviso.input_digest.or(digest),
        evaluation: proviso.evaluation_id,
        call: request.and_then(|request| request.uid),
        grant: proviso.grant,
        host: event.src_endpoint.and_then(|endpoint| endpoint.hostname.or(endpoint.ip)),
        started_at: Some(instant(began)?),
        ended_at: event.end_time.map(instant).transpose()?,
        phase: match event.status_id {
            Some(2) => ExecutionPhase::Failed,
            // What is in the log of a system has happened there, unless it says otherwise.
            Some(1) | None => ExecutionPhase::Executed,
            Some(_) => ExecutionPhase::OutcomeUnknown,
        },
        trace: None,
        parent: None,
    };
    Ok((id, said))
}

/// `TYPE::ID`, or an id alone: then the gate knows the type where its bundle has but one.
fn subject(text: &str) -> EntityRef {
    let is_type = |kind: &str| {
        kind.split("::").all(|part| {
            part.starts_with(|first: char| first.is_ascii_uppercase())
                && part.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
        })
    };
    match text.split_once("::") {
        Some((kind, id)) if is_type(kind) => EntityRef::new(kind, id),
        _ => EntityRef::new("", text),
    }
}

#[cfg(test)]
mod tests;
