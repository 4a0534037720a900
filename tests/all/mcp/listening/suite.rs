//! The suite of the protocol's authors, run against an endpoint, and who goes before a proxy that wants a token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::super::proxy::{node_modules, script};
use super::proxy::client;

/// A check of a scenario: which, how it ended, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// The requirement's name.
    pub id: String,
    /// What of it.
    pub name: String,
    /// How it ended.
    pub end: String,
    /// Why it did not end well.
    pub why: String,
}

/// Each scenario's checks.
pub type Results = BTreeMap<String, Vec<Check>>;

/// What is run of the suite.
pub enum Scenarios<'a> {
    /// Every one that a revision's requirements name, the unscored ones among them.
    All(&'a str),
    /// One, of a revision.
    One(&'a str, &'a str),
}

/// Runs scenarios against an endpoint.
pub async fn run(url: &str, scenarios: &Scenarios<'_>, folder: &Path) -> Results {
    let suite = node_modules().join("@modelcontextprotocol/conformance/dist/index.js");
    let mut command = Command::new("node");
    command.arg("--import").arg(script("node20.mjs")).arg(suite);
    command.args(["server", "--url", url, "--timeout", "60000", "-o"]).arg(folder);
    match scenarios {
        Scenarios::All(requirements) => command.args(["--requirements", requirements]),
        Scenarios::One(name, version) => command.args(["--scenario", name, "--spec-version", version, "--force"]),
    };
    // How many failed is in the checks; that it ran at all is in their number.
    let done = command.output().await.expect("the suite starts");
    let found = results(folder);
    assert!(!found.is_empty(), "{}", String::from_utf8_lossy(&[done.stdout, done.stderr].concat()));
    found
}

fn results(folder: &Path) -> Results {
    let mut results = Results::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return results };
    let folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    for path in folders {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // `server-SCENARIO-2026-11-29T17-47-24-188Z`
        let name = name.strip_prefix("server-").unwrap_or(name);
        let scenario = name.get(..name.len().saturating_sub(25)).unwrap_or(name).to_owned();
        let Ok(text) = std::fs::read_to_string(path.join("checks.json")) else { continue };
        let checks: Vec<Value> = serde_json::from_str(&text).expect("a list of checks");
        let of = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let checks = checks.iter().map(|check| Check {
            id: of(check, "id"),
            name: of(check, "name"),
            end: of(check, "status"),
            why: of(check, "errorMessage"),
        });
        results.entry(scenario).or_default().extend(checks);
    }
    for checks in results.values_mut() {
        checks.sort();
    }
    results
}

/// What is required of a revision, and what is run besides, as the suite has it frozen.
pub fn required(requirements: &str) -> (Vec<String>, Vec<String>) {
    let path = format!("@modelcontextprotocol/conformance/requirements/{requirements}.yaml");
    let text = std::fs::read_to_string(node_modules().join(path)).expect("the requirements");
    let (_, server) = text.split_once("\nserver:\n").expect("those of servers");
    let required = server.lines().map_while(|line| line.strip_prefix("  - ")).map(str::to_owned).collect();
    let (_, besides) = text.split_once("\nnot_scored:\n").expect("what is not scored");
    let entries = besides.split("  - scenario: ").filter(|entry| entry.contains("leg: server"));
    (required, entries.filter_map(|entry| Some(entry.lines().next()?.to_owned())).collect())
}

/// Where clients come that have no token of their own: everything goes on as it came, and this token with it.
pub struct Bearer {
    listener: TcpListener,
    /// What clients know as the endpoint.
    pub url: String,
}

#[derive(Clone)]
struct Ahead {
    proxy: String,
    token: String,
    http: reqwest::Client,
}

impl Bearer {
    /// An address at which nobody is served yet.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        Self { listener, url }
    }

    /// Serves it with what is at this address, by this token.
    pub fn lead_to(self, proxy: String, token: String) {
        let router = Router::new().fallback(pass).with_state(Ahead { proxy, token, http: client() });
        drop(tokio::spawn(async move { axum::serve(self.listener, router).await }));
    }
}

async fn pass(State(ahead): State<Ahead>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let mut headers = parts.headers;
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
        headers.remove(name);
    }
    let request = ahead.http.request(parts.method, &ahead.proxy).headers(headers).bearer_auth(&ahead.token).body(body);
    let answer = request.send().await.expect("the proxy answers");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    response
}
