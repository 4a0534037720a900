//! ARAP's task: repeats, waiting, progress, cancelling, and the schema of a request.

use std::time::Duration;

use proviso_tests::contract::fits;
use proviso_tests::{Answer, Client, Story, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, refused, sizes};

fn call(name: &str) -> Value {
    write_file("report-writer", &format!("/srv/files/reports/{name}.md"), "c1")
}

async fn body_of(story: &Story, call: &Value) -> Value {
    let denied = story.evaluate(call).await.json();
    story.request_body(call, &denied, None)
}

async fn send(story: &Story, key: &str, body: &Value) -> Answer {
    let request = story.gate.client.request(Method::POST, "/access/v1/requests").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &story.agent).header("idempotency-key", key);
    Client::send(request.json(body)).await
}

async fn status(story: &Story, id: &str, query: &str) -> Answer {
    let path = format!("/access/v1/requests/{id}{query}");
    let request = story.gate.client.request(Method::GET, &path).bearer_auth(&story.point);
    Client::send(request.header("proviso-subject-token", &story.agent)).await
}

#[tokio::test]
async fn one_key_is_one_request_also_at_once() {
    proviso_tests::clauses!("arap-10.1-s", "c4-2-replayed-request");
    let story = Story::begin().await;
    let (first, second) = (body_of(&story, &call("a")).await, body_of(&story, &call("b")).await);
    // Eight at once, half of them with another body: one request is made, and the others are told so.
    let bodies = [&first, &second, &first, &second, &first, &second, &first, &second];
    let answers = futures::future::join_all(bodies.map(|body| send(&story, "key-1", body))).await;
    let made: Vec<String> =
        answers.iter().filter_map(|answer| answer.json()["task"]["id"].as_str().map(str::to_owned)).collect();
    assert_eq!(made.len(), 4, "{answers:?}");
    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    let refusals = answers.iter().filter(|answer| answer.json()["task"].is_null());
    refusals.for_each(|answer| assert_eq!(refusal(answer), refused(409, "duplicate_request")));
    // Nothing was folded into it or made beside it.
    let mara = story.gate.person("mara").await;
    let queue = story.gate.client.get("/api/v1/exceptions?state=requested", Some(&mara)).await.json();
    assert_eq!(queue["exceptions"].as_array().map(Vec::len), Some(1));
    // Another agent's key of the same name is another key.
    let before = sizes(&story);
    let other = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let denied = story.gate.client.post_for("/access/v1/evaluation", &story.point, &other, &call("a")).await.json();
    let request = story.gate.client.request(Method::POST, "/access/v1/requests").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &other).header("idempotency-key", "key-1");
    let answer = Client::send(request.json(&story.request_body(&call("a"), &denied, None))).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    assert!(sizes(&story) != before);
}

#[tokio::test]
async fn a_status_answer_waits_for_the_decision_and_no_longer_than_it_may() {
    proviso_tests::clauses!("arap-11.3-a", "arap-11.3-d", "arap-12-d");
    let story = Story::begin().await;
    let id = story.ask(&call("a"), None).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let waiting = async { status(&story, &id, "?wait=60").await };
    let voting = async {
        // The wait has begun once the gate was asked; a vote before that would be told, too.
        tokio::task::yield_now().await;
        story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await
    };
    let both = async { tokio::join!(waiting, voting) };
    let (told, voted) =
        tokio::time::timeout(Duration::from_secs(50), both).await.expect("told before the wait is over");
    assert!(voted.status.is_success(), "{voted:?}");
    assert_eq!(told.json()["task"]["status"], "approved", "{told:?}");
    assert_eq!(told.header("retry-after"), "");
    assert_eq!(told.json()["result"]["mode"], "reevaluate");

    let pending = story.ask(&call("b"), None).await;
    // Who has waited as long as it asked to may ask again at once.
    for (query, seconds) in [("", "2"), ("?wait=0", "2"), ("?wait=1", "")] {
        let answer = status(&story, &pending, query).await;
        assert_eq!(
            (answer.json()["task"]["status"].as_str(), answer.header("retry-after")),
            (Some("pending"), seconds)
        );
    }
    story.gate.clock.advance(100);
    assert_eq!(status(&story, &pending, "").await.header("retry-after"), "10");
    story.gate.clock.advance(3_600);
    assert_eq!(status(&story, &pending, "").await.header("retry-after"), "60");
    for query in ["?wait=61", "?wait=-1", "?wait=soon", "?wait=1e9", "?wait=99999999999999999999"] {
        assert_eq!(refusal(&status(&story, &pending, query).await), refused(400, "bad_wait"), "{query}");
    }
}

