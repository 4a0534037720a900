//! The later era: no sessions, headers that mirror the body, exchanges within a caller, closing as calling off.

use proviso_tests::{Parties, TestGate, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::{Listening, NOW, answer_of, code_of, messages_of, stateless_body};

#[tokio::test]
async fn a_caller_lists_and_calls_without_a_session() {
    let proxy = Listening::start().await;
    let found = proxy.stateless(&proxy.agent, "server/discover", &json!({})).send().await.expect("an answer");
    assert!(found.headers().get("mcp-session-id").is_none());
    assert_eq!(answer_of(found).await["result"]["supportedVersions"], json!([NOW]));
    let listed = proxy.stateless_as(&proxy.agent, &json!("mine"), "tools/list", &json!({})).send().await.expect("x");
    let listed = answer_of(listed).await;
    assert_eq!(listed["id"], json!("mine"));
    let tools = listed["result"]["tools"].as_array().expect("tools");
    assert!(tools.iter().any(|tool| tool["name"] == "proviso_request"), "{listed}");
    let talked = proxy.stateless(&proxy.agent, "tools/call", &json!({"name": "talk", "arguments": {}}));
    let talked = messages_of(talked.send().await.expect("a stream")).await;
    assert_eq!(talked.len(), 2, "{talked:?}");
    assert_eq!(talked[1]["result"]["content"][0]["text"], json!("talked"));
    // Two clients of one caller use the same id at the same time, and each hears its own.
    let answers = futures::future::join_all((0..8).map(|number| {
        let params = json!({"name": "echo", "arguments": {"number": number}});
        let request = proxy.stateless_as(&proxy.agent, &json!(number % 2), "tools/call", &params);
        async move { (number % 2, answer_of(request.send().await.expect("an answer")).await) }
    }));
    for (id, told) in answers.await {
        assert_eq!((&told["id"], &told["result"]["isError"]), (&json!(id), &json!(false)), "{told}");
    }
    let heard = proxy.upstream.calls();
    let call = heard.iter().find(|heard| heard.body["params"]["name"] == "talk").expect("the call");
    let said = ["mcp-protocol-version", "mcp-method", "mcp-name"].map(|name| call.header(name));
    assert_eq!(said, [Some(NOW), Some("tools/call"), Some("talk")]);
}

#[tokio::test]
async fn headers_that_say_something_else_than_the_body_are_refused() {
    let proxy = Listening::start().await;
    let agent = proxy.agent.as_str();
    let call = stateless_body(&json!(1), "tools/call", &json!({"name": "echo", "arguments": {}}));
    let say = |body: &Value, said: &[(&'static str, &str)]| {
        let request = proxy.message(agent, None, body);
        said.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let (version, method, name) = (("mcp-protocol-version", NOW), ("mcp-method", "tools/call"), ("mcp-name", "echo"));
    let bare = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo"}});
    let mut incapable = call.clone();
    incapable["params"]["_meta"].as_object_mut().expect("meta").remove("io.modelcontextprotocol/clientCapabilities");
    let mut future = call.clone();
    future["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let made_up = stateless_body(&json!(1), "made/up", &json!({}));
    let begin = stateless_body(&json!(1), "initialize", &json!({}));
    for (request, status, rpc) in [
        (say(&call, &[method, name]), 400, -32020),
        (say(&call, &[("mcp-protocol-version", "2025-11-25"), method, name]), 400, -32020),
        (say(&call, &[version, name]), 400, -32020),
        (say(&call, &[version, ("mcp-method", "tools/list"), name]), 400, -32020),
        (say(&call, &[version, method]), 400, -32020),
        (say(&call, &[version, method, ("mcp-name", "write_file")]), 400, -32020),
        (say(&call, &[version, method, name, ("mcp-name", "write_file")]), 400, -32020),
        (say(&call, &[version, method, name, ("mcp-param-region", "eu")]), 400, -32020),
        (say(&bare, &[version, method, name]), 400, -32602),
        (say(&incapable, &[version, method, name]), 400, -32602),
        (say(&future, &[("mcp-protocol-version", "2099-01-01"), method, name]), 400, -32022),
        (say(&made_up, &[version, ("mcp-method", "made/up")]), 404, -32601),
        (say(&begin, &[version, ("mcp-method", "initialize")]), 404, -32601),
    ] {
        let answer = request.send().await.expect("an answer");
        let told_status = answer.status().as_u16();
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!((told_status, &told["error"]["code"], &told["id"]), (status, &json!(rpc), &json!(1)), "{told}");
        assert!(told["error"]["data"]["help"].is_string(), "{told}");
        if rpc == -32022 {
            assert_eq!(
                (&told["error"]["data"]["supported"][0], &told["error"]["data"]["requested"]),
                (&json!(NOW), &json!("2099-01-01"))
            );
        }
    }
    for method in [Method::GET, Method::DELETE] {
        let request =
            proxy.request(method, agent).header("mcp-protocol-version", NOW).header("accept", "text/event-stream");
        let answer = request.send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().ok()), (405, Some("POST")));
    }
    assert!(proxy.upstream.heard().is_empty(), "nothing of it reaches the server, nor a question the gate");
}

#[tokio::test]
async fn arguments_are_mirrored_from_the_body_that_was_judged() {
    let proxy = Listening::start().await;
    let list = proxy.stateless(&proxy.agent, "tools/list", &json!({})).send().await.expect("an answer");
    assert_eq!(list.status(), 200);
    let call = |region: Option<&str>| {
        let params = json!({"name": "mirrored", "arguments": {"region": "eu-west"}});
        let request = proxy.stateless(&proxy.agent, "tools/call", &params);
        match region {
            Some(region) => request.header("mcp-param-region", region),
            None => request,
        }
    };
    for region in [None, Some("us-east")] {
        let answer = call(region).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), code_of(&answer.json().await.expect("JSON"))), (400, "header_mismatch"));
    }
    assert!(proxy.upstream.calls().is_empty());
    assert_eq!(call(Some("eu-west")).send().await.expect("an answer").status(), 200);
    assert_eq!(proxy.upstream.calls()[0].header("mcp-param-region"), Some("eu-west"));
}

