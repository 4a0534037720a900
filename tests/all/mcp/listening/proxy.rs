//! The proxy as a process before an upstream, and a client of it in raw HTTP.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::body::Bytes;
use futures::{Stream, StreamExt as _};
use proviso::store::bundle_folder;
use proviso_tests::{Setup, TestGate};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::super::proxy::binary;
use super::upstream::{SECRET, Upstream};

/// The later era's version.
pub const NOW: &str = "2026-07-28";

/// A bundle in which every call of every tool is delegated scope.
pub fn allow_all() -> BTreeMap<String, String> {
    bundle_folder::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp/allow-all")).expect("the bundle can be read")
}

/// A resource of this test's own: loopback has addresses enough, and credentials are minted before anybody listens.
pub fn resource() -> (String, String) {
    static LAST: AtomicU16 = AtomicU16::new(0);
    let number = LAST.fetch_add(1, Ordering::AcqRel);
    let process = std::process::id();
    let [_, _, high, low] = process.to_be_bytes();
    let host = Ipv4Addr::new(127, 64 | (high & 63), low, u8::try_from(number % 250 + 1).expect("small"));
    (format!("{host}:8740"), format!("http://{host}:8740/mcp"))
}

/// A proxy that runs.
pub struct Listening {
    pub gate: TestGate,
    pub upstream: Upstream,
    pub resource: String,
    pub agent: String,
    child: Child,
    /// What it says at its end has somewhere to go.
    _lines: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
    pub http: reqwest::Client,
}

impl Listening {
    /// Before the fixture, with everything in scope.
    pub async fn start() -> Self {
        Self::with(Setup { bundle: allow_all(), ..Setup::default() }, "upstream", &[]).await
    }

    /// At a gate as the setup says, before a server of this name, with more options.
    pub async fn with(setup: Setup, server: &str, options: &[&str]) -> Self {
        let gate = TestGate::with(setup).await;
        let url = gate.client.url.clone();
        Self::at(gate, &url, server, options).await
    }

    /// The same, where the gate is reached at this address.
    pub async fn at(gate: TestGate, url: &str, server: &str, options: &[&str]) -> Self {
        let upstream = Upstream::start().await;
        let address = upstream.url.clone();
        Self::before(gate, url, server, (upstream, &address), options).await
    }

    /// The same before another upstream than the fixture.
    pub async fn before(gate: TestGate, url: &str, server: &str, at: (Upstream, &str), options: &[&str]) -> Self {
        Self::known_as(gate, (url, server), at, resource(), options).await
    }

