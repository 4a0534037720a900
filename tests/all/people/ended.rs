//! What an administrator ends for others, and never for themselves.

use proviso_tests::{Answer, Client, TestGate, as_person};
use reqwest::Method;
use serde_json::json;

use super::{said, setup, two};

async fn end_sessions(gate: &TestGate, by: &str, user: &str) -> Answer {
    let request = gate.client.request(Method::DELETE, &format!("/api/v1/people/{user}/sessions"));
    Client::send(as_person(request, by)).await
}

async fn end(gate: &TestGate, by: &str, user: &str) -> Answer {
    let body = json!({"reason": "left the company"});
    gate.client.post(&format!("/api/v1/people/{user}/end"), by, &body).await
}

#[tokio::test]
async fn an_administrator_ends_sessions_of_others_and_not_the_own() {
    let (gate, jun, kit) = two(setup()).await;
    let (one, other) = (gate.person("mara").await, gate.person("mara").await);
    let detail = gate.client.get("/api/v1/people/mara", Some(&jun)).await.json();
    assert_eq!(detail["sessions"].as_array().unwrap().len(), 2, "{detail:#}");
    assert!(detail["may"].as_array().unwrap().contains(&json!("vote")), "{detail:#}");
    let ended = end_sessions(&gate, &jun, "mara").await;
    assert_eq!(ended.json()["ended"], 2, "{ended:?}");
    for session in [&one, &other] {
        assert_eq!(gate.client.get("/api/v1/session", Some(session)).await.code(), "signed_out");
    }
    assert_eq!(said(&end_sessions(&gate, &jun, "jun").await), (403, "own_person".to_owned()));
    assert_eq!(said(&end_sessions(&gate, &jun, "nobody").await), (400, "unknown_person".to_owned()));
    let mara = gate.person("mara").await;
    assert_eq!(said(&end_sessions(&gate, &mara, "kit").await), (403, "not_permitted_here".to_owned()));
    assert!(gate.client.get("/api/v1/session", Some(&kit)).await.status.is_success());
}

#[tokio::test]
async fn an_administrator_says_that_somebody_left_and_nobody_says_it_of_themselves() {
    let (gate, jun, _) = two(setup()).await;
    let mara = gate.person("mara").await;
    assert_eq!(said(&end(&gate, &mara, "kit").await), (403, "not_permitted_here".to_owned()));
    assert_eq!(said(&end(&gate, &jun, "jun").await), (403, "own_person".to_owned()));
    assert_eq!(said(&end(&gate, &jun, "nobody").await), (400, "unknown_person".to_owned()));
    assert_eq!(end(&gate, &jun, "mara").await.status.as_u16(), 204);
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.code(), "signed_out");
    let detail = gate.client.get("/api/v1/people/mara", Some(&jun)).await.json();
    assert!(detail["member"]["departed_at"].is_string(), "{detail:#}");
}

#[tokio::test]
async fn who_looks_at_people_and_who_sees_themselves_alone() {
    let (gate, jun, _) = two(setup()).await;
    let people = gate.client.get("/api/v1/people", Some(&jun)).await.json();
    let administrators: Vec<&str> =
        people["administrators"].as_array().unwrap().iter().map(|person| person["id"].as_str().unwrap()).collect();
    assert_eq!(administrators, ["jun", "kit"], "lea was never here: {people:#}");
    let vera = gate.person("vera").await;
    assert!(gate.client.get("/api/v1/people", Some(&vera)).await.status.is_success(), "who reads the record");
    let bo = gate.person("bo").await;
    assert_eq!(said(&gate.client.get("/api/v1/people", Some(&bo)).await), (403, "not_permitted_here".to_owned()));
    let own = gate.client.get("/api/v1/people/bo", Some(&bo)).await;
    assert_eq!(own.json()["may"], json!([]), "{own:?}");
    assert_eq!(said(&gate.client.get("/api/v1/people/mara", Some(&bo)).await), (403, "not_permitted_here".to_owned()));
    assert_eq!(said(&gate.client.get("/api/v1/people/none", Some(&jun)).await), (404, "unknown_person".to_owned()));
}
