//! How people come in and go: the first administrator, invitations, what ends, and the last administrator's loss.

mod ended;
mod first;
mod invitations;
mod newcomers;
mod recovery;
mod second;

use std::collections::BTreeMap;
use std::sync::Arc;

use proviso::app::Operator;
use proviso_tests::{Answer, Client, Setup, TestGate, as_person, signed_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::console::{bundle, presets};

/// The administrators of the bundle, in the order of their names: neither may vote.
const ADMINISTRATORS: [&str; 2] = ["jun", "kit"];

/// Who besides: nia may vote, bo may nothing, lea looks after people.
fn people() -> BTreeMap<String, String> {
    let mut files = bundle(presets());
    let mut entities: Vec<Value> = serde_json::from_str(&files["entities.json"]).unwrap();
    for (user, groups) in [("nia", vec!["approvers", "finance"]), ("bo", vec![]), ("lea", vec!["administrators"])] {
        let parents: Vec<Value> = groups.iter().map(|group| json!({"type": "Group", "id": group})).collect();
        entities.push(json!({"uid": {"type": "User", "id": user}, "attrs": {"name": user}, "parents": parents}));
    }
    files.insert("entities.json".to_owned(), serde_json::to_string_pretty(&entities).unwrap());
    files
}

fn setup() -> Setup {
    Setup { bundle: people(), ..Setup::default() }
}

/// The same gate after a restart, at the same hour.
async fn again(gate: TestGate) -> TestGate {
    let clock = Arc::clone(&gate.clock);
    gate.again(Setup { clock, ..setup() }).await
}

/// The host's operator, who is not the gate's own user.
fn operator() -> Operator {
    Operator { uid: 0, name: "root".to_owned() }
}

/// A gate at which both administrators are: jun and kit, as they are signed in.
async fn two(setup: Setup) -> (TestGate, String, String) {
    let gate = TestGate::with(setup).await;
    let (jun, kit) = (gate.person("jun").await, gate.person("kit").await);
    (gate, jun, kit)
}

async fn invite(gate: &TestGate, by: &str, user: &str) -> Answer {
    let body = json!({"user": user, "reason": "joins the team"});
    gate.client.post("/api/v1/people/invitations", by, &body).await
}

/// An invitation that waits for the second yes: its id.
async fn waiting(gate: &TestGate, by: &str, user: &str) -> String {
    let answer = invite(gate, by, user).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    assert_eq!(answer.json().get("link"), None, "somebody else has to agree: {answer:?}");
    assert_eq!(answer.json()["proposal"]["state"], "waits");
    answer.json()["proposal"]["id"].as_str().unwrap().to_owned()
}

async fn agree(gate: &TestGate, by: &str, id: &str) -> Answer {
    let request = gate.client.request(Method::POST, &format!("/api/v1/people/proposals/{id}/agree"));
    Client::send(as_person(request, by)).await
}

/// The link of an invitation that two agreed to.
async fn invited(gate: &TestGate, (first, second): (&str, &str), user: &str) -> String {
    let id = waiting(gate, first, user).await;
    let answer = agree(gate, second, &id).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    answer.json()["link"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

async fn withdraw(gate: &TestGate, by: &str, id: &str) -> Answer {
    let request = gate.client.request(Method::DELETE, &format!("/api/v1/people/proposals/{id}"));
    Client::send(as_person(request, by)).await
}

/// Opens a link, in a browser where somebody may be signed in.
async fn open(gate: &TestGate, link: &str, before: &str) -> Answer {
    let secret = link.trim().rsplit('#').next().unwrap();
    gate.client.post("/api/v1/session", before, &json!({"link": secret})).await
}

/// Who comes in by a link.
async fn come(gate: &TestGate, link: &str) -> String {
    let answer = open(gate, link, "").await;
    signed_in(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}

fn said(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}
