//! The record, for those who check it: by code of other authors, without the gate, and against what was seen of it.

mod by_two;
mod cuts;
mod emptied;
mod erasure;
mod exported;
mod flat;
mod foreign;
mod killed;
mod lines;
mod memory;
mod offline;
mod peak;
mod proposed;
mod raw;
mod receipts;
mod replayed;
mod rotation;
mod snapshots;
mod uses;

use proviso_tests::{Answer, Story, as_person, write_file};
use reqwest::Method;
use serde_json::json;

/// Plays the story from a refused call to a use and a refused one, and signs mara in: her session, and the exception.
async fn played(story: &Story) -> (String, String) {
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = story.ask(&call, Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    for (path, decision) in [("/srv/files/reports/a.md", true), ("/srv/files/elsewhere/a.md", false)] {
        let answer = story.evaluate(&write_file("report-writer", path, "use")).await;
        assert_eq!(answer.json()["decision"], json!(decision), "{answer:?}");
    }
    (mara, id)
}

/// What a signed-in person gets from a log.
async fn get(story: &Story, person: &str, path: &str) -> Answer {
    story.client.get(&format!("/api/v1/logs/{path}"), Some(person)).await
}

/// The same for what is no text.
async fn bytes(story: &Story, person: &str, path: &str) -> Vec<u8> {
    let request = as_person(story.client.request(Method::GET, &format!("/api/v1/logs/{path}")), person);
    let answer = request.send().await.expect("the gate answers");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.bytes().await.expect("a body").to_vec()
}

/// The keys that the gate says its heads are signed by.
async fn keys(story: &Story, person: &str) -> Vec<String> {
    let record = story.client.get("/api/v1/record", Some(person)).await.json();
    serde_json::from_value(record["keys"].clone()).expect("keys")
}
