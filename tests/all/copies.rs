//! Where the record goes besides: copies that are checked alone, and heads that others hold.

mod erased;
mod folders;
mod heads;
mod lost;
mod stores;
mod waits;
mod witnesses;

use std::path::Path;
use std::sync::Arc;

use proviso::copies::Record;
use proviso_tests::{Binary, Setup, Story, TestGate, until, write_file};
use serde_json::{Value, json};

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The file of one copy in a folder.
fn folder_copy(folder: &Path) -> Record {
    Record::parse(&format!("[[copy]]\nname = \"nas\"\nfolder = \"{}\"\n", folder.display())).expect("a file")
}

/// A gate whose record goes there, too.
async fn gate_with(record: Record) -> Story {
    Story::on(TestGate::with(Setup { record, ..Setup::default() }).await).await
}

/// The same gate on this folder.
async fn opened(story: &Story, data: &Path, record: Record) -> Story {
    let setup = Setup { clock: Arc::clone(&story.gate.clock), record, ..Setup::default() };
    let gate = TestGate::open(setup, data).await.expect("the gate opens");
    let parties =
        proviso_tests::Parties { client: gate.client.clone(), point: story.point.clone(), agent: story.agent.clone() };
    Story::of(gate, parties)
}

/// So many decisions.
async fn decide(story: &Story, count: usize, name: &str) {
    for number in 0..count {
        let call = write_file("report-writer", "/srv/files/drafts/a.md", &format!("{name}-{number}"));
        assert_eq!(story.evaluate(&call).await.json()["decision"], json!(true));
    }
}

/// What is told of a receiver.
async fn line(story: &Story, name: &str) -> Value {
    let answer = story.client.request(reqwest::Method::GET, "/api/v1/record").bearer_auth(&story.point);
    let record = proviso_tests::Client::send(answer).await.json();
    let found = record["copies"].as_array().and_then(|lines| lines.iter().find(|line| line["name"] == name));
    found.cloned().unwrap_or_default()
}

/// Waits until a receiver holds all.
async fn holds_all(story: &Story, name: &str) {
    until("the receiver holds all", async || {
        let line = line(story, name).await;
        let whole = line["records"].as_u64().unwrap_or(0) == 0 && line["seconds"] == json!(0);
        (line["state"] == "fine" && whole).then_some(())
    })
    .await;
}

/// What `audit verify` says of a copy: the exit, and how many records of each log, or the fault's code.
fn checked(copy: &Path) -> (Option<i32>, Value) {
    let done = Binary::run(&["audit", "verify", "--json", "--export", &text(copy)]);
    let said: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    let told = if done.status.success() {
        said["logs"].as_array().map(|logs| logs.iter().map(|log| log["records"].clone()).collect()).unwrap_or_default()
    } else {
        said["error"]["fault"]["code"].clone()
    };
    (done.status.code(), told)
}

/// How many records each log has.
fn sizes(story: &Story) -> Value {
    story.gate.app.record().logs.iter().map(|log| json!(log.size)).collect()
}

/// What stands in `/metrics` of a receiver.
async fn metric(story: &Story, name: &str, of: &str) -> Option<u64> {
    let text = story.client.get("/metrics", None).await.text;
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{name=\"{of}\"")))?;
    line.rsplit(' ').next()?.parse().ok()
}
