//! The earlier era: sessions, messages both ways, a session's own stream; and the same judgement as over stdio.

use proviso_tests::{Client, Parties, Setup, TestGate, as_person, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::{Listening, answer_of, code_of, initialize, messages_of, next_of};

fn call(id: i64, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[tokio::test]
async fn a_session_lists_calls_and_hears_what_comes_on_the_way() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let say = |body: &Value| proxy.message(&proxy.agent, Some(&session), body).send();
    let list = json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"});
    let told = answer_of(say(&list).await.expect("an answer")).await;
    let names: Vec<&str> =
        told["result"]["tools"].as_array().expect("tools").iter().filter_map(|t| t["name"].as_str()).collect();
    assert!(names.contains(&"echo") && names.contains(&"proviso_check"), "{names:?}");
    assert_eq!(told["id"], json!("list"));
    let talked = messages_of(say(&call(7, "talk", &json!({}))).await.expect("an answer")).await;
    assert_eq!(talked.len(), 2, "{talked:?}");
    assert_eq!(talked[0]["method"], json!("notifications/message"));
    assert_eq!((&talked[1]["id"], &talked[1]["result"]["content"][0]["text"]), (&json!(7), &json!("talked")));
    let heard = proxy.upstream.heard();
    let call = heard.iter().find(|heard| heard.is_call()).expect("the call");
    assert_eq!(
        (call.header("mcp-session-id"), call.header("mcp-protocol-version")),
        (Some("up-0"), Some("2025-11-25"))
    );
    // What comes in the name of the gate from a server, its cookies and its headers go no further.
    let strange = say(&json!({"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "strange"}}));
    let strange = strange.await.expect("an answer");
    for header in ["set-cookie", "authorization", "mcp-session-id"] {
        assert!(strange.headers().get(header).is_none(), "{header}");
    }
    let told = answer_of(strange).await;
    assert_eq!(told["result"]["_meta"], json!({"acme/kept": 1}), "{told}");
}

#[tokio::test]
async fn a_server_asks_in_the_middle_of_a_call_and_the_client_answers() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let answer =
        proxy.message(&proxy.agent, Some(&session), &call(1, "ask", &json!({}))).send().await.expect("a stream");
    let mut stream = Box::pin(answer.bytes_stream());
    let asked = next_of(&mut stream).await;
    assert_eq!((&asked["method"], &asked["id"]), (&json!("elicitation/create"), &json!("ask-1")), "{asked}");
    let answers = json!({"jsonrpc": "2.0", "id": "ask-1", "result": {"action": "accept", "content": {"name": "Ines"}}});
    let told = proxy.message(&proxy.agent, Some(&session), &answers).send().await.expect("an answer");
    assert_eq!(told.status(), 202);
    until("the server has the answer", async || {
        let heard = proxy.upstream.heard();
        heard.iter().any(|heard| heard.body["result"]["content"]["name"] == "Ines").then_some(())
    })
    .await;
    proxy.upstream.go_on.notify_one();
    assert_eq!(next_of(&mut stream).await["result"]["content"][0]["text"], json!("asked"));
    // What nobody asked is answered to nobody.
    let strays = json!({"jsonrpc": "2.0", "id": "ask-9", "result": {}});
    assert_eq!(proxy.message(&proxy.agent, Some(&session), &strays).send().await.expect("an answer").status(), 202);
    let told =
        answer_of(proxy.message(&proxy.agent, Some(&session), &call(2, "echo", &json!({}))).send().await.expect("x"));
    assert!(told.await["result"].is_object());
    assert!(proxy.upstream.heard().iter().all(|heard| heard.body["id"] != "ask-9"));
}

#[tokio::test]
async fn what_does_not_belong_to_a_session_is_refused() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let agent = proxy.agent.as_str();
    let oversized = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"text": "x".repeat(1024 * 1024)}});
    let raw = |body: &str| {
        let request = proxy.message(agent, Some(&session), &Value::Null);
        request.header("content-type", "application/json").body(body.to_owned())
    };
    for (request, status, code) in [
        (proxy.message(agent, None, &list), 400, "session_needed"),
        (proxy.message(agent, Some(&session), &initialize()), 400, "session_begun"),
        (proxy.message(agent, Some(&session), &list).header("mcp-method", "ping"), 400, "header_mismatch"),
        (
            proxy
                .message(agent, None, &list)
                .header("mcp-session-id", &session)
                .header("mcp-protocol-version", "2024-11-05"),
            400,
            "version_differs",
        ),
        (proxy.message(agent, None, &list).header("mcp-protocol-version", "1999-01-01"), 400, "unsupported_version"),
        (proxy.message(agent, Some(&session), &json!([list])), 400, "not_an_object"),
        (proxy.message(agent, Some(&session), &json!({"jsonrpc": "2.0", "id": 1})), 400, "bad_answer"),
        (raw("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\":\"tools/call\"}"), 400, "duplicate_member"),
        (proxy.message(agent, Some(&session), &oversized), 413, "too_large"),
        (proxy.request(Method::POST, agent).json(&list), 406, "not_acceptable"),
        (proxy.request(Method::POST, agent).body("x"), 415, "unsupported_media_type"),
        (proxy.request(Method::PUT, agent), 405, "only_post"),
        (proxy.request(Method::GET, agent).header("accept", "text/event-stream"), 405, "only_post"),
        (proxy.http.get(proxy.resource.replace("/mcp", "/else")), 404, "no_endpoint"),
    ] {
        let answer = request.send().await.expect("an answer");
        let told_status = answer.status().as_u16();
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!((told_status, code_of(&told)), (status, code), "{told}");
        let help = told["help"].as_str().or_else(|| told["error"]["data"]["help"].as_str());
        assert!(help.is_some(), "{code} has no remedy: {told}");
    }
    let methods: Vec<Value> = proxy.upstream.heard().iter().map(|heard| heard.body["method"].clone()).collect();
    assert_eq!(methods.iter().filter(|method| **method == "tools/list").count(), 0, "{methods:?}");
}

