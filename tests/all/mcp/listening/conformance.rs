//! The suite of the protocol's authors, against a server on rmcp alone and through the proxy: every check comes to the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use proviso_tests::{Setup, TestGate};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::super::proxy::{node_modules, script};
use super::proxy::{Listening, allow_all, client};
use super::upstream::Upstream;

/// The fixture's server, which lies where the tests' other programs do.
async fn fixture() -> (Child, String) {
    let program = std::env::current_exe().expect("this test");
    let folder = program.parent().and_then(Path::parent).expect("where programs lie");
    let mut child = Command::new(folder.join("mcp_fixture"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the fixture starts: `cargo build --bins` makes it");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let url = lines.next_line().await.expect("read").expect("its URL");
    (child, url)
}

/// Who stands before the proxy with a token, since the suite has none: everything else passes as it came.
#[derive(Clone)]
struct Bearer {
    proxy: String,
    token: String,
    own: String,
    http: reqwest::Client,
}

impl Bearer {
    async fn start(proxy: &Listening) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("an address").to_string();
        let url = format!("http://{own}/mcp");
        let bearer = Self { proxy: proxy.resource.clone(), token: proxy.agent.clone(), own, http: client() };
        let router = Router::new().fallback(pass).with_state(bearer);
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        url
    }
}

async fn pass(State(bearer): State<Bearer>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let mut headers = parts.headers;
    let there = bearer.proxy.trim_start_matches("http://").trim_end_matches("/mcp");
    let port = bearer.own.rsplit(':').next().unwrap_or_default();
    let named = |text: &str| {
        let ours = text.ends_with(&format!(":{port}")) && !text.contains("evil");
        ours.then(|| if text.contains("//") { format!("http://{there}") } else { there.to_owned() })
    };
    for name in [header::HOST, header::ORIGIN] {
        let other = headers.get(&name).and_then(|value| value.to_str().ok()).and_then(named);
        if let Some(other) = other {
            headers.insert(name, HeaderValue::from_str(&other).expect("a value"));
        }
    }
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONNECTION);
    let request =
        bearer.http.request(parts.method, &bearer.proxy).headers(headers).bearer_auth(&bearer.token).body(body);
    let answer = request.send().await.expect("the proxy answers");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if *name != header::TRANSFER_ENCODING && *name != header::CONTENT_LENGTH && *name != header::CONNECTION {
            response.headers_mut().append(name, value.clone());
        }
    }
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    response
}

/// Each scenario's checks, and how each ended.
type Results = BTreeMap<String, Vec<(String, String, String)>>;

async fn run(url: &str, requirements: &str, folder: &Path) -> Results {
    let suite = node_modules().join("@modelcontextprotocol/conformance/dist/index.js");
    let mut command = Command::new("node");
    command.arg("--import").arg(script("node20.mjs")).arg(suite);
    command.args(["server", "--url", url, "--requirements", requirements, "--timeout", "20000", "-o"]).arg(folder);
    // How many failed is in the checks; that it ran at all is in their number.
    let done = command.output().await.expect("the suite starts");
    let found = results(folder);
    assert!(!found.is_empty(), "{}", String::from_utf8_lossy(&[done.stdout, done.stderr].concat()));
    found
}

fn results(folder: &Path) -> Results {
    let mut results = Results::new();
    let folders: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("results").filter_map(|entry| Some(entry.ok()?.path())).collect();
    for path in folders {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // `server-SCENARIO-2026-11-29T17-47-24-188Z`
        let name = name.trim_start_matches("server-");
        let scenario = name.get(..name.len().saturating_sub(25)).unwrap_or(name).to_owned();
        let Ok(text) = std::fs::read_to_string(path.join("checks.json")) else { continue };
        let checks: Vec<Value> = serde_json::from_str(&text).expect("a list of checks");
        let of = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let checks = checks.iter().map(|check| (of(check, "id"), of(check, "status"), of(check, "errorMessage")));
        results.entry(scenario).or_default().extend(checks);
    }
    for checks in results.values_mut() {
        checks.sort();
    }
    results
}

/// What is required of a revision, as the suite has it frozen.
fn required(requirements: &str) -> Vec<String> {
    let path = format!("@modelcontextprotocol/conformance/requirements/{requirements}.yaml");
    let text = std::fs::read_to_string(node_modules().join(path)).expect("the requirements");
    let server = text.split("\nserver:\n").nth(1).expect("those of servers");
    server.lines().map_while(|line| line.strip_prefix("  - ")).map(str::to_owned).collect()
}

async fn is_the_same(requirements: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (_fixture, url) = fixture().await;
    let alone = run(&url, requirements, &folder.path().join("alone")).await;
    let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
    let at = gate.client.url.clone();
    let proxy = Listening::before(gate, &at, "upstream", (Upstream::start().await, &url), &[]).await;
    let through = run(&Bearer::start(&proxy).await, requirements, &folder.path().join("through")).await;
    let ends = |results: &Results| -> BTreeMap<String, Vec<(String, String)>> {
        let all = results.iter();
        all.map(|(name, checks)| (name.clone(), checks.iter().map(|(id, end, _)| (id.clone(), end.clone())).collect()))
            .collect()
    };
    let differs: Vec<String> = alone
        .keys()
        .chain(through.keys())
        .filter(|name| ends(&alone).get(*name) != ends(&through).get(*name))
        .map(|name| format!("{name}\n  alone   {:?}\n  through {:?}", alone.get(name), through.get(name)))
        .collect();
    assert!(differs.is_empty(), "{requirements}: {}", differs.join("\n"));
    // And it is a server that passes what is required, or equal would say little.
    let scenarios = required(requirements);
    assert!(scenarios.len() > 25, "{scenarios:?}");
    let failed = |name: &String| {
        let checks = through.get(name).map(Vec::as_slice).unwrap_or_default();
        let bad: Vec<_> = checks.iter().filter(|(_, end, _)| end == "FAILURE").collect();
        (checks.is_empty() || !bad.is_empty()).then(|| format!("{name}: {bad:?}"))
    };
    let failed: Vec<String> = scenarios.iter().filter_map(failed).collect();
    assert!(failed.is_empty(), "{requirements}: {}", failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_of_2025_11_25_comes_to_the_same_through_the_proxy() {
    is_the_same("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_of_2026_07_28_comes_to_the_same_through_the_proxy() {
    is_the_same("2026-07-28").await;
}
