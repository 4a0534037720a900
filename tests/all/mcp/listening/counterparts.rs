//! Clients and a server of other authors, unmodified, over HTTP: what they hear through the proxy is what the server says.

use std::process::Stdio;

use proviso_tests::{Setup, TestGate, until};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::super::proxy::{node_modules, npm_server, python, script};
use super::proxy::{Listening, NOW, allow_all, client};
use super::rmcp_server;
use super::upstream::Upstream;

/// server-everything over Streamable HTTP.
async fn everything() -> (Child, String) {
    // It takes a port and tells none: one that was free a moment ago.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let server = npm_server("server-everything");
    let mut command = Command::new(&server[0]);
    command.args(&server[1..]).arg("streamableHttp").env("PORT", port.to_string());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("it starts");
    let url = format!("http://127.0.0.1:{port}/mcp");
    until("it listens", async || client().get(&url).send().await.ok()).await;
    (child, url)
}

async fn talk(program: &[String], url: &str, token: &str) -> Value {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).arg(url).env("TOKEN", token).env("PROVISO_NODE_MODULES", node_modules());
    let done = command.output().await.expect("the client starts");
    assert!(done.status.success(), "{program:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("what it heard, as JSON")
}

/// What each client of this conversation hears of the server alone, after it was seen to hear the same through the proxy.
async fn hears_the_same(url: &str, conversation: &str) -> Vec<Value> {
    let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
    let at = gate.client.url.clone();
    let proxy = Listening::before(gate, &at, "upstream", (Upstream::start().await, url), &[]).await;
    let python = python().to_str().expect("a path in Unicode").to_owned();
    let mut heard = Vec::new();
    for program in [
        vec!["node".to_owned(), script(&format!("{conversation}.mjs"))],
        vec![python, script(&format!("{conversation}.py"))],
    ] {
        let alone = talk(&program, url, "").await;
        let mut through = talk(&program, &proxy.resource, &proxy.agent).await;
        let tools = through["tools"].as_array_mut().expect("tools");
        let ours = |tool: &Value| tool.as_str().is_some_and(|name| name.starts_with("proviso_"));
        assert_eq!(tools.iter().filter(|tool| ours(tool)).count(), 4, "{program:?}");
        tools.retain(|tool| !ours(tool));
        assert_eq!(alone, through, "{program:?}");
        assert!(alone["said"].as_array().is_some_and(|said| said.len() >= 4), "{alone}");
        heard.push(alone);
    }
    heard
}

#[tokio::test]
async fn clients_of_other_authors_hear_through_the_proxy_what_the_server_says() {
    let (_server, url) = everything().await;
    hears_the_same(&url, "http_conversation").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_the_later_era_hear_through_the_proxy_what_the_server_says() {
    let url = rmcp_server::start().await;
    for heard in hears_the_same(&url, "later_conversation").await {
        assert_eq!(heard["version"], json!(NOW), "it is the later era that they speak: {heard}");
        assert!(
            heard["asked"].as_array().is_some_and(|asked| asked.len() >= 3),
            "and answer what they are asked: {heard}"
        );
        assert_eq!(heard["progress"].as_array().map(Vec::len), Some(3), "{heard}");
        assert!(heard["changed"].is_string(), "and hear of a change: {heard}");
    }
}
