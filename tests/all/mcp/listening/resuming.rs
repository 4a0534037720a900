//! Streams of the earlier era: a session's own, those that are cut off and taken up again, and those that the server closes.

use proviso_tests::until;
use serde_json::{Value, json};

use super::proxy::{Event, Events, Listening, code_of};
use super::upstream::step;

fn call(id: i64, tool: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": {}}})
}

fn number(event: &Event) -> Option<u64> {
    event.message.as_ref()?["params"]["data"].as_u64()
}

fn text(event: &Event) -> Option<&str> {
    event.message.as_ref()?["result"]["content"][0]["text"].as_str()
}

/// A call whose server answers with a stream.
async fn begun(proxy: &Listening, session: &str, id: i64, tool: &str) -> Events {
    Events::of(proxy.message(&proxy.agent, Some(session), &call(id, tool)).send().await.expect("a stream"))
}

async fn until_followed(proxy: &Listening) {
    until("the server is followed", async || {
        proxy.upstream.heard().iter().any(|heard| heard.method == reqwest::Method::GET).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_session_hears_what_its_server_says_by_itself_whenever_it_follows() {
    let proxy = Listening::start().await;
    let says = proxy.upstream.speaks();
    let session = proxy.session(&proxy.agent).await;
    until_followed(&proxy).await;
    // Before anybody follows.
    says.send(step(1)).expect("the proxy follows");
    let mut stream = Events::of(proxy.follow(&proxy.agent, &session, None).await);
    let primed = stream.next().await.expect("an event");
    assert!(primed.message.is_none() && primed.id.is_some() && primed.retry.is_some(), "{primed:?}");
    let first = stream.message().await;
    assert_eq!(number(&first), Some(1));
    says.send(step(2)).expect("the proxy follows");
    let second = stream.message().await;
    assert_eq!(number(&second), Some(2));
    drop(stream);
    // What was said while nobody followed, and what is said now; and what was heard once is heard again by whoever asks.
    says.send(step(3)).expect("the proxy follows");
    let mut again = Events::of(proxy.follow(&proxy.agent, &session, second.id.as_deref()).await);
    assert_eq!(number(&again.message().await), Some(3));
    let mut all = Events::of(proxy.follow(&proxy.agent, &session, first.id.as_deref()).await);
    assert_eq!((number(&all.message().await), number(&all.message().await)), (Some(2), Some(3)));
    says.send(step(4)).expect("the proxy follows");
    assert_eq!(number(&all.message().await), Some(4));
    assert!(again.next().await.is_none(), "one stream at a time: what follows later takes the place");
    // A message that came for a call goes to that call's stream and not here, and the other way about.
    let mut talk = begun(&proxy, &session, 2, "talk").await;
    assert_eq!(number(&talk.message().await), Some(1));
    assert_eq!(text(&talk.message().await), Some("talked"));
    says.send(step(5)).expect("the proxy follows");
    assert_eq!(number(&all.message().await), Some(5));
}

#[tokio::test]
async fn a_stream_that_is_cut_off_is_taken_up_again_and_the_call_runs_once() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let mut stream = begun(&proxy, &session, 1, "steps").await;
    let primed = stream.next().await.expect("an event");
    assert!(primed.message.is_none() && primed.retry.is_some(), "{primed:?}");
    let first = stream.message().await;
    assert_eq!(number(&first), Some(1));
    drop(stream);
    // Nobody listens while the server goes on.
    proxy.upstream.go_on.notify_one();
    let mut again = Events::of(proxy.follow(&proxy.agent, &session, first.id.as_deref()).await);
    assert_eq!(number(&again.message().await), Some(2));
    let answer = again.message().await;
    assert_eq!((text(&answer), answer.message.as_ref().map(|m| &m["id"])), (Some("all steps"), Some(&json!(1))));
    assert!(again.next().await.is_none(), "an answer ends its stream");
    // All of it once more, from the beginning; behind the answer there is nothing.
    let mut all = Events::of(proxy.follow(&proxy.agent, &session, primed.id.as_deref()).await);
    assert_eq!((number(&all.message().await), number(&all.message().await)), (Some(1), Some(2)));
    assert_eq!(text(&all.message().await), Some("all steps"));
    let mut rest = Events::of(proxy.follow(&proxy.agent, &session, answer.id.as_deref()).await);
    assert!(rest.next().await.is_none_or(|event| event.message.is_none()));
    assert_eq!(proxy.upstream.calls().len(), 1, "what is heard again does not run again");
    // An id that was in use is free again.
    let mut next = begun(&proxy, &session, 1, "talk").await;
    assert_eq!(number(&next.message().await), Some(1));
}

#[tokio::test]
async fn a_stream_is_taken_up_by_its_own_caller_in_its_own_session_alone() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let mut stream = begun(&proxy, &session, 1, "steps").await;
    let place = stream.message().await.id.expect("an id");
    let other = proxy.gate.agent_at(&proxy.resource, "ledger-bot", "weekly-report", Some("ines")).await;
    let theirs = proxy.session(&other).await;
    let elsewhere = proxy.session(&proxy.agent).await;
    let beyond = format!("{}99", place);
    for (token, session, after, status, code) in [
        // As one that there is not: nobody learns that there is one.
        (&other, &session, place.as_str(), 404, "no_session_here"),
        (&other, &theirs, place.as_str(), 400, "no_stream_here"),
        (&proxy.agent, &elsewhere, place.as_str(), 400, "no_stream_here"),
        (&proxy.agent, &session, beyond.as_str(), 400, "no_stream_here"),
        (&proxy.agent, &session, "0-1", 400, "no_stream_here"),
        (&proxy.agent, &session, "made up", 400, "no_stream_here"),
        (&proxy.agent, &session, "", 400, "no_stream_here"),
    ] {
        let answer = proxy.follow(token, session, Some(after)).await;
        let told_status = answer.status().as_u16();
        let told: Value = answer.json().await.expect("JSON");
        assert_eq!(
            (told_status, code_of(&told), told["jsonrpc"].is_string() || told["help"].is_string()),
            (status, code, true),
            "{told}"
        );
    }
    // Nothing of that has disturbed whoever listens.
    proxy.upstream.go_on.notify_one();
    assert_eq!(number(&stream.message().await), Some(2));
    assert_eq!(text(&stream.message().await), Some("all steps"));
    // With its session its streams are gone.
    let end = proxy.request(reqwest::Method::DELETE, &proxy.agent).header("mcp-session-id", &session);
    assert_eq!(end.send().await.expect("an answer").status(), 204);
    assert_eq!(proxy.follow(&proxy.agent, &session, Some(&place)).await.status(), 404);
}

#[tokio::test]
async fn a_stream_that_the_server_closes_for_a_while_is_closed_for_clients_that_know_of_it() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let mut stream = begun(&proxy, &session, 1, "poll").await;
    let mut last = None;
    while let Some(event) = stream.next().await {
        assert!(event.message.is_none(), "{event:?}");
        last = Some(event);
    }
    let last = last.expect("an event");
    assert_eq!(last.retry, Some(100), "after as long as the server says");
    let mut again = Events::of(proxy.follow(&proxy.agent, &session, last.id.as_deref()).await);
    proxy.upstream.go_on.notify_one();
    assert_eq!(text(&again.message().await), Some("polled"));
    // A client of before does not know of it, nor of events that say nothing: its stream stays.
    let earlier = proxy.session_of(&proxy.agent, "2025-06-18").await;
    let request = proxy.message(&proxy.agent, None, &call(1, "poll")).header("mcp-session-id", &earlier);
    let mut stays = Events::of(request.send().await.expect("a stream"));
    until("the server was polled", async || {
        let polls = |heard: &&super::upstream::Heard| heard.header("last-event-id").is_some();
        (proxy.upstream.heard().iter().filter(polls).count() >= 2).then_some(())
    })
    .await;
    proxy.upstream.go_on.notify_one();
    let answer = stays.next().await.expect("an event");
    assert_eq!((text(&answer), answer.retry), (Some("polled"), None), "{answer:?}");
    assert!(stays.next().await.is_none());
    assert_eq!(proxy.upstream.calls().len(), 2);
}