#[tokio::test]
async fn a_refused_call_is_asked_for_approved_and_runs_once() {
    let gate = TestGate::start().await;
    let url = gate.client.url.clone();
    let mut proxy = Listening::at(gate, &url, "files", &[]).await;
    let session = proxy.session(&proxy.agent).await;
    let agent = proxy.agent.clone();
    let arguments = json!({"path": "/srv/files/reports/a.md", "content": "hello"});
    let ran =
        |proxy: &Listening| proxy.upstream.calls().iter().filter(|c| c.body["params"]["name"] == "write_file").count();
    let refused =
        answer_of(proxy.message(&agent, Some(&session), &call(1, "write_file", &arguments)).send().await.expect("x"));
    let refused = refused.await;
    let context = &refused["result"]["_meta"]["proviso.dev/context"];
    assert_eq!((&refused["result"]["isError"], ran(&proxy)), (&json!(true), 0), "{refused}");
    assert!(context["access_request"].is_object(), "{refused}");
    let wanted = json!({"tool": "write_file", "arguments": arguments, "justification": "the report is due"});
    let asked =
        answer_of(proxy.message(&agent, Some(&session), &call(2, "proviso_request", &wanted)).send().await.expect("x"));
    let asked = asked.await;
    let id = asked["result"]["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let wait = proxy.message(&agent, Some(&session), &call(3, "proviso_wait", &json!({"request": id, "seconds": 30})));
    let waiting = tokio::spawn(async move { answer_of(wait.send().await.expect("an answer")).await });
    let parties = proxy.gate.client.clone();
    let story = Parties { client: parties, point: String::new(), agent: String::new() };
    let person = proxy.gate.person("mara").await;
    let vote = story.vote(&person, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
    let waited = waiting.await.expect("it ends");
    assert_eq!(waited["result"]["structuredContent"]["status"], json!("approved"), "{waited}");
    let done =
        answer_of(proxy.message(&agent, Some(&session), &call(4, "write_file", &arguments)).send().await.expect("x"));
    assert_eq!((done.await["result"]["content"][0]["text"].as_str(), ran(&proxy)), (Some("done"), 1));
    let again =
        answer_of(proxy.message(&agent, Some(&session), &call(5, "write_file", &arguments)).send().await.expect("x"));
    assert_eq!((again.await["result"]["isError"].as_bool(), ran(&proxy)), (Some(true), 1), "it was one use");
    // Everything that began is reported before the proxy is gone.
    assert_eq!(proxy.stop().await, Some(0));
    let detail = proxy.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&person)).await.json();
    assert_eq!(detail["uses"][0]["reported"], json!("executed"), "{detail}");
}

