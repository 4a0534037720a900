//! What people do about findings, and what they cannot.

use proviso_tests::{Story, write_file};
use serde_json::json;

use super::super::{granted, refusal, refused, sizes, verdict};
use super::{finding, found, id_of, told, write_ran};

const REPORT: &str = "/srv/files/reports/b.md";

/// A finding on a live grant: one allow, two calls. Its id, the exception's, and mara's cookie.
async fn on_a_grant(story: &Story) -> (String, String, String) {
    let (exception, mara) = granted(story).await;
    assert!(verdict(&story.evaluate(&write_file("report-writer", REPORT, "u1")).await).0);
    for name in ["t1", "t2"] {
        told(story, &story.point, &write_ran(story, name, REPORT, 0)).await;
    }
    let findings = found(story, &mara).await;
    assert_eq!((&findings[0]["kind"], &findings[0]["exception"]), (&json!("more_often"), &json!(exception)));
    (id_of(&findings[0]), exception, mara)
}

#[tokio::test]
async fn a_finding_has_an_owner_a_state_and_comments() {
    let story = Story::begin().await;
    let (id, _, mara) = on_a_grant(&story).await;
    let act = async |what: &str, body: serde_json::Value| {
        story.client.post(&format!("/api/v1/findings/{id}/{what}"), &mara, &body).await
    };
    let said = act("comments", json!({"words": "<b>who</b> ran this twice?"})).await;
    assert_eq!(said.json()["state"], "open", "{said:?}");
    let to = json!({"type": "User", "id": "ola"});
    assert_eq!(act("assign", json!({"to": to, "reason": "hers"})).await.json()["owner"], to);
    assert_eq!(act("state", json!({"state": "acknowledged"})).await.json()["state"], "acknowledged");
    let closed = act("state", json!({"state": "resolved", "outcome": "misuse", "note": "it was"})).await.json();
    assert_eq!((&closed["state"], &closed["outcome"]), (&json!("resolved"), &json!("misuse")));
    let before = sizes(&story);
    let again = act("state", json!({"state": "resolved", "outcome": "misuse", "note": "it was"})).await;
    assert_eq!((again.status.as_u16(), sizes(&story)), (200, before), "the same again is done already");
    assert_eq!(act("state", json!({"state": "open", "note": "not so"})).await.json()["state"], "open");
    let detail = finding(&story, &mara, &id).await;
    let history: Vec<&str> =
        detail["history"].as_array().unwrap().iter().filter_map(|step| step["sentence"].as_str()).collect();
    assert_eq!(history.len(), 6, "{detail:#}");
    assert_eq!(detail["history"][1]["said"], "<b>who</b> ran this twice?", "text stays text");
    let ola = story.gate.person("ola").await;
    let hers = story.client.get("/api/v1/findings?owner=me&kind=more_often", Some(&ola)).await.json();
    assert_eq!(hers["findings"].as_array().unwrap().len(), 1);
    let tom = story.gate.person("tom").await;
    let his = story.client.get("/api/v1/findings?owner=me", Some(&tom)).await.json();
    assert_eq!(his["findings"], json!([]));
}

#[tokio::test]
async fn what_makes_no_sense_of_a_finding_is_refused_with_its_code() {
    let story = Story::begin().await;
    let (id, _, mara) = on_a_grant(&story).await;
    let before = sizes(&story);
    let to = |user: &str| json!({"to": {"type": "User", "id": user}, "reason": "yours"});
    for (what, body, status, code) in [
        ("comments", json!({"words": "  "}), 400, "reason_needed"),
        ("comments", json!({"words": "x".repeat(2_001)}), 400, "reason_needed"),
        ("assign", to("nobody"), 400, "unknown_person"),
        ("assign", json!({"to": {"type": "User", "id": "ola"}, "reason": ""}), 400, "reason_needed"),
        ("state", json!({"state": "resolved", "note": "no outcome"}), 400, "outcome_needed"),
        ("state", json!({"state": "resolved", "outcome": "explained", "note": "by me"}), 400, "outcome_needed"),
        ("state", json!({"state": "open", "outcome": "fixed"}), 400, "outcome_needed"),
        ("state", json!({"state": "resolved", "outcome": "fixed"}), 400, "reason_needed"),
        ("state", json!({"state": "gone"}), 400, "bad_shape"),
        ("revoke", json!({"reason": ""}), 400, "reason_needed"),
        ("lock", json!({"reason": ""}), 400, "reason_needed"),
    ] {
        let answer = story.client.post(&format!("/api/v1/findings/{id}/{what}"), &mara, &body).await;
        assert_eq!(refusal(&answer), refused(status, code), "{what} {body}");
        let nowhere = story.client.post(&format!("/api/v1/findings/find_0/{what}"), &mara, &body).await;
        assert!(nowhere.status.is_client_error(), "{what}");
    }
    for (query, code) in [("state=gone", "bad_state"), ("kind=gone", "bad_state"), ("owner=ola", "bad_state")] {
        let answer = story.client.get(&format!("/api/v1/findings?{query}"), Some(&mara)).await;
        assert_eq!(refusal(&answer), refused(400, code), "{query}");
    }
    let answer = story.client.get("/api/v1/findings/find_0", Some(&mara)).await;
    assert_eq!(refusal(&answer), refused(404, "unknown_finding"));
    let words = json!({"words": "it was fine"});
    let answer = story.client.post("/api/v1/findings/find_0/comments", &mara, &words).await;
    assert_eq!(refusal(&answer), refused(404, "unknown_finding"));
    // No token opens or closes any of it.
    for (path, body) in [("", None), ("/state", Some(json!({"state": "acknowledged"})))] {
        let path = format!("/api/v1/findings/{id}{path}");
        let answer = match &body {
            None => {
                let request = story.client.request(reqwest::Method::GET, &path).bearer_auth(&story.agent);
                proviso_tests::Client::send(request).await
            }
            Some(body) => story.client.post_for(&path, &story.point, &story.agent, body).await,
        };
        assert_eq!(refusal(&answer), refused(403, "not_a_person"));
    }
    assert_eq!(sizes(&story), before, "and none of it is on record");
}

