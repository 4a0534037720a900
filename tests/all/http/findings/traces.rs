//! OpenTelemetry's traces over HTTP: the word of whoever was traced, strictly read.

use std::ops::Range;

use proviso_tests::{AGENTS, Answer, Client, Story, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::{refusal, refused, sizes, verdict};
use super::{finding, found, id_of, kinds, later, story_with};

const DRAFT: &str = "/srv/files/drafts/a.md";

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// An agent's span of `write_file`, begun so many seconds from now, and what it comes from.
fn traces(story: &Story, span: &str, path: &str, seconds: i64) -> Value {
    let nanos = |at: i64| (later(story, at).millis() * 1_000_000).to_string();
    json!({"resourceSpans": [{
        "resource": {"attributes": [attribute("service.name", "agent"), attribute("host.name", "worker-3")]},
        "scopeSpans": [{"scope": {"name": "agent"}, "spans": [{
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": span, "name": "execute_tool write_file", "kind": 1,
            "startTimeUnixNano": nanos(seconds), "endTimeUnixNano": nanos(seconds + 1),
            "attributes": [
                attribute("gen_ai.operation.name", "execute_tool"),
                attribute("gen_ai.tool.name", "write_file"),
                attribute("gen_ai.tool.call.arguments", &json!({"path": path, "content": "hello"}).to_string()),
            ],
        }]}],
    }]})
}

async fn send(story: &Story, token: &str, body: &Value) -> Answer {
    let request = story.client.request(Method::POST, "/v1/traces").bearer_auth(token);
    Client::send(request.json(body)).await
}

#[tokio::test]
async fn a_trace_is_the_agents_word_and_no_more() {
    let story = story_with("on = { ran_without_decision = \"lock_subject\" }").await;
    let mara = story.gate.person("mara").await;
    assert!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c1")).await).0);
    let asked = traces(&story, "eee19b7ec3c1b174", DRAFT, 0);
    let answer = send(&story, &story.agent, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"));
    assert_eq!(found(&story, &mara).await, Vec::<Value>::new());
    let never_asked = traces(&story, "eee19b7ec3c1b175", "/srv/files/reports/b.md", 0);
    send(&story, &story.agent, &never_asked).await;
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["ran_without_decision"]);
    assert_eq!((&findings[0]["strength"], &findings[0]["acted"]), (&json!("reported"), &json!([])));
    let detail = finding(&story, &mara, &id_of(&findings[0])).await;
    let source = format!("traces of agent:Agent::{AGENTS}report-writer");
    assert_eq!(
        (&detail["evidence"][0]["source"], &detail["evidence"][0]["host"]),
        (&json!(source), &json!("worker-3"))
    );
    // Also what a proxy sends of its agent's telemetry is not what the proxy saw.
    let third = traces(&story, "eee19b7ec3c1b176", "/srv/files/reports/c.md", 0);
    let answer = story.client.post_for("/v1/traces", &story.point, &story.agent, &third).await;
    assert_eq!(answer.status.as_u16(), 200);
    let findings = found(&story, &mara).await;
    assert!(findings.iter().all(|finding| finding["strength"] == "reported"), "{findings:#?}");
    // What is sent again counts once.
    let before = sizes(&story);
    send(&story, &story.agent, &never_asked).await;
    assert_eq!(sizes(&story), before);
}

/// Traces of `many` calls, each with a name of its own.
fn crowd(story: &Story, many: Range<u32>) -> Value {
    let mut body = traces(story, "eee19b7ec3c1b174", DRAFT, 0);
    let spans = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let first = spans[0].clone();
    let many = many.map(|number| {
        let mut span = first.clone();
        span["spanId"] = json!(format!("a{number:015x}"));
        span
    });
    *spans = many.collect();
    body
}

#[tokio::test]
async fn one_turn_brings_so_many_spans_and_no_more() {
    let story = Story::begin().await;
    let size = |story: &Story| sizes(story).iter().sum::<u64>();
    let before = size(&story);
    let answer = send(&story, &story.agent, &crowd(&story, 0..203)).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    assert_eq!(answer.json()["partialSuccess"]["rejectedSpans"], "3", "{answer:?}");
    assert_eq!(size(&story) - before, 200);
}

#[tokio::test]
async fn r11_nobody_fills_the_memory_with_their_own_word() {
    let story = Story::begin().await;
    for turn in 0..50 {
        let answer = send(&story, &story.agent, &crowd(&story, turn * 200..(turn + 1) * 200)).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    }
    let before = sizes(&story);
    let answer = send(&story, &story.agent, &crowd(&story, 10_000..10_001)).await;
    assert_eq!(refusal(&answer), refused(429, "too_much_evidence"));
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    assert_eq!(sizes(&story), before, "none of it is on record");
    // What was said before is known still, and others are heard.
    let again = send(&story, &story.agent, &crowd(&story, 0..200)).await;
    assert_eq!(again.status.as_u16(), 200, "{again:?}");
    let other = story.gate.agent("intern-bot", "weekly-report", Some("ines")).await;
    assert_eq!(send(&story, &other, &crowd(&story, 0..1)).await.status.as_u16(), 200);
    assert_eq!(sizes(&story)[1], before[1] + 1);
}

#[tokio::test]
async fn spans_inside_one_another_are_one_call_and_side_by_side_two() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let call = write_file("report-writer", DRAFT, "c1");
    assert!(verdict(&story.evaluate(&call).await).0);
    let mut body = traces(&story, "eee19b7ec3c1b174", DRAFT, 0);
    // The client's own span of the same call, by the MCP convention.
    let mut inner = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone();
    inner["spanId"] = json!("eee19b7ec3c1b179");
    inner["attributes"] =
        json!([attribute("mcp.method.name", "tools/call"), attribute("gen_ai.tool.name", "write_file")]);
    body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap().push(inner.clone());
    send(&story, &story.agent, &body).await;
    assert_eq!(kinds(&found(&story, &mara).await), Vec::<String>::new());
    let second = traces(&story, "eee19b7ec3c1b180", DRAFT, 2);
    send(&story, &story.agent, &second).await;
    assert_eq!(kinds(&found(&story, &mara).await), ["more_often"]);
}

