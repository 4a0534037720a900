//! The proxy as it runs: with a gate that speaks HTTP, and streams.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use policy_core::digest::Digest;
use policy_core::json::to_canonical_bytes;
use policy_core::time::Timestamp;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::world::{call, tool};
use crate::clock::{Clock, SystemClock};
use crate::mcp::gate::Gate;
use crate::mcp::lines::Splitter;
use crate::mcp::options::Access;
use crate::mcp::session::{Config, End, Session, Side};
use crate::mcp::shell::{Ends, converse, inputs};
use crate::mcp::witness::Witness;

type Log = Arc<Mutex<Vec<(String, Value)>>>;

/// A boot clock that stands still until it is set, and then goes on by a step with each look at it.
#[derive(Default)]
struct StepClock {
    boot: AtomicU64,
    step: AtomicU64,
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn boot(&self) -> u64 {
        self.boot.fetch_add(self.step.load(Ordering::SeqCst), Ordering::SeqCst)
    }
}

/// A gate that permits all but `move`, and writes down what it is asked. It says that the call was stopped once it is
/// told so.
async fn start_gate(log: Log, stop: Arc<Notify>) -> String {
    start_gate_and(log, stop, || {}).await
}

/// The same, where something happens when it hears that a call is about to be sent.
async fn start_gate_and(log: Log, stop: Arc<Notify>, sending: impl Fn() + Clone + Send + Sync + 'static) -> String {
    fn note(log: &Log, path: &str, headers: &HeaderMap, body: Value) {
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        assert_eq!(header("authorization"), "Bearer point-token", "{path}");
        assert_eq!(header("proviso-subject-token"), "agent-token", "{path}");
        log.lock().expect("the log").push((path.to_owned(), body));
    }
    let evaluate = |State(log): State<Log>, headers: HeaderMap, Json(body): Json<Value>| async move {
        note(&log, "evaluation", &headers, body.clone());
        let input = body["context"].get("input").cloned().unwrap_or_default();
        let digest = Digest::of(&to_canonical_bytes(&input).expect("canonical"));
        if body["resource"]["id"] == "move" {
            let problem = json!({"type": "about:blank", "title": "t", "status": 403, "detail": "d", "code": "not_for_this_server"});
            return (StatusCode::FORBIDDEN, Json(problem));
        }
        let reply = json!({"decision": true, "context": {
            "evaluation_id": "eval_1", "evaluated_at": "2026-11-22T16:00:00Z", "reason": "scope", "message": "m",
            "proviso.dev/valid_for": 5, "proviso.dev/input_digest": digest
        }});
        (StatusCode::OK, Json(reply))
    };
    let execution = move |State(log): State<Log>, headers: HeaderMap, Json(body): Json<Value>| async move {
        if body["phase"] == "sending" {
            sending();
        }
        note(&log, "execution", &headers, body);
        StatusCode::NO_CONTENT
    };
    let whoami = |State(log): State<Log>, headers: HeaderMap| async move {
        note(&log, "whoami", &headers, Value::Null);
        Json(json!({"caller": "enforcement_point", "name": "p", "subject": {"type": "Agent", "id": "a"}, "task": "t"}))
    };
    let stops = |State(stop): State<Arc<Notify>>| async move {
        stop.notified().await;
        // It stays stopped, whoever asks next.
        stop.notify_one();
        let subject = json!({"type": "Agent", "id": "a"});
        Json(json!({"calls": [{
            "evaluation_id": "eval_1", "subject": subject, "task": "t", "action": "write",
            "at": "2026-11-22T16:00:00Z", "sending": true
        }]}))
    };
    let router = Router::new()
        .route("/api/v1/stops", get(stops).with_state(stop))
        .route("/access/v1/evaluation", post(evaluate))
        .route("/api/v1/executions", post(execution))
        .route("/api/v1/whoami", get(whoami))
        .with_state(log);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

/// A running proxy: the client's end and the upstream's.
struct Running {
    to_proxy: WriteHalf<DuplexStream>,
    from_proxy: BufReader<ReadHalf<DuplexStream>>,
    upstream_out: WriteHalf<DuplexStream>,
    upstream_in: BufReader<ReadHalf<DuplexStream>>,
    end: JoinHandle<End>,
}

fn start(gate: &str) -> Running {
    start_with(gate, 1 << 16, Arc::new(SystemClock))
}

/// A proxy before an upstream that so many bytes wait for, with a clock.
fn start_with(gate: &str, waiting: usize, clock: Arc<dyn Clock>) -> Running {
    let (client, client_of_proxy) = tokio::io::duplex(1 << 16);
    let (upstream, upstream_of_proxy) = tokio::io::duplex(waiting);
    let (client_read, client_write) = tokio::io::split(client);
    let (upstream_read, upstream_write) = tokio::io::split(upstream);
    let (from_client, to_client) = tokio::io::split(client_of_proxy);
    let (from_upstream, to_upstream) = tokio::io::split(upstream_of_proxy);
    let access = Access {
        gate: gate.parse().expect("a URL"),
        authorities: vec![],
        token: "point-token".into(),
        token_file: None,
        subject_token: "agent-token".into(),
        subject_token_file: None,
    };
    let gate = Arc::new(Gate::new(access, Witness::open(None, "").expect("nothing kept")).expect("a client"));
    let session =
        Session::new(Config { server: "files".into(), roots: Some(Vec::new()), list_good_for: None, word: "w".into() });
    let from_client = inputs(from_client, Splitter::new(Side::Client, 1 << 20));
    let ends = Ends { from_client, to_client, to_upstream };
    let end = tokio::spawn(converse(session, gate, ends, from_upstream, clock));
    Running {
        to_proxy: client_write,
        from_proxy: BufReader::new(client_read),
        upstream_out: upstream_write,
        upstream_in: BufReader::new(upstream_read),
        end,
    }
}

async fn say(to: &mut WriteHalf<DuplexStream>, message: &Value) {
    to.write_all(format!("{message}\n").as_bytes()).await.expect("written");
}

async fn hear(from: &mut BufReader<ReadHalf<DuplexStream>>) -> Value {
    let mut line = String::new();
    from.read_line(&mut line).await.expect("read");
    serde_json::from_str(&line).expect("JSON")
}

#[tokio::test]
async fn a_call_goes_through_with_both_credentials_and_its_reports() {
    let log = Log::default();
    let mut proxy = start(&start_gate(Arc::clone(&log), Arc::default()).await);
    say(&mut proxy.to_proxy, &call("1")).await;
    let list = hear(&mut proxy.upstream_in).await;
    let tools = json!([tool("write"), tool("move")]);
    say(&mut proxy.upstream_out, &json!({"jsonrpc": "2.0", "id": list["id"], "result": {"tools": tools}})).await;
    let sent = hear(&mut proxy.upstream_in).await;
    assert_eq!(sent["params"]["arguments"], json!({"a": "x", "b": 1}));
    say(&mut proxy.upstream_out, &json!({"jsonrpc": "2.0", "id": "1", "result": {"content": []}})).await;
    assert_eq!(hear(&mut proxy.from_proxy).await["result"], json!({"content": []}));

    let mut moving = call("2");
    moving["params"]["name"] = "move".into();
    say(&mut proxy.to_proxy, &moving).await;
    let refused = hear(&mut proxy.from_proxy).await;
    assert_eq!(refused["result"]["_meta"]["proviso.dev/context"]["reason"], json!("not_for_this_server"));

    proxy.to_proxy.shutdown().await.expect("closed");
    assert_eq!(proxy.end.await.expect("an end"), End::ClientClosed);
    let log = log.lock().expect("the log").clone();
    let told: Vec<String> = log
        .iter()
        .map(|(path, body)| format!("{path} {}", body["phase"].as_str().unwrap_or_default()).trim().to_owned())
        .collect();
    assert_eq!(told, ["whoami", "evaluation", "execution sending", "execution executed", "evaluation"]);
    let question = &log[1].1;
    assert_eq!(question["subject"], json!({"type": "Agent", "id": "a"}));
    assert_eq!(question["context"]["proviso.dev/server"], json!("files"));
}

#[tokio::test]
async fn the_gate_away_means_that_nothing_runs() {
    let mut proxy = start("http://127.0.0.1:9/");
    say(&mut proxy.to_proxy, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    assert_eq!(
        hear(&mut proxy.from_proxy).await["error"]["data"]["proviso.dev/context"]["reason"],
        json!("gate_unreachable")
    );
    say(&mut proxy.to_proxy, &json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await;
    assert_eq!(hear(&mut proxy.upstream_in).await["method"], json!("ping"), "and nothing came before it");
}

#[tokio::test]
async fn the_end_of_the_upstream_is_told_and_reported() {
    let log = Log::default();
    let mut proxy = start(&start_gate(Arc::clone(&log), Arc::default()).await);
    say(&mut proxy.to_proxy, &json!({"jsonrpc": "2.0", "id": 1, "method": "made/up"})).await;
    hear(&mut proxy.upstream_in).await;
    proxy.upstream_out.shutdown().await.expect("closed");
    let told = hear(&mut proxy.from_proxy).await;
    assert!(told["error"]["message"].as_str().expect("a message").contains("unknown"), "{told}");
    assert_eq!(proxy.end.await.expect("an end"), End::UpstreamClosed);
    let log = log.lock().expect("the log").clone();
    assert_eq!(
        log.last().map(|(_, body)| body["phase"].clone()),
        Some(json!("outcome_unknown")),
        "the last report arrived"
    );
}

#[tokio::test]
async fn a_call_that_the_gate_says_was_stopped_is_called_off() {
    let stop = Arc::<Notify>::default();
    let mut proxy = start(&start_gate(Log::default(), Arc::clone(&stop)).await);
    say(&mut proxy.to_proxy, &json!({"jsonrpc": "2.0", "id": 1, "method": "made/up"})).await;
    hear(&mut proxy.upstream_in).await;
    stop.notify_one();
    let cancel = hear(&mut proxy.upstream_in).await;
    assert_eq!(
        (cancel["method"].as_str(), &cancel["params"]["requestId"]),
        (Some("notifications/cancelled"), &json!(1))
    );
    let told = hear(&mut proxy.from_proxy).await;
    assert!(told["error"]["message"].as_str().expect("a message").contains("stopped by a person"), "{told}");
}

/// Asks for something with a clock that reads this when `sending` is on record, before an upstream that reads nothing.
/// What reached it, when all is over.
async fn left_behind(boot: u64, step: u64) -> Vec<u8> {
    let (log, clock) = (Log::default(), Arc::new(StepClock::default()));
    let gate = {
        let clock = Arc::clone(&clock);
        start_gate_and(Arc::clone(&log), Arc::default(), move || {
            clock.boot.store(boot, Ordering::SeqCst);
            clock.step.store(step, Ordering::SeqCst);
        })
    };
    let mut proxy = start_with(&gate.await, 64, clock);
    let long = json!({"jsonrpc": "2.0", "id": 1, "method": "made/up", "params": {"text": "x".repeat(4096)}});
    say(&mut proxy.to_proxy, &long).await;
    let told = hear(&mut proxy.from_proxy).await;
    let sentence = told["error"]["message"].as_str().expect("a message");
    assert!(sentence.contains("unknown") && !sentence.contains("not run"), "{told}");
    assert_eq!(proxy.end.await.expect("an end"), End::UpstreamClosed, "nothing is written behind half a line");
    let phases: Vec<Value> = log.lock().expect("the log").iter().map(|(_, body)| body["phase"].clone()).collect();
    assert_eq!(phases.last(), Some(&json!("outcome_unknown")), "{phases:?}");
    proxy.upstream_out.shutdown().await.expect("closed");
    let mut bytes = Vec::new();
    proxy.upstream_in.read_to_end(&mut bytes).await.expect("read");
    bytes
}

#[tokio::test]
async fn a_pipe_that_is_full_does_not_prolong_an_allow() {
    let left = left_behind(4_980, 0).await;
    assert!(left.starts_with(b"{") && left.len() <= 64 && !left.contains(&b'\n'), "no whole line: {left:?}");
}

#[tokio::test]
async fn an_allow_that_is_over_before_the_write_sends_no_byte() {
    // When the report is in, it is good for another 5 milliseconds, and at the next look it is over.
    assert_eq!(left_behind(4_995, 5).await, b"");
}