    /// The same, listening at an address and known to clients by another.
    pub async fn known_as(
        gate: TestGate,
        (url, server): (&str, &str),
        (upstream, address): (Upstream, &str),
        (listen, resource): (String, String),
        options: &[&str],
    ) -> Self {
        let point = gate.point_at(&resource, "edge", &[server]).await;
        let agent = gate.agent_at(&resource, "report-writer", "weekly-report", Some("ines")).await;
        let folder = tempfile::tempdir().expect("a folder");
        let credential = folder.path().join("credential");
        secret(&credential, SECRET);
        let mut command = Command::new(binary());
        command.args(["mcp", "--json", "--gate", url, "--server", server, "--listen", &listen]);
        command.args(["--upstream", address, "--resource", &resource, "--upstream-credential"]).arg(&credential);
        command.args(options).env("PROVISO_TOKEN", &point).env("RUST_LOG", "warn,proviso=info");
        command.env_remove("XDG_STATE_HOME").env_remove("HOME").kill_on_drop(true);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the proxy starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("read").expect("it says that it is ready");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&ready["ready"], &ready["resource"]), (&json!(true), &json!(resource)), "{ready}");
        Self { gate, upstream, resource, agent, child, _lines: lines, _folder: folder, http: client() }
    }

    /// A request of its endpoint by this token.
    pub fn request(&self, method: Method, token: &str) -> RequestBuilder {
        let request = self.http.request(method, &self.resource);
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    /// A message of the earlier era.
    pub fn message(&self, token: &str, session: Option<&str>, body: &Value) -> RequestBuilder {
        let request =
            self.request(Method::POST, token).header("accept", "application/json, text/event-stream").json(body);
        match session {
            Some(session) => request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25"),
            None => request,
        }
    }

    /// A session of the earlier era: its name.
    pub async fn session(&self, token: &str) -> String {
        self.session_of(token, "2025-11-25").await
    }

    /// The same, where this version is agreed upon.
    pub async fn session_of(&self, token: &str, version: &str) -> String {
        let mut begins = initialize();
        begins["params"]["protocolVersion"] = json!(version);
        let answer = self.message(token, None, &begins).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let session = answer.headers()["mcp-session-id"].to_str().expect("a name").to_owned();
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!(told["result"]["protocolVersion"], json!(version), "{told}");
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let done =
            self.request(Method::POST, token).header("accept", "application/json, text/event-stream").json(&done);
        let answer = done.header("mcp-session-id", &session).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
        session
    }

    /// What a session says by itself, or what came behind an event of one of its streams.
    pub async fn follow(&self, token: &str, session: &str, after: Option<&str>) -> Response {
        let request = self.request(Method::GET, token).header("accept", "text/event-stream");
        let request = request.header("mcp-session-id", session);
        let request = after.iter().fold(request, |request, after| request.header("last-event-id", *after));
        request.send().await.expect("an answer")
    }

    /// A request of the later era, with the headers that go with it.
    pub fn stateless(&self, token: &str, method: &str, params: &Value) -> RequestBuilder {
        self.stateless_as(token, &json!(1), method, params)
    }

    /// The same under this id.
    pub fn stateless_as(&self, token: &str, id: &Value, method: &str, params: &Value) -> RequestBuilder {
        let body = stateless_body(id, method, params);
        let request = self.message(token, None, &body).header("mcp-protocol-version", NOW).header("mcp-method", method);
        match params["name"].as_str() {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    /// A call of the later era: its result, or its error.
    pub async fn call(&self, token: &str, tool: &str, arguments: &Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let answer = self.stateless(token, "tools/call", &params).send().await.expect("an answer");
        answer_of(answer).await
    }

    /// The proxy's process.
    pub fn process(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Ends the proxy as an operator does. Its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        let process = rustix::process::Pid::from_raw(i32::try_from(self.child.id()?).ok()?)?;
        rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("a process of ours");
        self.child.wait().await.expect("it ends").code()
    }
}

/// A client that follows nothing.
pub fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    client.expect("a client")
}

/// Writes what nobody else may read.
pub fn secret(path: &Path, text: &str) {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.expect("a file").write_all(text.as_bytes()).expect("written");
}

/// The first message of the earlier era.
pub fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}, "clientInfo": {"name": "test", "version": "1"}
    }})
}

/// A message of the later era.
pub fn stateless_body(id: &Value, method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NOW, "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}
    });
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// Every message of an answer, whichever form it has.
pub async fn messages_of(answer: Response) -> Vec<Value> {
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let text = answer.text().await.expect("a body");
    if kind.starts_with("text/event-stream") {
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
    } else {
        vec![serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))]
    }
}

/// The last of them: the answer itself.
pub async fn answer_of(answer: Response) -> Value {
    messages_of(answer).await.pop().expect("an answer")
}

/// The next message of a stream that goes on.
pub async fn next_of(answer: &mut (impl futures::Stream<Item = reqwest::Result<impl AsRef<[u8]>>> + Unpin)) -> Value {
    let mut text = String::new();
    loop {
        let bytes = answer.next().await.expect("more of the stream").expect("read");
        text.push_str(&String::from_utf8_lossy(bytes.as_ref()));
        let data = text.split("\n\n").find_map(|event| event.split("data: ").nth(1));
        if let Some(Ok(message)) = data.map(serde_json::from_str) {
            return message;
        }
    }
}

/// A stream of events as a client reads it, with the ids of events.
pub struct Events {
    bytes: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    text: String,
}

/// An event: its id, how long it lets wait before the stream is taken up again, and what it says.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub retry: Option<u64>,
    /// Nothing in an event that only primes the stream.
    pub message: Option<Value>,
}

impl Events {
    /// The events of an answer that is a stream of them.
    pub fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { bytes: Box::pin(answer.bytes_stream()), text: String::new() }
    }

    /// The next one; nothing when the stream has ended. What only shows that there is somebody is none.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let Some(data) = field("data:") {
                    let message = (!data.is_empty()).then(|| serde_json::from_str(data).expect("JSON"));
                    let retry = field("retry:").map(|retry| retry.parse().expect("a number"));
                    return Some(Event { id: field("id:").map(str::to_owned), retry, message });
                }
            }
            let bytes = self.bytes.next().await?.expect("read");
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// The next message.
    pub async fn message(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("a message");
            if event.message.is_some() {
                return event;
            }
        }
    }
}

/// A refusal's code, in a problem or in an error of JSON-RPC.
pub fn code_of(told: &Value) -> &str {
    told["code"].as_str().or_else(|| told["error"]["data"]["reason"].as_str()).unwrap_or_default()
}