/// A call by an exception that the server works on, until somebody lets it go on.
async fn begun(proxy: &Listening, session: &str) -> (tokio::task::JoinHandle<Value>, String, String) {
    let arguments = json!({"path": "/srv/files/reports/a.md", "content": "slow"});
    let ask = json!({"tool": "write_file", "arguments": arguments, "justification": "due"});
    let ask = proxy.message(&proxy.agent, Some(session), &call(1, "proviso_request", &ask)).send().await.expect("x");
    let id = answer_of(ask).await["result"]["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let story = Parties { client: proxy.gate.client.clone(), point: String::new(), agent: String::new() };
    let person = proxy.gate.person("mara").await;
    let vote = story.vote(&person, &id, "approve", None).await.json();
    let grant = vote["grant"].as_str().expect("a grant").to_owned();
    let slow = proxy.message(&proxy.agent, Some(session), &call(2, "write_file", &arguments));
    let slow = tokio::spawn(async move { answer_of(slow.send().await.expect("an answer")).await });
    until("the server works on it", async || (!proxy.upstream.calls().is_empty()).then_some(())).await;
    (slow, grant, person)
}

#[tokio::test]
async fn a_call_that_is_revoked_in_the_middle_is_called_off() {
    let gate = TestGate::start().await;
    let url = gate.client.url.clone();
    let proxy = Listening::at(gate, &url, "files", &[]).await;
    let session = proxy.session(&proxy.agent).await;
    let (slow, grant, person) = begun(&proxy, &session).await;
    let request = proxy.gate.client.request(Method::POST, &format!("/api/v1/grants/{grant}/revoke"));
    let revoked = Client::send(as_person(request, &person).json(&json!({"reason": "too much"}))).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    let told = slow.await.expect("it is told");
    assert_eq!(told["result"]["isError"], json!(true), "{told}");
    assert!(told.to_string().contains("do not repeat it") && !told.to_string().contains("too much"), "{told}");
    until("the server is told to stop", async || {
        let heard = proxy.upstream.heard();
        heard.iter().any(|heard| heard.body["method"] == "notifications/cancelled").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_gate_that_stops_in_the_middle_leaves_nothing_open() {
    let (wire, address) = super::upstream::wire().await;
    let gate = TestGate::with(Setup { public_url: Some(address.clone()), ..Setup::default() }).await;
    wire.lead_to(&gate.client.url);
    let proxy = Listening::at(gate, &address, "files", &[]).await;
    let session = proxy.session(&proxy.agent).await;
    let (slow, ..) = begun(&proxy, &session).await;
    wire.cut();
    let ran = proxy.upstream.calls().len();
    let scope = json!({"path": "/srv/files/drafts/a.md", "content": "hello"});
    let refused = proxy.message(&proxy.agent, Some(&session), &call(3, "write_file", &scope)).send().await.expect("x");
    let refused = answer_of(refused).await;
    assert!(refused.to_string().contains("gate_unreachable"), "what scope permits is refused, too: {refused}");
    assert_eq!(proxy.upstream.calls().len(), ran);
    // What was allowed and sent is not undone by it.
    proxy.upstream.go_on.notify_one();
    assert_eq!(slow.await.expect("it ends")["result"]["content"][0]["text"], json!("done"));
}
