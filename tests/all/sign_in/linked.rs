//! A second provider's account of a person: linked by two administrators, of whom the person is none, and taken away by one.

use std::sync::Arc;

use proviso_tests::{Answer, Client, Setup, TestClock, TestGate, as_person};
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{by_link, enter, file, person, refused, setup};
use super::provider::Provider;
use crate::console::{bundle, presets};

/// A gate with administrators, jun and kit, and a provider in whose file mara stands.
async fn gate() -> (TestGate, Provider, Setup) {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = file(&provider, "acme", &["mara"], "");
    let setup = Setup { bundle: bundle(presets()), ..setup(&clock, &[file]) };
    (TestGate::with(setup.clone()).await, provider, setup)
}

async fn propose(gate: &TestGate, by: &str, user: &str, subject: &str) -> Answer {
    let body = json!({"provider": "acme", "subject": subject, "reason": "moves to acme"});
    gate.client.post(&format!("/api/v1/people/{user}/accounts"), by, &body).await
}

async fn agree(gate: &TestGate, by: &str, proposal: &Answer) -> Answer {
    let id = proposal.json()["proposal"]["id"].as_str().unwrap_or_else(|| panic!("{proposal:?}")).to_owned();
    let request = gate.client.request(Method::POST, &format!("/api/v1/people/proposals/{id}/agree"));
    Client::send(as_person(request, by)).await
}

async fn unlink(gate: &TestGate, by: &str, user: &str) -> Answer {
    let body = json!({"provider": "acme", "subject": "second", "reason": "no longer"});
    gate.client.post(&format!("/api/v1/people/{user}/accounts/unlink"), by, &body).await
}

#[tokio::test]
async fn an_account_that_two_administrators_link_signs_its_person_in_and_no_other() {
    let (gate, provider, setup) = gate().await;
    let (jun, kit) = (by_link(&gate, "jun").await, by_link(&gate, "kit").await);
    by_link(&gate, "ola").await;
    by_link(&gate, "mara").await;
    assert_eq!(refused(&enter(&gate, &provider, "second", json!({})).await), (403, "unknown_account".to_owned()));
    let proposal = propose(&gate, &jun, "ola", "second").await;
    assert_eq!(refused(&enter(&gate, &provider, "second", json!({})).await), (403, "unknown_account".to_owned()));
    assert_eq!(refused(&propose(&gate, &kit, "ola", "second").await), (409, "proposed_already".to_owned()));
    assert_eq!(refused(&agree(&gate, &jun, &proposal).await), (403, "same_person".to_owned()));
    assert_eq!(agree(&gate, &kit, &proposal).await.status.as_u16(), 200);
    let came = enter(&gate, &provider, "second", json!({})).await;
    assert_eq!(came.json()["session"]["person"]["id"], "ola", "{came:?}");
    // A way in that nobody knows yet decides on nothing above the lowest tier for a day.
    let ola = gate.client.get("/api/v1/people/ola", Some(&jun)).await.json();
    assert!(ola["member"]["new_until"].is_string(), "{ola:#}");
    assert_eq!(refused(&propose(&gate, &jun, "ola", "second").await), (409, "linked_already".to_owned()));
    assert_eq!(refused(&propose(&gate, &jun, "mara", "second").await), (409, "account_of_another".to_owned()));
    assert_eq!(refused(&propose(&gate, &jun, "ola", "sub-mara").await), (409, "account_of_another".to_owned()));
    // It is there after a restart.
    let gate = gate.again(setup).await;
    let came = enter(&gate, &provider, "second", json!({})).await;
    assert_eq!(came.json()["session"]["person"]["id"], "ola", "{came:?}");
}