#[tokio::test]
async fn who_closes_the_stream_calls_the_call_off() {
    let gate = TestGate::start().await;
    let url = gate.client.url.clone();
    let proxy = Listening::at(gate, &url, "files", &[]).await;
    let arguments = json!({"path": "/srv/files/reports/a.md", "content": "slow"});
    let ask = json!({"tool": "write_file", "arguments": arguments, "justification": "due"});
    let asked = proxy.call(&proxy.agent, "proviso_request", &ask).await;
    let id = asked["result"]["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let parties = Parties { client: proxy.gate.client.clone(), point: String::new(), agent: String::new() };
    let person = proxy.gate.person("mara").await;
    let vote = parties.vote(&person, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
    let request = proxy.stateless(&proxy.agent, "tools/call", &json!({"name": "write_file", "arguments": arguments}));
    let waiting = tokio::spawn(async move { request.send().await.map(drop) });
    until("the server works on it", async || (!proxy.upstream.calls().is_empty()).then_some(())).await;
    waiting.abort();
    until("its outcome is on record as unknown", async || {
        let detail = proxy.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&person)).await.json();
        (detail["uses"][0]["reported"] == "outcome_unknown").then_some(())
    })
    .await;
    let scope = json!({"path": "/srv/files/drafts/a.md", "content": "hello"});
    assert_eq!(proxy.call(&proxy.agent, "write_file", &scope).await["result"]["isError"], json!(false));
}

#[tokio::test]
async fn a_refused_call_says_what_can_be_asked_for() {
    let gate = TestGate::start().await;
    let url = gate.client.url.clone();
    let proxy = Listening::at(gate, &url, "files", &[]).await;
    let arguments = json!({"path": "/srv/files/reports/a.md", "content": "hello"});
    let refused = proxy.call(&proxy.agent, "write_file", &arguments).await;
    assert_eq!((&refused["result"]["isError"], &refused["result"]["resultType"]), (&json!(true), &json!("complete")));
    assert!(refused["result"]["_meta"]["proviso.dev/context"]["access_request"].is_object(), "{refused}");
    let check = proxy.call(&proxy.agent, "proviso_check", &json!({"tool": "write_file", "arguments": arguments})).await;
    assert_eq!(check["result"]["structuredContent"]["needs_approval"], json!(true), "{check}");
    assert!(proxy.upstream.calls().is_empty());
    // What a guardrail forbids is nobody's to allow.
    let forbidden = json!({"path": "/srv/files/reports/.hidden", "content": "hello"});
    let refused = proxy.call(&proxy.agent, "write_file", &forbidden).await;
    assert_eq!(refused["result"]["isError"], json!(true), "{refused}");
    assert!(refused["result"]["_meta"]["proviso.dev/context"]["access_request"].is_null(), "{refused}");
    assert!(proxy.upstream.calls().is_empty());
}

#[tokio::test]
async fn answers_that_nothing_was_asked_for_use_nothing_of_a_grant() {
    let gate = TestGate::start().await;
    let url = gate.client.url.clone();
    let proxy = Listening::at(gate, &url, "files", &[]).await;
    let arguments = json!({"path": "/srv/files/reports/a.md", "content": "hello"});
    let ask = json!({"tool": "write_file", "arguments": arguments, "justification": "due"});
    let asked = proxy.call(&proxy.agent, "proviso_request", &ask).await;
    let id = asked["result"]["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let parties = Parties { client: proxy.gate.client.clone(), point: String::new(), agent: String::new() };
    let vote = parties.vote(&proxy.gate.person("mara").await, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
    let stray = async |arguments: &Value, more: &Value| {
        let mut params =
            json!({"name": "write_file", "arguments": arguments, "inputResponses": {"q": {"action": "accept"}}});
        params.as_object_mut().expect("members").extend(more.as_object().cloned().unwrap_or_default());
        answer_of(proxy.stateless(&proxy.agent, "tools/call", &params).send().await.expect("an answer")).await
    };
    let told = stray(&arguments, &json!({})).await;
    assert_eq!((code_of(&told), proxy.upstream.calls().len()), ("no_exchange", 0), "{told}");
    let done = proxy.call(&proxy.agent, "write_file", &arguments).await;
    assert_eq!(done["result"]["isError"], json!(false), "the one use is still there: {done}");
    // In scope it is a call like any other, but under a state that the server may take for another call's.
    let scope = json!({"path": "/srv/files/drafts/a.md", "content": "hello"});
    let told = stray(&scope, &json!({"requestState": "made up"})).await;
    assert_eq!((code_of(&told), proxy.upstream.calls().len()), ("no_exchange", 1), "{told}");
    let told = stray(&scope, &json!({})).await;
    assert_eq!((&told["result"]["isError"], proxy.upstream.calls().len()), (&json!(false), 2), "{told}");
}
