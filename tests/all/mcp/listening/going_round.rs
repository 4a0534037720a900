//! An agent that goes round the proxy: the server demands a credential, and that is the proxy's alone.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::proxy::{Listening, answer_of, initialize, stateless_body};
use super::upstream::SECRET;

#[tokio::test]
async fn going_round_the_proxy_gains_nothing() {
    let proxy = Listening::start().await;
    // By the way that there is, the call runs, in both eras.
    let session = proxy.session(&proxy.agent).await;
    let call =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "write_file", "arguments": {}}});
    let told = answer_of(proxy.message(&proxy.agent, Some(&session), &call).send().await.expect("an answer")).await;
    assert_eq!(told["result"]["content"][0]["text"], json!("done"), "{told}");
    let later = proxy.call(&proxy.agent, "write_file", &json!({})).await;
    assert_eq!(later["result"]["content"][0]["text"], json!("done"), "{later}");
    // With all that the agent has, and all that it learnt, at the server itself.
    let params = json!({"name": "write_file", "arguments": {}});
    let bodies = [initialize(), call, stateless_body(&json!(3), "tools/call", &params)];
    let bare = |request: RequestBuilder| request;
    let token = |request: RequestBuilder| request.bearer_auth(&proxy.agent);
    let sessions = |request: RequestBuilder| token(request).header("mcp-session-id", &session);
    let servers = |request: RequestBuilder| token(request).header("mcp-session-id", "up-0");
    let named = |request: RequestBuilder| token(request).header("proviso-subject-token", &proxy.agent);
    let host = proxy.resource.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let as_the_proxy =
        |request: RequestBuilder| token(request).header("host", &host).header("user-agent", "proviso/0.1.0");
    let cookie = |request: RequestBuilder| request.header("cookie", format!("authorization=Bearer {}", proxy.agent));
    let ways: [&dyn Fn(RequestBuilder) -> RequestBuilder; 7] =
        [&bare, &token, &sessions, &servers, &named, &as_the_proxy, &cookie];
    for (number, way) in ways.iter().enumerate() {
        for body in &bodies {
            let request = proxy.http.post(&proxy.upstream.url).header("accept", "application/json, text/event-stream");
            let answer = way(request).json(body).send().await.expect("an answer");
            assert_eq!(answer.status(), 401, "way {number}: {body}");
        }
        for method in [Method::GET, Method::DELETE] {
            let answer = way(proxy.http.request(method, &proxy.upstream.url)).send().await.expect("an answer");
            assert_eq!(answer.status(), 401, "way {number}");
        }
    }
    let credential = format!("Bearer {SECRET}");
    let heard = proxy.upstream.calls();
    let ran = heard.iter().filter(|call| call.header("authorization") == Some(&credential)).count();
    assert_eq!(ran, 2, "what the proxy sent and nothing else");
    // The gate gives nobody the server's credential either, nor does the proxy at any of its addresses.
    let metadata = proxy.resource.replace("/mcp", "/.well-known/oauth-protected-resource");
    let told = proxy.http.get(metadata).send().await.expect("an answer").text().await.expect("text");
    assert!(!told.contains(SECRET), "{told}");
    for tool in ["refuse", "redirect", "broken", "page"] {
        let told = proxy.call(&proxy.agent, tool, &json!({})).await;
        assert!(!told.to_string().contains(SECRET), "{tool}: {told}");
    }
}

#[tokio::test]
async fn the_servers_credential_stands_where_nobody_else_looks() {
    let proxy = Listening::start().await;
    assert_eq!(proxy.call(&proxy.agent, "write_file", &json!({})).await["result"]["isError"], json!(false));
    // What others on the machine, or a list of processes, may show of the proxy.
    for part in ["cmdline", "environ"] {
        let told = std::fs::read(format!("/proc/{}/{part}", proxy.process())).expect("a part of the process");
        assert!(!told.is_empty(), "{part}");
        assert!(!String::from_utf8_lossy(&told).contains(SECRET), "{part}");
    }
    // A caller that brings a credential of its own for the server changes nothing.
    let params = json!({"name": "echo", "arguments": {}});
    for name in ["x-api-key", "x-upstream-authorization", "proxy-authorization"] {
        let request = proxy.stateless(&proxy.agent, "tools/call", &params).header(name, "caller-secret");
        let told: Value = answer_of(request.send().await.expect("an answer")).await;
        assert!(!told.to_string().contains("caller-secret"), "{name}: {told}");
    }
}