#[tokio::test]
async fn unlinking_ends_its_sessions_and_gives_it_to_nobody_else() {
    let (gate, provider, _) = gate().await;
    let (jun, kit) = (by_link(&gate, "jun").await, by_link(&gate, "kit").await);
    let by_another_way = by_link(&gate, "ola").await;
    let proposal = propose(&gate, &jun, "ola", "second").await;
    agree(&gate, &kit, &proposal).await;
    let ola = person(&enter(&gate, &provider, "second", json!({})).await);
    let detail = gate.client.get("/api/v1/people/ola", Some(&jun)).await.json();
    let linked: Vec<&Value> = detail["accounts"].as_array().unwrap().iter().collect();
    assert_eq!(linked.len(), 1, "{detail:#}");
    assert_eq!((&linked[0]["subject"], &linked[0]["linked_by"][1]["id"]), (&json!("second"), &json!("kit")));
    assert_eq!(refused(&unlink(&gate, &ola, "ola").await), (403, "not_permitted_here".to_owned()));
    let ended = unlink(&gate, &kit, "ola").await;
    assert_eq!(ended.json()["ended"], 1, "{ended:?}");
    assert_eq!(gate.client.get("/api/v1/session", Some(&ola)).await.code(), "signed_out");
    assert!(gate.client.get("/api/v1/session", Some(&by_another_way)).await.status.is_success());
    assert_eq!(refused(&enter(&gate, &provider, "second", json!({})).await), (403, "unknown_account".to_owned()));
    assert_eq!(refused(&unlink(&gate, &kit, "ola").await), (404, "unknown_account_link".to_owned()));
    // It stays hers: linked to somebody else it would be one human's second vote.
    by_link(&gate, "vera").await;
    assert_eq!(refused(&propose(&gate, &jun, "vera", "second").await), (409, "account_of_another".to_owned()));
    let again = propose(&gate, &kit, "ola", "second").await;
    assert_eq!(agree(&gate, &jun, &again).await.status.as_u16(), 200, "it can be linked to her anew");
}

#[tokio::test]
async fn nobody_links_an_account_to_themselves_or_for_whom_nobody_knows() {
    let (gate, _, _) = gate().await;
    let (jun, kit) = (by_link(&gate, "jun").await, by_link(&gate, "kit").await);
    assert_eq!(refused(&propose(&gate, &jun, "jun", "second").await), (403, "own_person".to_owned()));
    // The second yes is not the person's own either.
    let proposal = propose(&gate, &jun, "kit", "second").await;
    assert_eq!(refused(&agree(&gate, &kit, &proposal).await), (403, "own_person".to_owned()));
    assert_eq!(refused(&unlink(&gate, &kit, "kit").await), (403, "own_person".to_owned()));
    assert_eq!(refused(&propose(&gate, &jun, "ola", "third").await), (409, "not_enrolled".to_owned()));
    let mara = by_link(&gate, "mara").await;
    assert_eq!(refused(&propose(&gate, &mara, "ola", "third").await), (403, "not_permitted_here".to_owned()));
    let body = json!({"provider": "none", "subject": "third", "reason": "why"});
    let none = gate.client.post("/api/v1/people/mara/accounts", &jun, &body).await;
    assert_eq!(refused(&none), (400, "unknown_provider".to_owned()));
    assert_eq!(refused(&propose(&gate, &jun, "mara", " ").await), (400, "bad_account".to_owned()));
}

#[tokio::test]
async fn the_operators_file_gives_a_linked_account_to_nobody_else() {
    let (gate, provider, setup) = gate().await;
    let (jun, kit) = (by_link(&gate, "jun").await, by_link(&gate, "kit").await);
    by_link(&gate, "ola").await;
    let proposal = propose(&gate, &jun, "ola", "sub-vera").await;
    assert_eq!(agree(&gate, &kit, &proposal).await.status.as_u16(), 200);
    // It has never signed in, and stands in the next file as vera's.
    let next = super::browser::setup(&setup.clock, &[file(&provider, "acme", &["vera"], "")]);
    let gate = gate.again(Setup { bundle: setup.bundle, ..next }).await;
    let answer = enter(&gate, &provider, "sub-vera", json!({})).await;
    assert_eq!(refused(&answer), (403, "account_of_another".to_owned()), "{answer:?}");
}
