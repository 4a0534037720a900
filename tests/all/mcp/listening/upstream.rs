//! A tool server over Streamable HTTP, in both eras, that writes down every request and misbehaves where it is told to.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast};

/// What it demands as a credential.
pub const SECRET: &str = "upstream-secret-7";

/// A request that it heard.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn is_call(&self) -> bool {
        self.body["method"] == "tools/call"
    }
}

/// The server.
#[derive(Clone)]
pub struct Upstream {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    sessions: Arc<AtomicU64>,
    /// What tools that wait are waiting for.
    pub go_on: Arc<Notify>,
    /// What it says by itself, to sessions that follow; nobody may, while there is nothing here.
    says: Arc<OnceLock<broadcast::Sender<Value>>>,
    /// What a call that is polled for is answered with.
    polled: Arc<Mutex<Option<Value>>>,
    elsewhere: Arc<str>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let elsewhere = format!("http://{}/elsewhere", listener.local_addr().expect("an address"));
        let (heard, sessions, go_on) = (Arc::default(), Arc::default(), Arc::default());
        let (says, polled) = (Arc::default(), Arc::default());
        let upstream = Self { url, heard, sessions, go_on, says, polled, elsewhere: elsewhere.into() };
        let router = Router::new().fallback(answer).with_state(upstream.clone());
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        upstream
    }

    /// It speaks by itself from now on. Where what it is to say is put.
    pub fn speaks(&self) -> broadcast::Sender<Value> {
        self.says.get_or_init(|| broadcast::channel(64).0).clone()
    }

    /// Everything that it heard.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls of tools that it heard.
    pub fn calls(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(Heard::is_call).collect()
    }
}

async fn answer(State(upstream): State<Upstream>, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let heard = Heard { method: method.clone(), headers: headers.clone(), body: body.clone() };
    upstream.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    let credential = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if credential != Some(&format!("Bearer {SECRET}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match method {
        Method::POST => {}
        Method::DELETE => return StatusCode::NO_CONTENT.into_response(),
        Method::GET => return followed(&upstream, &headers),
        _ => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
    let id = &body["id"];
    if body.get("method").is_none() || id.is_null() {
        return StatusCode::ACCEPTED.into_response();
    }
    let result = |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    match body["method"].as_str().unwrap_or_default() {
        "initialize" => {
            let session = format!("up-{}", upstream.sessions.fetch_add(1, Ordering::AcqRel));
            let version = body["params"]["protocolVersion"].clone();
            let told = result(json!({
                "protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "fixture", "version": "1"}
            }));
            ([("mcp-session-id", session)], json_body(&told)).into_response()
        }
        "server/discover" => json_body(&result(json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "serverInfo": {"name": "fixture", "version": "1"}, "ttlMs": 0, "cacheScope": "private"
        }))),
        "tools/list" => {
            let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
            let mirrored = json!({"name": "mirrored", "inputSchema": {"type": "object", "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"}
            }}});
            let names = [
                "echo",
                "write_file",
                "wait",
                "talk",
                "ask",
                "redirect",
                "endless",
                "broken",
                "other",
                "cut",
                "page",
                "poll",
                "steps",
                "much",
                "huge",
                "refuse",
                "strange",
            ];
            let mut tools: Vec<Value> = names.iter().map(|name| tool(name)).collect();
            tools.push(mirrored);
            json_body(&result(json!({"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private"})))
        }
        "tools/call" => called(&upstream, &headers, &body, &result).await,
        "ping" => json_body(&result(json!({}))),
        _ => json_body(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "no such method"}})),
    }
}

