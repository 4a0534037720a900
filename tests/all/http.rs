//! Bad input and abuse, through the interface that an attacker has: HTTP. Each ends in a stable code, and nothing is
//! lost or allowed.

mod actions;
mod acts;
mod agents;
mod approval_state;
mod asked;
mod attention;
mod authzen;
mod binding;
mod bodies;
mod chains;
mod claims;
mod clocks;
mod concurrency;
mod counters;
pub(crate) mod credentials;
mod emergency;
mod files;
mod findings;
mod flood;
mod folding;
mod friction;
mod grants;
mod groups;
mod guardrails;
mod index;
pub(crate) mod leaves;
mod lists;
mod locks;
mod overload;
mod ownership;
mod past;
mod paths;
mod puppets;
mod questions;
mod renewals;
mod replay;
mod requests;
mod reviews;
mod routing;
mod searches;
mod sheets;
mod skew;
mod stops;
mod sums;
mod sweeps;
mod thousand;
mod twisted;
mod undecodable;
mod undo;
mod versions;
mod votes;

use proviso_tests::{Answer, Story};
use serde_json::Value;

/// What an evaluation said: the decision and its reason.
fn verdict(answer: &Answer) -> (bool, String) {
    let body = answer.json();
    let decision = body["decision"].as_bool().unwrap_or_else(|| panic!("no decision: {answer:?}"));
    (decision, body["context"]["reason"].as_str().unwrap_or_default().to_owned())
}

/// The codes of ARAP, each a type of its own; every other code is `about:blank`.
const ACCESS_REQUEST_CODES: [&str; 7] = [
    "not_requestable",
    "expired_denial",
    "invalid_denial_binding",
    "duplicate_request",
    "unknown_task",
    "task_expired",
    "invalid_task_state",
];

/// A refusal: status and code. It must carry a sentence, too, and the type of its code.
fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let kind = match answer.code() {
        code if ACCESS_REQUEST_CODES.contains(&code.as_str()) => {
            format!("urn:openid:authzen:access-request:error:{code}")
        }
        _ => "about:blank".to_owned(),
    };
    assert_eq!(body["type"], kind, "{answer:?}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer:?}");
    assert_eq!(body["status"], answer.status.as_u16(), "{answer:?}");
    (answer.status.as_u16(), answer.code())
}

fn allowed(reason: &str) -> (bool, String) {
    (true, reason.to_owned())
}

fn denied(reason: &str) -> (bool, String) {
    (false, reason.to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// How many records each log holds.
fn sizes(story: &Story) -> Vec<u64> {
    story.gate.app.record().logs.iter().map(|log| log.size).collect()
}

/// An exception as mara's page sees it.
async fn exception(story: &Story, cookie: &str, id: &str) -> Value {
    story.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(cookie)).await.json()
}

/// A granted exception for writing inside `/srv/files/reports`, three uses. Its id and the approver's cookie.
async fn granted(story: &Story) -> (String, String) {
    let call = proviso_tests::write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = story.ask(&call, Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    (id, mara)
}
