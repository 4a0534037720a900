//! Whose an account is (R4): one person's, for good, and of somebody who is there.

use std::sync::Arc;

use policy_core::time::Span;
use proviso::app::{Class, ErasureRequest, Kept, Operator};
use proviso_tests::{TestClock, TestGate};
use serde_json::json;

use super::browser::{Browser, enter, file, gate, person, refused, setup};
use super::provider::Provider;

#[tokio::test]
async fn an_account_stays_the_persons_that_it_first_signed_in_as() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let before = file(&provider, "acme", &["mara"], "");
    let gate = TestGate::with(setup(&clock, std::slice::from_ref(&before))).await;
    assert_eq!(enter(&gate, &provider, "sub-mara", json!({})).await.status.as_u16(), 200);
    // Somebody gives mara's account to jun, so that she could vote as two.
    let moved = before.replace("= \"mara\"", "= \"jun\"");
    let gate = gate.again(setup(&clock, &[moved])).await;
    let answer = enter(&gate, &provider, "sub-mara", json!({})).await;
    assert_eq!(refused(&answer), (403, "account_of_another".to_owned()), "{answer:?}");
    // Put right, it is hers again.
    let gate = gate.again(setup(&clock, &[before])).await;
    assert_eq!(enter(&gate, &provider, "sub-mara", json!({})).await.status.as_u16(), 200);
}

#[tokio::test]
async fn erasing_sign_ins_makes_no_account_somebody_elses() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let before = file(&provider, "acme", &["mara"], "");
    let gate = TestGate::with(setup(&clock, std::slice::from_ref(&before))).await;
    for _ in 0..3 {
        assert_eq!(enter(&gate, &provider, "sub-mara", json!({})).await.status.as_u16(), 200);
    }
    clock.advance(30 * 86_400);
    let erasure = |person: Option<&str>, days: Option<u64>| ErasureRequest {
        person: person.map(str::to_owned),
        older_than: days.map(|days| Span::from_seconds(days * 86_400)),
        reason: "they asked us to".to_owned(),
        ..ErasureRequest::default()
    };
    let root = Operator { uid: 0, name: "root".to_owned() };
    let report = gate.app.erase(&root, &erasure(None, Some(8))).await.unwrap();
    assert_eq!(report.erased.get(&Class::Credentials), Some(&2), "all but the first: {report:?}");
    let report = gate.app.erase(&root, &erasure(Some("mara"), None)).await.unwrap();
    assert_eq!(report.kept.get(&Kept::BindsAccount), Some(&1), "{report:?}");
    let gate = gate.again(setup(&clock, &[before.replace("= \"mara\"", "= \"jun\"")])).await;
    let answer = enter(&gate, &provider, "sub-mara", json!({})).await;
    assert_eq!(refused(&answer), (403, "account_of_another".to_owned()), "{answer:?}");
}

#[tokio::test]
async fn an_account_of_nobody_whom_the_bundle_knows_signs_nobody_in() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let gate = TestGate::with(setup(&clock, &[file(&provider, "acme", &["nobody"], "")])).await;
    let answer = enter(&gate, &provider, "sub-nobody", json!({})).await;
    assert_eq!(answer.code(), "unknown_person", "{answer:?}");
}

#[tokio::test]
async fn whoever_leaves_while_signing_in_does_not_come_in() {
    let (gate, provider) = gate().await;
    let root = || Operator { uid: 0, name: "root".to_owned() };
    let app = gate.app.clone();
    // Between the provider's word and ours.
    provider.meanwhile(Box::new(move || {
        let app = app.clone();
        Box::pin(async move { app.departed(&root(), "mara", "left the company").await.unwrap() })
    }));
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let back = provider.sign_in(&location, "sub-mara");
    let answer = browser.end(&gate.client, "acme", &back).await;
    assert_eq!(answer.code(), "departed_person", "{answer:?}");
    // Who was signed in by a provider is signed out by leaving.
    let jun = person(&enter(&gate, &provider, "sub-jun", json!({})).await);
    gate.app.departed(&root(), "jun", "left the company").await.unwrap();
    assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.code(), "signed_out");
}