#[tokio::test]
async fn progress_names_nobody_and_only_the_asker_sees_or_cancels() {
    proviso_tests::clauses!(
        "arap-10.2-d",
        "arap-10.2-e",
        "arap-11.3-e",
        "arap-11.4-a",
        "arap-11.4-c",
        "arap-14-a",
        "arap-14-b",
        "arap-19-d",
        "arap-19-e",
        "arap-21.3.3-a",
        "arap-21.3.3-b",
        "c4-19-others-ids",
        "c4-19-handles"
    );
    let story = Story::begin().await;
    let id = story.ask(&call("a"), None).await;
    assert!(id.len() >= 36, "128 bits that nobody guesses: {id}");
    let text = status(&story, &id, "").await.text;
    for word in ["mara", "tom", "approvers", "finance", "security", "User", "Group"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let body: Value = serde_json::from_str(&text).unwrap();
    let progress = body["task"]["progress"].as_object().unwrap();
    assert_eq!(progress.keys().collect::<Vec<_>>(), ["current_step", "total_steps"]);
    let planner = story.gate.agent("close-planner", "weekly-report", Some("jun")).await;
    let path = format!("/access/v1/requests/{id}");
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    for (point, agent) in [(&story.point, &planner), (&story.point, &other_task), (&other_point, &story.agent)] {
        let request = story.gate.client.request(Method::GET, &format!("{path}?wait=30")).bearer_auth(point);
        let answer = Client::send(request.header("proviso-subject-token", agent)).await;
        assert_eq!(refusal(&answer), refused(404, "unknown_task"));
        let answer = story.gate.client.post_for(&format!("{path}/cancel"), point, agent, &json!({})).await;
        assert_eq!(refusal(&answer), refused(404, "unknown_task"));
    }
    let cancel =
        async || story.gate.client.post_for(&format!("{path}/cancel"), &story.point, &story.agent, &json!({})).await;
    let cancelled = cancel().await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["task"]["status"]), (200, &json!("cancelled")));
    let again = cancel().await;
    assert_eq!(refusal(&again), refused(409, "invalid_task_state"), "a terminal state stays");
    assert_eq!(again.json()["type"], "urn:openid:authzen:access-request:error:invalid_task_state");
    assert_eq!(status(&story, &id, "").await.json()["task"]["status"], "cancelled");
    story.gate.clock.advance(8 * 86_400);
    let fresh = story.gate.agent("report-writer", "weekly-report", Some("ines")).await;
    let request = story.gate.client.request(Method::GET, &path).bearer_auth(&story.point);
    let answer = Client::send(request.header("proviso-subject-token", &fresh)).await;
    assert_eq!(refusal(&answer), refused(410, "task_expired"));
}

#[tokio::test]
async fn a_claimed_actor_is_the_credentials_or_the_request_is_refused() {
    proviso_tests::clauses!(
        "arap-10.1-h",
        "arap-10.1-i",
        "arap-19.1-c",
        "arap-19.1-d",
        "arap-19.1-e",
        "arap-21.4.2",
        "c4-5-claimed-actor"
    );
    let story = Story::begin().await;
    let body = body_of(&story, &call("a")).await;
    let id = body["subject"]["id"].clone();
    let chain = json!({"sub": "ines", "iss": "proviso"});
    for actor in [
        json!({"id": "somebody-else"}),
        json!({}),
        json!({"id": id, "act": {"sub": "mara", "iss": "proviso"}}),
        json!({"id": id, "act": {"sub": "ines", "iss": "elsewhere"}}),
        json!({"id": id, "act": {"sub": "ines", "iss": "proviso", "act": {"sub": "mara", "iss": "proviso"}}}),
    ] {
        let mut body = body.clone();
        body["client"] = json!({"id": "proxy", "actor": actor});
        assert_eq!(refusal(&story.request(&body).await), refused(400, "claim_conflict"), "{actor}");
    }
    let mut good = body;
    good["client"] =
        json!({"id": "proxy", "actor": {"id": id, "type": "ai_agent", "act": chain}, "source": {"session_id": "s"}});
    assert_eq!(story.request(&good).await.status.as_u16(), 201);
}

