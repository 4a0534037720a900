//! Servers that redirect, lie, break off or never end; clients that do not read.

use proviso_tests::{Setup, TestGate, until};
use serde_json::{Value, json};

use super::proxy::{Listening, allow_all};
use super::upstream::Upstream;

fn text(told: &Value) -> String {
    told["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_server_that_does_not_answer_a_call_leaves_its_outcome_unknown() {
    let proxy = Listening::start().await;
    for tool in ["redirect", "broken", "other", "cut", "page", "huge", "refuse"] {
        let told = proxy.call(&proxy.agent, tool, &json!({})).await;
        assert_eq!(told["result"]["isError"], json!(true), "{tool}: {told}");
        let sentence = text(&told);
        assert!(sentence.contains("unknown") && !sentence.contains("not run"), "{tool}: {sentence}");
        assert!(!told.to_string().contains("Welcome"), "{tool}: {told}");
    }
    // Nobody followed it, and nothing of the credential went there.
    let heard = proxy.upstream.heard();
    assert_eq!(heard.iter().filter(|heard| heard.body["params"]["name"] == "redirect").count(), 1, "{heard:#?}");
    let fine = proxy.call(&proxy.agent, "echo", &json!({})).await;
    assert_eq!(fine["result"]["isError"], json!(false), "the next call runs: {fine}");
}

#[tokio::test]
async fn a_stream_that_never_ends_takes_no_room_and_holds_up_nobody() {
    let proxy = Listening::start().await;
    let request = proxy.stateless(&proxy.agent, "tools/call", &json!({"name": "endless", "arguments": {}}));
    // A client that takes the stream and does not read on.
    let mut unread = request.send().await.expect("a stream");
    assert!(unread.chunk().await.expect("a piece").is_some());
    for _ in 0..3 {
        let fine = proxy.call(&proxy.agent, "echo", &json!({})).await;
        assert_eq!(fine["result"]["isError"], json!(false), "{fine}");
    }
    drop(unread);
    let fine = proxy.call(&proxy.agent, "echo", &json!({})).await;
    assert_eq!(fine["result"]["isError"], json!(false), "{fine}");
}

#[tokio::test]
async fn a_server_that_is_away_runs_nothing_and_comes_back() {
    let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
    let upstream = Upstream::start().await;
    let (wire, near) = super::upstream::wire().await;
    wire.lead_to(&upstream.url.replace("/mcp", ""));
    let (url, address) = (gate.client.url.clone(), format!("{near}/mcp"));
    let proxy = Listening::before(gate, &url, "upstream", (upstream, &address), &[]).await;
    wire.cut();
    let told = proxy.call(&proxy.agent, "echo", &json!({})).await;
    assert_eq!(told["result"]["isError"], json!(true), "{told}");
    assert!(proxy.upstream.calls().is_empty());
    wire.mend();
    until("the server is back", async || {
        (proxy.call(&proxy.agent, "echo", &json!({})).await["result"]["isError"] == false).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_with_too_many_calls_under_way_waits() {
    let proxy = Listening::start().await;
    let params = json!({"name": "wait", "arguments": {}});
    let waiting: Vec<_> = (0..64)
        .map(|number| {
            let request = proxy.stateless_as(&proxy.agent, &json!(number), "tools/call", &params);
            tokio::spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) })
        })
        .collect();
    until("they are under way", async || (proxy.upstream.calls().len() == 64).then_some(())).await;
    let one_more = proxy.stateless(&proxy.agent, "tools/call", &params).send().await.expect("an answer");
    assert_eq!(one_more.status(), 429);
    // Another caller has room of its own.
    let other = proxy.gate.agent_at(&proxy.resource, "ledger-bot", "daily-close", Some("ines")).await;
    assert_eq!(proxy.call(&other, "echo", &json!({})).await["result"]["isError"], json!(false));
    until("they end", async || {
        proxy.upstream.go_on.notify_waiters();
        waiting.iter().all(tokio::task::JoinHandle::is_finished).then_some(())
    })
    .await;
    for one in waiting {
        assert_eq!(one.await.expect("it ends").ok(), Some(200));
    }
}
