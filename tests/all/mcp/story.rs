//! The main job through MCP, with the filesystem server of another author: what a browser adds is voted over HTTP here.

use std::path::{Path, PathBuf};

use proviso_tests::{Setup, Story, TestGate, sample_bundle};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::proxy::{Place, Proxy, npm_server, sentence};
use crate::http::leaves::leaves;

/// A gate, a folder that is served, and the story's credentials.
pub(super) struct World {
    pub(super) story: Story,
    _folder: TempDir,
    pub(super) files: PathBuf,
}

impl World {
    pub(super) async fn begin() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = folder.path().canonicalize().expect("its real path").join("files");
        std::fs::create_dir_all(files.join("reports/q4")).expect("folders");
        std::fs::write(files.join("notes.txt"), "Q4 closes on Friday.\n").expect("a file");
        let mut bundle = sample_bundle();
        for text in bundle.values_mut() {
            *text = text.replace("/srv/files", files.to_str().expect("Unicode"));
        }
        let gate = TestGate::with(Setup { bundle, ..Setup::default() }).await;
        Self { story: Story::on(gate).await, _folder: folder, files }
    }

    pub(super) async fn proxy(&self, agent: &str) -> Proxy {
        let place = Place { gate: &self.story.gate.client.url, server: "files", point: &self.story.point, agent };
        Proxy::greeted(place, &self.server()).await
    }

    /// The filesystem server's start, for the whole folder.
    pub(super) fn server(&self) -> Vec<String> {
        let mut server = npm_server("server-filesystem");
        server.push(self.files.to_str().expect("Unicode").to_owned());
        server
    }

    pub(super) fn write(&self, path: &str) -> Value {
        json!({"path": self.files.join(path), "content": "All accounts balance.\n"})
    }
}

fn offered(result: &Value) -> bool {
    result["_meta"]["proviso.dev/context"]["access_request"].is_object()
}

/// The policies that the newest evaluation's leaf names.
fn newest_policies(gate: &TestGate) -> Vec<String> {
    let leaves = leaves(gate).into_iter().map(|(_, leaf)| leaf);
    leaves.filter(|leaf| leaf.kind == "evaluation").max_by_key(|leaf| leaf.seq).unwrap().policies
}

fn exists(folder: &Path, path: &str) -> bool {
    folder.join(path).exists()
}

