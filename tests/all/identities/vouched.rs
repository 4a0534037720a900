//! An enforcement point that the operator lets vouch for subject, task and chain of agents without a credential of their
//! own; and that nobody else does.

use proviso::identity::MintRequest;
use proviso_tests::{AGENTS, Answer, Client, Parties, Story, TestGate, inside, write_file};
use reqwest::Method;
use serde_json::{Value, json};

async fn point(gate: &TestGate, name: &str, vouches: bool) -> String {
    let (subjects, servers) = (format!("Agent::{AGENTS}report-*"), vec!["files".to_owned()]);
    gate.mint(MintRequest::EnforcementPoint { name: name.to_owned(), subjects, servers, vouches, resource: None }).await
}

fn word(agent: &str) -> Value {
    json!({"subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")}, "task": "weekly-report", "for": "ines"})
}

async fn post(gate: &TestGate, point: &str, word: &str, path: &str, body: &Value) -> Answer {
    let request = gate.client.request(Method::POST, path).bearer_auth(point).header("proviso-vouched", word);
    Client::send(request.json(body)).await
}

fn report(call: &str) -> Value {
    write_file("report-writer", "/srv/files/reports/a.md", call)
}

const EVALUATION: &str = "/access/v1/evaluation";

#[tokio::test]
async fn what_a_point_vouches_for_is_told_as_its_word_and_used_under_it_alone() {
    let story = Story::begin().await;
    let gate = &story.gate;
    let edge = point(gate, "proxy", true).await;
    let said = word("report-writer").to_string();
    let denied = post(gate, &edge, &said, EVALUATION, &report("c1")).await.json();
    let scope = inside(&denied["context"]["access_request"]["display"]["scope"], "/srv/files/reports", 3);
    let body = story.request_body(&report("c1"), &denied, Some(scope));
    // Whoever has a credential of their own does not answer what was offered to a point's word.
    let own = Parties { client: gate.client.clone(), point: edge.clone(), agent: story.agent.clone() };
    assert_eq!(own.request(&body).await.code(), "invalid_denial_binding");
    let answer = post(gate, &edge, &said, "/access/v1/requests", &body).await.json();
    let id = answer["task"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    let mara = gate.person("mara").await;
    let detail = gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let question = &detail["exception"]["request"]["question"];
    assert_eq!((&question["vouched"], &question["chain"][0]["issuer"]), (&json!(true), &json!("point:proxy")));
    // Whom it is for approves nothing, on a point's word as on a token's.
    let ines = gate.person("ines").await;
    assert_eq!(story.vote(&ines, &id, "approve", None).await.status.as_u16(), 403);
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    // The same agent in the same task with a credential of its own, behind the same point, is not who was approved.
    assert_eq!(own.evaluate(&report("c2")).await.json()["decision"], false);
    assert_eq!(post(gate, &edge, &said, EVALUATION, &report("c3")).await.json()["decision"], true);
    let lines = gate.app.tokens();
    assert!(lines.iter().any(|line| line.what.ends_with("vouches for task and chain")), "{lines:?}");
}

#[tokio::test]
async fn what_was_approved_for_a_credential_is_not_used_on_a_point_s_word() {
    let story = Story::begin().await;
    let gate = &story.gate;
    let edge = point(gate, "proxy", true).await;
    // Behind this very point, so that how the agent is shown is all that differs.
    let own = Parties { client: gate.client.clone(), point: edge.clone(), agent: story.agent.clone() };
    let id = own.ask(&report("c1"), Some("/srv/files/reports")).await;
    let mara = gate.person("mara").await;
    assert_eq!(own.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let said = word("report-writer").to_string();
    assert_eq!(post(gate, &edge, &said, EVALUATION, &report("c2")).await.json()["decision"], false);
    assert_eq!(own.evaluate(&report("c3")).await.json()["decision"], true);
    // Nor renewed, nor what it was refused asked for.
    let (renewal, path) = (json!({"justification": "again"}), format!("/api/v1/exceptions/{id}/renew"));
    let answer = post(gate, &edge, &said, &path, &renewal).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "unknown_task".to_owned()));
    let denied = own.evaluate(&write_file("report-writer", "/srv/files/other/a.md", "c4")).await.json();
    let body = story.request_body(&write_file("report-writer", "/srv/files/other/a.md", "c4"), &denied, None);
    assert_eq!(post(gate, &edge, &said, "/access/v1/requests", &body).await.code(), "invalid_denial_binding");
}

#[tokio::test]
async fn nobody_vouches_whom_the_operator_does_not_let_and_nobody_for_others_than_it_may() {
    let story = Story::begin().await;
    let gate = &story.gate;
    let (edge, plain) = (point(gate, "edge", true).await, point(gate, "plain", false).await);
    let good = word("report-writer");
    let with = |name: &str, value: Value| {
        let mut word = good.clone();
        word[name] = value;
        word.to_string()
    };
    let call = report("c1");
    let agent = |id: &str| json!({"type": "Agent", "id": id});
    for (what, by, word, call, code) in [
        ("a point that may not", &plain, good.to_string(), &call, "may_not_vouch"),
        ("an agent", &story.agent, good.to_string(), &call, "may_not_vouch"),
        ("another subject than the call's", &edge, word("report-reader").to_string(), &call, "claim_conflict"),
        (
            "another subject than it may ask for",
            &edge,
            word("ledger-bot").to_string(),
            &write_file("ledger-bot", "/srv/files/reports/a.md", "c1"),
            "not_for_this_subject",
        ),
        ("a person as the agent", &edge, with("subject", json!({"type": "User", "id": "mara"})), &call, "unknown_type"),
        ("nobody that the bundle knows", &edge, with("for", json!("nobody")), &call, "unknown_person"),
        ("no task", &edge, with("task", json!("")), &call, "bad_name"),
        ("odd characters", &edge, with("task", json!("a-b")).replace("a-b", "a\\u202eb"), &call, "bad_name"),
        ("itself through itself", &edge, with("via", json!([good["subject"]])), &call, "chain_loops"),
        ("one more than it says", &edge, with("build", json!("v2")), &call, "bad_vouching"),
        ("no JSON", &edge, "report-writer".to_owned(), &call, "bad_vouching"),
        ("a member twice", &edge, good.to_string().replacen('{', "{\"task\":\"x\",", 1), &call, "bad_vouching"),
        ("a person in the middle", &edge, with("via", json!([{"type": "User", "id": "mara"}])), &call, "unknown_type"),
        ("an agent without a name", &edge, with("via", json!([agent("")])), &call, "bad_name"),
    ] {
        let answer = post(gate, by, &word, EVALUATION, call).await;
        assert_eq!(answer.code(), code, "{what}: {answer:?}");
    }
    // A word beside a token is one too many.
    let request = gate.client.request(Method::POST, EVALUATION).bearer_auth(&edge);
    let request = request.header("proviso-subject-token", &story.agent).header("proviso-vouched", good.to_string());
    assert_eq!(Client::send(request.json(&call)).await.code(), "claim_conflict");
    // And it ends with the point.
    let list = gate.app.tokens();
    let line = list.iter().find(|line| line.what.starts_with("edge: ")).unwrap();
    assert_eq!(post(gate, &edge, &good.to_string(), EVALUATION, &call).await.status.as_u16(), 200);
    gate.app.revoke_token(&line.id, &super::ended::operator()).await.unwrap();
    assert_eq!(post(gate, &edge, &good.to_string(), EVALUATION, &call).await.status.as_u16(), 401);
}
