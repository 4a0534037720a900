//! Who comes in, and with what nobody goes on: tokens, audiences, names, pages, sessions of others.

use proviso::app::Operator;
use proviso_tests::{Setup, TestGate, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::proxy::binary;
use super::proxy::{Listening, NOW, allow_all, answer_of, code_of, initialize, resource, secret};
use super::upstream::Upstream;
use crate::own_tokens::public_id;

#[tokio::test]
async fn only_a_token_that_is_for_this_proxy_comes_in() {
    let proxy = Listening::start().await;
    let gate = &proxy.gate;
    let elsewhere = gate.agent_at("https://other.example/mcp", "report-writer", "weekly-report", Some("ines")).await;
    let of_the_gate = gate.agent("report-writer", "weekly-report", Some("ines")).await;
    let point = gate.point("other", &["upstream"]).await;
    let beyond = proxy.gate.agent_at(&proxy.resource, "report-writer", "weekly-report", Some("ines")).await;
    let metadata = proxy.resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp");
    for (token, status, code) in [
        ("", 401, "no_credential"),
        ("made-up", 401, "unauthenticated"),
        (elsewhere.as_str(), 401, "token_audience"),
        (of_the_gate.as_str(), 401, "token_audience"),
        (point.as_str(), 401, "token_audience"),
        (beyond.as_str(), 200, ""),
    ] {
        let answer = proxy.stateless(token, "server/discover", &json!({})).send().await.expect("an answer");
        let challenge = answer.headers().get("www-authenticate").map(|v| v.to_str().expect("text").to_owned());
        let told_status = answer.status().as_u16();
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!((told_status, code_of(&told)), (status, code), "{told}");
        assert_eq!(challenge.is_some(), status == 401, "{told}");
        if let Some(challenge) = challenge {
            assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
            assert_eq!(challenge.contains("invalid_token"), !token.is_empty(), "{challenge}");
        }
    }
    // A token that is for a proxy opens nothing at the gate, nor at a proxy that is no resource.
    let (ours, plain) = (&proxy.agent, gate.point("plain", &["upstream"]).await);
    let who = gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(ours).send().await.expect("an answer");
    assert_eq!(who.status(), 401);
    let who = gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(&plain);
    let who = who.header("proviso-subject-token", ours).send().await.expect("an answer");
    assert_eq!((who.status().as_u16(), code_of(&who.json().await.expect("JSON"))), (401, "token_audience"));
    let heard = proxy.upstream.heard();
    assert!(heard.iter().all(|heard| heard.body["method"] == "server/discover"), "{heard:?}");
    assert_eq!(heard.len(), 1, "whoever is not known reaches nobody");
}

#[tokio::test]
async fn where_to_get_a_token_is_told_to_anybody() {
    let setup = Setup { bundle: allow_all(), ..Setup::default() };
    let proxy = Listening::with(setup, "upstream", &["--issuer", "https://login.example"]).await;
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        let url = proxy.resource.replace("/mcp", path);
        let told: Value = proxy.http.get(url).send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(
            told,
            json!({
                "resource": proxy.resource, "authorization_servers": ["https://login.example"],
                "bearer_methods_supported": ["header"]
            })
        );
    }
}

#[tokio::test]
async fn a_token_in_the_address_or_twice_is_refused() {
    let proxy = Listening::start().await;
    let url = format!("{}?access_token={}", proxy.resource, proxy.agent);
    for (request, code) in [
        (proxy.http.post(&url), "token_in_address"),
        (proxy.http.post(&url).bearer_auth(&proxy.agent), "token_in_address"),
        (proxy.request(Method::POST, &proxy.agent).header("authorization", "Bearer another"), "bad_header"),
    ] {
        let answer = request.json(&initialize()).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!((status, code_of(&told), told["help"].is_string()), (400, code, true), "{told}");
    }
    assert!(proxy.upstream.heard().is_empty());
}

