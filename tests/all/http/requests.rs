//! Requests for what was not refused like that.

use proviso_tests::{Client, Story, post_rows, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{denied, refusal, refused, sizes, verdict};

fn move_file(call: &str) -> Value {
    let mut body = write_file("report-writer", "/srv/files/reports/a.md", call);
    body["action"]["name"] = json!("move_file");
    body["context"]["input"] = json!({"source": "/srv/files/reports/a.md", "destination": "/srv/files/reports/b.md"});
    body
}

/// What a gate would have offered, for a denial that was not requestable.
fn forged_offer(mut answer: Value) -> Value {
    answer["context"]["access_request"] = json!({"expires_at": "2026-11-22T12:15:00Z"});
    answer
}

#[tokio::test]
async fn what_nobody_may_ask_for_cannot_be_requested() {
    proviso_tests::clauses!("arap-7-a", "arap-18-b");
    let story = Story::begin().await;
    let guarded = move_file("c1");
    let answer = story.evaluate(&guarded).await;
    assert_eq!(verdict(&answer), denied("guardrail"));
    assert_eq!(answer.json()["context"]["access_request"], Value::Null);
    let unlisted = write_file("report-writer", "/etc/passwd", "c2");
    let unlisted_answer = story.evaluate(&unlisted).await;
    assert_eq!(verdict(&unlisted_answer), denied("not_permitted"));
    let permitted = write_file("report-writer", "/srv/files/drafts/a.md", "c3");
    let permitted_answer = story.evaluate(&permitted).await;
    assert!(verdict(&permitted_answer).0);
    let before = sizes(&story);
    for (call, answer, codes) in [
        (guarded, answer, ["not_requestable", "not_requestable"]),
        (unlisted, unlisted_answer, ["not_requestable", "not_requestable"]),
        (permitted, permitted_answer, ["not_requestable", "invalid_denial_binding"]),
    ] {
        let answer = story.request(&story.request_body(&call, &forged_offer(answer.json()), None)).await;
        let (status, code) = refusal(&answer);
        assert!(status == 400 && codes.contains(&code.as_str()), "{call}: {answer:?}");
        assert!(answer.json()["type"].as_str().unwrap().ends_with(&code), "ARAP names its errors: {answer:?}");
    }
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn an_altered_denial_is_none() {
    proviso_tests::clauses!(
        "arap-10.1-e",
        "arap-10.1-g",
        "arap-10.1-k",
        "arap-18-f",
        "arap-18-h",
        "arap-18-i",
        "arap-21.1.2-a"
    );
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let denial = story.evaluate(&call).await.json();
    let good = story.request_body(&call, &denial, None);
    let before = sizes(&story);
    for (pointer, value) in [
        ("/context/input/path", json!("/srv/files/reports/b.md")),
        ("/context/input/content", json!("hello!")),
        ("/context/proviso.dev~1server", json!("ledger")),
        ("/action/name", json!("edit_file")),
        ("/resource/id", json!("other")),
        ("/resource/type", json!("Dataset")),
        ("/denial/expires_at", json!("2026-11-22T13:00:00Z")),
        ("/denial/evaluation_id", json!("eval_00000000000000000000000000000000")),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let answer = story.request(&body).await;
        assert_eq!(refusal(&answer), refused(400, "invalid_denial_binding"), "{pointer}");
    }
    assert_eq!(sizes(&story), before);

    // Another agent's, another task's, another enforcement point's: they look like none at all.
    let planner = story.gate.agent("close-planner", "weekly-report", Some("jun")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    let mut of_planner = good.clone();
    of_planner["subject"]["id"] = json!(format!("{}close-planner", proviso_tests::AGENTS));
    let before = sizes(&story);
    for (point, agent, body) in
        [(&story.point, &planner, &of_planner), (&story.point, &other_task, &good), (&other_point, &story.agent, &good)]
    {
        let answer = story.gate.client.post_for("/access/v1/requests", point, agent, body).await;
        assert_eq!(refusal(&answer), refused(400, "invalid_denial_binding"), "{answer:?}");
    }
    assert_eq!(sizes(&story), before);
    // What a request adds to the context is no part of what was refused (ARAP), and is ignored.
    let mut more = good;
    more["context"]["note"] = json!("please");
    assert_eq!(story.request(&more).await.status.as_u16(), 201, "the unaltered one is answered");
}

#[tokio::test]
async fn an_old_denial_cannot_be_answered() {
    proviso_tests::clauses!("arap-7-f", "arap-7.1-c", "arap-10.1-m", "arap-18-f", "arap-18-g", "arap-21.1.4-j");
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let denial = story.evaluate(&call).await.json();
    let body = story.request_body(&call, &denial, None);
    story.gate.clock.advance(15 * 60);
    let answer = story.request(&body).await;
    assert_eq!(refusal(&answer), refused(410, "expired_denial"));
    assert!(answer.json()["help"].as_str().is_some_and(|help| !help.is_empty()));
}

#[tokio::test]
async fn only_an_agent_with_a_human_behind_it_asks_and_through_an_enforcement_point() {
    proviso_tests::clauses!("arap-7-a", "arap-18-a", "arap-19-c", "arap-7-k");
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let nobody = story.gate.agent("report-writer", "weekly-report", None).await;
    let answer = story.gate.client.post_for("/access/v1/evaluation", &story.point, &nobody, &call).await;
    assert_eq!(verdict(&answer), denied("approval_required"));
    assert_eq!(answer.json()["context"]["access_request"], Value::Null, "nothing is offered that cannot be had");
    let body = story.request_body(&call, &forged_offer(answer.json()), None);
    let answer = story.gate.client.post_for("/access/v1/requests", &story.point, &nobody, &body).await;
    assert_eq!(refusal(&answer), refused(403, "no_requester"));

    let alone = |path: &str, body: &Value| {
        let request = story.gate.client.request(Method::POST, path).bearer_auth(&story.agent);
        Client::send(request.json(body))
    };
    let answer = alone("/access/v1/evaluation", &call).await;
    assert_eq!(verdict(&answer), denied("approval_required"));
    assert_eq!(answer.json()["context"]["access_request"], Value::Null);
    assert!(!answer.text.contains("binding_token"), "no proof and no offer: {answer:?}");
    let until = answer.json()["context"]["evaluated_at"].clone();
    let mut body = story.request_body(&call, &answer.json(), None);
    body["denial"]["expires_at"] = until;
    let answer = alone("/access/v1/requests", &body).await;
    assert_eq!(answer.status.as_u16(), 400, "{answer:?}");
}

#[tokio::test]
async fn a_request_says_why_and_asks_for_no_more_than_the_terms() {
    proviso_tests::clauses!("arap-21.2.1");
    let story = Story::begin().await;
    let call = post_rows("report-writer", "finance/ledger-eu", 5, "c1");
    let denial = story.evaluate(&call).await.json();
    let offered = &denial["context"]["access_request"]["display"]["scope"];
    let good = story.request_body(&call, &denial, None);
    let before = sizes(&story);
    for (justification, code) in [
        (json!(null), "justification_needed"),
        (json!(" "), "justification_needed"),
        (json!(["x"]), "justification_needed"),
        (json!("x".repeat(2001)), "text_too_long"),
    ] {
        let mut body = good.clone();
        body["context"]["business_justification"] = justification;
        assert_eq!(refusal(&story.request(&body).await), refused(400, code));
    }
    for (pointer, value, codes) in [
        ("/max_uses", json!(0), ["bad_scope", "bad_scope"]),
        ("/max_uses", json!(6), ["widens", "bad_scope"]),
        // Validity counts from its start, so that its length is what the terms bound.
        ("/valid_for", json!("9h"), ["widens", "bad_scope"]),
        ("/not_after", json!("2020-01-01T00:00:00Z"), ["bad_scope", "too_late"]),
        ("/resource", json!({"is": {"type": "Dataset", "id": "finance/ledger-us"}}), ["widens", "bad_scope"]),
        ("/resource", json!({"in": {"type": "Group", "id": "finance"}}), ["bad_group", "bad_scope"]),
        ("/arguments", json!([{"at": ["rows"], "op": "between", "max": 4}]), ["widens", "bad_scope"]),
        ("/arguments", json!([{"at": ["columns"], "op": "between", "max": 4}]), ["bad_scope", "widens"]),
        ("/arguments", json!([{"at": ["rows"], "op": "equals", "value": "5"}]), ["bad_scope", "widens"]),
    ] {
        let mut scope = offered.clone();
        *scope.pointer_mut(pointer).unwrap() = value;
        let answer = story.request(&story.request_body(&call, &denial, Some(scope.clone()))).await;
        assert!(answer.status.is_client_error(), "{scope}: {answer:?}");
        let (status, code) = refusal(&answer);
        assert!(status < 500 && codes.contains(&code.as_str()), "{pointer}: {answer:?}");
    }
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn the_queue_is_bounded_and_repeats_fold() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let first = write_file("report-writer", "/srv/files/reports/0.md", "c0");
    let id = story.ask(&first, None).await;
    assert_eq!(story.ask(&first, None).await, id, "the same open request");
    for number in 1..20 {
        story.ask(&write_file("report-writer", &format!("/srv/files/reports/{number}.md"), "c"), None).await;
    }
    let call = write_file("report-writer", "/srv/files/reports/20.md", "c20");
    let denial = story.evaluate(&call).await.json();
    let body = story.request_body(&call, &denial, None);
    assert_eq!(refusal(&story.request(&body).await), refused(429, "too_many_requests"));
    let list = story.gate.client.get("/api/v1/exceptions?state=requested", Some(&mara)).await.json();
    assert_eq!(list["exceptions"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn an_idempotency_key_is_for_one_request() {
    let story = Story::begin().await;
    let body = async |path: &str| {
        let call = write_file("report-writer", path, "c1");
        let denial = story.evaluate(&call).await.json();
        story.request_body(&call, &denial, None)
    };
    let send = async |body: &Value| {
        let request = story.gate.client.request(Method::POST, "/access/v1/requests").bearer_auth(&story.point);
        let request = request.header("proviso-subject-token", &story.agent).header("idempotency-key", "key-1");
        Client::send(request.json(body)).await
    };
    let first = body("/srv/files/reports/a.md").await;
    let made = send(&first).await.json();
    assert_eq!(send(&first).await.json()["task"]["id"], made["task"]["id"]);
    let second = body("/srv/files/reports/b.md").await;
    assert_eq!(refusal(&send(&second).await), refused(409, "duplicate_request"));
}

#[tokio::test]
async fn a_request_is_seen_and_taken_back_by_its_own_agent_only() {
    proviso_tests::clauses!("arap-11.4-a", "arap-11.4-c", "arap-11.4-d");
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "c1"), None).await;
    let planner = story.gate.agent("close-planner", "weekly-report", Some("jun")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let path = format!("/access/v1/requests/{id}");
    for agent in [&planner, &other_task] {
        let request = story.gate.client.request(Method::GET, &path).bearer_auth(&story.point);
        let answer = Client::send(request.header("proviso-subject-token", agent)).await;
        assert_eq!(refusal(&answer), refused(404, "unknown_task"));
        let cancel = json!({"reason": "mine now"});
        let answer = story.gate.client.post_for(&format!("{path}/cancel"), &story.point, agent, &cancel).await;
        assert_eq!(refusal(&answer), refused(404, "unknown_task"));
    }
    let cancel = json!({"reason": "no longer needed"});
    let answer = story.gate.client.post_for(&format!("{path}/cancel"), &story.point, &story.agent, &cancel).await;
    assert_eq!(answer.json()["task"]["status"], "cancelled", "{answer:?}");
    let mara = story.gate.person("mara").await;
    assert_eq!(refusal(&story.vote(&mara, &id, "approve", None).await), refused(409, "closed"));
}

#[tokio::test]
async fn a_request_needs_each_of_its_parts() {
    proviso_tests::clauses!(
        "arap-7.1-d",
        "arap-10.1-a",
        "arap-10.1-b",
        "arap-10.1-c",
        "arap-10.1-f",
        "arap-10.1-j",
        "arap-10.1-l"
    );
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let denial = story.evaluate(&call).await.json();
    assert!(denial["context"]["evaluation_id"].is_string(), "{denial:#}");
    let good = story.request_body(&call, &denial, None);
    assert_eq!(good["denial"].as_object().map(serde_json::Map::len), Some(2), "its id and its end, no token");
    let before = sizes(&story);
    for pointer in ["/subject", "/resource", "/action", "/denial", "/denial/expires_at", "/denial/evaluation_id"] {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut body = good.clone();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        let answer = story.request(&body).await;
        assert_eq!(answer.status.as_u16(), 400, "without {pointer}: {answer:?}");
    }
    assert_eq!(sizes(&story), before);
    assert_eq!(story.request(&good).await.status.as_u16(), 201, "with all of them");
}
