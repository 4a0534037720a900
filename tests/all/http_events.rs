//! Live changes: a signed-in person hears of each, a stranger of none, and the stream ends with the session.

use std::time::Duration;

use proviso_tests::contract::{answered, faults};
use proviso_tests::{Story, as_person, cookie_of, write_file};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// The next event's id and data.
async fn next(response: &mut reqwest::Response, buffer: &mut String) -> Option<(String, Value)> {
    let read = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some((event, rest)) = buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                *buffer = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (id, data) = (field("id: "), field("data: "));
                assert_eq!(field("event: "), None, "events are unnamed");
                if let (Some(id), Some(data)) = (id, data) {
                    let change = serde_json::from_str(&data).unwrap();
                    assert_eq!(faults("Change", &change), "", "{change}");
                    answered("events");
                    return Some((id, change));
                }
            } else {
                let chunk = response.chunk().await.ok()??;
                buffer.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    });
    read.await.expect("an event, or the end")
}

#[tokio::test]
async fn a_request_is_heard_of_at_once_until_the_session_ends() {
    let story = Story::begin().await;
    let person = story.gate.person("mara").await;
    let request = story.gate.client.request(Method::GET, "/api/v1/events").header("cookie", cookie_of(&person));
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");

    // What was before the stream is told of by one event: who reads after it misses nothing.
    let mut buffer = String::new();
    let (position, change) = next(&mut stream, &mut buffer).await.unwrap();
    assert_eq!((change["kind"].as_str(), change["position"].to_string()), (Some("missed"), position.clone()));
    assert_ne!(position, "0", "the gate's start is in the ledger");
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "c1"), None).await;
    let (position, change) = loop {
        let (position, change) = next(&mut stream, &mut buffer).await.unwrap();
        if change["kind"] == "exception_requested" {
            break (position, change);
        }
    };
    assert_eq!(change["exception"], id.as_str(), "{change}");
    assert_eq!(change["position"].to_string(), position);

    let out = as_person(story.gate.client.request(Method::DELETE, "/api/v1/session"), &person);
    assert_eq!(out.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    story.ask(&write_file("report-writer", "/srv/files/reports/b.md", "c2"), None).await;
    assert_eq!(next(&mut stream, &mut buffer).await, None, "a session that has ended hears nothing");
}

#[tokio::test]
async fn a_stranger_and_a_token_hear_nothing() {
    let story = Story::begin().await;
    let nobody = story.gate.client.get("/api/v1/events", None).await;
    assert_eq!((nobody.status, nobody.code().as_str()), (StatusCode::UNAUTHORIZED, "no_session"));
    let request = story.gate.client.request(Method::GET, "/api/v1/events").bearer_auth(&story.point);
    let token = request.send().await.unwrap();
    assert_eq!(token.status(), StatusCode::FORBIDDEN);
}