#[tokio::test]
async fn another_name_another_page_and_a_flood_of_headers_stay_outside() {
    let proxy = Listening::start().await;
    let begin = || proxy.message(&proxy.agent, None, &initialize());
    for (request, status, code) in [
        (begin().header("host", "evil.example"), 403, "unknown_host"),
        (begin().header("origin", "https://evil.example"), 403, "unknown_origin"),
        (begin().header("origin", "null"), 403, "unknown_origin"),
        ((0..70).fold(begin(), |request, n| request.header(format!("x-{n}"), "1")), 431, "too_many_headers"),
    ] {
        let answer = request.send().await.expect("an answer");
        let told_status = answer.status().as_u16();
        assert_eq!((told_status, code_of(&answer.json().await.expect("JSON"))), (status, code));
    }
    assert!(proxy.upstream.heard().is_empty());
    let own = proxy.resource.trim_end_matches("/mcp").to_owned();
    assert_eq!(begin().header("origin", own).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_session_is_its_callers_and_nobody_elses() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let other_agent = proxy.gate.agent_at(&proxy.resource, "ledger-bot", "weekly-report", Some("ines")).await;
    let other_task = proxy.gate.agent_at(&proxy.resource, "report-writer", "other-task", Some("ines")).await;
    let other_person = proxy.gate.agent_at(&proxy.resource, "report-writer", "weekly-report", None).await;
    let before = proxy.upstream.heard().len();
    for token in [&other_agent, &other_task, &other_person] {
        let answer = proxy.message(token, Some(&session), &list).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), code_of(&answer.json().await.expect("JSON"))), (404, "no_session_here"));
        for method in [Method::GET, Method::DELETE] {
            let request = proxy.request(method, token).header("mcp-session-id", &session);
            let answer = request.header("accept", "text/event-stream").send().await.expect("an answer");
            assert_eq!(answer.status(), 404, "as one that there is not");
        }
    }
    let unknown = proxy.message(&proxy.agent, Some("mcp_0"), &list).send().await.expect("an answer");
    assert_eq!(unknown.status(), 404);
    assert_eq!(proxy.upstream.heard().len(), before, "nothing of it reaches the server");
    // The next token of the same agent goes on with it.
    let next = proxy.gate.agent_at(&proxy.resource, "report-writer", "weekly-report", Some("ines")).await;
    let told = answer_of(proxy.message(&next, Some(&session), &list).send().await.expect("an answer")).await;
    assert!(told["result"]["tools"].is_array(), "{told}");
    // And ends it: for everybody.
    let end = proxy.request(Method::DELETE, &next).header("mcp-session-id", &session).send().await.expect("an answer");
    assert_eq!(end.status(), 204);
    let gone = proxy.message(&proxy.agent, Some(&session), &list).send().await.expect("an answer");
    assert_eq!(gone.status(), 404);
    until("the server's own session ends", async || {
        proxy.upstream.heard().iter().any(|heard| heard.method == Method::DELETE).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_revoked_token_is_known_no_longer_than_an_allow_is_good_for() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let mut following = proxy.request(Method::GET, &proxy.agent).header("mcp-session-id", &session);
    following = following.header("accept", "text/event-stream");
    let mut following = following.send().await.expect("a stream");
    assert_eq!(following.status(), 200);
    let tokens = proxy.gate.app.tokens();
    let own = tokens.iter().find(|line| line.kind == "agent" && line.what.contains(&proxy.resource)).expect("a token");
    proxy.gate.app.revoke_token(&own.id, &operator()).await.expect("revoked");
    // A call is judged by the gate at once, whatever the proxy still remembers.
    let told = proxy.call(&proxy.agent, "echo", &json!({})).await;
    assert!(told["error"].is_object() || told["result"]["isError"] == true || told["code"].is_string(), "{told}");
    assert!(proxy.upstream.calls().is_empty());
    // And a stream that stays open ends.
    while following.chunk().await.expect("it ends well").is_some() {}
    let answer = proxy.stateless(&proxy.agent, "server/discover", &json!({})).send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
}

fn operator() -> proviso::app::Operator {
    proviso::app::Operator { uid: 4242, name: "tester".to_owned() }
}

#[tokio::test]
async fn nothing_that_a_caller_brings_reaches_the_server() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let brought = |request: reqwest::RequestBuilder| {
        let request = request.header("cookie", "session=caller-cookie").header("x-api-key", "caller-key");
        let request =
            request.header("proviso-subject-token", "caller-subject").header("x-forwarded-for", "caller-address");
        request.header("proxy-authorization", "Basic caller")
    };
    // Where they mirror nothing, nobody looks at them; in the later era they are refused.
    let earlier = proxy.message(&proxy.agent, Some(&session), &call).header("mcp-param-region", "caller-parameter");
    let heard = answer_of(brought(earlier).send().await.expect("an answer")).await;
    let echoed = heard["result"]["content"][0]["text"].as_str().expect("what the server heard").to_owned();
    let later = proxy.stateless(&proxy.agent, "tools/call", &json!({"name": "echo", "arguments": {}}));
    let stateless = answer_of(brought(later).send().await.expect("an answer")).await;
    let also = stateless["result"]["content"][0]["text"].as_str().expect("what the server heard");
    for (echoed, era) in [(echoed.as_str(), "2025-11-25"), (also, NOW)] {
        for leak in ["caller", "cookie", "proviso-", "x-forwarded", &session, proxy.agent.as_str()] {
            assert!(!echoed.to_ascii_lowercase().contains(&leak.to_ascii_lowercase()), "{era}: `{leak}` in {echoed}");
        }
        assert!(echoed.contains(era), "{era}: the version alone goes on: {echoed}");
    }
    for heard in proxy.upstream.heard() {
        assert_eq!(heard.header("authorization"), Some("Bearer upstream-secret-7"), "the proxy's own credential");
        assert_eq!(heard.headers.get_all("authorization").iter().count(), 1);
        assert!(heard.header("mcp-session-id").is_none_or(|session| session.starts_with("up-")), "its own session");
    }
    // Going round it gains nothing: the credential is the proxy's alone.
    for token in ["", proxy.agent.as_str()] {
        let request = proxy.http.post(&proxy.upstream.url).bearer_auth(token).json(&call);
        assert_eq!(request.send().await.expect("an answer").status(), 401);
    }
}