#[tokio::test]
async fn the_schema_describes_a_request_that_succeeds_and_no_other_limits() {
    proviso_tests::clauses!("arap-8-a", "arap-15.1", "arap-15.2");
    let story = Story::begin().await;
    let call = call("a");
    let denied = story.evaluate(&call).await.json();
    let offer = &denied["context"]["access_request"];
    let url = offer["request_schema_url"].as_str().unwrap();
    let path = url.strip_prefix(&story.gate.client.url).unwrap();
    let get = async |point: &str, agent: &str| {
        let request = story.gate.client.request(Method::GET, path).bearer_auth(point);
        Client::send(request.header("proviso-subject-token", agent)).await
    };
    let answer = get(&story.point, &story.agent).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/schema+json"));
    let schema = answer.json();
    let good = story.request_body(&call, &denied, None);
    // Every member that it needs is in the body that the gate takes, and what it fixes is so there.
    for name in schema["required"].as_array().unwrap() {
        assert!(!good[name.as_str().unwrap()].is_null(), "{name}");
    }
    let properties = &schema["properties"];
    for name in properties["context"]["required"].as_array().unwrap() {
        assert!(!good["context"][name.as_str().unwrap()].is_null(), "{name}");
    }
    assert_eq!(properties["denial"]["properties"]["expires_at"]["const"], good["denial"]["expires_at"]);
    assert_eq!(properties["denial"]["properties"]["evaluation_id"]["const"], good["denial"]["evaluation_id"]);
    let words = &properties["context"]["properties"]["business_justification"];
    assert_eq!((words["minLength"].as_u64(), words["maxLength"].as_u64()), (Some(1), Some(2_000)));
    // Either of the two that name the denial is enough; and a scope within the limits fits.
    let mut by_token = good.clone();
    by_token["denial"] = json!({"expires_at": offer["expires_at"], "binding_token": offer["binding_token"]});
    let mut scoped = good.clone();
    scoped["requested_access"] = json!({"proviso.dev/scope": offer["display"]["scope"]});
    for body in [&good, &by_token, &scoped] {
        assert!(fits(&schema, body), "{body:#} by {schema:#}");
    }
    // What the schema refuses, the gate refuses.
    let before = sizes(&story);
    let mut never = offer["display"]["scope"].clone();
    never["max_uses"] = json!(0);
    let mut often = never.clone();
    often["max_uses"] = json!(offer["display"]["max_uses"].as_u64().unwrap() + 1);
    for (pointer, value) in [
        ("/context/business_justification", json!("")),
        ("/context/business_justification", json!("x".repeat(2_001))),
        ("/context/business_justification", json!("  ")),
        ("/denial/expires_at", json!("2026-11-22T13:00:00Z")),
        ("/denial/evaluation_id", json!("eval_other")),
        ("/subject", json!({})),
        ("/requested_access", json!({"proviso.dev/scope": {"max_uses": 0}})),
        ("/requested_access", json!({"proviso.dev/scope": never})),
        ("/requested_access", json!({"proviso.dev/scope": often})),
        ("/denial", json!({"expires_at": offer["expires_at"]})),
    ] {
        let mut body = good.clone();
        match body.pointer_mut(pointer) {
            Some(member) => *member = value,
            None => body["requested_access"] = value,
        }
        assert!(!fits(&schema, &body), "{pointer}: {body:#}");
        assert!(story.request(&body).await.status.is_client_error(), "{pointer}");
    }
    for name in schema["required"].as_array().unwrap() {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name.as_str().unwrap());
        assert!(!fits(&schema, &body), "{name}");
        assert!(story.request(&body).await.status.is_client_error(), "{name}");
    }
    assert_eq!(sizes(&story), before);
    // Only this denial's terms stand in it, and only those whom it was given to are told.
    let limits = &offer["display"];
    let scope = &schema["properties"]["requested_access"]["properties"]["proviso.dev/scope"]["properties"];
    assert_eq!(scope["max_uses"]["maximum"], limits["max_uses"]);
    for word in ["tier", "approvers", "finance", "high", "approvals"] {
        assert!(!schema.to_string().contains(word), "{word} in {schema}");
    }
    let planner = story.gate.agent("close-planner", "weekly-report", Some("jun")).await;
    let other = story.gate.point("other-proxy", &["files", "ledger"]).await;
    assert_eq!(refusal(&get(&story.point, &planner).await), refused(404, "unknown_evaluation"));
    assert_eq!(refusal(&get(&other, &story.agent).await), refused(404, "unknown_evaluation"));
    assert_eq!(refusal(&story.gate.client.get(path, None).await), refused(401, "no_credential"));
    assert_eq!(story.request(&by_token).await.status.as_u16(), 201);
    story.gate.clock.advance(15 * 60);
    assert_eq!(refusal(&get(&story.point, &story.agent).await), refused(410, "expired_denial"));
}