#[tokio::test]
async fn a_call_on_which_the_server_is_silent_for_long_can_be_taken_up_again_too() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    let mut stream = begun(&proxy, &session, 1, "wait").await;
    let primed = stream.next().await.expect("an event");
    assert!(primed.message.is_none() && primed.id.is_some(), "{primed:?}");
    drop(stream);
    proxy.upstream.go_on.notify_one();
    let mut again = Events::of(proxy.follow(&proxy.agent, &session, primed.id.as_deref()).await);
    assert_eq!(text(&again.message().await), Some("waited"));
    assert_eq!(proxy.upstream.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_has_the_form_that_the_server_gives_it() {
    let proxy = Listening::start().await;
    let session = proxy.session(&proxy.agent).await;
    for (tool, kind) in [("echo", "application/json"), ("talk", "text/event-stream")] {
        let answer = proxy.message(&proxy.agent, Some(&session), &call(1, tool)).send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], kind, "2025-11-25 {tool}");
        drop(answer.text().await.expect("read to its end"));
        let params = json!({"name": tool, "arguments": {}});
        let later = proxy.stateless(&proxy.agent, "tools/call", &params).send().await.expect("an answer");
        assert_eq!(later.headers()["content-type"], kind, "2026-07-28 {tool}");
        let text = later.text().await.expect("read to its end");
        assert!(!text.lines().any(|line| line.starts_with("id:")), "the later era takes nothing up again: {text}");
    }
}