#[tokio::test]
async fn a_gate_that_is_away_lets_nobody_in() {
    let (wire, address) = super::upstream::wire().await;
    let setup = Setup { bundle: allow_all(), public_url: Some(address.clone()), ..Setup::default() };
    let gate = TestGate::with(setup).await;
    wire.lead_to(&gate.client.url);
    let proxy = Listening::at(gate, &address, "upstream", &[]).await;
    assert_eq!(proxy.call(&proxy.agent, "write_file", &json!({})).await["result"]["isError"], json!(false));
    let session = proxy.session(&proxy.agent).await;
    let ran = proxy.upstream.calls().len();
    wire.cut();
    // Until the proxy forgets who it was, the call is refused; then the caller is.
    let call =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "write_file", "arguments": {}}});
    let told = answer_of(proxy.message(&proxy.agent, Some(&session), &call).send().await.expect("an answer")).await;
    let known = told["result"]["isError"] == true && told.to_string().contains("gate_unreachable");
    assert!(known || code_of(&told) == "gate_unreachable", "{told}");
    let newcomer = proxy.gate.agent_at(&proxy.resource, "ledger-bot", "weekly-report", Some("ines")).await;
    let answer = proxy.stateless(&newcomer, "tools/list", &json!({})).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), code_of(&answer.json().await.expect("JSON"))), (503, "gate_unreachable"));
    assert_eq!(proxy.upstream.calls().len(), ran, "nothing runs");
    wire.mend();
    until("the gate is back", async || {
        let told = proxy.call(&newcomer, "write_file", &json!({})).await;
        (told["result"]["isError"] == false).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_would_be_no_boundary_does_not_start() {
    let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (closed, open) = (folder.path().join("closed"), folder.path().join("open"));
    secret(&closed, "secret");
    std::fs::write(&open, "secret").expect("written");
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("set");
    let point = gate.point_at("http://127.0.0.1:8740/mcp", "edge", &["upstream"]).await;
    let (closed, open) = (closed.to_str().expect("Unicode"), open.to_str().expect("Unicode"));
    let here = ["--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:9/mcp"];
    for (options, exit, code) in [
        (vec!["--listen", "0.0.0.0:0", "--upstream", "http://127.0.0.1:9/mcp"], 64, "listen_without_tls"),
        (vec!["--listen", "127.0.0.1:0", "--upstream", "http://tools.example/mcp"], 64, "upstream_without_tls"),
        ([&here[..], &["--upstream-credential", open]].concat(), 64, "bad_upstream_credential"),
        ([&here[..], &["--resource", "http://mcp.example/mcp"]].concat(), 64, "bad_resource"),
        // The gate's record says another resource than clients would be told.
        ([&here[..], &["--upstream-credential", closed]].concat(), 64, "resource_differs"),
        (vec!["--listen", "127.0.0.1:0"], 64, "usage"),
        (vec!["--upstream", "http://127.0.0.1:9/mcp"], 64, "usage"),
        ([&here[..], &["--", "true"]].concat(), 64, "usage"),
    ] {
        let mut command = tokio::process::Command::new(binary());
        command.args(["mcp", "--json", "--gate", &gate.client.url, "--server", "upstream"]).args(&options);
        command.env("PROVISO_TOKEN", &point).env_remove("XDG_STATE_HOME").env_remove("HOME");
        let done = command.output().await.expect("it ends");
        let told = [done.stdout, done.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert_eq!(done.status.code(), Some(exit), "{options:?}: {told}");
        assert!(told.contains(code), "{options:?}: {told}");
    }
}

#[tokio::test]
async fn the_next_token_of_a_proxy_is_taken_from_its_file_while_it_runs() {
    let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
    let (url, upstream, (listen, resource)) = (gate.client.url.clone(), Upstream::start().await, resource());
    let (address, folder) = (upstream.url.clone(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("token");
    let first = gate.point_at(&resource, "edge", &["upstream"]).await;
    secret(&file, &first);
    let options = ["--token-file", file.to_str().expect("Unicode")];
    let at = (listen, resource.clone());
    let proxy = Listening::known_as(gate, (&url, "upstream"), (upstream, &address), at, &options).await;
    let told = async || {
        let answer = proxy.stateless(&proxy.agent, "server/discover", &json!({})).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, code_of(&answer.json().await.expect("JSON")).to_owned())
    };
    assert_eq!(told().await, (200, String::new()));
    let by = Operator { uid: 4242, name: "tester".to_owned() };
    proxy.gate.app.revoke_token(&public_id(&first), &by).await.expect("revoked");
    let unknown = (503, "proxy_not_known".to_owned());
    until("the proxy is unknown", async || (told().await == unknown).then_some(())).await;
    secret(&file, &proxy.gate.point_at(&resource, "edge", &["upstream"]).await);
    until("it has the next token", async || (told().await.0 == 200).then_some(())).await;
}