#[tokio::test]
async fn an_approval_lets_only_its_own_call_pass() {
    proviso_tests::clauses!(
        "arap-12-e",
        "arap-12-f",
        "arap-12-g",
        "arap-12-j",
        "arap-12-l",
        "arap-12-m",
        "arap-12-n",
        "arap-12-o",
        "arap-12-q",
        "arap-12-y",
        "arap-12-zf",
        "arap-12-zh",
        "arap-17-f",
        "arap-17-g",
        "arap-21.1.2-b",
        "arap-21.1.3-a",
        "c4-2-other-call",
        "c4-2-altered-approval"
    );
    let story = Story::begin().await;
    let id = story.ask(&call("a"), None).await;
    let mara = story.gate.person("mara").await;
    story.vote(&mara, &id, "approve", None).await;
    let approval = status(&story, &id, "").await.json()["result"]["approval"].clone();
    let with = |name: &str, approval: &Value| {
        let mut call = call(name);
        call["context"]["approval"] = approval.clone();
        call
    };
    // Another call: the approval is no bearer grant, and the fresh offer says what can be asked for.
    let other = story.evaluate(&with("b", &approval)).await.json();
    assert_eq!((&other["decision"], &other["context"]["reason"]), (&json!(false), &json!("out_of_scope")));
    assert_eq!(other["context"]["next_action"], "request");
    assert!(other["context"]["access_request"]["binding_token"].is_string(), "{other:#}");
    // An approval that nobody gave, and one that was altered.
    let mut longer = approval.clone();
    longer["approved_until"] = json!("2030-01-01T00:00:00Z");
    let mut forged = approval.clone();
    forged["id"] = json!("grant_00000000000000000000000000000000");
    for approval in [longer, forged] {
        let answer = story.evaluate(&with("b", &approval)).await.json();
        assert_eq!(answer["context"]["reason"], "approval_unverifiable", "{answer:#}");
        assert_eq!((&answer["decision"], &answer["context"]["next_action"]), (&json!(false), &json!("none")));
    }
    // Its own call.
    let own = story.evaluate(&with("a", &approval)).await.json();
    assert_eq!((&own["decision"], &own["context"]["approval"]["id"]), (&json!(true), &approval["id"]), "{own:#}");
}

