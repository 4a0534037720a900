//! Two clocks: the time to decide, and the time of validity, which may begin later (R4, R6).

use policy_core::time::{Span, Timestamp};
use proviso_tests::{Client, Story, write_file};
use reqwest::Method;
use serde_json::json;

use super::{allowed, exception, refusal, refused, verdict};

const FILE: &str = "/srv/files/reports/a.md";

/// An hour from an instant.
fn hours(from: &str, hours: u64) -> String {
    let from: Timestamp = from.parse().unwrap();
    from.plus(Span::from_seconds(hours * 3_600)).to_string()
}

#[tokio::test]
async fn r6_a_later_start_is_not_active_until_then_and_expired_after() {
    let story = Story::begin().await;
    let call = write_file("report-writer", FILE, "ask");
    let denied = story.evaluate(&call).await.json();
    let now = denied["context"]["evaluated_at"].as_str().unwrap_or_default().to_owned();
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    if let Some(scope) = scope.as_object_mut() {
        scope.remove("valid_for");
    }
    scope["not_before"] = json!(hours(&now, 30));
    scope["not_after"] = json!(hours(&now, 31));
    let answer = story.request(&story.request_body(&call, &denied, Some(scope.clone()))).await;
    assert_eq!(refusal(&answer), refused(400, "widens"), "beyond the lead time");

    let (id, mara) = granted_later(&story).await;
    assert_eq!(exception(&story, &mara, &id).await["state"], "not_active");
    let early = story.evaluate(&write_file("report-writer", FILE, "u1")).await;
    assert_eq!(early.json()["context"]["proviso.dev/grant"]["state"], "not_active", "{early:?}");
    assert!(!verdict(&early).0);
    // With its approval it is told that the grant is pending, and when to come again.
    let path = format!("/access/v1/requests/{id}");
    let status = story.client.request(Method::GET, &path).bearer_auth(&story.point);
    let status = Client::send(status.header("proviso-subject-token", &story.agent)).await.json();
    for (call, passed, left) in [("u2", 0, 7_200..=7_201), ("u3", 6_900, 300..=301)] {
        story.gate.clock.advance(passed);
        let mut early = write_file("report-writer", FILE, call);
        early["context"]["approval"] = status["result"]["approval"].clone();
        let context = story.evaluate(&early).await.json()["context"].clone();
        assert_eq!(
            (&context["reason"], &context["next_action"]),
            (&json!("grant_pending"), &json!("retry")),
            "{context}"
        );
        assert!(context["retry_after"].as_u64().is_some_and(|wait| left.contains(&wait)), "{left:?}: {context}");
    }

    story.gate.clock.advance(300 + 1);
    let due = story.evaluate(&write_file("report-writer", FILE, "u4")).await;
    assert_eq!(verdict(&due), allowed("exception"), "{due:?}");
    let history = exception(&story, &mara, &id).await["history"].to_string();
    assert!(history.contains("grant_activated"), "judged again at its start: {history}");
}

/// A grant by mara that begins two hours from now. Its exception, and her cookie.
async fn granted_later(story: &Story) -> (String, String) {
    let call = write_file("report-writer", FILE, "ask");
    let denied = story.evaluate(&call).await.json();
    let now = denied["context"]["evaluated_at"].as_str().unwrap_or_default().to_owned();
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    scope.as_object_mut().unwrap().remove("valid_for");
    scope["not_before"] = json!(hours(&now, 2));
    scope["not_after"] = json!(hours(&now, 3));
    let answer = story.request(&story.request_body(&call, &denied, Some(scope))).await;
    let id = answer.json()["task"]["id"].as_str().unwrap_or_default().to_owned();
    let mara = story.gate.person("mara").await;
    let vote = story.vote(&mara, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{answer:?} {vote:?}");
    (id, mara)
}

#[tokio::test]
async fn r4_a_vote_that_no_longer_counts_at_the_later_start_begins_nothing() {
    for absent in ["ines", "tom", "jun"] {
        let story = Story::begin().await;
        let (id, mara) = granted_later(&story).await;
        assert_eq!(exception(&story, &mara, &id).await["state"], "not_active");
        // By the start mara stands in for who asked, for the agent's owner, or for somebody without a part in it.
        super::routing::appoint(&story, absent, "mara").await;
        story.gate.clock.advance(2 * 3_600 + 1);
        let due = story.evaluate(&write_file("report-writer", FILE, "u1")).await;
        let state = exception(&story, &mara, &id).await["state"].clone();
        if absent == "jun" {
            assert_eq!(verdict(&due), allowed("exception"), "{due:?}");
            continue;
        }
        assert!(!verdict(&due).0, "{absent}: {due:?}");
        assert_eq!(state, "suspended", "{absent}");
    }
}

#[tokio::test]
async fn no_vote_puts_the_start_off_beyond_the_lead_time_of_the_request() {
    let story = Story::begin().await;
    let call = write_file("report-writer", FILE, "ask");
    let denied = story.evaluate(&call).await.json();
    let now = denied["context"]["evaluated_at"].as_str().unwrap_or_default().to_owned();
    // An hour, whenever within two days.
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    scope["valid_for"] = json!("1h");
    scope["not_after"] = json!(hours(&now, 48));
    let answer = story.request(&story.request_body(&call, &denied, Some(scope.clone()))).await;
    let id = answer.json()["task"]["id"].as_str().unwrap_or_default().to_owned();
    // Policy lets it begin within a day of the request, and two hours of that have passed.
    story.gate.clock.advance(2 * 3_600);
    let mara = story.gate.person("mara").await;
    scope["not_before"] = json!(hours(&now, 25));
    assert_eq!(refusal(&story.vote(&mara, &id, "approve", Some(scope.clone())).await), refused(400, "widens"));
    scope["not_before"] = json!(hours(&now, 24));
    let vote = story.vote(&mara, &id, "approve", Some(scope)).await;
    assert!(vote.status.is_success(), "{answer:?} {vote:?}");
    assert_eq!(exception(&story, &mara, &id).await["state"], "not_active");
}

#[tokio::test]
async fn r6_the_time_to_decide_does_not_eat_the_time_of_validity() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    story.gate.clock.advance(7 * 3_600);
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    let detail = exception(&story, &mara, &id).await;
    let grant = &detail["exception"]["phase"];
    let granted_at: Timestamp = serde_json::from_value(grant["granted_at"].clone()).unwrap();
    let not_after: Timestamp = serde_json::from_value(grant["grant"]["scope"]["not_after"].clone()).unwrap();
    assert_eq!(not_after.since(granted_at), Span::from_seconds(4 * 3_600), "{grant:#}");
    story.gate.clock.advance(4 * 3_600);
    let late = story.evaluate(&write_file("report-writer", FILE, "u1")).await;
    assert_eq!(late.json()["context"]["proviso.dev/grant"]["state"], "expired", "{late:?}");
}