#[tokio::test]
async fn a_gated_agent_asks_a_human_approves_and_the_call_goes_through() {
    proviso_tests::clauses!("authzen-5.5-b", "arap-1", "arap-5");
    let world = World::begin().await;
    let mut proxy = world.proxy(&world.story.agent).await;

    // 1. Reading is delegated scope.
    let read = proxy.call("read_text_file", &json!({"path": world.files.join("notes.txt")})).await;
    assert!(sentence(&read).contains("Q4 closes") && read["isError"] != json!(true), "{read}");
    assert_eq!(newest_policies(&world.story.gate), ["files-may-be-read"], "the record says by which policy");

    // 2. Writing is outside, and told so that a model can act on it.
    let report = world.write("reports/q4/summary.md");
    let refused = proxy.call("write_file", &report).await;
    assert_eq!(refused["isError"], json!(true), "{refused}");
    assert!(offered(&refused) && sentence(&refused).contains("proviso_request"), "{refused}");
    assert!(!exists(&world.files, "reports/q4/summary.md"));

    // 3. Moving is forbidden, and cannot be requested.
    let move_notes = json!({"source": world.files.join("notes.txt"), "destination": world.files.join("reports/n.txt")});
    let moved = proxy.call("move_file", &move_notes).await;
    assert!(moved["isError"] == json!(true) && !offered(&moved), "{moved}");
    let ask = json!({"tool": "move_file", "arguments": move_notes, "justification": "tidy"});
    assert_eq!(proxy.call("proviso_request", &ask).await["isError"], json!(true));
    assert!(exists(&world.files, "notes.txt"));

    // 4. The model asks over the same connection.
    let check = proxy.call("proviso_check", &json!({"tool": "write_file", "arguments": report})).await;
    assert_eq!(check["structuredContent"]["needs_approval"], json!(true), "{check}");
    let ask = json!({
        "tool": "write_file", "arguments": report, "justification": "The summary is due.", "duration": "30m", "uses": 3,
        "conditions": [{"at": ["path"], "op": "inside", "path": world.files.join("reports")}]
    });
    let asked = proxy.call("proviso_request", &ask).await;
    let id = asked["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let wait = json!({"request": id, "seconds": 0});
    assert_eq!(proxy.call("proviso_wait", &wait).await["structuredContent"]["status"], json!("pending"));

    // 5. The approver narrows the path and the time, and approves.
    let person = world.story.gate.person("mara").await;
    let mut narrowed = world.story.ballot(&person, &id, "approve", None).await["grant"].clone();
    narrowed["arguments"] = json!([{"at": ["path"], "op": "inside", "path": world.files.join("reports/q4")}]);
    let vote = world.story.vote(&person, &id, "approve", Some(narrowed)).await;
    assert!(vote.status.is_success(), "{vote:?}");
    let decided = proxy.call("proviso_wait", &json!({"request": id})).await;
    assert_eq!(decided["structuredContent"]["status"], json!("approved"), "{decided}");

    // 6. The same call goes through; what lies beside it does not.
    let written = proxy.call("write_file", &report).await;
    assert!(written["isError"] != json!(true), "{written}");
    assert!(exists(&world.files, "reports/q4/summary.md"));
    let second = proxy.call("write_file", &world.write("reports/second.md")).await;
    assert_eq!(second["isError"], json!(true), "outside the approved path");
    for path in ["reports/q4/../second.md", "reports/q4//../../second.md", "reports//q4/x.md"] {
        let tricky = json!({"path": format!("{}/{path}", world.files.display()), "content": "x"});
        assert_eq!(proxy.call("write_file", &tricky).await["isError"], json!(true), "{path}");
    }
    assert!(!exists(&world.files, "reports/second.md"));
    let other_task = world.story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let mut other = world.proxy(&other_task).await;
    assert_eq!(other.call("write_file", &report).await["isError"], json!(true), "another task");

    world.story.gate.clock.advance(3_600);
    let late = proxy.call("write_file", &report).await;
    assert_eq!(late["isError"], json!(true), "after the window, with nobody doing anything");
    assert_eq!(proxy.end().await, Some(0));
}

#[tokio::test]
async fn a_refusers_reason_reaches_the_model_as_data_only() {
    let world = World::begin().await;
    let mut proxy = world.proxy(&world.story.agent).await;
    let ask = json!({"tool": "write_file", "arguments": world.write("reports/a.md"), "justification": "due"});
    let asked = proxy.call("proviso_request", &ask).await;
    let id = asked["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let person = world.story.gate.person("mara").await;
    let vote = world.story.vote(&person, &id, "refuse", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
    let decided = proxy.call("proviso_wait", &json!({"request": id})).await;
    assert_eq!(decided["structuredContent"]["status"], json!("denied"), "{decided}");
    assert_eq!(decided["structuredContent"]["reason"], json!("looked at it"));
    assert!(!sentence(&decided).contains("looked at it"));
    assert_eq!(proxy.end().await, Some(0));
}

#[tokio::test]
async fn a_credential_for_another_server_opens_nothing() {
    let world = World::begin().await;
    let other = world.story.gate.point("other-proxy", &["ledger"]).await;
    let place = Place { gate: &world.story.gate.client.url, server: "files", point: &other, agent: &world.story.agent };
    let mut proxy = Proxy::greeted(place, &world.server()).await;
    let read = proxy.call("read_text_file", &json!({"path": world.files.join("notes.txt")})).await;
    assert_eq!(read["_meta"]["proviso.dev/context"]["reason"], json!("not_for_this_server"), "{read}");
    assert_eq!(proxy.end().await, Some(0));
}