#[tokio::test]
async fn what_is_no_trace_is_refused_and_half_a_span_is_counted() {
    let story = Story::begin().await;
    let body = traces(&story, "eee19b7ec3c1b174", DRAFT, 0);
    assert!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c1")).await).0);
    let before = sizes(&story);
    let raw = async |kind: &str, token: &str, bytes: Vec<u8>| {
        let request = story.client.request(Method::POST, "/v1/traces").bearer_auth(token);
        Client::send(request.header("content-type", kind).body(bytes)).await
    };
    for (what, kind, bytes, status, code) in [
        ("no JSON", "application/json", b"{".to_vec(), 400, "bad_json"),
        ("twice", "application/json", b"{\"resourceSpans\":[],\"resourceSpans\":[]}".to_vec(), 400, "duplicate_member"),
        ("an array", "application/json", b"[]".to_vec(), 400, "bad_shape"),
        ("no list", "application/json", b"{\"resourceSpans\":{}}".to_vec(), 400, "bad_shape"),
        ("no message", "application/x-protobuf", b"\x0a\xff".to_vec(), 400, "bad_shape"),
        ("text", "text/plain", body.to_string().into_bytes(), 415, "unsupported_media_type"),
        ("too much", "application/json", vec![b' '; (1 << 20) + 1], 413, "too_large"),
    ] {
        assert_eq!(refusal(&raw(kind, &story.agent, bytes).await), refused(status, code), "{what}");
    }
    let zipped = story.client.request(Method::POST, "/v1/traces").bearer_auth(&story.agent);
    let zipped = zipped.header("content-encoding", "gzip").header("content-type", "application/json").body("x");
    assert_eq!(refusal(&Client::send(zipped).await), refused(415, "unsupported_media_type"));
    let nobody = story.client.request(Method::POST, "/v1/traces").json(&body);
    assert_eq!(refusal(&Client::send(nobody).await), refused(401, "no_credential"));
    assert_eq!(refusal(&send(&story, &story.point, &body).await), refused(400, "no_subject_token"));
    assert_eq!(sizes(&story), before, "none of it is on record");
    // One span of three is half a word: the others count, and the sender hears of it.
    let mut three = body.clone();
    let spans = three["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap();
    let (mut unnamed, mut chat) = (spans[0].clone(), spans[0].clone());
    unnamed["spanId"] = json!("eee19b7ec3c1b175");
    unnamed["attributes"].as_array_mut().unwrap().remove(1);
    chat["spanId"] = json!("eee19b7ec3c1b176");
    chat["attributes"] = json!([attribute("gen_ai.operation.name", "chat")]);
    spans.extend([unnamed, chat]);
    let answer = send(&story, &story.agent, &three).await.json();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1", "{answer}");
    assert!(answer["partialSuccess"]["errorMessage"].as_str().unwrap().contains("gen_ai.tool.name"), "{answer}");
    assert_eq!(sizes(&story), [before[0], before[1] + 1]);
    // Protocol buffers are answered in protocol buffers: here nothing was sent, and nothing is said.
    let request = story.client.request(Method::POST, "/v1/traces").bearer_auth(&story.agent);
    let answer = request.header("content-type", "application/x-protobuf").body(Vec::new()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    assert_eq!(answer.bytes().await.unwrap().len(), 0);
}