#[tokio::test]
async fn nobody_fills_the_record_with_words_on_findings_and_stops_are_not_counted() {
    let story = Story::begin().await;
    let (id, _, mara) = on_a_grant(&story).await;
    let act = async |what: &str, body: serde_json::Value| {
        story.client.post(&format!("/api/v1/findings/{id}/{what}"), &mara, &body).await
    };
    // What is refused, and what was said already, takes nothing of the hour.
    for _ in 0..5 {
        assert_eq!(refusal(&act("comments", json!({"words": ""})).await), refused(400, "reason_needed"));
        assert_eq!(act("state", json!({"state": "open"})).await.status.as_u16(), 200);
    }
    for number in 0..300 {
        let said = act("comments", json!({"words": format!("word {number}")})).await;
        assert_eq!(said.status.as_u16(), 200, "{number}: {said:?}");
    }
    let before = sizes(&story);
    for (what, body) in [("comments", json!({"words": "more"})), ("state", json!({"state": "acknowledged"}))] {
        assert_eq!((refusal(&act(what, body).await), sizes(&story)), (refused(429, "too_often"), before.clone()));
    }
    // Whoever has said so much can stop what runs all the same.
    let locked = act("lock", json!({"reason": "look first"})).await;
    assert!(locked.status.is_success(), "{locked:?}");
}

#[tokio::test]
async fn a_person_revokes_and_locks_from_a_finding() {
    let story = Story::begin().await;
    let (id, exception, mara) = on_a_grant(&story).await;
    let why = json!({"reason": "twice is too often"});
    let revoked = story.client.post(&format!("/api/v1/findings/{id}/revoke"), &mara, &why).await;
    assert_eq!(revoked.json()["acted"], json!(["revoke"]), "{revoked:?}");
    let state = super::super::exception(&story, &mara, &exception).await["state"].clone();
    assert_eq!(state, "revoked");
    assert!(!verdict(&story.evaluate(&write_file("report-writer", REPORT, "u2")).await).0);
    let again = story.client.post(&format!("/api/v1/findings/{id}/revoke"), &mara, &why).await;
    assert_eq!(refusal(&again), refused(409, "closed"));
    let locked = story.client.post(&format!("/api/v1/findings/{id}/lock"), &mara, &why).await;
    assert_eq!(locked.json()["acted"], json!(["lock_subject", "revoke"]), "{locked:?}");
    let draft = write_file("report-writer", "/srv/files/drafts/a.md", "c9");
    assert_eq!(verdict(&story.evaluate(&draft).await), super::super::denied("locked"));
    // Of what ran without any exception there is none to revoke.
    let other = story.gate.point("at-the-tool", &["files"]).await;
    told(&story, &other, &write_ran(&story, "x1", "/srv/files/elsewhere.md", 0)).await;
    let findings = found(&story, &mara).await;
    let orphan = findings.iter().find(|finding| finding["kind"] == "ran_without_decision").unwrap();
    let path = format!("/api/v1/findings/{}/revoke", id_of(orphan));
    assert_eq!(refusal(&story.client.post(&path, &mara, &why).await), refused(409, "no_exception"));
}
