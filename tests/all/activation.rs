//! Another bundle becomes the active one: who must agree to it, what they see before, and what never passes.

mod abuse;
mod atomic;
mod command_line;
mod flow;
mod module;
mod start;

use std::collections::BTreeMap;

use proviso_tests::{Answer, Setup, Story, TestGate, write_file};
use serde_json::{Value, json};

use crate::console;

/// What report-writer may not do, and may under [`wider`].
fn write(call: &str) -> Value {
    write_file("report-writer", "/srv/files/reports/q3.md", call)
}

/// The presets with three administrators: kit, jun and ola.
pub(crate) fn files() -> BTreeMap<String, String> {
    with_entities(console::bundle(console::presets()), |entities| {
        parents(entities, "ola").push(json!({"type": "Group", "id": "administrators"}));
    })
}

fn with_entities(
    mut files: BTreeMap<String, String>,
    change: impl FnOnce(&mut Vec<Value>),
) -> BTreeMap<String, String> {
    let mut entities: Vec<Value> = serde_json::from_str(&files["entities.json"]).unwrap();
    change(&mut entities);
    files.insert("entities.json".to_owned(), serde_json::to_string_pretty(&entities).unwrap());
    files
}

fn person<'a>(entities: &'a mut [Value], id: &str) -> &'a mut Value {
    entities.iter_mut().find(|entity| entity["uid"] == json!({"type": "User", "id": id})).unwrap()
}

fn parents<'a>(entities: &'a mut [Value], id: &str) -> &'a mut Vec<Value> {
    person(entities, id)["parents"].as_array_mut().unwrap()
}

/// One more permit: what could only be asked for is permitted.
pub(crate) fn wider() -> BTreeMap<String, String> {
    let mut files = files();
    let permit = "@id(\"writing-is-free\") permit (principal is Agent, action == Action::\"write_file\", resource);\n";
    files.insert("scope/writing.cedar".to_owned(), permit.to_owned());
    files
}

/// One more forbid: what could be asked for cannot be any more.
pub(crate) fn narrower() -> BTreeMap<String, String> {
    let mut files = files();
    let forbid = "@id(\"nobody-writes\") forbid (principal is Agent, action == Action::\"write_file\", resource);\n";
    files.insert("guardrails/writing.cedar".to_owned(), forbid.to_owned());
    files
}

/// A gate with these administrators, at which something was asked.
async fn story() -> Story {
    let gate = TestGate::with(Setup { bundle: files(), ..Setup::default() }).await;
    let story = Story::on(gate).await;
    assert_eq!(story.evaluate(&write("before")).await.json()["decision"], false);
    story
}

/// Proposes, as this person.
async fn propose(story: &Story, person: &str, files: &BTreeMap<String, String>) -> Answer {
    let person = story.gate.person(person).await;
    story.client.post("/api/v1/bundles", &person, &json!({"files": files, "reason": "the report is due"})).await
}

/// The bundle's digest and its list's, of what was proposed.
fn of(proposed: &Answer) -> (String, String) {
    let proposal = &proposed.json()["proposal"];
    let text = |name: &str| proposal[name].as_str().unwrap_or_else(|| panic!("{proposed:?}")).to_owned();
    (text("bundle"), text("list"))
}

/// Votes on a list, as this person signed in anew.
async fn vote(story: &Story, person: &str, act: &str, (bundle, list): &(String, String)) -> Answer {
    let person = story.gate.person(person).await;
    let body = json!({"list": list, "reason": "I have looked at it"});
    story.client.post(&format!("/api/v1/bundles/{bundle}/{act}"), &person, &body).await
}

async fn activate(story: &Story, person: &str, what: &(String, String)) -> Answer {
    vote(story, person, "activate", what).await
}

/// What became of a vote: the state that the proposal is in, or the code of the refusal.
fn became(answer: &Answer) -> String {
    match answer.json()["state"].as_str() {
        Some(state) if answer.status.is_success() => state.to_owned(),
        _ => format!("{} {}", answer.status.as_u16(), answer.code()),
    }
}

/// What is active, was, and is proposed.
async fn bundles(story: &Story) -> Value {
    let zoe = story.gate.person("zoe").await;
    story.client.get("/api/v1/bundles", Some(&zoe)).await.json()
}
