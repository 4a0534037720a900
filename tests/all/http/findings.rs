//! What ran held against what was approved: each difference is found, and what lies just beside it is none.

mod acts;
mod evidence;
mod kinds;
mod traces;

use policy_core::digest::Digest;
use policy_core::time::{Span, Timestamp};
use proviso_tests::{AGENTS, Answer, Client, Setup, Story, TestGate, sample_bundle};
use reqwest::Method;
use serde_json::{Value, json};

/// The story at a gate whose bundle says this of reconciling.
async fn story_with(reconcile: &str) -> Story {
    let mut bundle = sample_bundle();
    bundle.entry("bundle.toml".to_owned()).and_modify(|text| *text = with_table(text, reconcile));
    Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await
}

/// A bundle's text with a table of reconciling, before the tables that are lists.
fn with_table(text: &str, reconcile: &str) -> String {
    text.replacen("[types]", &format!("[reconcile]\n{reconcile}\n\n[types]"), 1)
}

/// The gate's time, so many seconds later.
fn later(story: &Story, seconds: i64) -> Timestamp {
    let now = story.gate.app.record().now;
    if seconds < 0 {
        Timestamp::from_millis(now.millis() + seconds * 1_000)
    } else {
        now.plus(Span::from_seconds(seconds.unsigned_abs()))
    }
}

/// What ran: `write_file` of a path by report-writer, as somebody at the tool tells it, begun so many seconds from now.
fn write_ran(story: &Story, name: &str, path: &str, seconds: i64) -> Value {
    json!({
        "evidence_id": name,
        "phase": "executed",
        "subject": {"type": "Agent", "id": format!("{AGENTS}report-writer")},
        "action": "write_file",
        "server": "files",
        "input_digest": Digest::of_json(&json!({"path": path, "content": "hello"})).unwrap(),
        "started_at": later(story, seconds),
    })
}

/// Reports, as whoever holds this token alone.
async fn report(story: &Story, token: &str, body: &Value) -> Answer {
    let request = story.client.request(Method::POST, "/api/v1/executions").bearer_auth(token);
    Client::send(request.json(body)).await
}

/// The same, which is taken.
async fn told(story: &Story, token: &str, body: &Value) {
    let answer = report(story, token, body).await;
    assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
}

/// Compares everything, and answers what is found and not resolved, as a page lists it.
async fn found(story: &Story, cookie: &str) -> Vec<Value> {
    story.gate.app.reconcile().await.unwrap();
    let list = story.client.get("/api/v1/findings?state=unresolved", Some(cookie)).await.json();
    assert_eq!(list["unresolved"], list["findings"].as_array().unwrap().len(), "{list:#}");
    list["findings"].as_array().cloned().unwrap()
}

/// The kinds of these, sorted.
fn kinds(findings: &[Value]) -> Vec<String> {
    let mut kinds: Vec<String> = findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

/// The kinds of what is found and not resolved.
async fn kinds_found(story: &Story, cookie: &str) -> Vec<String> {
    kinds(&found(story, cookie).await)
}

/// One finding as its page shows it.
async fn finding(story: &Story, cookie: &str, id: &str) -> Value {
    story.client.get(&format!("/api/v1/findings/{id}"), Some(cookie)).await.json()
}

fn id_of(finding: &Value) -> String {
    finding["id"].as_str().unwrap().to_owned()
}