#[tokio::test]
async fn without_a_credential_nobody_asks_looks_or_cancels() {
    proviso_tests::clauses!("arap-11.4-b", "arap-18-a", "arap-19-a", "arap-19-b", "arap-19.1-b", "arap-21.1.3-b");
    let story = Story::begin().await;
    let id = story.ask(&call("a"), None).await;
    let body = body_of(&story, &call("b")).await;
    let before = sizes(&story);
    let path = format!("/access/v1/requests/{id}");
    let routes = [
        (Method::POST, "/access/v1/requests".to_owned()),
        (Method::GET, path.clone()),
        (Method::POST, format!("{path}/cancel")),
    ];
    for (method, path) in routes {
        for token in ["", "nobodys"] {
            let request =
                story.gate.client.request(method.clone(), &path).header("proviso-subject-token", &story.agent);
            let request = if token.is_empty() { request } else { request.bearer_auth(token) };
            let request = if method == Method::POST { request.json(&body) } else { request };
            let answer = Client::send(request).await;
            assert_eq!(answer.status.as_u16(), 401, "{method} {path}: {answer:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert!(!answer.text.contains(&id), "{answer:?}");
        }
    }
    assert_eq!(sizes(&story), before);
    assert_eq!(status(&story, &id, "").await.json()["task"]["status"], "pending");
}

#[tokio::test]
async fn a_revoked_approval_counts_no_more() {
    proviso_tests::clauses!("arap-12-zc", "arap-12-n");
    let story = Story::begin().await;
    let id = story.ask(&call("a"), None).await;
    let mara = story.gate.person("mara").await;
    story.vote(&mara, &id, "approve", None).await;
    let approval = status(&story, &id, "").await.json()["result"]["approval"].clone();
    let grant = approval["id"].as_str().unwrap();
    let revoke = json!({"reason": "the task is over"});
    let answer = story.gate.client.post(&format!("/api/v1/grants/{grant}/revoke"), &mara, &revoke).await;
    assert_eq!(answer.json()["state"], "revoked", "{answer:?}");
    let mut call = call("a");
    call["context"]["approval"] = approval;
    let answer = story.evaluate(&call).await.json();
    let context = &answer["context"];
    assert_eq!((&answer["decision"], &context["reason"]), (&json!(false), &json!("approval_expired")), "{answer:#}");
    assert_eq!(context["next_action"], "none", "whoever revoked it has not asked for a new request");
}

#[tokio::test]
async fn an_evaluation_keeps_its_id() {
    proviso_tests::clauses!("arap-7.1-a", "arap-7.1-b");
    let story = Story::begin().await;
    let denied = story.evaluate(&call("a")).await.json();
    let context = &denied["context"];
    let id = &context["evaluation_id"];
    let path = context["access_request"]["request_schema_url"].as_str().unwrap();
    let path = path.strip_prefix(&story.gate.client.url).unwrap();
    let request = story.gate.client.request(Method::GET, path).bearer_auth(&story.point);
    let schema = Client::send(request.header("proviso-subject-token", &story.agent)).await.json();
    assert_eq!(schema["properties"]["denial"]["properties"]["evaluation_id"]["const"], *id);
    let other = story.evaluate(&call("a")).await.json();
    assert_ne!(other["context"]["evaluation_id"], *id, "another evaluation has another");
    let answer = story.request(&story.request_body(&call("a"), &denied, None)).await;
    let task = answer.json()["task"]["id"].as_str().unwrap().to_owned();
    let mara = story.gate.person("mara").await;
    let detail = story.gate.client.get(&format!("/api/v1/exceptions/{task}"), Some(&mara)).await.json();
    assert_eq!(detail["exception"]["request"]["evaluation"], *id, "and the record keeps it");
}

#[tokio::test]
async fn the_record_tells_request_denial_approval_and_result() {
    proviso_tests::clauses!("arap-12-v", "arap-18-n", "arap-18-i");
    let story = Story::begin().await;
    let asked = call("a");
    let denied = story.evaluate(&asked).await.json();
    let answer = story.request(&story.request_body(&asked, &denied, None)).await;
    let id = answer.json()["task"]["id"].as_str().unwrap().to_owned();
    let mara = story.gate.person("mara").await;
    story.vote(&mara, &id, "approve", None).await;
    let approval = status(&story, &id, "").await.json()["result"]["approval"].clone();
    let detail = story.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let (request, phase) = (&detail["exception"]["request"], &detail["exception"]["phase"]);
    let (asked_for, grant) = (&request["question"]["call"], &phase["grant"]);
    assert_eq!(request["id"], id.as_str(), "{detail:#}");
    assert_eq!(request["evaluation"], denied["context"]["evaluation_id"], "{request:#}");
    assert_eq!(asked_for["subject"]["id"], asked["subject"]["id"], "{asked_for:#}");
    assert_eq!(asked_for["resources"][0]["id"], asked["resource"]["id"], "{asked_for:#}");
    assert_eq!(asked_for["action"], asked["action"]["name"], "{asked_for:#}");
    assert!(request.to_string().contains("ines"), "for whom it was asked: {request:#}");
    assert_eq!((&grant["id"], &grant["scope"]["not_after"]), (&approval["id"], &approval["approved_until"]));
    assert_eq!(phase["granted_at"], approval["approved_at"], "{phase:#}");
    assert_eq!(grant["task"], "weekly-report", "{grant:#}");
    assert!(grant["enforcement_point"].is_string() && grant["subject"]["id"] == asked["subject"]["id"], "{grant:#}");
}
