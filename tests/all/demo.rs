//! The demo, as a person meets it: a queue that lives, people to sign in as, and a folder that stays a demo's.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proviso_tests::{Binary, Client, Parties, signed_in};
use serde_json::{Value, json};

use crate::mcp::npm_server;

struct Demo {
    child: Child,
    client: Client,
}

impl Demo {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(Binary::path());
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(folder).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, client: Client::new(ready["url"].as_str().unwrap()) }
    }

    async fn sign_in(&self, user: &str) -> String {
        let body = json!({"person": {"type": "User", "id": user}});
        let answer = self.client.post("/demo/session", "", &body).await;
        assert_eq!(answer.json()["demo"], json!(true), "{answer:?}");
        signed_in(&answer).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until it holds, or a minute is over.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        while !holds().await {
            tick.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test]
async fn agents_keep_the_queue_alive_over_http_and_mcp() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path(), &[]);
    let people = demo.client.get("/demo/people", None).await.json();
    assert!(people["people"].as_array().unwrap().iter().any(|person| person["person"]["id"] == "mara"), "{people}");
    let kit = demo.sign_in("kit").await;
    eventually("two administrators are here", async || {
        let people = demo.client.get("/api/v1/people", Some(&kit)).await.json();
        people["administrators"].as_array().is_some_and(|here| here.len() == 2)
    })
    .await;
    let cookie = demo.sign_in("mara").await;
    eventually("three agents ask, each once", async || {
        let list = demo.client.get("/api/v1/exceptions?state=requested", Some(&cookie)).await.json();
        let lines = list["exceptions"].as_array().unwrap_or_else(|| panic!("no list: {list}")).clone();
        let mut agents: Vec<_> =
            lines.iter().map(|line| line["subject"]["id"].as_str().unwrap().rsplit('/').next().unwrap()).collect();
        agents.sort_unstable();
        assert!(agents.len() <= 3, "{agents:?}");
        agents == ["close-planner", "ledger-bot", "report-writer"]
    })
    .await;

    // The folder stays a demo's, while it runs and afterwards; its record verifies.
    let data = folder.path().join("data").display().to_string();
    drop(demo);
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let serve = Binary::run(&["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &bundle, "--data", &data]);
    let told: Value = serde_json::from_slice(&serve.stdout).unwrap();
    assert_eq!((serve.status.code(), &told["error"]["code"]), (Some(69), &json!("wrong_data_folder")));
    let verified = Binary::run(&["audit", "verify", "--json", "--data", &data]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

/// Everything in a folder, by its path.
fn content(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path.clone());
            }
            paths.push(path);
        }
    }
    paths.sort();
    paths
}

#[test]
fn a_gates_folder_is_no_demos() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Binary::serve(&data).stop();
    let before = content(folder.path());
    // The gate's folder itself, and the one in which the demo would find it as its own.
    for base in [&data, folder.path()] {
        let base = base.display().to_string();
        let demo = Binary::run(&["demo", "--json", "--listen", "127.0.0.1:0", "--data", &base]);
        let told: Value = serde_json::from_slice(&demo.stdout).unwrap();
        assert_eq!((demo.status.code(), &told["error"]["code"]), (Some(69), &json!("wrong_data_folder")), "{base}");
        assert!(told["error"]["help"].is_string(), "{told}");
        assert_eq!(content(folder.path()), before, "nothing was made in {base}");
    }
}

#[tokio::test]
async fn where_node_is_an_agent_plays_through_the_filesystem_server() {
    let folder = tempfile::tempdir().unwrap();
    let [_, script] = &npm_server("server-filesystem")[..] else { panic!("node and its script") };
    let demo = Demo::start(folder.path(), &["--files-server", script]);
    let mara = demo.sign_in("mara").await;
    let mut id = String::new();
    eventually("report-writer asks", async || {
        let list = demo.client.get("/api/v1/exceptions?state=requested", Some(&mara)).await.json();
        let lines = list["exceptions"].as_array().cloned().unwrap_or_default();
        let ours = lines.iter().find(|line| line["subject"]["id"].as_str().unwrap().ends_with("/report-writer"));
        id = ours.map(|line| line["id"].as_str().unwrap().to_owned()).unwrap_or_default();
        !id.is_empty()
    })
    .await;
    let detail = demo.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let call = &detail["exception"]["request"]["question"]["call"];
    assert!(call["tool"].is_string(), "the definition that a real server listed: {call}");
    let report = folder.path().join("files/reports/week-46.md");
    assert!(!report.exists(), "nothing is written before somebody says yes");
    let parties = Parties { client: demo.client.clone(), point: String::new(), agent: String::new() };
    let vote = parties.vote(&mara, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
    eventually("the server writes the report", async || report.exists()).await;
}