async fn called(
    upstream: &Upstream,
    headers: &HeaderMap,
    body: &Value,
    result: &(impl Fn(Value) -> Value + Sync),
) -> Response {
    let text = |text: &str| {
        result(json!({"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": false}))
    };
    match body["params"]["name"].as_str().unwrap_or_default() {
        "write_file" if body["params"]["arguments"]["content"] == "slow" => {
            upstream.go_on.notified().await;
            json_body(&text("done"))
        }
        // Everything that it was told, back to whoever asked.
        "echo" => json_body(&text(&format!("{headers:?}"))),
        "wait" => {
            upstream.go_on.notified().await;
            json_body(&text("waited"))
        }
        "talk" => {
            let progress =
                json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": 1}});
            events(vec![progress, text("talked")])
        }
        // Asks in the middle of the call (2025-11-25).
        "ask" => {
            let ask =
                json!({"jsonrpc": "2.0", "id": "ask-1", "method": "elicitation/create", "params": {"message": "Who?"}});
            let (upstream, told) = (upstream.clone(), text("asked"));
            let first = futures::stream::iter([Ok::<_, Infallible>(event(&ask))]);
            let then = futures::stream::once(async move {
                upstream.go_on.notified().await;
                Ok(event(&told))
            });
            stream(Body::from_stream(first.chain(then)))
        }
        // Says something, and more of it, and the answer, each when it is told to go on.
        "steps" => {
            let (upstream, told) = (upstream.clone(), text("all steps"));
            let first = futures::stream::iter([Ok::<_, Infallible>(event(&step(1)))]);
            let then = futures::stream::once(async move {
                upstream.go_on.notified().await;
                Ok(Bytes::from([event(&step(2)), event(&told)].concat()))
            });
            stream(Body::from_stream(first.chain(then)))
        }
        // Closes its stream at once, and answers whoever takes it up (2025-11-25).
        "poll" => {
            *upstream.polled.lock().unwrap_or_else(PoisonError::into_inner) = Some(text("polled"));
            stream(Body::from("id: p-1\nretry: 100\ndata:\n\n"))
        }
        // Something long whenever it is told to go on, and never an answer.
        "much" => {
            let pieces = futures::stream::unfold(upstream.clone(), async |upstream| {
                upstream.go_on.notified().await;
                Some((Ok::<_, Infallible>(event(&much())), upstream))
            });
            stream(Body::from_stream(pieces))
        }
        "redirect" => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, upstream.elsewhere.to_string())]).into_response()
        }
        "endless" => {
            let note =
                json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x".repeat(64 * 1024)}});
            stream(Body::from_stream(futures::stream::repeat_with(move || Ok::<_, Infallible>(event(&note)))))
        }
        "broken" => ([(header::CONTENT_TYPE, "application/json")], "{\"jsonrpc\":\"2.0\"").into_response(),
        "other" => json_body(&json!({"jsonrpc": "2.0", "id": "another", "result": {"content": []}})),
        "cut" => stream(Body::from("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n")),
        "page" => ([(header::CONTENT_TYPE, "text/html")], "<h1>Welcome</h1>").into_response(),
        "huge" => json_body(&text(&"x".repeat(17 * 1024 * 1024))),
        "refuse" => StatusCode::FORBIDDEN.into_response(),
        // Speaks in the gate's name, sets a cookie and a session of its own.
        "strange" => {
            let mut told = text("strange");
            told["result"]["_meta"] = json!({"proviso.dev/context": {"reason": "scope"}, "acme/kept": 1});
            let cookie = [("set-cookie", "a=b"), ("mcp-session-id", "forced"), ("authorization", "Bearer stolen")];
            (cookie, json_body(&told)).into_response()
        }
        _ => json_body(&text("done")),
    }
}

/// What a session follows, or a stream that is taken up again.
fn followed(upstream: &Upstream, headers: &HeaderMap) -> Response {
    if headers.contains_key("last-event-id") {
        let upstream = upstream.clone();
        return stream(Body::from_stream(futures::stream::once(async move {
            upstream.go_on.notified().await;
            let told = upstream.polled.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok::<_, Infallible>(event(&told.unwrap_or_default()))
        })));
    }
    let Some(says) = upstream.says.get() else { return StatusCode::METHOD_NOT_ALLOWED.into_response() };
    let said = futures::stream::unfold(says.subscribe(), async |mut said| {
        let message = said.recv().await.ok()?;
        Some((Ok::<_, Infallible>(event(&message)), said))
    });
    stream(Body::from_stream(said))
}

/// A message on the way, with its number.
pub fn step(number: u64) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": number}})
}

fn much() -> Value {
    let data = "x".repeat(900 * 1024);
    json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": data}})
}

fn json_body(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn event(message: &Value) -> Bytes {
    format!("event: message\ndata: {message}\n\n").into()
}

fn events(messages: Vec<Value>) -> Response {
    let all: Vec<u8> = messages.iter().flat_map(|message| event(message).to_vec()).collect();
    stream(Body::from(all))
}

fn stream(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// A wire to a gate that can be cut.
pub struct Wire {
    whole: tokio::sync::watch::Sender<bool>,
    far: tokio::sync::watch::Sender<String>,
}

impl Wire {
    /// Nothing goes over it any more, and what is under way breaks off.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// It leads to the server at this address.
    pub fn lead_to(&self, url: &str) {
        self.far.send_replace(url.replace("http://", ""));
    }

    /// It is whole again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

/// A wire that leads nowhere yet, and the address of its near end.
pub async fn wire() -> (Wire, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let near = format!("http://{}", listener.local_addr().expect("an address"));
    let (whole, is_whole) = tokio::sync::watch::channel(true);
    let (far, leads_to) = tokio::sync::watch::channel(String::new());
    drop(tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (mut is_whole, far) = (is_whole.clone(), leads_to.borrow().clone());
            drop(tokio::spawn(async move {
                if !*is_whole.borrow() {
                    return;
                }
                let Ok(mut far) = tokio::net::TcpStream::connect(far).await else { return };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = is_whole.wait_for(|whole| !*whole) => {}
                }
            }));
        }
    }));
    (Wire { whole, far }, near)
}
