//! A record that was restored: nothing of before is honoured until people say that it stands, and nobody gets in with what
//! was minted before.

mod backups;
mod confirmed;
mod noticed;
mod told;

use std::path::Path;
use std::sync::Arc;

use proviso::store::SeenHead;
use proviso_tests::{Answer, Binary, Setup, Story, TestGate, write_file};
use serde_json::{Value, json};

const FILE: &str = "/srv/files/reports/a.md";
const FOLDER: &str = "/srv/files/reports";

/// Runs the binary: how it exited, and what it said.
fn run(arguments: &[&str]) -> (Option<i32>, Value) {
    let done = Binary::run(&[arguments, &["--json"]].concat());
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or_default())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A backup of a data folder, which a gate may hold.
pub(crate) fn back_up(data: &Path, to: &Path) {
    let (exit, said) = run(&["backup", "--data", &text(data), "--to", &text(to)]);
    assert_eq!(exit, Some(0), "{said}");
}

/// A data folder that is made of a backup.
pub(crate) fn restored(from: &Path, data: &Path, heads: &[&Path]) {
    let heads: Vec<String> = heads.iter().flat_map(|head| ["--head".to_owned(), text(head)]).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let (from, data) = (text(from), text(data));
    let with = ["restore", "--from", &from, "--data", &data, "--reason", "the disk broke"];
    let (exit, said) = run(&[&with[..], &heads].concat());
    assert_eq!(exit, Some(0), "{said}");
}

/// The same gate on another folder, where others hold these heads: with its parties' old credentials.
async fn opened(story: &Story, data: &Path, seen: Vec<SeenHead>) -> Story {
    let setup = Setup { clock: Arc::clone(&story.gate.clock), seen, ..Setup::default() };
    let gate = TestGate::open(setup, data).await.expect("the gate opens on what was restored");
    let parties =
        proviso_tests::Parties { client: gate.client.clone(), point: story.point.clone(), agent: story.agent.clone() };
    Story::of(gate, parties)
}

/// The same gate with credentials that were minted anew.
async fn minted(story: Story) -> Story {
    Story::on(story.gate).await
}

/// A grant for three writes in a folder. Its id and mara's session.
async fn granted(story: &Story) -> (String, String) {
    let id = story.ask(&write_file("report-writer", FILE, "ask"), Some(FOLDER)).await;
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    (id, mara)
}

async fn exception(story: &Story, person: &str, id: &str) -> Value {
    story.client.get(&format!("/api/v1/exceptions/{id}"), Some(person)).await.json()
}

async fn confirm(story: &Story, person: &str, id: &str, reason: &str) -> Answer {
    story.client.post(&format!("/api/v1/exceptions/{id}/confirm"), person, &json!({"reason": reason})).await
}

/// Whether a write is allowed, and what the gate says of the grant that covers it.
async fn written(story: &Story, call: &str) -> (bool, String) {
    let answer = story.evaluate(&write_file("report-writer", FILE, call)).await.json();
    let state = answer["context"]["proviso.dev/grant"]["state"].as_str().unwrap_or_default().to_owned();
    (answer["decision"].as_bool().expect("a decision"), state)
}
