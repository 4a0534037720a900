//! The last administrator is lost: a record, a notice to everybody, a day's wait, and then a link. Anybody stops it.

use proviso::app::RecoveryStep;
use proviso_tests::{Setup, TestGate};
use serde_json::json;

use super::{again, come, open, operator, said, setup, two};

/// A gate whose administrators have both left.
async fn lost(setup: Setup) -> TestGate {
    let (gate, _, _) = two(setup).await;
    for user in ["jun", "kit"] {
        gate.app.departed(&operator(), user, "left the company").await.unwrap();
    }
    gate
}

async fn recover(gate: &TestGate, reason: Option<&str>) -> Result<RecoveryStep, &'static str> {
    gate.app.recover(&operator(), Some("lea"), reason).await.map_err(|refusal| refusal.code)
}

fn waits(step: Result<RecoveryStep, &'static str>) -> bool {
    matches!(step, Ok(RecoveryStep::Waits(_)))
}

fn link(step: Result<RecoveryStep, &'static str>) -> String {
    let Ok(RecoveryStep::Ready(laid)) = step else { panic!("{step:?}") };
    std::fs::read_to_string(laid.file).unwrap()
}

#[tokio::test]
async fn an_administrator_is_let_in_after_a_day_and_not_before() {
    let gate = lost(setup()).await;
    assert_eq!(recover(&gate, None).await.unwrap_err(), "reason_needed");
    assert!(waits(recover(&gate, Some("nobody is left")).await));
    let mara = gate.person("mara").await;
    let told = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(told["recovery"]["person"]["id"], "lea", "everybody's pages say so: {told:#}");
    gate.clock.advance(86_399);
    assert!(waits(recover(&gate, None).await));
    // A restart makes the wait no shorter.
    let gate = again(gate).await;
    assert!(waits(recover(&gate, None).await));
    gate.clock.advance(1);
    let stolen = link(recover(&gate, None).await);
    let good = link(recover(&gate, None).await);
    assert_eq!(said(&open(&gate, &stolen, "").await), (401, "bad_link".to_owned()), "another was made since");
    let lea = come(&gate, &good).await;
    assert_eq!(said(&open(&gate, &good, "").await), (401, "bad_link".to_owned()));
    let session = gate.client.get("/api/v1/session", Some(&lea)).await.json();
    assert!(session["may"].as_array().unwrap().contains(&json!("administer")), "{session:#}");
    assert_eq!(session.get("recovery"), None, "it is over");
    assert_eq!(recover(&gate, Some("again")).await.unwrap_err(), "administrator_exists");
}

#[tokio::test]
async fn a_clock_that_is_set_gains_nothing() {
    let gate = lost(setup()).await;
    assert!(waits(recover(&gate, Some("nobody is left")).await));
    // Back: time does not run back.
    gate.clock.set_back(3_600);
    assert!(waits(recover(&gate, None).await));
    // Forward by a day, while the machine has been up for a moment.
    gate.clock.set_back(-2 * 86_400);
    assert_eq!(recover(&gate, None).await.unwrap_err(), "clock_doubted");
}

#[tokio::test]
async fn anybody_stops_it_and_then_another_whole_day_passes() {
    let gate = lost(setup()).await;
    assert!(waits(recover(&gate, Some("nobody is left")).await));
    let bo = gate.person("bo").await;
    let body = json!({"reason": "kit is on holiday"});
    let stop = async |who: &str| gate.client.post("/api/v1/people/recovery/stop", who, &body).await;
    let empty = gate.client.post("/api/v1/people/recovery/stop", &bo, &json!({"reason": ""})).await;
    assert_eq!(said(&empty), (400, "reason_needed".to_owned()));
    assert_eq!(stop(&bo).await.status.as_u16(), 204);
    assert_eq!(said(&stop(&bo).await), (404, "no_recovery".to_owned()));
    gate.clock.advance(86_400);
    assert!(waits(recover(&gate, Some("once more")).await), "from the beginning");
    gate.clock.advance(86_400);
    // Also when its link is there already.
    let made = link(recover(&gate, None).await);
    let bo = gate.person("bo").await;
    assert_eq!(stop(&bo).await.status.as_u16(), 204);
    assert_eq!(said(&open(&gate, &made, "").await), (401, "bad_link".to_owned()));
}

#[tokio::test]
async fn while_an_administrator_is_here_nobody_is_recovered() {
    let (gate, _, kit) = two(setup()).await;
    assert_eq!(recover(&gate, Some("let me in")).await.unwrap_err(), "administrator_exists");
    for user in ["jun", "kit"] {
        gate.app.departed(&operator(), user, "left the company").await.unwrap();
    }
    assert_eq!(gate.client.get("/api/v1/session", Some(&kit)).await.code(), "signed_out");
    assert!(waits(recover(&gate, Some("nobody is left")).await));
    let other = gate.app.recover(&operator(), Some("kit"), None).await.unwrap_err();
    assert_eq!(other.code, "recovery_under_way");
    gate.clock.advance(86_400);
    let made = link(recover(&gate, None).await);
    // Somebody comes back before the link is used: it opens nothing.
    gate.app.returned(&operator(), "kit", "a mistake").await.unwrap();
    assert_eq!(said(&open(&gate, &made, "").await), (409, "administrator_exists".to_owned()));
    assert_eq!(recover(&gate, None).await.unwrap_err(), "administrator_exists");
}

#[tokio::test]
async fn nobody_is_let_in_whom_the_bundle_lets_look_after_nothing() {
    let gate = lost(setup()).await;
    let mara = gate.app.recover(&operator(), Some("mara"), Some("let me in")).await.unwrap_err();
    assert_eq!(mara.code, "not_an_administrator");
    let kit = gate.app.recover(&operator(), Some("kit"), Some("let me in")).await.unwrap_err();
    assert_eq!(kit.code, "departed_person");
}
